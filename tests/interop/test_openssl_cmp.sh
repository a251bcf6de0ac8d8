#!/usr/bin/env bash
# openssl cmp (Debian's OpenSSL 3): ir, cr, kur, p10cr, rr, genm; under a password and signed; confirmed, unconfirmed, rejected;
# polling; what is refused, and in which words. Its exit code is 1 for every failure; what the gateway said stands in its output
# when the answer's protection holds. Rows CMP-1 to CMP-10, CMP-15, CMP-23, CMP-31 to CMP-41, CMP-45 to CMP-64, CMP-70 to CMP-92,
# CMP-130.
. "$(dirname "$0")/lib.sh"
need curl
openssl cmp -help >/dev/null 2>&1 || { echo "skipped: this openssl has no cmp"; exit 77; }


# A vendor: its root, and the certificate that a device left the factory with.
new_key vendor.key
openssl req -x509 -new -key vendor.key -subj "/CN=Vendor Root" -days 30 -out vendor.pem 2>/dev/null
birth_certificate() { # file without ending, serial number
    new_key "$1.key"
    openssl req -new -key "$1.key" -subj "/O=Vendor/CN=Model X/serialNumber=$2" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA vendor.pem -CAkey vendor.key -days 20 -out "$1.pem" \
        -extfile <(echo "keyUsage=critical,digitalSignature"; echo "subjectKeyIdentifier=hash") 2>/dev/null
}
birth_certificate birth SN-1
birth_certificate other-birth SN-2

# The root that will follow, and the old one under it: each certifies the other's key.
next_root() {
    printf 'basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n' >root.ext
    new_key next.key
    openssl req -x509 -new -key next.key -subj "/CN=Next CA" -days 30 -out m/next.pem 2>/dev/null
    openssl req -new -key next.key -subj "/CN=Next CA" -out next.csr
    openssl x509 -req -in next.csr -CA m/ca.pem -CAkey m/keys/ca.pem -out m/next-by-old.pem -days 30 -extfile root.ext 2>/dev/null
    openssl x509 -x509toreq -in m/ca.pem -signkey m/keys/ca.pem -out old.csr 2>/dev/null
    openssl x509 -req -in old.csr -CA m/next.pem -CAkey next.key -out m/old-by-next.pem -days 30 -extfile root.ext 2>/dev/null
}

configure() {
    local common="domain: devices, ca: demo, profile: device, protocols: [cmp], retry_after: 1s"
    cp vendor.pem m/vendor.pem
    next_root
    sed -i '/name: demo, kind: local/s/ }$/, root_update: { new_with_new: next.pem, new_with_old: next-by-old.pem, old_with_new: old-by-next.pem } }/' m/muster.yaml
    cat >more.yaml <<YAML
  - { name: explicit, $common, cmp: { ra: cmp-ra, implicit_confirm: false, confirm_wait: 10s } }
  - { name: with-ca, $common, cmp: { ra: cmp-ra, ca_pubs: true } }
  - { name: lightweight, $common, dialect: lightweight, cmp: { ra: cmp-ra, iterations_max: 1000 } }
  - { name: stations, $common, dialect: gnodeb-33310, cmp: { ra: cmp-ra }, vendor_anchors: [vendor.pem] }
YAML
    sed -i '/^procedures:/r more.yaml' m/muster.yaml
}
start_gateway

