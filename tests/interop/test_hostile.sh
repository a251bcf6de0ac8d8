#!/usr/bin/env bash
# Hostile connections against a running gateway: each is ended with the right status and one log line, in the time that the
# configuration allows, while a normal client is served all along.
. "$(dirname "$0")/lib.sh"
need curl
configure() {
    sed -i '1i limits: { target: 2KiB, head: 4KiB, body: 64KiB, headers: 32, handshake: 1s, head_time: 1s, body_time: 1s, idle: 2s }' m/muster.yaml
}
start_gateway
shopt -s lastpipe # so that what hostile finds out is known after it

# --- the normal client: enrollments over TLS, one after another, until told to stop ---
register est normal.example.com s3cret
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout normal.key -subj /CN=normal.example.com -outform DER 2>/dev/null |
    openssl base64 -A >normal.b64
normal_client() {
    while [ ! -f stop ]; do
        curl -s --max-time 5 --cacert "$ca" -u x:s3cret -H 'Content-Type: application/pkcs10' --data @normal.b64 -o /dev/null \
            -w '%{http_code}\n' "$https/.well-known/est/demo/simpleenroll" >>normal.status
    done
}
normal_client &
client=$!
helpers="$helpers $client"

refusals() { grep -c ' protocol=http verdict=refused reason=http ' musterd.log; }
refusals_are() { # a refusal is logged as it is sent: the line may come a moment after the reply
    local attempt
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        [ "$(refusals)" = "$1" ] && return
        sleep 0.1
    done
}

# hostile PORT STATUS LINES WHAT [options of wire.py]: sends standard input; STATUS "-": no reply at all. LINES: of the log.
hostile() {
    local port=$1 expected=$2 lines=$3 what=$4 before status
    shift 4
    before=$(refusals)
    python3 "$top/tests/interop/wire.py" "$port" "$@" >reply 2>ending
    status=$(sed -n '1s/HTTP\/1.1 \([0-9]*\) .*/\1/p' reply | tr -d '\r')
    refusals_are $((before + lines))
    expect_equal "${status:--} $(sed 's/.*end=//' ending | sed 's/broken/closed/') $(($(refusals) - before))" "$expected closed $lines" "$what"
}
over_tls=(--tls "$ca")
repeat() { head -c "$2" /dev/zero | tr '\0' "$1"; }

# --- what is no HTTP ---
printf '\001\002\003 nonsense \377\376\r\n\r\n' | hostile "$http_port" 400 1 "garbage"
head -c 3000 /dev/urandom | hostile "$http_port" 400 1 "random octets"
printf '\026\003\001\002\000\001\000\001\374\003\003' | hostile "$http_port" 400 1 "a TLS client on the plain port"
printf 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' | hostile "$http_port" 505 1 "an HTTP/2 preface"
printf 'GET / HTTP/1.1\nHost: a\n\n' | hostile "$http_port" 400 1 "bare line feeds"
printf '\001\002 nonsense\r\n\r\n' | hostile "$tls_port" 400 1 "garbage inside TLS" "${over_tls[@]}"

# --- what is no TLS: no reply, and one line says what became of the handshake ---
printf 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' | hostile "$tls_port" - 1 "plain HTTP on the TLS port"
head -c 3000 /dev/urandom | hostile "$tls_port" - 1 "random octets on the TLS port"
printf '\026\003\001\002\000\001\000\001\374\003\003' | hostile "$tls_port" - 1 "half a ClientHello is waited for one second" --wait 3
expect_equal "$(grep -c 'detail="the TLS handshake took too long" peer=127.0.0.1 status=0$' musterd.log)" 1 "and the log says whose handshake took too long"
printf '\026\003\001\100\001\001\000\077\377' | hostile "$tls_port" - 1 "a record of more than TLS allows" --wait 3

# --- truncated ---
printf 'GET /ca/demo.cer HTTP/1.1\r\nHost: a\r\n' | hostile "$http_port" - 1 "half a head, then half-closed" --half-close
printf 'POST /scep/demo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf' | hostile "$http_port" - 1 "half a body, then half-closed" --half-close
printf 'GET /ca/demo.cer HTTP/1.1\r\nHost: a\r\n\r\n' | hostile "$http_port" 200 0 "a whole request, then half-closed, is answered" --half-close
printf 'POST /scep/demo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf' | hostile "$http_port" 408 1 "half a body is waited for one second" --wait 3

