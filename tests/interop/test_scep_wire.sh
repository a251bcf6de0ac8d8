#!/usr/bin/env bash
# What SCEP clients put on the wire and what they take, without the clients: each request that sscep, scepclient, strongSwan,
# certmonger and routers were seen to send, made by pkimessage.py and sent by curl, and the form of each answer. Who does what is
# said beside the check.
. "$(dirname "$0")/lib.sh"
need curl
need python3
start_gateway
U=$http/scep/demo

pm() { python3 "$top/tests/interop/pkimessage.py" "$@"; }
key() { [ -f "$1.key" ] || openssl genrsa -out "$1.key" "${2:-2048}" 2>/dev/null; }
# device NAME CN [options of pkimessage.py csr]: key, CSR and a self-signed certificate
device() {
    local name=$1 cn=$2
    shift 2
    key "$name"
    pm csr --key "$name.key" --cn "$cn" "$@" >"$name.csr"
    pm signer --key "$name.key" --cn "$cn" >"$name.cer"
}
# message NAME [options of pkimessage.py make]: NAME.msg, a PKCSReq under the transactionID NAME unless told otherwise
message() {
    local name=$1
    shift
    pm make --key "$name.key" --signer "$name.cer" --content "$name.csr" --ra m/scep-ra.pem --id "$name" "$@" >"$name.msg"
}
# understand NAME [password]: the CertRep in `reply` as name=value lines in `said`, its certificate in NAME.pem
understand() {
    rm -f "$1.pem" said
    pm open --key "$1.key" --ra m/scep-ra.pem --out "$1.pem" ${2:+--password "$2"} reply >said 2>client.log
}
# post NAME [options of curl]: sends NAME.msg; status and media type in $http_said
post() {
    local name=$1
    shift
    rm -f reply
    http_said=$(curl -s -D headers -o reply -w '%{http_code} %{content_type}' --data-binary "@$name.msg" "$@" "$U?operation=PKIOperation")
    understand "$name"
}
# get NAME QUERY: the same by GET, as the query stands
get() {
    rm -f reply
    http_said=$(curl -s -g -D headers -o reply -w '%{http_code} %{content_type}' "$U?$2")
    understand "$1"
}
said() { sed -n "s/^$1=//p" said 2>/dev/null; }
expect_issued() { # NAME, FQDN, what
    expect_equal "$(said verified) $(said pkiStatus) $(openssl x509 -in "$1.pem" -noout -ext subjectAltName 2>/dev/null | grep -c "DNS:$2")" "yes 0 1" "$3"
}
expect_failure() { # failInfo, what
    expect_equal "$http_said $(said verified) $(said pkiStatus) $(said failInfo)" "200 application/x-pki-message yes 2 $1" "$2"
}
expect_pending() { expect_equal "$http_said $(said verified) $(said pkiStatus)" "200 application/x-pki-message yes 3" "$1"; }
base64_of() { openssl base64 -A -in "$1.msg"; }

register scep '*.example.com' s3cret
procedure=des register scep d.des.example.com s3cret

# --- GetCACaps and GetCACert ---
expect_equal "$(curl -s -o caps -w '%{http_code} %{content_type}' "$U?operation=GetCACaps")" "200 text/plain" "GetCACaps is text/plain"
for word in AES POSTPKIOperation Renewal SHA-256 SHA-384 SHA-512 SCEPStandard; do
    expect_equal "$(grep -cx "$word" caps)" 1 "GetCACaps: $word on a line of its own" # strongSwan 5.9.8 wants SHA-384
done
expect_equal "$(grep -c 'DES\|SHA-1$\|GetNextCACert\|MD5' caps)" 0 "GetCACaps lists nothing that is off"
expect_equal "$(curl -s "$U?operation=GetCACaps&message=0")" "$(cat caps)" "GetCACaps&message=0 (certmonger)"
expect_equal "$(curl -s "$http/scep/des?operation=GetCACaps" | grep -c 'DES3\|SHA-1')" 2 "DES3 and SHA-1 are listed where they are served"
expect_equal "$(curl -s -o bag -w '%{http_code} %{content_type}' "$U?operation=GetCACert")" "200 application/x-x509-ca-ra-cert" "GetCACert (scepclient: no message)"
for message in CAIdentifier 0 '' a%20b; do # sscep, certmonger
    curl -s -o bag2 "$U?operation=GetCACert&message=$message"
    expect_equal "$(cmp bag bag2 2>&1)" "" "GetCACert&message=$message"