U=$http/.well-known/cmp/p/demo
ask() { # options: what openssl says in client.log, its exit code in $code
    timeout 60 openssl cmp -server "$U" -trusted "$ca" "$@" >client.log 2>&1
    code=$?
}
# The request is protected by a registration's password: ref, secret and subject's FQDN.
by_secret() { # command, output, key, FQDN, password [options]
    local command=$1 out=$2 key=$3 fqdn=$4 password=$5
    shift 5
    [ -f "$key" ] || new_key "$key"
    rm -f "$out"
    ask -cmd "$command" -ref "$fqdn" -secret "pass:$password" -subject "/CN=$fqdn" -newkey "$key" -certout "$out" "$@"
}
# The request is signed with a certificate: NAME.pem and NAME.key.
by_certificate() { # command, output, key, NAME [options]
    local command=$1 out=$2 key=$3 signer=$4
    shift 4
    [ -f "$key" ] || new_key "$key"
    rm -f "$out"
    ask -cmd "$command" -cert "$signer.pem" -key "$signer.key" -newkey "$key" -certout "$out" "$@"
}
said() { sed -n 's/.*\(PKIStatus: .*\)/\1/p' client.log | head -n 1; }
last() { grep ' protocol=cmp ' musterd.log | tail -n 1; } # what the log says of the last message
serial_of() { openssl x509 -in "$1" -noout -serial | sed 's/.*=//'; }
issued() { grep ' protocol=cmp .* serial=' musterd.log | tail -n 1 | sed 's/.* serial=\([^ ]*\).*/\1/'; } # the last one
status_of() { # serial number, FQDN: the certificate as the registry knows it
    muster cert "$2" --json | python3 -c 'import json, sys
for c in json.load(sys.stdin):
    if int(c["serial"], 16) == int(sys.argv[1], 16): print(c["status"])' "$1"
}
expect_failure() { # failInfo, reason in the log, what
    local info=$1 reason=$2 what=$3
    if [ "$code" != 1 ]; then
        fail "$what: exit code $code"
    elif ! said | grep -q "PKIFailureInfo: $info"; then
        fail "$what: the client was told '$(said)', not $info"
    elif ! last | grep -qE "reason=$reason "; then
        fail "$what: $(last) has no reason=$reason"
    else
        pass "$what"
    fi
}

# --- the first certificate: ir under the password ---
register cmp a.example.com s3cret
by_secret ir a.pem a.key a.example.com s3cret
expect_certificate a.pem a.example.com "ir, confirmed"
expect_match "$(grep -c ' protocol=cmp .* operation=certConf ' musterd.log)" '^1$' "certConf came and was answered"
expect_match "$(status_of "$(serial_of a.pem)" a.example.com)" good "the certificate is good"
by_secret ir a2.pem a2.key a.example.com s3cret -implicit_confirm
expect_certificate a2.pem a.example.com "ir with implicit confirmation"
expect_equal "$(grep -c ' protocol=cmp .* operation=certConf ' musterd.log)" 1 "which needs no certConf"
by_secret ir a3.pem a3.key a.example.com s3cret -mac hmacWithSHA256 -digest sha512
expect_certificate a3.pem a.example.com "ir with HMAC-SHA256"
by_secret ir a4.pem a4.key a.example.com s3cret -keep_alive 2
expect_certificate a4.pem a.example.com "the connection is kept for certConf"
by_secret ir a5.pem a5.key a.example.com s3cret -keep_alive 0
expect_certificate a5.pem a.example.com "a connection for each message"
[ -f rsa.key ] || openssl genrsa -out rsa.key 2048 2>/dev/null
by_secret ir rsa.pem rsa.key a.example.com s3cret
expect_certificate rsa.pem a.example.com "an RSA key"
by_secret cr a6.pem a6.key a.example.com s3cret
expect_certificate a6.pem a.example.com "cr under the password"
by_secret ir a7.pem a7.key a.example.com s3cret -extracertsout extra.pem
expect_match "$(grep -c 'BEGIN CERTIFICATE' extra.pem)" '^[1-9]' "the answer brings the CA's certificates"

# --- p10cr: a PKCS#10; OpenSSL 3.0 leaves the sender empty, the reference alone says whose password it is ---
new_key p10.key
openssl req -new -key p10.key -subj /CN=a.example.com -out p10.csr
ask -cmd p10cr -ref a.example.com -secret pass:s3cret -csr p10.csr -certout p10.pem
expect_certificate p10.pem a.example.com "p10cr"
ask -cmd p10cr -ref a.example.com -secret pass:s3cret -csr p10.csr -certout p10i.pem -implicit_confirm
expect_certificate p10i.pem a.example.com "p10cr with implicit confirmation"

# --- where it is served ---
for path in .well-known/cmp .well-known/cmp/ .well-known/cmp/initialization .well-known/cmp/p/demo/ \
    .well-known/cmp/p/demo/initialization cmp/demo cmp pkix/; do
    U=$http/$path
    by_secret ir path.pem path.key a.example.com s3cret
    expect_certificate path.pem a.example.com "ir at /$path"
