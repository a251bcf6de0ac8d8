#!/usr/bin/env bash
# sscep (certnanny): capabilities, CA, enrollment, renewal with the old certificate, polling, refusals. Its exit code is 70 and the
# failInfo, or 3 for PENDING, 95 for a status of HTTP, 97 for what it cannot read. Row SCEP-120.
. "$(dirname "$0")/lib.sh"
need sscep
start_gateway
U=$http/scep/demo

csr() { # key, FQDN, challenge (none: without), [SAN], [serialNumber]
    cat >req.cnf <<CNF
[req]
prompt = no
distinguished_name = dn
${3:+attributes = attrs}
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
same_certificate() { cmp -s "$1" "$2" && echo same; }

# --- capabilities and CA ---
expect_match "$(sscep getcaps -u "$U" 2>&1)" 'SCEPStandard' "getcaps"
sscep getca -u "$U" -c ca.pem >client.log 2>&1
expect_equal "$?" 0 "getca"
expect_match "$(ls ca.pem-0 ca.pem-1 2>&1 | tr '\n' ' ')" 'ca.pem-0 ca.pem-1' "getca wrote RA and CA"
sscep getca -u "$U" -c named.pem -i routers >client.log 2>&1
expect_equal "$?" 0 "getca with a CA identifier"
sscep getca -u "$http/cgi-bin/pkiclient.exe" -c cisco.pem >client.log 2>&1
expect_equal "$? $(same_certificate cisco.pem-0 ca.pem-0)" "0 same" "getca at Cisco's path"
sscep getnextca -u "$U" -c next.pem -C ca.pem-1 >client.log 2>&1
expect_equal "$? $(ls next.pem* 2>/dev/null)" "95 " "getnextca: there is no next CA"

# --- enrollment ---
register scep a.example.com s3cret
csr a.key a.example.com s3cret
enroll a
expect_certificate a.pem a.example.com "enrollment"
cp a.pem first.pem
enroll a
expect_equal "$(same_certificate a.pem first.pem)" same "the same request again gets the same certificate"
csr a2.key a.example.com s3cret
enroll a2 -E aes256 -S sha512
expect_certificate a2.pem a.example.com "enrollment with AES-256 and SHA-512"
csr a3.key a.example.com s3cret
enroll a3 -E aes192 -S sha384
expect_certificate a3.pem a.example.com "enrollment with AES-192 and SHA-384"

U=$http/scep/cisco
csr a4.key a.example.com s3cret
enroll a4
expect_certificate a4.pem a.example.com "the CA's certificate in the answer (dialect cisco-ios): it takes the device's own"
expect_equal "$(openssl x509 -in a4.pem -noout -pubkey)" "$(openssl pkey -in a4.key -pubout)" "which is over its key"
U=$http/scep/demo

# --- renewal: always PKCSReq, signed with the old certificate ---
csr new.key a.example.com ''
enroll new -K a.key -O a.pem
expect_certificate new.pem a.example.com "renewal signed with the old certificate, without challengePassword"
csr other.key b.example.com ''
enroll other -K a.key -O a.pem
expect_equal "$code" 72 "renewal for another name: badRequest"
openssl req -x509 -new -key a.key -subj "/CN=a.example.com" -out forged.pem 2>/dev/null
csr new2.key a.example.com ''
enroll new2 -K a.key -O forged.pem
expect_equal "$code" 72 "renewal with a certificate that we did not issue: badRequest"

# --- refusals ---
csr b.key a.example.com wrong
enroll b
expect_equal "$code" 72 "wrong password: badRequest"
expect_refusal b.pem a.example.com secret "wrong password is logged as such"
said() { grep -i 'status\|reason\|fail' client.log; }
wrong=$(said)
csr c.key nobody.example.com s3cret
enroll c
expect_equal "$code" 72 "unregistered: badRequest"
expect_refusal c.pem nobody.example.com no_registration "unregistered is logged as such"
expect_equal "$(said)" "$wrong" "and from outside it looks like a wrong password"
csr e.key a.example.com ''
enroll e
expect_equal "$code" 72 "no password: badRequest"
expect_refusal e.pem a.example.com no_credential "no password is logged as such"
csr s.key a.example.com s3cret
enroll s -E 3des
expect_equal "$code" 70 "3DES is refused by default: badAlg"
enroll s -S sha1
expect_equal "$code" 70 "SHA-1 is refused by default: badAlg"
enroll s -S md5
expect_equal "$code" 70 "MD5 is refused: badAlg"
U=$http/scep/des
enroll s -S md5
expect_equal "$code" 70 "MD5 is refused under the dialect scep-des too"
enroll s -E 3des -S sha1
expect_certificate s.pem a.example.com "which serves 3DES and SHA-1"
U=$http/scep/demo
openssl genrsa -out weak.key 1024 2>/dev/null
csr weak.key a.example.com s3cret
enroll weak
expect_equal "$code" 72 "RSA of 1024 bits: badRequest"
# With an EC key sscep signs, but cannot read what is encrypted under the password (RFC 8894 3.1): exit 97, and not 0.
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.key 2>/dev/null
csr ec.key a.example.com s3cret
enroll ec
expect_equal "$code $(ls ec.pem 2>/dev/null)" "97 " "an EC key: sscep cannot read the answer"
csr ec.key a.example.com ''
enroll ec
expect_equal "$code" 72 "an EC key and no password: badRequest, for nothing could be encrypted"

# --- what the registration says ---
register scep 'serial-*.example.com' w-secret
csr w.key serial-1234.example.com w-secret
enroll w
expect_certificate w.pem serial-1234.example.com "a wildcard registration"
csr w2.key serial-12.34.example.com w-secret
enroll w2
expect_refusal w2.pem serial-12.34.example.com no_registration "a star never crosses a dot"
csr w3.key 'serial-*.example.com' w-secret
enroll w3
expect_equal "$code" 72 "a star that the requester types is no wildcard"
register scep ip.example.com ip-secret --ip 192.0.2.7
csr ip.key ip.example.com ip-secret DNS:ip.example.com,IP:192.0.2.9
enroll ip
expect_refusal ip.pem ip.example.com ip "a wrong IP address"
csr ip.key ip.example.com ip-secret
enroll ip
expect_refusal ip.pem ip.example.com ip "no IP address"
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
register scep once.example.com o-secret --one-time
csr once.key once.example.com o-secret
enroll once
expect_certificate once.pem once.example.com "a one-time registration"
cp once.pem first.pem
enroll once
expect_equal "$(same_certificate once.pem first.pem)" same "its answer was lost: asked again, the same certificate"
csr twice.key once.example.com o-secret
enroll twice
expect_refusal twice.pem once.example.com used "a second key for it"
close_registration a.example.com
csr d.key a.example.com s3cret
enroll d
expect_equal "$code" 72 "a closed registration: badRequest"
expect_refusal d.pem a.example.com closed "a closed registration is logged as such"
csr new3.key a.example.com ''
enroll new3 -K new.key -O new.pem
expect_refusal new3.pem a.example.com closed "nor does its certificate renew"

# --- an officer approves ---
U=$http/scep/manual
procedure=manual register scep slow.example.com m-secret
csr m.key slow.example.com m-secret
enroll m -n 0
expect_equal "$code" 3 "an officer must approve: PENDING"
enroll m -R -t 1 -n 1
expect_equal "$code" 3 "polled: still PENDING"
approve_all
enroll m -R -t 1 -n 3
expect_certificate m.pem slow.example.com "approved: polling gets the certificate"
csr n.key slow.example.com m-secret
enroll n -n 0
deny_all
enroll n -R -t 1 -n 3
expect_equal "$code" 72 "denied: polling gets badRequest"

# --- not offered ---
U=$http/scep/demo
serial=$((0x$(openssl x509 -in w.pem -noout -serial | sed 's/.*=.*\(........\)$/\1/')))
timeout 30 sscep getcert -u "$U" -c ca.pem -k w.key -l w.pem -s "$serial" -w out.pem >client.log 2>&1
expect_equal "$?" 72 "GetCert: badRequest"
timeout 30 sscep getcrl -u "$U" -c ca.pem -k w.key -l w.pem -w crl.pem >client.log 2>&1
expect_equal "$?" 72 "GetCRL: badRequest; the list is at the URL in the certificate"
finish
