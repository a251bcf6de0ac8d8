#!/usr/bin/env bash
# What clients of the field send and expect on the wire, octet by octet: requests written as libest, strongSwan and old curl
# write them, replies held against what those clients can read. Real clients have scripts of their own.
. "$(dirname "$0")/lib.sh"
need curl
wire=$(cd "$top" && realpath tests/interop/wire.py)
configure() { add_large_ca; }
start_gateway
shopt -s lastpipe # so that what talk finds out is known after it

csr() { # FQDN, extra openssl req options: csr.b64 (one line, no newline) and csr.64 (64 columns)
    local fqdn=$1
    shift
    [ -f "$fqdn.key" ] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$fqdn.key" 2>/dev/null
    openssl req -new -key "$fqdn.key" -subj "/CN=$fqdn" "$@" -outform DER | tee csr.der | openssl base64 -A >csr.b64
    openssl base64 -in csr.der >csr.64
}

# Sends standard input over TLS; the reply's head to head (without CR), its body to body, its ending to ending.
talk() {
    python3 "$wire" "$tls_port" --tls "$ca" "$@" >reply 2>ending
    sed '/^\r$/q' reply | tr -d '\r' >head
    sed '1,/^\r$/d' reply >body
    status=$(sed -n '1s/HTTP\/1.1 \([0-9]*\) .*/\1/p' head)
}

post() { # path, file of the body, header lines...
    local path=$1 body=$2
    shift 2
    printf 'POST %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n' "$path" "$tls_port"
    printf '%s\r\n' "$@" "Content-Type: application/pkcs10" "Content-Length: $(wc -c <"$body")"
    printf '\r\n'
    cat "$body"
}

certificate() { rm -f "$1"; base64 -d body 2>/dev/null | openssl pkcs7 -inform DER -print_certs -out "$1" 2>/dev/null; }
columns() { awk '{ if (length > max) max = length } END { print max }' "$1"; }
ends_with_newline() { [ "$(tail -c 1 "$1" | od -An -tx1 | tr -d ' ')" = 0a ] && echo yes; }
basic="Authorization: Basic $(printf 'estuser:s3cret' | openssl base64 -A)"
est=/.well-known/est/demo

register est a.example.com s3cret
csr a.example.com

# --- TLS ---
for version in 1.2 1.3; do
    expect_equal "$(curl -s --cacert "$ca" --tlsv$version --tls-max $version -o /dev/null -w '%{http_code}' "$https$est/cacerts")" 200 "TLS $version"
done
openssl s_client -connect "127.0.0.1:$tls_port" -tls1_1 -cipher 'ALL:@SECLEVEL=0' </dev/null >s_client.log 2>&1
expect_match "$(grep -c 'BEGIN CERTIFICATE' s_client.log)" '^0$' "TLS 1.1 is refused"
openssl s_client -connect "127.0.0.1:$tls_port" -tls1_2 -cipher 'aNULL:eNULL:@SECLEVEL=0' </dev/null >s_client.log 2>&1
expect_match "$(grep -c 'BEGIN CERTIFICATE' s_client.log)" '^0$' "so are anonymous and unencrypted suites"

# --- strongSwan: the label before /.well-known; Host, Content-Type and Content-Length alone; Basic unasked; one line without newline ---
post "/demo/.well-known/est/simpleenroll" csr.b64 "$basic" "Connection: close" | talk --max-tls 1.2
certificate a.pem
expect_certificate a.pem a.example.com "strongSwan: /LABEL/.well-known/est/simpleenroll, body on one line without newline"
expect_equal "$(wc -l <body) $(ends_with_newline body)" "1 yes" "strongSwan: the reply is one line with its newline"
expect_match "$(cat ending)" "^reads=1 first=$(wc -c <reply) " "strongSwan: head and body come in one TLS record"
printf 'GET /demo/.well-known/est/cacerts HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n' | talk --wait 1
expect_equal "$(wc -l <body) $(ends_with_newline body)" "1 yes" "strongSwan: CA certificates too are one line"
expect_match "$(cat ending)" "^reads=1 .* end=kept" "HTTP/1.1 without Connection: the connection stays"