done
U=$https/.well-known/cmp/p/demo
by_secret ir tls.pem tls.key a.example.com s3cret -tls_used -tls_trusted "$ca"
expect_certificate tls.pem a.example.com "ir over TLS"
U=$http/.well-known/cmp/p/demo/revocation
by_secret ir none.pem none.key a.example.com s3cret
expect_failure badRequest cmp_label "ir at the place of revocation"
U=$http/.well-known/cmp/p/demo

# --- HTTP itself ---
by_secret ir b.pem b.key a.example.com s3cret -implicit_confirm -reqout ir.der -rspout ip.der
post() { curl -s -o "${2:-/dev/null}" -w '%{http_code} %{content_type}' -H "Content-Type: ${3-application/pkixcmp}" --data-binary @"$1" "${4:-$U}"; }
expect_equal "$(post ir.der again.der)" "200 application/pkixcmp" "the same octets again are answered"
expect_equal "$(openssl dgst -sha256 <again.der)" "$(openssl dgst -sha256 <ip.der)" "with the same octets"
expect_equal "$(curl -s -o /dev/null -w '%{http_code}' "$U")" 405 "GET"
expect_match "$(curl -s -o /dev/null -D - "$U")" 'Allow: POST' "which says what is allowed"
expect_match "$(post ir.der /dev/null application/octet-stream)" '^415 ' "another media type"
expect_match "$(post ir.der /dev/null 'application/pkixcmp; x=y')" '^200 ' "a parameter of the media type"
expect_match "$(post ir.der /dev/null application/pkixcmp "$http/.well-known/cmp/p/nobody")" '^404 ' "an unknown procedure"
echo nonsense >nonsense
expect_match "$(post nonsense)" '^400 ' "no PKIMessage"
: >nothing
expect_match "$(post nothing)" '^400 ' "nothing"

# --- signed with the certificate: cr, kur, rr ---
by_certificate cr c.pem c.key a -subject /CN=a.example.com
expect_certificate c.pem a.example.com "cr signed with the certificate"
by_certificate kur d.pem d.key c
expect_certificate d.pem a.example.com "kur"
by_certificate kur e.pem e.key d -implicit_confirm
expect_certificate e.pem a.example.com "kur with implicit confirmation"
by_certificate kur f.pem f.key e -digest sha384
expect_certificate f.pem a.example.com "kur with SHA-384"
by_certificate kur none.pem none.key c
expect_failure certRevoked cmp_signer_revoked "a certificate that was updated updates no more"
by_certificate kur none.pem none.key f -subject /CN=other.example.com
expect_failure badCertTemplate renew_mismatch "kur for another name"
ask -cmd kur -ref a.example.com -secret pass:s3cret -oldcert f.pem -newkey none.key -certout none.pem
expect_failure wrongIntegrity cmp_integrity "kur under the password"
# A look-alike of our CA issues for the same name.
new_key alike.key
openssl req -x509 -new -key alike.key -subj "/$(openssl x509 -in "$ca" -noout -subject -nameopt RFC2253 | sed 's/subject=//')" -out alike.pem 2>/dev/null
new_key forged.key
openssl req -new -key forged.key -subj /CN=a.example.com -out forged.csr
openssl x509 -req -in forged.csr -CA alike.pem -CAkey alike.key -out forged.pem 2>/dev/null
by_certificate kur none.pem none.key forged
expect_failure signerNotTrusted cmp_signer_not_trusted "kur with a certificate that we did not issue"

ask -cmd rr -cert f.pem -key f.key -oldcert f.pem -revreason 4
expect_equal "$code $(status_of "$(serial_of f.pem)" a.example.com)" "0 revoked" "rr, signed with the certificate itself"
ask -cmd rr -cert f.pem -key f.key -oldcert f.pem -revreason 4
expect_failure certRevoked '(cmp_signer_revoked|cmp_revoked_already)' "and again"
by_certificate kur none.pem none.key f
expect_failure certRevoked cmp_signer_revoked "a revoked certificate updates no more"
by_secret ir g.pem g.key a.example.com s3cret
ask -cmd rr -cert g.pem -key g.key -oldcert g.pem
expect_equal "$code $(status_of "$(serial_of g.pem)" a.example.com)" "0 revoked" "rr without a reason"
ask -cmd rr -ref a.example.com -secret pass:s3cret -oldcert a.pem
expect_failure wrongIntegrity cmp_integrity "rr under the password"
register cmp z.example.com z-secret
by_secret ir z.pem z.key z.example.com z-secret
ask -cmd rr -cert z.pem -key z.key -oldcert a2.pem
expect_equal "$code $(status_of "$(serial_of a2.pem)" a.example.com)" "1 good" "rr of another's certificate"

