#!/usr/bin/env bash
# strongSwan's pki --estca and --est: the label goes before /.well-known, Basic without being asked, one-line base64.
. "$(dirname "$0")/lib.sh"
need pki
pki --est --help 2>&1 | grep -q -- --userpass || { echo "skipped: this pki has no --est"; exit 77; }
configure() { add_large_ca; }
start_gateway

est() { # output, key, FQDN, options
    local out=$1 k=$2 fqdn=$3
    shift 3
    rm -f "$out"
    [ -f "$k" ] || pki --gen --type ecdsa --size 256 --outform pem >"$k" 2>client.log
    pki --req --in "$k" --dn "${dn:-CN=$fqdn}" --san "$fqdn" ${ip:+--san "$ip"} --outform der >request.der 2>client.log
    timeout 60 pki --est --url "$https/${procedure:-demo}" --in request.der --cacert "$ca" --outform pem "$@" >"$out" 2>client.log
}

pki --estca --url "$https/demo" --cacert "$ca" --caout eca.pem --outform pem --force >client.log 2>&1
expect_equal "$(openssl x509 -in eca.pem -noout -fingerprint)" "$(openssl x509 -in "$ca" -noout -fingerprint)" "estca fetches the root"
pki --estca --url "$https/large" --cacert "$ca" --caout large-ca.pem --outform pem --force >client.log 2>&1
expect_equal "$(cat large-ca*.pem | grep -c BEGIN)" 3 "estca of more than a kilobyte: a chain of three"
register est large.example.com l-secret
openssl genrsa -out large.key 4096 2>/dev/null
procedure=large est large.pem large.key large.example.com --cacert m/large-root.pem --cacert m/large-middle.pem --cacert m/large.pem --userpass x:l-secret
expect_equal "$(openssl verify -CAfile m/large-root.pem -untrusted m/large-middle.pem -untrusted m/large.pem large.pem 2>&1)" "large.pem: OK" \
    "and a certificate of more than a kilobyte"
register est a.example.com s3cret --user device
est a.pem a.key a.example.com --userpass device:s3cret
expect_certificate a.pem a.example.com "enrollment with Basic"
est same.pem a.key a.example.com --cert a.pem --key a.key
expect_certificate same.pem a.example.com "renewal over mutual TLS, same key"
est new.pem new.key a.example.com --cert a.pem --key a.key
expect_certificate new.pem a.example.com "renewal over mutual TLS, new key"
est b.pem b.key a.example.com --userpass device:wrong
expect_refusal b.pem a.example.com secret "wrong password"
expect_match "$(cat client.log)" 'HTTP 401$' "it prints the status"
est c.pem c.key nobody.example.com --userpass device:s3cret
expect_refusal c.pem nobody.example.com no_registration "unregistered"
register est '*.wild.example.com' w-secret
est w.pem w.key r5.wild.example.com --userpass x:w-secret
expect_certificate w.pem r5.wild.example.com "a wildcard registration"
register est ip.example.com ip-secret --ip 192.0.2.7
ip=192.0.2.8 est ip.pem ip.key ip.example.com --userpass x:ip-secret
expect_refusal ip.pem ip.example.com ip "a wrong IP address"
ip=192.0.2.7 est ip.pem ip.key ip.example.com --userpass x:ip-secret
expect_certificate ip.pem ip.example.com "the right IP address"
register est sn.example.com sn-secret --serial FOC123
dn="CN=sn.example.com, serialNumber=FOC999" est sn.pem sn.key sn.example.com --userpass x:sn-secret
expect_refusal sn.pem sn.example.com serial "a wrong serial number"
dn="CN=sn.example.com, serialNumber=FOC123" est sn.pem sn.key sn.example.com --userpass x:sn-secret
expect_certificate sn.pem sn.example.com "the right serial number"
procedure=manual register est slow.example.com m-secret
(for attempt in 1 2 3 4 5; do sleep 1; approve_all; done) >/dev/null 2>&1 &
procedure=manual est m.pem m.key slow.example.com --userpass x:m-secret --interval 3 --maxpolltime 30
expect_certificate m.pem slow.example.com "approved while it polls"
wait $!
close_registration a.example.com
est d.pem d.key a.example.com --userpass device:s3cret
expect_refusal d.pem a.example.com closed "a closed registration"
est e.pem new.key a.example.com --cert new.pem --key new.key
expect_refusal e.pem a.example.com closed "renewal on a closed registration"
finish