# --- libest: its User-Agent, 64 columns, Connection: close ---
libest=("User-Agent: libest 3.2.0p" "Connection: close" "Accept: */*")
post $est/simpleenroll csr.64 "${libest[@]}" | talk --max-tls 1.2
expect_equal "$status" 401 "libest: first without credential"
expect_match "$(grep WWW-Auth head | head -n 1)" '^WWW-Authenticate: Basic realm=' "libest: the first challenge is one that it speaks"
expect_match "$(cat ending)" 'end=closed' "libest: Connection: close is obeyed, by close_notify"
csr a.example.com # it signs anew after the 401
post $est/simpleenroll csr.64 "${libest[@]}" "$basic" | talk --max-tls 1.2
certificate again.pem
expect_certificate again.pem a.example.com "libest: 64 columns, signed anew"
expect_equal "$(openssl x509 -in again.pem -noout -serial)" "$(openssl x509 -in a.pem -noout -serial)" "the same request with another signature is the same request"
expect_equal "$(columns body) $(ends_with_newline body)" "64 yes" "libest: the reply has 64 columns and a last newline"
expect_match "$(cat ending)" 'end=closed' "libest: the reply ends with the connection"
for path in cacerts demo/cacerts; do
    printf 'GET /.well-known/est/%s HTTP/1.1\r\nUser-Agent: libest 3.2.0p\r\nConnection: close\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n' $path | talk --max-tls 1.2
    expect_equal "$status $(columns body)" "200 64" "libest: $path in 64 columns"
done

# --- replies of more than 1 KiB of base64: each family still gets the form that it can read ---
register est large.example.com l-secret
openssl req -new -newkey rsa:4096 -nodes -keyout large.key -subj /CN=large.example.com -outform DER 2>/dev/null | tee csr.der | openssl base64 -A >csr.b64
openssl base64 -in csr.der >csr.64
large="Authorization: Basic $(printf 'x:l-secret' | openssl base64 -A)"
get_large() { printf 'GET /.well-known/est/large/cacerts HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n' "$1" | talk --max-tls 1.2; }
get_large $'User-Agent: libest 3.2.0p\r\n'
expect_equal "$status $(columns body) $(ends_with_newline body)" "200 64 yes" "libest: a long chain in 64 columns"
expect_match "$(wc -c <body)" '^[2-9][0-9]{3}$' "which is longer than a kilobyte"
expect_equal "$(base64 -d body | openssl pkcs7 -inform DER -print_certs 2>/dev/null | grep -c '^subject')" 3 "and has all three certificates"
tr -d '\n' <body >wrapped
get_large ''
expect_equal "$status $(wc -l <body) $(ends_with_newline body) $(tr -d '\n' <body | cmp - wrapped)" "200 1 yes " "all others: the same on one line"
expect_match "$(cat ending)" "^reads=1 first=$(wc -c <reply) " "head and body in one TLS record" # strongSwan reads twice and no more
post /large/.well-known/est/simpleenroll csr.b64 "$large" "Connection: close" | talk --max-tls 1.2
expect_equal "$status $(wc -l <body)" "200 1" "strongSwan: a certificate over RSA of 4,096 bits, on one line"
expect_match "$(wc -c <body) $(cat ending)" "^[1-9][0-9]{3} reads=1 " "longer than a kilobyte, in one TLS record"
post /.well-known/est/large/simpleenroll csr.64 "${libest[@]}" "$large" | talk --max-tls 1.2
expect_equal "$status $(columns body)" "200 64" "libest: the same in 64 columns"

