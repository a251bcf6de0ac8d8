#!/usr/bin/env bash
# The Debian scep package's scepclient: single DES and SHA-1 in every request. Refused by default, served under the dialect
# scep-des.
. "$(dirname "$0")/lib.sh"
need scepclient
start_gateway

scep() { # folder, procedure, FQDN, challenge
    mkdir -p "$1"
    (cd "$1" && timeout 90 scepclient -server-url "$http/scep/$2" -private-key client.key -certificate client.pem -cn "$3" \
        -challenge "$4" -organization "" -country "" >../client.log 2>&1)
}

register scep a.example.com s3cret
scep one demo a.example.com s3cret
if [ -s one/client.pem ]; then fail "DES is refused by default"; else pass "DES is refused by default"; fi
expect_match "$(grep 'protocol=scep' musterd.log | tail -n 1)" 'reason=algorithm' "and logged as such"
procedure=des register scep d.example.com d-secret
scep two des d.example.com d-secret
expect_certificate two/client.pem d.example.com "the dialect scep-des serves it"
scep three des d.example.com wrong
expect_refusal three/client.pem d.example.com secret "wrong password"
scep four des nobody.example.com wrong
expect_refusal four/client.pem nobody.example.com no_registration "unregistered"
finish
