#!/usr/bin/env bash
# sscep (certnanny): capabilities, CA, enrollment, renewal with the old certificate, polling, refusals.
. "$(dirname "$0")/lib.sh"
need sscep
start_gateway
U=$http/scep/demo

csr() { # key, FQDN, challenge, [SAN]
    cat >req.cnf <<CNF
[req]
prompt = no
distinguished_name = dn
attributes = attrs
${4:+req_extensions = ext}
[dn]
${5:+serialNumber = $5}
CN = $2
[attrs]
challengePassword = $3
[ext]
subjectAltName = ${4:-DNS:$2}
CNF
    [ -f "$1" ] || openssl genrsa -out "$1" 2048 2>/dev/null
    openssl req -new -config req.cnf -key "$1" -out "${1%.key}.csr"
}
enroll() { # name [options]: exit code in $code
    local name=$1
    shift
    rm -f "$name.pem"
    timeout 30 sscep enroll -u "$U" -c ca.pem -k "$name.key" -r "$name.csr" -l "$name.pem" "$@" >client.log 2>&1
    code=$?
}

expect_match "$(sscep getcaps -u "$U" 2>&1)" 'SCEPStandard' "getcaps"
sscep getca -u "$U" -c ca.pem >client.log 2>&1
expect_equal "$?" 0 "getca"
expect_match "$(ls ca.pem-0 ca.pem-1 2>&1 | tr '\n' ' ')" 'ca.pem-0 ca.pem-1' "getca wrote RA and CA"

register scep a.example.com s3cret
csr a.key a.example.com s3cret
enroll a
expect_certificate a.pem a.example.com "enrollment"
csr a2.key a.example.com s3cret
enroll a2 -E aes256 -S sha512
expect_certificate a2.pem a.example.com "enrollment with AES-256 and SHA-512"

csr new.key a.example.com ""
sed -i '/attrs/,/challengePassword/d' req.cnf
openssl req -new -config req.cnf -key new.key -out new.csr 2>/dev/null || csr new.key a.example.com unused
enroll new -K a.key -O a.pem
expect_certificate new.pem a.example.com "renewal signed with the old certificate"

csr b.key a.example.com wrong
enroll b
expect_equal "$code" 72 "wrong password: badRequest"
expect_refusal b.pem a.example.com secret "wrong password is logged as such"
csr c.key nobody.example.com s3cret
enroll c
expect_equal "$code" 72 "unregistered: badRequest"
expect_refusal c.pem nobody.example.com no_registration "unregistered is logged as such"

register scep 'serial-*.example.com' w-secret
csr w.key serial-1234.example.com w-secret
enroll w
expect_certificate w.pem serial-1234.example.com "a wildcard registration"

register scep ip.example.com ip-secret --ip 192.0.2.7
csr ip.key ip.example.com ip-secret DNS:ip.example.com,IP:192.0.2.9
enroll ip
expect_refusal ip.pem ip.example.com ip "a wrong IP address"
csr ip.key ip.example.com ip-secret DNS:ip.example.com,IP:192.0.2.7
enroll ip
expect_certificate ip.pem ip.example.com "the right IP address"
register scep sn.example.com sn-secret --serial FOC123
csr sn.key sn.example.com sn-secret '' FOC999
enroll sn
expect_refusal sn.pem sn.example.com serial "a wrong serial number"
csr sn.key sn.example.com sn-secret '' FOC123
enroll sn
expect_certificate sn.pem sn.example.com "the right serial number"

close_registration a.example.com
csr d.key a.example.com s3cret
enroll d
expect_refusal d.pem a.example.com closed "a closed registration"

U=$http/scep/manual
procedure=manual register scep slow.example.com m-secret
csr m.key slow.example.com m-secret
enroll m -n 0
expect_equal "$code" 3 "an officer must approve: PENDING"
approve_all
enroll m -R -t 1 -n 3
expect_certificate m.pem slow.example.com "approved: polling gets the certificate"
finish