done
openssl pkcs7 -inform DER -in bag -print_certs 2>/dev/null | awk '/BEGIN/ { n++ } n { print > ("bag-" n ".pem") }'
expect_equal "$(openssl x509 -in bag-1.pem -noout -fingerprint)" "$(openssl x509 -in m/scep-ra.pem -noout -fingerprint)" "the RA comes first"
expect_equal "$(openssl x509 -in bag-2.pem -noout -fingerprint)" "$(openssl x509 -in "$ca" -noout -fingerprint)" "then the CA"
# sscep takes the first whose issuer differs from its subject; Apple goes by keyUsage; certmonger wants digitalSignature
expect_match "$(openssl x509 -in bag-1.pem -noout -ext keyUsage)" 'Digital Signature, Key Encipherment' "the RA signs and decrypts"
expect_equal "$(openssl x509 -in bag-2.pem -noout -ext keyUsage | grep -c 'Encipherment')" 0 "the CA does not decrypt"
expect_match "$(openssl x509 -in bag-1.pem -noout -ext basicConstraints 2>&1)" '^No extensions|CA:FALSE' "the RA is no CA"
expect_equal "$(curl -s -o /dev/null -w '%{http_code}' "$U?operation=GetNextCACert")" 404 "GetNextCACert: there is none"
for path in /scep/demo/pkiclient.exe /cgi-bin/pkiclient.exe /scep/demo/x/y; do # Cisco (SCEP-123), clients that add a tail
    curl -s -o bag2 "$http$path?operation=GetCACert"
    expect_equal "$(cmp bag bag2 2>&1)" "" "GetCACert at $path"
done

# --- HTTP ---
device a a.example.com --challenge s3cret
message a
post a -H 'Content-Type:' # sscep, strongSwan
expect_issued a a.example.com "POST without Content-Type"
expect_equal "$http_said" "200 application/x-pki-message" "the media type of the answer has no parameters"
expect_equal "$(grep -c '^Content-Type: \|^Content-Length: ' headers)" 2 "Content-Type and Content-Length, spelled so"
expect_equal "$(grep -ci '^transfer-encoding' headers)" 0 "the answer is not chunked"
cp a.pem first.pem
for type in application/octet-stream application/x-pki-message text/plain; do # scepclient (SCEP-125); the standard's; any
    post a -H "Content-Type: $type"
    expect_equal "$(cmp a.pem first.pem 2>&1)" "" "POST as $type, the same message again: the same certificate"
done
curl -s -o reply --data-binary @a.msg "$U" && understand a
expect_equal "$(cmp a.pem first.pem 2>&1)" "" "POST that names no operation"
curl -s -o reply -H 'Transfer-Encoding: chunked' --data-binary @a.msg "$U?operation=PKIOperation" && understand a
expect_equal "$(cmp a.pem first.pem 2>&1)" "" "POST in chunks"
expect_equal "$(curl -s -w '%{num_connects} ' -o /dev/null "$U?operation=GetCACert" --next -s -w '%{num_connects} ' -o /dev/null "$U?operation=GetCACaps" \
    --next -s -w '%{num_connects}' -o /dev/null --data-binary @a.msg "$U?operation=PKIOperation")" "1 0 0" "three requests on one connection (scepclient)"
expect_match "$(curl -s -D - -o /dev/null -H 'Connection: close' "$U?operation=GetCACaps")" '^Connection: close' "Connection: close is obeyed (sscep reads to the end)"
expect_equal "$(curl -s -o /dev/null -w '%{http_code}' --data-binary junk "$U?operation=PKIOperation")" 400 "what is no CMS: 400"
expect_equal "$(curl -s -o /dev/null -w '%{http_code}' --data-binary @a.msg "$U?operation=GetCACert")" 400 "POST of another operation: 400"
expect_equal "$(curl -s -o /dev/null -w '%{http_code}' "$U")" 400 "GET of no operation: 400"
expect_equal "$(curl -s -X PUT -o /dev/null -w '%{http_code}' --data x "$U?operation=PKIOperation")" 405 "PUT: 405"