# --- headers, letter by letter ---
printf 'GET /.well-known/est/demo/cacerts HTTP/1.1\r\nUser-Agent: libest 3.2.0p\r\nConnection: close\r\nHost: a\r\n\r\n' | talk --max-tls 1.2
expect_match "$(cat head)" '^Content-Type: application/pkcs7-mime; smime-type=certs-only$' "Content-Type, its capitals and its media type"
expect_equal "$(sed -n 's/^Content-Length: //p' head)" "$(wc -c <body | tr -d ' ')" "Content-Length, its capitals and its number"
expect_match "$(cat head)" '^Content-Transfer-Encoding: base64$' "Content-Transfer-Encoding for those who ask"
expect_match "$(cat head)" '^Connection: close$' "Connection: close is said"
expect_equal "$(grep -ci '^Transfer-Encoding' head)" 0 "never chunked"
printf 'GET %s/cacerts HTTP/1.0\r\n\r\n' $est | talk
expect_match "$status $(cat ending)" '^200 .*end=closed' "HTTP/1.0 is answered and closed"

# --- bodies ---
csr a.example.com
chunked() { # size of the chunks
    printf 'POST %s/simpleenroll HTTP/1.1\r\nHost: a\r\nContent-Type: application/pkcs10\r\n%s\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n' $est "$basic"
    split -b "$1" --filter='n=$(tee chunk | wc -c); printf "%x;ext=\"v\"\r\n" "$n"; cat chunk; printf "\r\n"' csr.b64
    printf '0\r\nX-Trailer: t\r\n\r\n'
}
chunked 100 | talk
certificate x.pem; expect_certificate x.pem a.example.com "a chunked body, with extensions and trailer"
chunked 100 | talk --pieces 7
certificate x.pem; expect_certificate x.pem a.example.com "the same in records of seven octets"
fold -w 19 csr.b64 | sed 's/$/ \t\r/' >odd.b64
post $est/simpleenroll odd.b64 "$basic" "Connection: close" "Content-Transfer-Encoding: binary" | talk
certificate x.pem; expect_certificate x.pem a.example.com "odd line lengths, blanks, CRLF; Content-Transfer-Encoding is not looked at"
register est der.example.com s3cret
csr der.example.com
post $est/simpleenroll csr.der "$basic" "Connection: close" | talk
certificate x.pem; expect_certificate x.pem der.example.com "raw DER"
expect_match "$(tail -n 1 musterd.log)" 'detail=.*DER' "and the log says so"
register est pem.example.com s3cret
csr pem.example.com
openssl req -inform DER -in csr.der -out csr.pem
post $est/simpleenroll csr.pem "$basic" "Connection: close" | talk
certificate x.pem; expect_certificate x.pem pem.example.com "PEM"
expect_match "$(tail -n 1 musterd.log)" 'detail=.*PEM' "and the log says so"
printf 'no base64, really' >bad.b64
post $est/simpleenroll bad.b64 "$basic" "Connection: close" | talk
expect_equal "$status $(sed -n 's/^Content-Type: //p' head)" "400 text/plain; charset=utf-8" "what is no base64: 400 in plain text"
post $est/simpleenroll csr.b64 "$basic" "Expect: 100-continue" "Connection: close" | talk --pieces 300 --pause 0.2
expect_match "$(cat head)" '^HTTP/1.1 100 Continue' "Expect: 100-continue is answered"
post $est/simpleenroll csr.b64 "$basic" "Connection: close" | sed 's/application\/pkcs10/application\/json/' | talk
expect_equal "$status" 415 "another media type"
post $est/simpleenroll csr.b64 "$basic" "Connection: close" | sed '/^Content-Type/d' | talk
expect_equal "$status" 200 "no media type at all"

# --- several requests on one connection ---
{ post $est/simpleenroll csr.b64 "$basic"; post $est/simpleenroll csr.b64 "$basic" "Connection: close"; } | talk
expect_equal "$(grep -c '^HTTP/1.1 200' reply) $(sed 's/.* //' ending)" "2 end=closed" "two on one connection, in order"

