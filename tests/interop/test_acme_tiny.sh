#!/usr/bin/env bash
# acme-tiny (Debian's 5.0): a client of 200 lines, without account binding: it asks for a nonce before every request and closes each
# connection. Names that are registered for ACME, any name, and none. Rows ACME-29, ACME-33, ACME-34, ACME-40, ACME-62, ACME-81.
. "$(dirname "$0")/lib_acme.sh"
need acme-tiny
start_gateway
serve_folder www
mkdir -p www/.well-known/acme-challenge
openssl genrsa -out account.key 2048 2>/dev/null
request() { # name: its key and request
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -subj "/CN=$1" -out "$1.csr" 2>/dev/null
}
tiny() { # name, procedure
    rm -f "$1.pem"
    SSL_CERT_FILE=$ca timeout 120 acme-tiny --account-key account.key --csr "$1.csr" --acme-dir www/.well-known/acme-challenge --disable-check \
        --directory-url "$(directory "$2")" >"$1.pem" 2>client.log
    code=$?
}
for name in a.example.com b.example.com; do request $name; done

procedure=unbound register est a.example.com s3cret --protocols acme
tiny a.example.com unbound
expect_certificate a.example.com.pem a.example.com "a registered name"
tiny a.example.com unbound
expect_certificate a.example.com.pem a.example.com "and again, the account is there already"
tiny b.example.com unbound
expect_match "$code $(tr '\n' ' ' <client.log)" '^1 .*rejectedIdentifier' "a name that is not registered"
expect_match "$(last_acme operation=new-order)" 'reason=no_registration' "the log says why"
tiny b.example.com anyone
expect_certificate b.example.com.pem b.example.com "where none is needed"
tiny a.example.com bound
expect_match "$code $(tr '\n' ' ' <client.log)" '^1 .*externalAccountRequired' "an account must be bound"
procedure=unbound close_registration a.example.com
tiny a.example.com unbound
expect_equal "$code" 1 "a registration that was closed"
expect_match "$(last_acme operation=new-order)" 'reason=closed' "the log says why"
expect_equal "$(curl -s -o /dev/null -w '%{http_code}' "$http/acme/anyone/directory")" 403 "nothing over plain HTTP"
expect_audit
finish