# --- genm: OpenSSL 3.0 takes any answer and prints its types; later ones write what it holds ---
general() { ask -cmd genm -infotype "$1" -ref a.example.com -secret pass:s3cret "${@:2}"; }
general caCerts -cacertsout genp.pem
expect_equal "$code" 0 "genm: the CA's certificates"
general currentCRL
expect_equal "$code" 0 "genm: the current list"
general signKeyPairTypes
expect_equal "$code" 0 "genm: what is not known is said to be unsupported"
ask -cmd genm -infotype caCerts -cert a3.pem -key a3.key -cacertsout genp.pem
expect_equal "$code" 0 "genm, signed"

# OpenSSL 3.0 has no name for rootCaCert: it is told one, and what the answer holds is cut out of it. A later one writes files.
cat >oids.cnf <<'CNF'
openssl_conf = init
[init]
oid_section = oids
[oids]
id-it-rootCaCert = 1.3.6.1.5.5.7.4.20
CNF
announced() { # FILE.der of an answer: new-*.pem, one for each certificate in it
    python3 - "$1" <<'PY'
import ssl, sys
octets = open(sys.argv[1], "rb").read()
at = octets.index(bytes.fromhex("06082b06010505070412")) + 10  # id-it 18, rootCaKeyUpdate
def element(at):
    length, begin = octets[at + 1], at + 2
    if length > 127:
        begin += length - 128
        length = int.from_bytes(octets[at + 2:begin], "big")
    return begin, begin + length
inner, end = element(at)
for name in ("new", "new-by-old", "old-by-new"):
    begin, after = element(inner)
    der = octets[inner:after] if name == "new" else octets[begin:after]
    open(f"told-{name}.pem", "w").write(ssl.DER_cert_to_PEM_cert(der))
    inner = after
assert inner == end
PY
}
if openssl cmp -help 2>&1 | grep -q newwithnew; then
    general rootCaCert -oldwithold "$ca" -newwithnew told-new.pem -newwithold told-new-by-old.pem -oldwithnew told-old-by-new.pem
    expect_equal "$code" 0 "genm: the root that follows"
else
    OPENSSL_CONF=$work/oids.cnf general rootCaCert -rspout genp.der
    expect_equal "$code" 0 "genm: the root that follows"
    announced genp.der
fi
expect_equal "$(openssl x509 -in told-new.pem -noout -fingerprint)" "$(openssl x509 -in m/next.pem -noout -fingerprint)" "it is the one that was configured"
expect_equal "$(openssl verify -CAfile "$ca" told-new-by-old.pem 2>&1)" "told-new-by-old.pem: OK" "the old root vouches for it"
expect_equal "$(openssl verify -CAfile told-new.pem told-old-by-new.pem 2>&1)" "told-old-by-new.pem: OK" "and it for the old root"
expect_equal "$(openssl x509 -in told-new-by-old.pem -noout -pubkey)" "$(openssl x509 -in told-new.pem -noout -pubkey)" "its own key"

# --- confirmation ---
U=$http/.well-known/cmp/p/explicit
by_secret ir h.pem h.key a.example.com s3cret -disable_confirm # nobody will confirm it: looked at again at the end
unconfirmed_at=$SECONDS
expect_certificate h.pem a.example.com "ir that will not be confirmed"
by_secret ir i.pem i.key a.example.com s3cret -implicit_confirm
expect_certificate i.pem a.example.com "implicit confirmation asked for, and not granted: certConf"
expect_match "$(last)" 'operation=certConf' "which came"
U=$http/.well-known/cmp/p/demo
# The client does not believe the new certificate, and says so.
by_secret ir j.pem j.key a.example.com s3cret -out_trusted vendor.pem
expect_equal "$code" 1 "the client rejects the certificate"
expect_match "$(last)" 'operation=certConf' "its rejection came"
expect_equal "$(status_of "$(issued)" a.example.com)" revoked "and the certificate is revoked"