# --- PKIOperation by GET ---
plain=$(base64_of a)
escaped=$(printf %s "$plain" | sed 's/+/%2B/g; s/=/%3D/g')
get a "operation=PKIOperation&message=$(printf %s "$escaped" | sed 's,/,%2F,g')" # certmonger
expect_equal "$(cmp a.pem first.pem 2>&1)" "" "GET: one line, %2B %2F %3D"
get a "operation=PKIOperation&message=$(printf %s "$plain" | fold -w 64 | sed 's/+/%2B/g; s/=/%3D/g; s/$/%0A/' | tr -d '\n')" # sscep
expect_equal "$(cmp a.pem first.pem 2>&1)" "" "GET: %0A each 64 characters, / bare"
get a "operation=PKIOperation&message=$(printf %s "$plain" | fold -w 64 | sed 's/+/%2B/g; s/=/%3D/g; s/$/%0D%0A/' | tr -d '\n')"
expect_equal "$(cmp a.pem first.pem 2>&1)" "" "GET: %0D%0A each 64 characters"
get a "message=$(printf %s "$plain" | tr '+/' '-_' | sed 's/=/%3D/g')&operation=PKIOperation" # scepclient
expect_equal "$(cmp a.pem first.pem 2>&1)" "" "GET: base64url, message before operation"
get a "operation=PKIOperation&message=$(printf %s "$plain" | tr '+/' '-_' | sed 's/-/%2D/g; s/=//g')"
expect_equal "$(cmp a.pem first.pem 2>&1)" "" "GET: base64url with %2D, without padding"
get a "operation=PKIOperation&message=$plain" # Cisco IOS; + arrives as a blank
expect_equal "$(cmp a.pem first.pem 2>&1)" "" "GET: nothing escaped"
get a "operation=PKIOperation&message=$(printf %s "$escaped" | sed 's/%/%25/g')"
expect_equal "$(cmp a.pem first.pem 2>&1)" "" "GET: escaped twice"
key big 4096
device big big.example.com --challenge s3cret
message big --cipher aes-256-cbc
get big "operation=PKIOperation&message=$(base64_of big | sed 's/+/%2B/g; s,/,%2F,g; s/=/%3D/g')"
expect_match "$(base64_of big | wc -c)" '^[4-9][0-9]{3}' "a message of more than 4,000 characters"
expect_issued big big.example.com "is taken by GET"
get a 'operation=PKIOperation&message=!!!'
expect_match "$http_said" '^400' "what is no base64: 400"
get a 'operation=PKIOperation'
expect_match "$http_said" '^400' "no message: 400"

# --- algorithms ---
device alg alg.example.com --challenge s3cret
for pair in sha256:aes-128-cbc sha384:aes-192-cbc sha512:aes-256-cbc; do
    message alg --digest "${pair%:*}" --cipher "${pair#*:}" --id "alg-$pair"
    post alg
    expect_issued alg alg.example.com "$pair"
    expect_equal "$(said digest)" "${pair%:*}" "is answered in the same digest"
    case $pair in *128*) suffix=02 ;; *192*) suffix=16 ;; *) suffix=2a ;; esac
    expect_equal "$(said cipher)" "6086480165030401$suffix" "and cipher, never in DES"
done
message alg --digest sha1
post alg
expect_failure 0 "SHA-1: badAlg"
message alg --digest md5
post alg
expect_failure 0 "MD5: badAlg"
message alg --cipher des3
post alg
expect_failure 0 "3DES: badAlg"
U=$http/scep/des
device des d.des.example.com --challenge s3cret
message des --digest sha1 --cipher des3
post des
expect_issued des d.des.example.com "SHA-1 and 3DES under the dialect scep-des"
expect_equal "$(said digest) $(said cipher)" "sha1 2a864886f70d0307" "are answered in SHA-1 and 3DES"
message des --digest md5
post des
expect_failure 0 "MD5 is refused there too"
U=$http/scep/demo

# --- transactionID ---
number=12345678901234567890123456789012345678901234567890123456789012345678901234567 # certmonger: 77 digits
device t t.example.com --challenge s3cret
for id in 0123456789ABCDEF0123456789ABCDEF 'q83vEjRWeJCrze8SNFZ4kKvN7xI+/w==' 'SSCEP transactionId' "$number"; do
    message t --id "$id"
    post t
    expect_issued t t.example.com "transactionID '${id:0:20}'"
    expect_equal "$(said transactionID)" "$id" "comes back as it was"
done
message t --id utf8-id --string utf8
post t
expect_equal "$(said pkiStatus) $(said transactionID) $(said transactionID.string)" "0 utf8-id printable" "as UTF8String it comes back as PrintableString"
message t --id "$(printf 'x%.0s' $(seq 256))"
post t
expect_failure 2 "256 characters: badRequest"

