#!/usr/bin/env bash
# The Debian scep package's scepclient: single DES and SHA-1 in every request. Refused by default, served under the dialect
# scep-des.
#
# It encrypts to every certificate of GetCACert and cannot do so for an EC key (it panics): the CA is RSA here, and one request
# has two recipients; with -ca-fingerprint of the RA it encrypts to that alone. It knows no renewal.
. "$(dirname "$0")/lib.sh"
need scepclient
configure() { # whole: the CA's certificate goes out with the device's
    sed -i '/^procedures:/a\  - { name: whole, domain: devices, ca: demo, profile: device, protocols: [scep], dialect: scep-des, switches: { scep_ca_in_reply: true }, scep: { ra: scep-ra } }' m/muster.yaml
}
start_gateway --ca-rsa

scep() { # folder, procedure, FQDN, challenge [more options]
    local folder=$1 procedure=$2 fqdn=$3 challenge=$4
    shift 4
    mkdir -p "$folder"
    (cd "$folder" && timeout 90 scepclient -server-url "$http/scep/$procedure" -private-key client.key -certificate client.pem \
        -cn "$fqdn" -challenge "$challenge" -organization "" -country "" "$@" >../client.log 2>&1)
}
last_scep() { grep 'method=POST path=/scep/' musterd.log | tail -n 1; }

register scep a.example.com s3cret
scep refused demo a.example.com s3cret
if [ -s refused/client.pem ]; then fail "DES is refused by default"; else pass "DES is refused by default"; fi
expect_match "$(last_scep)" 'reason=scep_algorithm' "and logged as such"
expect_match "$(cat client.log)" 'badAlg' "and the client is told badAlg"

procedure=des register scep d.example.com d-secret
scep des des d.example.com d-secret
expect_certificate des/client.pem d.example.com "the dialect scep-des serves it"
expect_match "$(last_scep)" 'warning request .*weak="single DES"' "with a warning"
expect_match "$(cat musterd.log)" 'warning configuration procedure=des weak="single DES"' "as at start"
scep again des d.example.com d-secret -ca-fingerprint "$(openssl x509 -in m/scep-ra.pem -noout -fingerprint -sha256 | sed 's/.*=//; s/://g')"
expect_certificate again/client.pem d.example.com "encrypted to the RA alone"
scep whole whole d.example.com d-secret
expect_certificate whole/client.pem d.example.com "the CA's certificate in the answer: it takes the device's own"
scep wrong des d.example.com wrong
expect_refusal wrong/client.pem d.example.com secret "wrong password"
scep nobody des nobody.example.com wrong
expect_refusal nobody/client.pem nobody.example.com no_registration "unregistered"
procedure=des register scep 'serial-*.example.com' w-secret
scep wild des serial-1234.example.com w-secret
expect_certificate wild/client.pem serial-1234.example.com "a wildcard registration"

# On PENDING it waits 30 seconds and sends the same PKCSReq again, with the same nonce.
procedure=manual-des register scep slow.example.com m-secret
decide_when_asked approve &
scep slow manual-des slow.example.com m-secret
expect_certificate slow/client.pem slow.example.com "approved while it waits"
expect_equal "$(grep -c 'operation=PKCSReq.*fqdn=slow.example.com verdict=pending' musterd.log)" 1 "it was told PENDING once"

procedure=des close_registration d.example.com
scep closed des d.example.com d-secret
expect_refusal closed/client.pem d.example.com closed "a closed registration"
finish
