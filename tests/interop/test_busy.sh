#!/usr/bin/env bash
# A gateway that cannot take one more request answers 503 with Retry-After, and this is how each client takes it.
#
# There is one worker, and it is held up: a request in single DES has a warning to log, and the log is a full pipe that nobody
# reads. (All else is told below warnings and left out.) The queue is for one request, and that is there.
. "$(dirname "$0")/lib.sh"
need curl
need python3
configure() {
    sed -i -e 's/^workers: .*/workers: 1/' -e '1i queue: 1' -e '1i busy_retry_after: 7s' -e '1i enrollment: { pending_max: 1 }' \
        -e 's/level: info/level: warning/' \
        -e '/^procedures:/a\  - { name: bound, domain: devices, ca: demo, profile: device, protocols: [acme] }' m/muster.yaml
}
mkfifo log.pipe
exec 3<>log.pipe
daemon_log=log.pipe
read_log() { # until it is killed
    cat <&3 >>musterd.log &
    reader=$!
    helpers=$reader
}
trap 'status=$?; kill -9 $daemon 2>/dev/null; (exit $status); on_exit' EXIT # a daemon that is held up does not end otherwise
read_log
start_gateway --ca-rsa # for scepclient

have() { command -v "$1" >/dev/null 2>&1 || [ -x "$1" ] || { echo "left out: no $1"; return 1; }; }
metric() { # the value of a metric, which the administration tells even now
    curl -s --cacert "$ca" --cert m/officer.pem --key m/officer.key "https://127.0.0.1:$admin_port/metrics" | sed -n "s/^$1 //p"
}
await_metric() { # name, value
    local attempt
    for attempt in $(seq 100); do
        [ "$(metric "$1")" = "$2" ] && return
        sleep 0.1
    done
    fail "$1 does not become $2"
}
busy() { metric 'muster_requests_total{protocol="'"$1"'",verdict="busy",reason=""}'; }
refused() { metric 'muster_requests_total{protocol="'"$1"'",verdict="refused",reason="'"$2"'"}'; }

# --- one request at the worker, one in the queue ---
register scep '*.example.com' s3cret
register est '*.example.org' e-secret
printf 'openssl_conf = o\n[o]\nproviders = p\n[p]\ndefault = on\nlegacy = on\n[on]\nactivate = 1\n' >legacy.cnf
pm() { OPENSSL_CONF=$work/legacy.cnf python3 "$top/tests/interop/pkimessage.py" "$@"; }
openssl genrsa -out weak.key 2048 2>/dev/null
pm csr --key weak.key --cn weak.example.net --challenge wrong >weak.csr
pm signer --key weak.key --cn weak.example.net >weak.cer
pm make --key weak.key --signer weak.cer --content weak.csr --ra m/scep-ra.pem --id weak --cipher des-cbc >weak.msg
send_weak() { curl -s -o "weak.$1" -w '%{http_code}' --data-binary @weak.msg "$http/scep/des?operation=PKIOperation" >"weak.$1.status" & }
hold_up() {
    kill $reader
    wait $reader 2>/dev/null
    yes '' | dd bs=1 oflag=nonblock of=log.pipe 2>/dev/null
    send_weak worker
    first=$!
    await_metric 'muster_requests_total{protocol="scep",verdict="refused",reason="no_registration"}' 1 # counted, then logged
    send_weak queue
    second=$!
    await_metric muster_queue_length 1
}
go_on() {
    read_log
    wait $first $second
}
hold_up

# --- what needs no worker is served ---
expect_equal "$(curl -s -o /dev/null -w '%{http_code}' "$http/scep/demo?operation=GetCACaps")" 200 "GetCACaps is answered all the same"
expect_equal "$(curl -s --cacert "$ca" -o /dev/null -w '%{http_code}' "$https/.well-known/est/demo/cacerts")" 200 "so are EST's CA certificates"

# --- on the wire ---
expect_equal "$(curl -s -D headers -o body -w '%{http_code}' --data-binary @weak.msg "$http/scep/demo?operation=PKIOperation")" 503 "SCEP: 503"
expect_match "$(tr -d '\r' <headers)" '^Retry-After: 7$' "with Retry-After in seconds"
expect_match "$(cat body)" '^busy, try again later$' "and words for people"
openssl req -new -newkey rsa:2048 -nodes -keyout e.key -subj /CN=e.example.org -out e.csr 2>/dev/null
openssl req -in e.csr -outform DER | openssl base64 -A >e.b64
enroll_by_curl() {
    curl -s --cacert "$ca" -D headers -o body -w '%{http_code}' -u x:e-secret -H 'Content-Type: application/pkcs10' --data @e.b64 "$https/.well-known/est/demo/simpleenroll"
}
expect_equal "$(enroll_by_curl)" 503 "EST: 503"
expect_match "$(tr -d '\r' <headers)" '^Retry-After: 7$' "with Retry-After"
expect_equal "$(curl -s --cacert "$ca" -D headers -o body -w '%{http_code}' -H 'Content-Type: application/jose+json' --data '{}' "$https/acme/bound/new-order")" 503 "ACME: 503"
expect_match "$(tr -d '\r' <headers)" '^Retry-After: 7$' "with Retry-After"
expect_match "$(tr -d '\r' <headers)" '^Content-Type: application/problem\+json$' "as a problem document"
expect_match "$(tr -d '\r' <headers)" '^Replay-Nonce: [A-Za-z0-9_-]{43}$' "with a fresh nonce, for newNonce is busy as well"
expect_match "$(tr -d '\r' <headers)" '^Link: <https://.*/acme/bound/directory>;rel="index"$' "and where the directory is"
expect_equal "$(cat body)" '{"detail":"busy, try again later","status":503,"type":"urn:ietf:params:acme:error:rateLimited"}' "whose type clients know"
expect_equal "$(busy scep) $(busy est) $(busy acme)" "1 1 1" "the metrics count them"