# --- what is refused ---
by_secret ir none.pem none.key a.example.com wrong
expect_failure badMessageCheck cmp_protection "a wrong password"
expect_match "$(last)" 'detail=secret' "the log says why"
wrong=$(said)
by_secret ir none.pem none.key nobody.example.com s3cret
expect_failure badMessageCheck cmp_protection "an unknown name"
expect_match "$(last)" 'detail=no_registration' "the log says why"
expect_equal "$(said)" "$wrong" "and from outside it looks like a wrong password"
ask -cmd ir -ref a.example.com -secret pass:s3cret -subject /CN=nobody.example.com -newkey none.key -certout none.pem
expect_failure notAuthorized '(no_registration|name_policy|secret)' "the right password for another name"
ask -cmd ir -unprotected_requests -subject /CN=a.example.com -newkey none.key -certout none.pem
expect_failure badMessageCheck cmp_unprotected "no protection at all"
by_secret ir none.pem none.key a.example.com s3cret -popo 0
expect_failure notAuthorized cmp_not_authorized "raVerified by a device"
by_secret ir none.pem weak.key a.example.com s3cret -popo 2
expect_equal "$code" 1 "key encipherment as proof of possession"
[ -f small.key ] || openssl genrsa -out small.key 1024 2>/dev/null
by_secret ir none.pem small.key a.example.com s3cret
expect_failure badCertTemplate key "RSA of 1024 bits"
by_secret ir none.pem none.key a.example.com s3cret -issuer "/CN=Another CA"
expect_failure wrongAuthority cmp_wrong_authority "the template names another CA"
register est est-only.example.com e-secret --protocols est
by_secret ir none.pem none.key est-only.example.com e-secret
expect_failure '\(badMessageCheck\|notAuthorized\)' '(cmp_protection|protocol)' "a registration for EST alone"

register cmp 'unit-*.example.com' w-secret
by_secret ir w.pem w.key unit-7.example.com w-secret
expect_certificate w.pem unit-7.example.com "a wildcard registration"
new_key w8.key
ask -cmd ir -ref 'unit-*.example.com' -secret pass:w-secret -subject /CN=unit-8.example.com -newkey w8.key -certout w8.pem
expect_certificate w8.pem unit-8.example.com "the reference is the pattern itself"
id=$(sed -n 's/^registered .*: \([^ ]*\) (revision.*/\1/p' register.log)
new_key w9.key
ask -cmd ir -ref "$id" -secret pass:w-secret -subject /CN=unit-9.example.com -newkey w9.key -certout w9.pem
expect_certificate w9.pem unit-9.example.com "the reference is the registration's id"
by_secret ir none.pem none.key unit-7.5.example.com w-secret
expect_failure badMessageCheck cmp_protection "a star never crosses a dot"
by_secret ir none.pem none.key 'unit-*.example.com' w-secret
expect_equal "$code" 1 "a star that the requester types is no name"

register cmp ip.example.com ip-secret --ip 192.0.2.7
by_secret ir none.pem none.key ip.example.com ip-secret
expect_failure notAuthorized ip "no IP address"
by_secret ir none.pem none.key ip.example.com ip-secret -sans 192.0.2.8
expect_failure notAuthorized ip "a wrong IP address"
by_secret ir ip.pem ip.key ip.example.com ip-secret -sans 192.0.2.7
expect_certificate ip.pem ip.example.com "the right IP address"
register cmp sn.example.com sn-secret --serial FOC123
with_serial() { ask -cmd ir -ref sn.example.com -secret pass:sn-secret -subject "/CN=sn.example.com/serialNumber=$1" -newkey sn.key -certout sn.pem; }
new_key sn.key
with_serial FOC999
expect_failure notAuthorized serial "a wrong serial number"
with_serial FOC123
expect_certificate sn.pem sn.example.com "the right serial number"

close_registration z.example.com
by_secret ir none.pem none.key z.example.com z-secret
expect_failure notAuthorized closed "a closed registration"
by_certificate kur none.pem none.key z
expect_failure notAuthorized closed "nor does its certificate update"