# --- Digest as libest does it: MD5, qop=auth, the uri without the label ---
procedure=digest register est d.example.com d-secret --user estuser
csr d.example.com
md5() { printf '%s' "$1" | md5sum | cut -c1-32; }
challenge() { # the MD5 challenge's nonce
    post /.well-known/est/digest/simpleenroll csr.64 "${libest[@]}" | talk --max-tls 1.2
    nonce=$(sed -n 's/^WWW-Authenticate: Digest .*algorithm=MD5.*nonce="\([^"]*\)".*/\1/p' head)
    realm=$(sed -n 's/^WWW-Authenticate: Digest .*realm="\([^"]*\)".*/\1/p' head | head -n 1)
}
digest() { # uri, nc, password
    local ha1 ha2 nc=$2 cnonce=6b8b4567
    ha1=$(md5 "estuser:$realm:$3") ha2=$(md5 "POST:$1")
    printf 'Authorization: Digest username="estuser", realm="%s", nonce="%s", uri="%s", cnonce="%s", nc=%s, qop="auth", algorithm=MD5, response="%s"' \
        "$realm" "$nonce" "$1" $cnonce "$nc" "$(md5 "$ha1:$nonce:$nc:$cnonce:auth:$ha2")"
}
challenge
expect_match "$(grep WWW-Auth head | head -n 1)" '^WWW-Authenticate: Digest .*qop="auth", algorithm=MD5' "libest: the first challenge is Digest MD5"
answer="$(digest /.well-known/est/simpleenroll 00000001 d-secret)"
post /.well-known/est/digest/simpleenroll csr.64 "${libest[@]}" "$answer" | talk --max-tls 1.2
certificate d.pem
expect_certificate d.pem d.example.com "libest: Digest over the uri without the label"
post /.well-known/est/digest/simpleenroll csr.64 "${libest[@]}" "$answer" | talk --max-tls 1.2
expect_equal "$status" 401 "the same nonce and nc a second time: 401"
post /.well-known/est/digest/simpleenroll csr.64 "${libest[@]}" "$(digest /.well-known/est/digest/simpleenroll 00000002 d-secret)" | talk
expect_equal "$status" 200 "curl: Digest over the uri as it is, the next nc"
post /.well-known/est/digest/simpleenroll csr.64 "${libest[@]}" "$(digest /.well-known/est/demo/simpleenroll 00000003 d-secret)" | talk
expect_equal "$status" 401 "Digest over another uri: 401"
challenge
post /.well-known/est/digest/simpleenroll csr.64 "${libest[@]}" "$(digest /.well-known/est/simpleenroll 00000001 wrong)" | talk
expect_equal "$status $(grep -c 'stale=true' head)" "401 0" "a wrong password is not called stale"
nonce=${nonce%?}0
post /.well-known/est/digest/simpleenroll csr.64 "${libest[@]}" "$(digest /.well-known/est/simpleenroll 00000001 d-secret)" | talk
expect_equal "$status" 401 "a nonce that we did not make: 401"

# --- a procedure of certificates alone never sends a challenge ---
post /.well-known/est/certificates/simpleenroll csr.64 "${libest[@]}" | talk
expect_equal "$status $(grep -c '^WWW-Authenticate' head)" "403 0" "certificates alone: 403 without a challenge"

# --- 202: seconds, no date ---
procedure=manual register est slow.example.com m-secret
csr slow.example.com
slow="Authorization: Basic $(printf 'x:m-secret' | openssl base64 -A)"
post /.well-known/est/manual/simpleenroll csr.64 "${libest[@]}" "$slow" | talk
expect_match "$status $(grep '^Retry-After' head)" '^202 Retry-After: [0-9]+$' "202 with Retry-After in seconds"
post /.well-known/est/manual/simpleenroll csr.64 "${libest[@]}" "$slow" | talk
expect_equal "$status $(muster pending --json | grep -o '"id"' | wc -l)" "202 1" "asked again while pending: 202, and it waits once"
deny_all
post /.well-known/est/manual/simpleenroll csr.64 "${libest[@]}" "$slow" | talk
expect_equal "$status" 403 "denied: 403"

# --- csrattrs and what is not offered ---
printf 'GET %s/csrattrs HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' $est | talk
expect_equal "$status $(wc -c <body)" "204 0" "no attributes demanded: 204 without a body"
post $est/serverkeygen csr.64 "$basic" "Connection: close" | talk
expect_equal "$status" 501 "serverkeygen is not offered: 501"
printf 'PUT %s/simpleenroll HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' $est | talk
expect_match "$status $(grep '^Allow' head)" '^405 Allow: POST$' "another method: 405 with Allow"
finish
