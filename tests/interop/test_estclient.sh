#!/usr/bin/env bash
# libest's estclient: CA certificates, Basic, Digest, tls-unique, client certificate, re-enrollment.
. "$(dirname "$0")/lib.sh"
need estclient
configure() { # patient: long enough for an officer; linked: the CSR must carry the channel binding; both: Basic and Digest
    add_large_ca
    sed -i '/^procedures:/a\  - { name: patient, domain: devices, ca: demo, profile: device, protocols: [est], approval: manual, retry_after: 9s, est: { basic: true } }
        /^procedures:/a\  - { name: linked, domain: devices, ca: demo, profile: device, protocols: [est], est: { basic: true, link_required: true } }
        /^procedures:/a\  - { name: both, domain: devices, ca: demo, profile: device, protocols: [est], dialect: libest, est: { basic: true, digest: true } }' m/muster.yaml
}
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

told() { grep -o 'failed with code .*' client.log | sed 's/failed with code //'; }

est ca demo -g
expect_equal "$(openssl x509 -in ca/cacert-0-0.pem -noout -fingerprint)" \
    "$(openssl x509 -in "$ca" -noout -fingerprint)" "cacerts holds the root"
est large large -g
expect_equal "$(grep -c BEGIN large/cacert-0-0.pem)" 3 "cacerts of more than a kilobyte: a chain of three"
register est large.example.com l-secret
openssl req -new -newkey rsa:4096 -nodes -keyout large.key -subj /CN=large.example.com -out large.csr 2>/dev/null
est long large -e -u x -h l-secret -y large.csr
expect_equal "$(openssl verify -CAfile m/large-root.pem -untrusted m/large-middle.pem -untrusted m/large.pem long/cert-0-0.pem 2>&1)" "long/cert-0-0.pem: OK" \
    "and a certificate of more than a kilobyte"
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
est mixed both -e -u estuser -h s3cret -y a.csr
expect_certificate mixed/cert-0-0.pem a.example.com "enrollment where Basic and Digest are offered: it takes the first challenge"
est four demo -r -c one/cert-0-0.pem -k a.key
expect_certificate four/cert-0-0.pem a.example.com "re-enrollment with the certificate"
est five demo -e -u estuser -h wrong -y a.csr
expect_refusal five/cert-0-0.pem a.example.com secret "wrong password"
expect_equal "$(told)" "22 (EST_ERR_AUTH_FAIL)" "401 twice: it says 22"
est certificates certificates -e -u estuser -h s3cret -y a.csr
expect_equal "$(told) $(ls certificates)" "94 (EST_ERR_UNKNOWN) " "403, where certificates alone are taken: 94"
est unknown nobody -e -u estuser -h s3cret -y a.csr
expect_equal "$(told) $(ls unknown)" "14 (EST_ERR_HTTP_NOT_FOUND) " "404 for an unknown label: 14"
csr n.key nobody.example.com
est six demo -e -u estuser -h s3cret -y n.csr
expect_refusal six/cert-0-0.pem nobody.example.com no_registration "unregistered"
register est '*.wild.example.com' w-secret
csr w.key r5.wild.example.com
est seven demo -e -u x -h w-secret -y w.csr
expect_certificate seven/cert-0-0.pem r5.wild.example.com "a wildcard registration"
register est ip.example.com ip-secret --ip 192.0.2.7
csr ip.key ip.example.com
openssl req -new -key ip.key -subj /CN=ip.example.com -addext subjectAltName=IP:192.0.2.8 -out ip.csr
est ip-wrong demo -e -u x -h ip-secret -y ip.csr
expect_refusal ip-wrong/cert-0-0.pem ip.example.com ip "a wrong IP address"
openssl req -new -key ip.key -subj /CN=ip.example.com -addext subjectAltName=IP:192.0.2.7 -out ip.csr
est ip-right demo -e -u x -h ip-secret -y ip.csr
expect_certificate ip-right/cert-0-0.pem ip.example.com "the right IP address"
register est sn.example.com sn-secret --serial FOC123
csr sn.key sn.example.com
openssl req -new -key sn.key -subj /CN=sn.example.com/serialNumber=FOC999 -out sn.csr
est sn-wrong demo -e -u x -h sn-secret -y sn.csr
expect_refusal sn-wrong/cert-0-0.pem sn.example.com serial "a wrong serial number"
openssl req -new -key sn.key -subj /CN=sn.example.com/serialNumber=FOC123 -out sn.csr
est sn-right demo -e -u x -h sn-secret -y sn.csr
expect_certificate sn-right/cert-0-0.pem sn.example.com "the right serial number"
close_registration a.example.com
est eight demo -e -u estuser -h s3cret -y a.csr
expect_refusal eight/cert-0-0.pem a.example.com closed "a closed registration"
procedure=patient register est slow.example.com m-secret
csr m.key slow.example.com
(until muster pending --json | grep -q '"id"'; do sleep 0.1; done; approve_all) &
est nine patient -e -u x -h m-secret -y m.csr
wait $!
expect_certificate nine/cert-0-0.pem slow.example.com "approved during its one retry"
procedure=manual register est slower.example.com m-secret
csr s.key slower.example.com
est ten manual -e -u x -h m-secret -y s.csr
expect_match "$(cat client.log)" 'EST_ERR_CA_ENROLL_RETRY' "not approved: it retries once and says so"

# --- csrattrs ---
est eleven demo -a
expect_match "$(cat client.log) $(find eleven -size +0)" 'EST_ERR_HTTP_NO_CONTENT\)\s*$' "no attributes demanded: 204, which estclient calls an error"
est twelve linked -a
expect_equal "$(openssl base64 -d <twelve/csr-0-0.base64 | openssl asn1parse -inform DER | grep -o challengePassword)" challengePassword \
    "where linking is required the attributes say so"
procedure=linked register est l.example.com l-secret
csr l.key l.example.com
est thirteen linked -e -u x -h l-secret -y l.csr
expect_match "$(ls thirteen) $(tail -n 1 musterd.log)" '^ .* reason=pop .* status=400' "a request without the link is refused"
expect_equal "$(told)" "13 (EST_ERR_HTTP_BAD_REQ)" "which it calls 13"
est fourteen linked -e -u x -h l-secret -x l.key --common-name l.example.com -z
expect_certificate fourteen/cert-0-0.pem l.example.com "with it there is a certificate"
# estclient -a -e makes a CSR of its own with the attributes as empty values, the link, and always CN=127.0.0.1: what can be
# seen is that attributes and link pass, and that it is the name that is refused.
csr l2.key l.example.com
est fifteen linked -a -e -u x -h l-secret -x l2.key --common-name l.example.com
expect_match "$(tail -n 1 musterd.log)" 'reason=no_fqdn' "a CSR that echoes the attributes passes but for its name"
est sixteen demo -q -u estuser -h s3cret -x w.key --common-name r5.wild.example.com
expect_equal "$(told) $(find sixteen -type f)" "94 (EST_ERR_UNKNOWN) " "serverkeygen is not offered: neither key nor certificate"
expect_match "$(cat client.log)" 'HTTP/1.1 501 Not Implemented' "it shows the 501"
expect_match "$(tail -n 1 musterd.log)" 'operation=serverkeygen .*status=501' "and the log has it"
finish
