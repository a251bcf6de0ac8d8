#!/usr/bin/env bash
# curl as an EST client: Basic, Digest, client certificate, chunked bodies, HEAD, wrong methods.
. "$(dirname "$0")/lib.sh"
need curl
configure() { add_large_ca; }
start_gateway

C="curl -s --cacert $ca"
csr() { # key file, FQDN, extra openssl req options
    local key=$1 fqdn=$2
    shift 2
    [ -f "$key" ] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$key" 2>/dev/null
    openssl req -new -key "$key" -subj "/CN=$fqdn" "$@" -outform DER | openssl base64 -A >csr.b64
}
certificate() { openssl base64 -d -A -in "$1" 2>/dev/null | openssl pkcs7 -inform DER -print_certs -out "$2" 2>/dev/null; }
enroll() { # procedure, operation, output, curl options
    local procedure=$1 operation=$2 out=$3
    shift 3
    rm -f "$out" answer.b64
    status=$($C "$@" -H 'Content-Type: application/pkcs10' --data @csr.b64 -D headers -o answer.b64 -w '%{http_code}' "$https/.well-known/est/$procedure/$operation")
    [ "$status" = 200 ] && certificate answer.b64 "$out"
}

# --- CA certificates ---
status=$($C -o cacerts.b64 -w '%{http_code} %{content_type}' "$https/.well-known/est/cacerts")
expect_match "$status" '^200 application/pkcs7-mime; smime-type=certs-only' "cacerts without authentication, default procedure"
certificate cacerts.b64 cacerts.pem
expect_equal "$(openssl x509 -in cacerts.pem -noout -fingerprint)" "$(openssl x509 -in "$ca" -noout -fingerprint)" "cacerts holds the root"
status=$($C -o large.b64 -w '%{http_code} %{size_download}' "$https/.well-known/est/large/cacerts")
expect_match "$status" '^200 [2-9][0-9]{3}$' "cacerts of more than a kilobyte"
expect_equal "$(openssl base64 -d -A -in large.b64 | openssl pkcs7 -inform DER -print_certs | grep -c '^subject')" 3 "hold a chain of three"
expect_equal "$(curl -s -o /dev/null -w '%{http_code}' "$http/.well-known/est/demo/cacerts")" 403 "EST is not served over plain HTTP"
expect_equal "$($C -o /dev/null -w '%{http_code}' "$https/.well-known/est/nobody/cacerts")" 404 "an unknown label"
expect_equal "$($C --data x -o /dev/null -w '%{http_code}' "$https/.well-known/est/demo/cacerts")" 405 "POST cacerts"
expect_equal "$($C -X POST -o /dev/null -w '%{http_code}' "$https/.well-known/est/demo/cacerts")" 411 "POST without a length"
expect_equal "$($C -I -o /dev/null -w '%{http_code}' "$https/.well-known/est/demo/cacerts")" 200 "HEAD cacerts"
expect_equal "$($C -o /dev/null -w '%{http_code}' "$https/.well-known/est/demo/simpleenroll")" 405 "GET simpleenroll"
expect_equal "$($C -o /dev/null -w '%{http_code}' "$https/.well-known/est/demo/fullcmc" --data x)" 501 "fullcmc is not offered"

csr none.key none.example.com
enroll demo serverkeygen x.pem -u device:s3cret
expect_equal "$status $(ls x.pem 2>/dev/null)" "501 " "nor is serverkeygen: neither key nor certificate"
expect_match "$(tail -n 1 musterd.log)" 'operation=serverkeygen .*status=501' "and the log has it"

# --- first enrollment with Basic ---
register est curl1.example.com s3cret --user device
csr curl1.key curl1.example.com
enroll demo simpleenroll curl1.pem -u device:s3cret
expect_certificate curl1.pem curl1.example.com "enrollment with Basic"
enroll demo simpleenroll x.pem
expect_equal "$status" 401 "no credential: 401"
expect_match "$(grep -i '^www-authenticate' headers)" 'Basic realm=' "401 carries a Basic challenge"
enroll demo simpleenroll x.pem -u device:wrong
expect_equal "$status" 401 "wrong password: 401"
expect_refusal x.pem curl1.example.com secret "wrong password is logged as such"
cp answer.b64 wrong.body
csr other.key nobody.example.com
enroll demo simpleenroll x.pem -u device:s3cret
expect_refusal x.pem nobody.example.com no_registration "an unregistered FQDN is logged as such"
expect_equal "$status $(cmp answer.b64 wrong.body && echo same)" "401 same" "and looks like a wrong password from outside"

# --- chunked body, Expect: 100-continue, PEM ---
csr curl1.key curl1.example.com
enroll demo simpleenroll chunked.pem -u device:s3cret -H 'Transfer-Encoding: chunked' -H 'Expect: 100-continue'
expect_certificate chunked.pem curl1.example.com "chunked body with Expect"

