#!/usr/bin/env bash
# libest's estclient: CA certificates, Basic, Digest, tls-unique, client certificate, re-enrollment.
. "$(dirname "$0")/lib.sh"
need estclient
start_gateway
export EST_OPENSSL_CACERT=$ca

csr() { # key, FQDN
    [ -f "$1" ] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null
    openssl req -new -key "$1" -subj "/CN=$2" -out "${1%.key}.csr"
}
est() { # folder, procedure, options
    local out=$1 segment=$2
    shift 2
    rm -rf "$out" && mkdir "$out"
    timeout 60 estclient "$@" -s 127.0.0.1 -p "$tls_port" -o "$out" --path-seg "$segment" --pem-output >client.log 2>&1
}

est ca demo -g
expect_match "$(ls ca)" 'cacert' "cacerts"
register est a.example.com s3cret --user estuser
csr a.key a.example.com
est one demo -e -u estuser -h s3cret -y a.csr
expect_certificate one/cert-0-0.pem a.example.com "enrollment with Basic"
est two demo -e -u estuser -h s3cret -x a.key --common-name a.example.com -z
expect_certificate two/cert-0-0.pem a.example.com "enrollment linked by tls-unique"
procedure=digest register est d.example.com d-secret --user estuser
csr d.key d.example.com
est three digest -e -u estuser -h d-secret -y d.csr
expect_certificate three/cert-0-0.pem d.example.com "enrollment with Digest"
est four demo -r -c one/cert-0-0.pem -k a.key
expect_certificate four/cert-0-0.pem a.example.com "re-enrollment with the certificate"
est five demo -e -u estuser -h wrong -y a.csr
expect_refusal five/cert-0-0.pem a.example.com secret "wrong password"
csr n.key nobody.example.com
est six demo -e -u estuser -h s3cret -y n.csr
expect_refusal six/cert-0-0.pem nobody.example.com no_registration "unregistered"
register est '*.wild.example.com' w-secret
csr w.key r5.wild.example.com
est seven demo -e -u x -h w-secret -y w.csr
expect_certificate seven/cert-0-0.pem r5.wild.example.com "a wildcard registration"
close_registration a.example.com
est eight demo -e -u estuser -h s3cret -y a.csr
expect_refusal eight/cert-0-0.pem a.example.com closed "a closed registration"
procedure=manual register est slow.example.com m-secret
csr m.key slow.example.com
(sleep 0.5; approve_all) &
est nine manual -e -u x -h m-secret -y m.csr
expect_certificate nine/cert-0-0.pem slow.example.com "approved during its one retry"
finish