# --- polling: an officer decides while the client waits ---
U=$http/.well-known/cmp/p/manual
procedure=manual register cmp slow.example.com m-secret
decide_when_asked approve &
by_secret ir m.pem m.key slow.example.com m-secret -total_timeout 50
expect_certificate m.pem slow.example.com "approved while it polls"
wait $!
expect_match "$(grep -c ' protocol=cmp .* operation=pollReq ' musterd.log)" '^[1-9]' "it polled"
decide_when_asked deny &
by_secret ir none.pem none.key slow.example.com m-secret -total_timeout 50
expect_failure notAuthorized denied "denied while it polls"
wait $!
new_key m2.key
openssl req -new -key m2.key -subj /CN=slow.example.com -out m2.csr
decide_when_asked approve &
ask -cmd p10cr -ref slow.example.com -secret pass:m-secret -csr m2.csr -certout m2.pem -total_timeout 50
wait $!
expect_certificate m2.pem slow.example.com "p10cr that waits"
by_certificate kur m3.pem m3.key m
expect_certificate m3.pem slow.example.com "an update needs no officer"
U=$http/.well-known/cmp/p/demo

# --- dialects ---
U=$http/.well-known/cmp/p/lightweight
by_secret ir none.pem none.key a.example.com s3cret
expect_failure badAlg cmp_algorithm "HMAC-SHA1 is refused by the lightweight profile"
by_secret ir l.pem l.key a.example.com s3cret -mac hmacWithSHA256
expect_certificate l.pem a.example.com "HMAC-SHA256 is not"
U=$http/.well-known/cmp/p/with-ca
by_secret ir n.pem n.key a.example.com s3cret -cacertsout capubs.pem
expect_equal "$(openssl x509 -in capubs.pem -noout -fingerprint)" "$(openssl x509 -in "$ca" -noout -fingerprint)" "caPubs has the root where it is on"
U=$http/.well-known/cmp/p/demo
rm -f capubs.pem
by_secret ir n2.pem n2.key a.example.com s3cret -cacertsout capubs.pem
expect_equal "$(cat capubs.pem 2>/dev/null)" "" "and nothing where it is off"

# --- a base station: its vendor's certificate is the credential ---
U=$http/.well-known/cmp/p/stations
procedure=stations register cmp gnb-1.example.com s3cret --serial SN-1
# The client writes the issuer of the birth certificate into the template unless it is told which CA to ask for.
by_certificate ir st.pem st.key birth -subject /CN=gnb-1.example.com -extracertsout extra.pem
expect_certificate st.pem gnb-1.example.com "ir signed with the vendor's certificate"
openssl crl2pkcs7 -nocrl -certfile extra.pem | openssl pkcs7 -print_certs -noout | grep -q "$(openssl x509 -in "$ca" -noout -subject | sed 's/subject=//')"
expect_equal "$?" 0 "extraCerts has the operator's root"
by_certificate kur st2.pem st2.key st
expect_certificate st2.pem gnb-1.example.com "the station updates its key"
by_certificate ir none.pem none.key other-birth -subject /CN=gnb-1.example.com
expect_failure notAuthorized serial "the certificate of another station"
by_certificate ir none.pem none.key birth -subject /CN=gnb-2.example.com
expect_failure notAuthorized no_registration "a name that is not registered"
by_secret ir none.pem none.key gnb-1.example.com s3cret
expect_failure wrongIntegrity cmp_integrity "a password counts for nothing there"
U=$http/.well-known/cmp/p/demo
by_certificate ir none.pem none.key birth -subject /CN=gnb-1.example.com
expect_failure signerNotTrusted cmp_signer_not_trusted "and the vendor's certificate for nothing elsewhere"

# --- what nobody confirmed ---
while [ $((SECONDS - unconfirmed_at)) -lt 25 ] && [ "$(status_of "$(serial_of h.pem)" a.example.com)" = good ]; do sleep 0.5; done
expect_equal "$(status_of "$(serial_of h.pem)" a.example.com)" revoked "a certificate that was not confirmed in time is revoked"
expect_match "$(muster audit verify 2>&1; echo "status $?")" 'status 0' "the audit verifies"
finish