# --- the signer's certificate ---
device s s.example.com --challenge s3cret
n=0
for how in '--serial-octets 32' '--serial-octets 33 --v1 --days 36500' '--serial-octets 21 --days 365' '--cn other'; do
    # sscep; certmonger; strongSwan; scepclient, whose subject is SCEP SIGNER
    n=$((n + 1))
    # shellcheck disable=SC2086
    pm signer --key s.key --cn s.example.com $how >s.cer
    message s --id "signer-$n"
    post s
    expect_issued s s.example.com "a signer with $how"
done
device other s.example.com --challenge s3cret
cp other.csr s.csr
message s --id signer-other-key
post s
expect_failure 2 "a CSR for another key than the signer's: badRequest"

# --- DER ---
device der der.example.com --challenge s3cret
message der --constructed --no-parameters # scepclient
post der
expect_issued der der.example.com "encryptedContent in pieces, algorithms without parameters"
pm csr --key der.key --cn der.example.com --challenge s3cret --sorted >der.csr
message der --id sorted
post der
expect_issued der der.example.com "attributes of the CSR in order"
pm csr --key der.key --cn der.example.com --challenge s3cret >der.csr # strongSwan
message der --id unsorted
post der
expect_issued der der.example.com "and out of order"
pm csr --key der.key --cn der.example.com --challenge s3cret --friendly-name 'my request' >der.csr # certmonger
message der --id friendly
post der
expect_issued der der.example.com "friendlyName beside challengePassword"
message der --clear --id clear
post der
expect_failure 2 "a CSR that is not encrypted: badRequest"

# --- challengePassword ---
for string in printable utf8 ia5 t61; do
    device pw pw.example.com --challenge s3cret --string $string
    message pw --id "pw-$string"
    post pw
    expect_issued pw pw.example.com "challengePassword as $string"
done
device pw pw.example.com --challenge wrong
message pw --id pw-wrong
post pw
expect_failure 2 "a wrong one: badRequest"
grep -v 'Nonce=\|transactionID=' said >wrong.said
device nobody nobody.example.org --challenge s3cret
message nobody
post nobody
expect_equal "$(grep -v 'Nonce=\|transactionID=' said)" "$(cat wrong.said)" "unregistered: in all the same answer"

# --- renewal ---
device r r.example.com --challenge s3cret
message r --id renewal
post r
openssl x509 -in r.pem -outform DER -out r.cer
cp r.key old.key
cp r.cer old.cer
pm csr --key r.key --cn r.example.com >r.csr
message r --id renewal # certmonger: the key is kept and so is the transactionID
post r
expect_issued r r.example.com "PKCSReq signed with the old certificate, same key and transactionID"
expect_equal "$(openssl x509 -in r.pem -noout -serial | cmp -s - <(openssl x509 -inform DER -in old.cer -noout -serial) && echo same)" "" "gets a new certificate"
for type in 19 17; do # sscep; strongSwan
    device new r.example.com
    pm make --key old.key --signer old.cer --content new.csr --ra m/scep-ra.pem --id "renewal-$type" --type $type >new.msg
    cp new.key kept.key
    cp old.key new.key # the answer is for the old key
    post new
    cp kept.key new.key
    expect_issued new r.example.com "a new key, type $type, signed with the old certificate"
done
device self r.example.com
message self --type 17
post self
expect_failure 2 "RenewalReq with a self-signed certificate: badRequest"

# --- PENDING ---
U=$http/scep/manual
procedure=manual register scep slow.man.example.com m-secret
device p slow.man.example.com --challenge m-secret
message p
post p
expect_pending "an officer must approve: PENDING"
expect_equal "$(said content) $(said failInfo)" "empty " "PENDING has a content of zero length, and no failInfo" # certmonger
cp p.msg again.msg
post p
expect_pending "the same PKCSReq with the same nonce (scepclient): PENDING again"
openssl x509 -in "$ca" -outform DER -out ca.cer
pm poll --issuer ca.cer --subject slow.man.example.com >poll.der
cp p.key poll.key
pm make --key p.key --signer p.cer --content poll.der --ra m/scep-ra.pem --id p --type 20 >poll.msg # sscep, strongSwan
post poll
expect_pending "CertPoll: PENDING"
pm make --key s.key --signer s.cer --content poll.der --ra m/scep-ra.pem --id p --type 20 >stranger.msg
cp s.key stranger.key
post stranger
expect_failure 1 "CertPoll by another key: badMessageCheck"
pm make --key p.key --signer p.cer --content poll.der --ra m/scep-ra.pem --id unknown --type 20 >poll2.msg
cp p.key poll2.key
post poll2
expect_failure 4 "CertPoll for an unknown transaction: badCertId"
approve_all
post poll
expect_issued poll slow.man.example.com "approved: CertPoll gets the certificate"
cp again.msg p.msg
post p
expect_equal "$(cmp p.pem poll.pem 2>&1)" "" "and the PKCSReq of then the same one"
post poll
expect_equal "$(cmp p.pem poll.pem 2>&1)" "" "and another CertPoll too"
U=$http/scep/demo

