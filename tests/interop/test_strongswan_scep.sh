#!/usr/bin/env bash
# strongSwan's pki --scepca and --scep: enrollment (PKCSReq), renewal (RenewalReq), polling, refusals.
. "$(dirname "$0")/lib.sh"
need pki
pki --scep --help >/dev/null 2>&1 || { echo "skipped: this pki has no --scep"; exit 77; }
start_gateway
U=$http/scep/demo

key() { [ -f "$1" ] || openssl genrsa -out "$1" 2048 2>/dev/null; }
scep() { # output, key, FQDN, password, options
    local out=$1 k=$2 fqdn=$3 password=$4
    shift 4
    key "$k"
    timeout 60 pki --scep --url "$U" --in "$k" --dn "CN=$fqdn" --san "$fqdn" ${password:+--password "$password"} \
        --cacert-enc m/scep-ra.pem --cacert-sig m/scep-ra.pem --cacert "$ca" --outform pem "$@" >"$out" 2>client.log
}

pki --scepca --url "$U" --caout sca --raout sra --outform pem --force >client.log 2>&1
expect_match "$(cat client.log; ls)" 'sca|sra' "scepca"

register scep a.example.com s3cret
scep a.pem a.key a.example.com s3cret
expect_certificate a.pem a.example.com "enrollment"
scep new.pem new.key a.example.com '' --cert a.pem --key a.key
expect_certificate new.pem a.example.com "renewal (RenewalReq) with a new key"
scep b.pem b.key a.example.com wrong
expect_refusal b.pem a.example.com secret "wrong password"
scep c.pem b.key nobody.example.com s3cret
expect_refusal c.pem nobody.example.com no_registration "unregistered"
register scep '*.wild.example.com' w-secret
scep w.pem w.key r5.wild.example.com w-secret
expect_certificate w.pem r5.wild.example.com "a wildcard registration"
register scep ip.example.com ip-secret --ip 192.0.2.7
scep ip.pem ip.key ip.example.com ip-secret --san 192.0.2.8
expect_refusal ip.pem ip.example.com ip "a wrong IP address"
close_registration a.example.com
scep d.pem d.key a.example.com s3cret
expect_refusal d.pem a.example.com closed "a closed registration"
U=$http/scep/manual
procedure=manual register scep slow.example.com m-secret
(sleep 2; approve_all) &
scep m.pem m.key slow.example.com m-secret --interval 3 --maxpolltime 30
expect_certificate m.pem slow.example.com "approved while it polls"
finish