# --- oversized ---
{ printf 'GET /'; repeat a 3000; printf ' HTTP/1.1\r\nHost: a\r\n\r\n'; } | hostile "$http_port" 414 1 "a long target"
{ printf 'GET /'; repeat a 100000; } | hostile "$http_port" 414 1 "a target without end"
{ printf 'GET / HTTP/1.1\r\nHost: a\r\nX: '; repeat a 5000; printf '\r\n\r\n'; } | hostile "$http_port" 431 1 "a long header"
{ printf 'GET / HTTP/1.1\r\nHost: a\r\n'; seq -f 'X-%g: 1' 40 | sed 's/$/\r/'; printf '\r\n'; } | hostile "$http_port" 431 1 "many headers"
printf 'POST /scep/demo HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n' | hostile "$http_port" 413 1 "a body announced too large"
{ printf 'POST /scep/demo HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n'; repeat a 2000000; } | hostile "$http_port" 413 1 "and sent all the same"
{ printf 'POST /scep/demo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'; seq 20 | while read -r _; do printf '1000\r\n'; repeat a 4096; printf '\r\n'; done; } |
    hostile "$http_port" 413 1 "a chunked body grown too large"
printf 'POST /scep/demo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n' | hostile "$http_port" 413 1 "a number without bound" 
{ printf 'POST /.well-known/est/demo/simpleenroll HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n'; repeat a 70000; } | hostile "$tls_port" 413 1 "a large body inside TLS" "${over_tls[@]}"

# --- ambiguous framing ---
printf 'POST /scep/demo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n' | hostile "$http_port" 400 1 "two framings"
printf 'POST /scep/demo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde' | hostile "$http_port" 400 1 "two lengths"
printf 'POST /scep/demo HTTP/1.1\r\nHost: a\r\n\r\n' | hostile "$http_port" 411 1 "no length"
printf 'POST /scep/demo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n' | hostile "$http_port" 501 1 "another transfer coding"

# --- slow ---
{ printf 'GET /ca/demo.cer HTTP/1.1\r\nHost: a\r\nX: '; repeat a 200; } | hostile "$http_port" 408 1 "a head that drips is ended after one second" --pieces 1 --pause 0.02
{ printf 'POST /scep/demo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n'; repeat a 400; } | hostile "$http_port" 408 1 "so is a body" --pieces 5 --pause 0.02
{ printf 'GET / HTTP/1.1\r\nHost: a\r\nX: '; repeat a 200; } | hostile "$tls_port" 408 1 "and a head inside TLS, an octet a record" "${over_tls[@]}" --pieces 1 --pause 0.02
printf '' | hostile "$http_port" - 0 "who sends nothing is let go" --wait 3

# --- wrong methods and paths: whole requests, logged as what they are ---
for line in 'BREW /ca/demo.cer 405' 'DELETE /ca/demo.cer 405' 'PUT /crl/demo.crl 405' 'OPTIONS /scep/demo 405' 'GET /api/v1/registrations 404' 'GET /../../etc/passwd 404' 'GET /%00 404'; do
    read -r method path expected <<<"$line"
    printf '%s %s HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' "$method" "$path" | hostile "$http_port" "$expected" 0 "$method $path"
    expect_equal "$(grep -cF "method=$method path=$path status=$expected" musterd.log)" 1 "and one line says so"
done

# --- many at once: silent, half-written, reset ---
python3 - "$http_port" "$tls_port" <<'PY'
import socket, struct, sys
ports = [int(p) for p in sys.argv[1:]]
held = []
for i in range(300):
    s = socket.create_connection(("127.0.0.1", ports[i % 2]))
    if i % 3 == 1:
        s.sendall(b"GET /ca/demo.cer HTTP/1.1\r\nHost: a\r\n")
    if i % 3 == 2:  # reset
        s.sendall(b"GET /ca/demo.cer HTTP/1.1\r\nHost: a\r\n\r\n")
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    held.append(s)
for s in held:  # each is let go in its time, by us closed or told
    if s.fileno() >= 0:
        s.settimeout(10)
        try:
            while s.recv(4096):
                pass
        except ConnectionError:
            pass
PY
expect_equal $? 0 "three hundred silent, half-written and reset connections are all let go"

touch stop
wait $client
expect_equal "$(sort normal.status | uniq -c | sed 's/^ *[0-9]* //')" 200 "the normal client was served all along ($(wc -l <normal.status) times)"
expect_equal "$(muster audit verify >/dev/null 2>&1; echo $?)" 0 "the audit verifies"
finish