# --- SCEP clients ---
cat >s.cnf <<'CNF'
[req]
prompt = no
distinguished_name = dn
attributes = attrs
[dn]
CN = s.example.com
[attrs]
challengePassword = s3cret
CNF
openssl genrsa -out s.key 2048 2>/dev/null
openssl req -new -config s.cnf -key s.key -out s.csr
enroll_by_sscep() { timeout 60 sscep enroll -u "$http/scep/demo" -c m/scep-ra.pem -k s.key -r s.csr -l s.pem >client.log 2>&1; }
if have sscep; then
    enroll_by_sscep
    expect_equal "$? $(ls s.pem 2>/dev/null)" "95 " "sscep ends with 95 and no certificate"
fi
if have pki; then
    timeout 60 pki --scep --url "$http/scep/demo" --in s.key --dn CN=s.example.com --san s.example.com --password s3cret \
        --cacert-enc m/scep-ra.pem --cacert-sig m/scep-ra.pem --cacert "$ca" --outform pem >p.pem 2>client.log
    expect_equal "$? $(wc -c <p.pem) $(grep -c 'HTTP 503$' client.log)" "1 0 1" "pki --scep ends with 1 and prints the status"
fi
if have scepclient; then
    timeout 60 scepclient -server-url "$http/scep/demo" -private-key c.key -certificate c.pem -cn c.example.com -challenge s3cret \
        -organization "" -country "" >client.log 2>&1
    expect_equal "$? $(ls c.pem 2>/dev/null) $(grep -c '^PKIOperation .*503 .*busy, try again later' client.log)" "1  1" "scepclient ends with 1 and prints the body"
fi
if have /usr/lib/certmonger/scep-submit; then
    { echo '-----BEGIN PKCS7-----'; openssl base64 -in weak.msg; echo '-----END PKCS7-----'; } >weak.p7
    /usr/lib/certmonger/scep-submit -u "$http/scep/demo" -r m/scep-ra.pem -p weak.p7 >client.log 2>&1
    expect_equal "$?" 3 "certmonger's scep-submit ends with 3, which is: CA unreachable, try again"
fi

# --- EST clients ---
if have estclient; then
    mkdir out
    EST_OPENSSL_CACERT=$ca timeout 60 estclient -e -s 127.0.0.1 -p "$tls_port" -o out --path-seg demo -u x -h e-secret -y e.csr --pem-output >client.log 2>&1
    expect_equal "$(ls out) $(grep -o 'failed with code .*' client.log)" " failed with code 94 (EST_ERR_UNKNOWN)" "estclient has no certificate and says 94, unknown"
fi
if have pki && pki --est --help 2>&1 | grep -q -- --userpass; then
    openssl req -in e.csr -outform DER -out e.der
    timeout 60 pki --est --url "$https/demo" --in e.der --cacert "$ca" --outform pem --userpass x:e-secret >e.pem 2>client.log
    expect_equal "$? $(wc -c <e.pem) $(grep -c 'HTTP 503$' client.log)" "1 0 1" "pki --est ends with 1 and prints the status"
fi

# --- the worker is free again ---
go_on
expect_equal "$(cat weak.worker.status weak.queue.status)" 200200 "the two that waited have their answers"
expect_equal "$(enroll_by_curl)" 200 "the same request over EST gets its certificate"
if have sscep; then
    enroll_by_sscep
    expect_certificate s.pem s.example.com "sscep gets its certificate"
fi

# --- as many wait for an officer as the gateway holds, which is one ---
procedure=manual register est '*.man.example.org' m-secret
procedure=manual register scep '*.man.example.com' m-secret
ask_manual() { # CN: a first enrollment over EST, the key is the name's
    [ -f "$1.key" ] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null
    openssl req -new -key "$1.key" -subj "/CN=$1" -outform DER | openssl base64 -A >m.b64
    curl -s --cacert "$ca" -D headers -o body -w '%{http_code}' -u x:m-secret -H 'Content-Type: application/pkcs10' --data @m.b64 "$https/.well-known/est/manual/simpleenroll"
}
expect_equal "$(ask_manual a.man.example.org)" 202 "EST: the first one waits"
expect_equal "$(ask_manual b.man.example.org)" 503 "the second one is told 503"
expect_match "$(tr -d '\r' <headers)" '^Retry-After: 3$' "with the procedure's Retry-After"
if have sscep; then
    sed -i 's/s.example.com/s.man.example.com/; s/s3cret/m-secret/' s.cnf
    openssl genrsa -out m.key 2048 2>/dev/null
    openssl req -new -config s.cnf -key m.key -out m.csr
    timeout 60 sscep enroll -u "$http/scep/manual" -c m/scep-ra.pem -k m.key -r m.csr -l m.pem -n 0 >client.log 2>&1
    expect_equal "$? $(ls m.pem 2>/dev/null)" "72 " "SCEP has no word for that: badRequest"
    expect_equal "$(refused scep ca_unavailable)" 1 "and the metrics have the reason"
fi
deny_all
expect_equal "$(ask_manual b.man.example.org)" 202 "there is room again: the second one waits"
finish