# --- renewal: the names are the certificate's (RFC 7030 4.2.2) ---
csr curl1.key curl1.example.com -addext subjectAltName=DNS:curl1.example.com
enroll demo simplereenroll renewed.pem --cert curl1.pem --key curl1.key
expect_certificate renewed.pem curl1.example.com "renewal over mutual TLS, same key"
csr new.key curl1.example.com -addext subjectAltName=DNS:curl1.example.com
enroll demo simplereenroll rekeyed.pem --cert curl1.pem --key curl1.key
expect_certificate rekeyed.pem curl1.example.com "renewal with a new key"
csr new.key other.example.com -addext subjectAltName=DNS:other.example.com
enroll demo simplereenroll x.pem --cert curl1.pem --key curl1.key
expect_equal "$status" 403 "renewal for another name is refused"
csr new.key curl1.example.com -addext subjectAltName=DNS:curl1.example.com,DNS:other.example.com
enroll demo simplereenroll x.pem --cert curl1.pem --key curl1.key
expect_equal "$status" 403 "renewal with a name more is refused"
enroll demo simplereenroll x.pem -u device:s3cret
expect_equal "$status" 403 "renewal without a certificate is refused"

# --- wildcard, closed, IP, serial number ---
register est '*.wild.example.com' wild-secret
csr w.key a.wild.example.com -addext subjectAltName=DNS:a.wild.example.com
enroll demo simpleenroll w.pem -u any:wild-secret
expect_certificate w.pem a.wild.example.com "a wildcard registration"
csr w.key a.b.wild.example.com
enroll demo simpleenroll x.pem -u any:wild-secret
expect_refusal x.pem a.b.wild.example.com no_registration "a star never crosses a dot"
register est ip.example.com ip-secret --ip 192.0.2.7
csr ip.key ip.example.com -addext subjectAltName=DNS:ip.example.com,IP:192.0.2.8
enroll demo simpleenroll x.pem -u any:ip-secret
expect_refusal x.pem ip.example.com ip "a wrong IP address"
csr ip.key ip.example.com -addext subjectAltName=DNS:ip.example.com,IP:192.0.2.7
enroll demo simpleenroll ip.pem -u any:ip-secret
expect_certificate ip.pem ip.example.com "the right IP address"
register est serial.example.com sn-secret --serial SN-1
csr sn.key serial.example.com
openssl req -new -key sn.key -subj /CN=serial.example.com/serialNumber=SN-2 -outform DER | openssl base64 -A >csr.b64
enroll demo simpleenroll x.pem -u any:sn-secret
expect_refusal x.pem serial.example.com serial "a wrong serial number"
openssl req -new -key sn.key -subj /CN=serial.example.com/serialNumber=sn-1 -outform DER | openssl base64 -A >csr.b64
enroll demo simpleenroll sn.pem -u any:sn-secret
expect_certificate sn.pem serial.example.com "the right serial number, in other case"
enroll demo simplereenroll snew.pem --cert sn.pem --key sn.key
expect_certificate snew.pem serial.example.com "and it renews: the certificate carries the serial number"
close_registration curl1.example.com
csr curl1.key curl1.example.com
enroll demo simpleenroll x.pem -u device:s3cret
expect_refusal x.pem curl1.example.com closed "a closed registration: not even what it had is handed out again"
csr new.key curl1.example.com -addext subjectAltName=DNS:curl1.example.com
enroll demo simplereenroll x.pem --cert rekeyed.pem --key new.key
expect_equal "$status" 403 "a closed registration stops renewal too"

# --- Digest ---
procedure=digest register est digest.example.com d-secret --user device
csr d.key digest.example.com
enroll digest simpleenroll d.pem --digest -u device:d-secret
expect_certificate d.pem digest.example.com "enrollment with Digest"
enroll digest simpleenroll x.pem --digest -u device:wrong
expect_equal "$status" 401 "Digest with a wrong password"

# --- approval ---
procedure=manual register est slow.example.com m-secret
csr m.key slow.example.com
enroll manual simpleenroll m.pem -u any:m-secret
expect_equal "$status" 202 "an officer must approve: 202"
expect_match "$(grep -i '^retry-after' headers)" '[0-9]' "202 carries Retry-After"
approve_all
enroll manual simpleenroll m.pem -u any:m-secret
expect_certificate m.pem slow.example.com "approved: the same request gets the certificate"

# --- attributes ---
status=$($C -o /dev/null -w '%{http_code}' "$https/.well-known/est/demo/csrattrs")
expect_match "$status" '^20[04]$' "csrattrs"
finish