# --- the form of answers ---
device f f.example.com --challenge wrong
message f --nonce 00112233445566778899aabbccddeeff
post f
expect_failure 2 "FAILURE comes with HTTP 200"
expect_equal "$(said content)" empty "its content has zero length" # certmonger
expect_equal "$(said messageType.string) $(said pkiStatus.string) $(said failInfo.string) $(said transactionID.string) $(said failInfoText.string)" \
    "printable printable printable printable utf8" "attributes are PrintableString, failInfoText is UTF8String" # sscep
expect_equal "$(said messageType) $(said recipientNonce) $(said transactionID)" "3 00112233445566778899aabbccddeeff f" "type, nonce and transaction answer the request"
nonce=$(said senderNonce)
expect_match "$nonce" '^[0-9a-f]{32}$' "senderNonce has 16 octets"
post f
if [ "$(said senderNonce)" = "$nonce" ]; then fail "senderNonce is fresh"; else pass "senderNonce is fresh"; fi
expect_equal "$(said certificates)" 1 "the RA's certificate is in the message"
device f2 f.example.com --challenge s3cret
message f2
post f2
expect_equal "$(said issued)" 1 "the issued certificate comes alone"
U=$http/scep/cisco
message f2 --id cisco
post f2
expect_equal "$(said pkiStatus) $(said issued)" "0 2" "with the CA's under the dialect cisco-ios"
expect_issued f2 f.example.com "and before it" # SCEP-123, SCEP-125
message f2 --id lenient --nonce ''
post f2
expect_equal "$(said pkiStatus) $(said recipientNonce)" "0 " "which takes a message without senderNonce"
U=$http/scep/demo
message f2 --id strict --nonce ''
post f2
expect_failure 2 "by default: badRequest"

# --- EC keys: the answer is encrypted under the password (RFC 8894 3.1) ---
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.key 2>/dev/null
device ec ec.example.com --challenge s3cret
message ec
post ec
understand ec s3cret
expect_equal "$(said recipient)" password "an EC key: the recipient is the password"
expect_issued ec ec.example.com "which opens it"
device ec ec.example.com
message ec --id ec-without
post ec
expect_failure 2 "without a password: badRequest, and nothing is issued"

# --- other types ---
for type in 3 18 0 23 x ''; do
    message f2 --type "$type" --id "type-$type-"
    post f2
    expect_failure 2 "messageType '$type': badRequest"
done
for type in 21 22; do # sscep getcert, getcrl
    message f2 --type $type --id 'SSCEP transactionId'
    post f2
    expect_failure 2 "messageType $type is not offered: badRequest"
done

# --- an RA that certmonger would not believe ---
openssl req -x509 -new -key m/keys/scep-ra.pem -subj "/CN=RA" -addext keyUsage=critical,keyCertSign,cRLSign -out m/no-signer.pem 2>/dev/null
sed 's/certificate: scep-ra.pem/certificate: no-signer.pem/' m/muster.yaml >m/no-signer.yaml
check() { "$build/gateway/musterd" --config "$1" --check 2>&1 && echo taken; }
expect_match "$(check m/no-signer.yaml)" 'digitalSignature and keyEncipherment$' "an RA without digitalSignature: no start"
sed 's/key: scep-ra, certificate: scep-ra.pem/key: ca, certificate: ca.pem/' m/muster.yaml >m/no-rsa.yaml
expect_match "$(check m/no-rsa.yaml)" 'must be RSA of 2048 bits or more$' "an RA that is no RSA key: no start"
expect_match "$(check m/muster.yaml)" '^taken$' "and this configuration is taken"
finish
