#!/usr/bin/env bash
# strongSwan's pki --scepca and --scep: enrollment (PKCSReq), renewal (RenewalReq), polling by CertPoll, refusals.
. "$(dirname "$0")/lib.sh"
need pki
pki --scep --help >/dev/null 2>&1 || { echo "skipped: this pki has no --scep"; exit 77; }
start_gateway
U=$http/scep/demo

scep() { # output, key, subject, password [more options]
    local out=$1 k=$2 subject=$3 password=$4
    shift 4
    [ -f "$k" ] || openssl genrsa -out "$k" 2048 2>/dev/null
    timeout 60 pki --scep --url "$U" --in "$k" --dn "$subject" ${password:+--password "$password"} \
        --cacert-enc m/scep-ra.pem --cacert-sig m/scep-ra.pem --cacert "$ca" --outform pem "$@" >"$out" 2>client.log
}

pki --scepca --url "$U" --caout sca.pem --raout sra.pem --outform pem --force >client.log 2>&1
expect_equal "$(openssl x509 -in sca.pem -noout -fingerprint)" "$(openssl x509 -in "$ca" -noout -fingerprint)" "scepca writes the CA"
expect_equal "$(openssl x509 -in sra.pem -noout -fingerprint)" "$(openssl x509 -in m/scep-ra.pem -noout -fingerprint)" "scepca writes the RA"

register scep a.example.com s3cret
scep a.pem a.key CN=a.example.com s3cret --san a.example.com
expect_certificate a.pem a.example.com "enrollment"
scep a2.pem a2.key CN=a.example.com s3cret --san a.example.com --digest sha512
expect_certificate a2.pem a.example.com "enrollment with SHA-512"
U=$http/scep/cisco
scep a3.pem a3.key CN=a.example.com s3cret --san a.example.com
expect_certificate a3.pem a.example.com "the CA's certificate in the answer (dialect cisco-ios): it takes the device's own"
U=$http/scep/demo
scep new.pem new.key CN=a.example.com '' --san a.example.com --cert a.pem --key a.key
expect_certificate new.pem a.example.com "renewal (RenewalReq) with a new key"
expect_match "$(grep 'fqdn=a.example.com' musterd.log | tail -n 1)" 'operation=RenewalReq' "which came as RenewalReq"

scep b.pem b.key CN=a.example.com wrong --san a.example.com
expect_refusal b.pem a.example.com secret "wrong password"
scep c.pem b.key CN=nobody.example.com s3cret --san nobody.example.com
expect_refusal c.pem nobody.example.com no_registration "unregistered"
scep c.pem b.key CN=a.example.com '' --san a.example.com
expect_refusal c.pem a.example.com no_credential "no password"
scep c.pem des3.key CN=a.example.com s3cret --san a.example.com --cipher des3
if grep -q 'not supported by CA' client.log; then
    pass "3DES is not offered by default: strongSwan 6 does not even ask"
else
    expect_match "$(grep 'method=POST path=/scep/' musterd.log | tail -n 1)" 'reason=scep_algorithm' "3DES is refused by default"
fi
scep c.pem stranger.key CN=b.example.com '' --san b.example.com --cert new.pem --key new.key
expect_refusal c.pem a.example.com renew_mismatch "renewal for another name, logged with whose certificate it was"

register scep '*.wild.example.com' w-secret
scep w.pem w.key CN=r5.wild.example.com w-secret --san r5.wild.example.com
expect_certificate w.pem r5.wild.example.com "a wildcard registration"
register scep ip.example.com ip-secret --ip 192.0.2.7
scep ip.pem ip.key CN=ip.example.com ip-secret --san ip.example.com --san 192.0.2.8
expect_refusal ip.pem ip.example.com ip "a wrong IP address"
scep ip.pem ip.key CN=ip.example.com ip-secret --san ip.example.com --san 192.0.2.7
expect_certificate ip.pem ip.example.com "the right IP address"
register scep sn.example.com sn-secret --serial FOC123
scep sn.pem sn.key "serialNumber=FOC999, CN=sn.example.com" sn-secret --san sn.example.com
expect_refusal sn.pem sn.example.com serial "a wrong serial number"
scep sn.pem sn.key "serialNumber=FOC123, CN=sn.example.com" sn-secret --san sn.example.com
expect_certificate sn.pem sn.example.com "the right serial number"
close_registration a.example.com
scep d.pem d.key CN=a.example.com s3cret --san a.example.com
expect_refusal d.pem a.example.com closed "a closed registration"
scep d.pem d2.key CN=a.example.com '' --san a.example.com --cert new.pem --key new.key
expect_refusal d.pem a.example.com closed "nor does its certificate renew"

U=$http/scep/manual
procedure=manual register scep slow.example.com m-secret
decide_when_asked approve &
scep m.pem m.key CN=slow.example.com m-secret --san slow.example.com --interval 3 --maxpolltime 30
expect_certificate m.pem slow.example.com "approved while it polls"
decide_when_asked deny &
scep n.pem n.key CN=slow.example.com m-secret --san slow.example.com --interval 3 --maxpolltime 30
expect_refusal n.pem slow.example.com denied "denied while it polls"
finish
