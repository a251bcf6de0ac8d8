#!/usr/bin/env bash
# strongSwan's pki --estca and --est.
. "$(dirname "$0")/lib.sh"
need pki
pki --est --help >/dev/null 2>&1 || { echo "skipped: this pki has no --est"; exit 77; }
start_gateway

est() { # output, key, FQDN, options
    local out=$1 k=$2 fqdn=$3
    shift 3
    [ -f "$k" ] || openssl genrsa -out "$k" 2048 2>/dev/null
    timeout 60 pki --est --url "$https/demo" --in "$k" --dn "CN=$fqdn" --san "$fqdn" --cacert "$ca" --outform pem "$@" >"$out" 2>client.log
}

pki --estca --url "$https/demo" --cacert "$ca" --caout eca --outform pem --force >client.log 2>&1
expect_match "$(ls)" 'eca' "estca"
register est a.example.com s3cret --user device
est a.pem a.key a.example.com --userid device --password s3cret
expect_certificate a.pem a.example.com "enrollment with Basic"
est new.pem new.key a.example.com --cert a.pem --key a.key
expect_certificate new.pem a.example.com "renewal over mutual TLS"
est b.pem b.key a.example.com --userid device --password wrong
expect_refusal b.pem a.example.com secret "wrong password"
est c.pem b.key nobody.example.com --userid device --password s3cret
expect_refusal c.pem nobody.example.com no_registration "unregistered"
close_registration a.example.com
est d.pem d.key a.example.com --userid device --password s3cret
expect_refusal d.pem a.example.com closed "a closed registration"
finish
