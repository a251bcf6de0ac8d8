#!/usr/bin/env bash
# A gateway in front of a CA that speaks CMP. First the CA is a second gateway: devices of every protocol enroll through it, while it
# is killed, stopped, replaced by one that answers garbage; afterwards each device has exactly one certificate in both. Then it is
# `openssl cmp -port`, which answers always with one certificate. Rows CMP-70, CMP-83 to CMP-90, CMP-117, CMP-118.
. "$(dirname "$0")/lib.sh"
need curl
command -v sscep >/dev/null || need pki # either speaks SCEP
openssl cmp -help >/dev/null 2>&1 || { echo "skipped: this openssl has no cmp"; exit 77; }

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

# --- the CA behind: a gateway of its own in up/, with the same CA, so that one root is all that there is to trust ---
upstream="" # its process
upstream_muster() { MUSTER_CONFIG=$work/up/muster.yaml muster "$@"; }
start_upstream() {
    local attempt
    "$build/gateway/musterd" --config up/muster.yaml 2>>upstream.log &
    upstream=$!
    helpers="$helpers $upstream"
    for attempt in $(seq 300); do
        curl -s -o /dev/null --max-time 1 "http://127.0.0.1:$up_port/ca/demo.cer" && return
        sleep 0.1
    done
    fail "the CA behind does not start"
}
kill_upstream() {
    kill -9 "$upstream"
    wait "$upstream" 2>/dev/null
}

# `demo` asks by ir with raVerified, signed by the gateway's RA; `forward` hands the PKCS#10 on, under a secret; `slow` is approved by
# the upstream officer; `mock` is the other CA.
configure() {
    read -r up_port up_tls up_admin mock_port < <(free_ports 4)
    cp -r m up
    sed -i -e "s/$http_port/$up_port/g; s/$tls_port/$up_tls/g; s/$admin_port/$up_admin/g" up/muster.yaml
    cat >up.yaml <<YAML
  - { name: gateway, domain: devices, ca: demo, profile: device, protocols: [cmp], retry_after: 1s, cmp: { ra: cmp-ra, ra_anchors: [ca.pem] } }
  - { name: approved, domain: devices, ca: demo, profile: device, protocols: [cmp], approval: manual, retry_after: 1s, cmp: { ra: cmp-ra, ra_anchors: [ca.pem] } }
YAML
    sed -i '/^procedures:/r up.yaml' up/muster.yaml

    mkdir mock
    new_key mock/ca.key
    openssl req -x509 -new -key mock/ca.key -subj "/CN=Mock CA" -days 30 -out m/mock-ca.pem 2>/dev/null
    new_key mock/signer.key
    openssl req -x509 -new -key mock/signer.key -subj "/CN=Mock Signer" -days 30 -out m/mock-signer.pem \
        -addext keyUsage=digitalSignature 2>/dev/null
    printf 'forward-secret\n' >m/forward.secret
    printf 'mock-secret\n' >m/mock.secret
    local cmp="http://127.0.0.1:$up_port/.well-known/cmp/p"
    cat >cas.yaml <<YAML
  - { name: demo, kind: cmp, chain: [ca.pem], timeout: 2s, cmp: { url: "$cmp/gateway", key: cmp-ra, certificate: cmp-ra.pem } }
  - { name: approved, kind: cmp, chain: [ca.pem], cmp: { url: "$cmp/approved", key: cmp-ra, certificate: cmp-ra.pem, request: cr, implicit_confirm: true } }
  - { name: forward, kind: cmp, chain: [ca.pem], cmp: { url: "$cmp/gateway", reference: "*.forward.example.com", secret_file: forward.secret } }
  - { name: forged, kind: cmp, chain: [ca.pem], cmp: { url: "$cmp/gateway", reference: "*.forward.example.com", secret_file: mock.secret } }
  - { name: mock, kind: cmp, chain: [mock-ca.pem], cmp: { url: "http://127.0.0.1:$mock_port/", reference: gateway, secret_file: mock.secret, hmac_sha1: true } }
  - { name: mock-signed, kind: cmp, chain: [mock-ca.pem], cmp: { url: "http://127.0.0.1:$mock_port/", key: cmp-ra, certificate: cmp-ra.pem, signer: mock-signer.pem, implicit_confirm: true } }
YAML
    local common="domain: devices, profile: device, protocols: [est], retry_after: 1s, est: { basic: true }"
    cat >procedures.yaml <<YAML
  - { name: approved, ca: approved, $common }
  - { name: forward, ca: forward, $common }
  - { name: forged, ca: forged, $common }
  - { name: mock, ca: mock, $common }
  - { name: mock-signed, ca: mock-signed, $common }
YAML
    sed -i -e '/name: demo, kind: local/d' -e '/^cas:/r cas.yaml' -e '/^procedures:/r procedures.yaml' m/muster.yaml
    start_upstream
}
start_gateway

# --- devices ---
est() { # NAME PROCEDURE: asks once with NAME.key; NAME.pem when a certificate comes; what came in $code
    [ -f "$1.key" ] || new_key "$1.key"
    [ -f "$1.b64" ] || openssl req -new -key "$1.key" -subj "/CN=$1" -outform DER | openssl base64 -A >"$1.b64"
    code=$(curl -s --max-time 20 --cacert "$ca" -u x:s3cret -H 'Content-Type: application/pkcs10' --data @"$1.b64" -o "$1.p7" \
        -w '%{http_code}' "$https/.well-known/est/$2/simpleenroll" 2>client.log)
    [ "$code" = 200 ] && base64 -d "$1.p7" | openssl pkcs7 -inform DER -print_certs -out "$1.pem" 2>>client.log
}
est_until() { # the same until there is a certificate, or a refusal
    local attempt
    for attempt in $(seq 60); do
        est "$1" "$2"
        case $code in 202 | 503 | 000) sleep 0.5 ;; *) return ;; esac
    done
}
scep() { # NAME
    openssl genrsa -out "$1.key" 2048 2>/dev/null
    cat >req.cnf <<CNF
[req]
prompt = no
distinguished_name = dn
attributes = attrs
[dn]
CN = $1
[attrs]
challengePassword = s3cret
CNF
    openssl req -new -config req.cnf -key "$1.key" -out "$1.csr"
    if ! command -v sscep >/dev/null; then
        pki --scepca --url "$http/scep/demo" --caout scep-ca.pem --raout scep-ra.pem --outform pem --force >client.log 2>&1
        timeout 60 pki --scep --url "$http/scep/demo" --in "$1.key" --dn "CN=$1" --san "$1" --password s3cret --interval 1 \
            --maxpolltime 40 --cacert-enc scep-ra.pem --cacert-sig scep-ra.pem --cacert scep-ca.pem --outform pem >"$1.pem" 2>client.log
        return
    fi
    sscep getca -u "$http/scep/demo" -c scep-ca.pem >client.log 2>&1
    timeout 60 sscep enroll -u "$http/scep/demo" -c scep-ca.pem -k "$1.key" -r "$1.csr" -l "$1.pem" -t 1 -n 40 >client.log 2>&1
}
cmp_ir() { # NAME [options]
    local name=$1
    shift
    new_key "$name.key"
    timeout 60 openssl cmp -cmd ir -server "$http/.well-known/cmp/p/demo" -trusted "$ca" -ref "$name" -secret pass:s3cret \
        -subject "/CN=$name" -newkey "$name.key" -certout "$name.pem" "$@" >client.log 2>&1
}
eventually() { # command: true within 20 seconds
    local attempt
    for attempt in $(seq 100); do
        "$@" && return
        sleep 0.2
    done
    return 1
}
upstream_said() { grep -qE "$1" upstream.log; }
gateway_said() { grep -qE "$1" musterd.log; }
expect_soon() { # what, command
    local what=$1
    shift
    if eventually "$@"; then pass "$what"; else fail "$what"; fi
}
# How many certificates there are of a name, with their status: in front and behind.
known() {
    python3 -c 'import json, sys
print(*sorted(c["status"] for c in json.load(sys.stdin)) or ["none"])'
}
in_both() { echo "$(muster cert "$1" --json | known), $(upstream_muster cert "$1" --json | known)"; }
# How many certificates are there of names with this beginning, of how many names.
names_under() {
    python3 -c 'import json, sys
names = [c["fqdn"] for c in json.load(sys.stdin)["certificates"] if c["fqdn"].startswith(sys.argv[1])]
print(len(names), "of", len(set(names)))' "$1"
}
asks_admin() { curl -s --cacert m/ca.pem --cert "$2/officer.pem" --key "$2/officer.key" "https://127.0.0.1:$1/api/v1/certificates?limit=1000"; }
good_under() { asks_admin "$admin_port" m | names_under "$1"; }
upstream_good_under() { asks_admin "$up_admin" up | names_under "$1"; }
both_are() { [ "$(in_both "$1")" = "$2" ]; }

register est '*.est.example.com' s3cret
register scep '*.scep.example.com' s3cret
register cmp '*.cmp.example.com' s3cret
procedure=forward register est '*.forward.example.com' s3cret
procedure=approved register est '*.approved.example.com' s3cret
procedure=mock register est '*.mock.example.com' s3cret
for pattern in est scep cmp forward approved; do
    secret=unused-$pattern
    [ $pattern = forward ] && secret=forward-secret
    upstream_muster register "*.$pattern.example.com" --procedure gateway --order cmp --password "$secret" >register.log 2>&1 ||
        { fail "register upstream"; cat register.log; }
done

# --- every protocol in front ---
est_until a.est.example.com demo
expect_certificate a.est.example.com.pem a.est.example.com "EST in front, CMP behind"
scep a.scep.example.com
expect_certificate a.scep.example.com.pem a.scep.example.com "SCEP in front"
cmp_ir a.cmp.example.com
expect_certificate a.cmp.example.com.pem a.cmp.example.com "CMP in front"
cmp_ir b.cmp.example.com -implicit_confirm
expect_certificate b.cmp.example.com.pem b.cmp.example.com "CMP in front with implicit confirmation"
est_until a.forward.example.com forward
expect_certificate a.forward.example.com.pem a.forward.example.com "the PKCS#10 handed on, under a secret"
expect_match "$(grep -c 'operation=p10cr' upstream.log)" '^[1-9]' "as p10cr"
expect_soon "the CA is told that it was taken" upstream_said 'operation=certConf .*fqdn=a.forward.example.com verdict=confirmed'
for name in a.est a.scep a.cmp b.cmp a.forward; do
    expect_equal "$(in_both $name.example.com)" "good, good" "$name: one certificate in front, one behind"
done

# --- a secret that the CA does not know ---
est_until b.forward.example.com forged
expect_equal "$code" 400 "a secret that the CA does not know: the device is refused"
expect_soon "and the log says what the CA answered" gateway_said 'fqdn=b.forward.example.com .*reason=ca_rejected .*badMessageCheck'

# --- an officer behind decides ---
est a.approved.example.com approved
expect_equal "$code" 202 "an officer behind has to approve: come back later"
expect_soon "the CA is polled" upstream_said 'operation=pollReq .*fqdn=a.approved.example.com'
upstream_muster pending --json | python3 -c 'import json, sys
for row in json.load(sys.stdin): print(row["id"])' | while read -r id; do upstream_muster approve "$id" >/dev/null; done
est_until a.approved.example.com approved
expect_certificate a.approved.example.com.pem a.approved.example.com "approved"
expect_equal "$(grep -c 'operation=certConf .*fqdn=a.approved' upstream.log)" 0 "implicitConfirm was granted: no certConf"
est b.approved.example.com approved
expect_soon "another one waits" upstream_said 'operation=cr .*fqdn=b.approved.example.com'
upstream_muster pending --json | python3 -c 'import json, sys
for row in json.load(sys.stdin): print(row["id"])' | while read -r id; do upstream_muster deny "$id" >/dev/null; done
est_until b.approved.example.com approved
expect_equal "$code" 400 "denied"

# --- revocation ---
muster revoke a.est.example.com --reason keyCompromise >client.log 2>&1 || fail "revoke"
expect_soon "a revocation is passed on" both_are a.est.example.com "revoked, revoked"

# --- the CA is away ---
kill_upstream
est away.est.example.com demo
expect_equal "$code" 202 "the CA is away: come back later"
expect_soon "and the log says so" gateway_said 'kind=order .*CA demo: '
start_upstream
est_until away.est.example.com demo
expect_certificate away.est.example.com.pem away.est.example.com "it is back: the same order is filled"
expect_equal "$(in_both away.est.example.com)" "good, good" "once"

# --- the CA is slow: longer than anybody waits for it ---
kill -STOP "$upstream"
est slow.est.example.com demo
expect_equal "$code" 202 "the CA does not answer: come back later"
scep slow.scep.example.com &
cmp_ir slow.cmp.example.com &
slow="$!"
expect_soon "requests to it end by their time-out" gateway_said 'kind=order .*CA demo: Timeout'
kill -CONT "$upstream"
wait "$slow"
est_until slow.est.example.com demo
expect_certificate slow.est.example.com.pem slow.est.example.com "it goes on: EST has its certificate"
expect_soon "SCEP has" test -s slow.scep.example.com.pem
expect_certificate slow.cmp.example.com.pem slow.cmp.example.com "CMP has"
for name in slow.est slow.scep slow.cmp; do
    expect_equal "$(in_both $name.example.com)" "good, good" "$name: once"
done

# --- somebody else answers in its place ---
cat >garbage.py <<'PY'
import http.server, itertools, os, sys
ways = itertools.cycle(["noise", "nothing", "page", "mirror", "cut", "replay", "unprotected"])
def unprotected():  # the body `error`, as anybody can say it
    return bytes.fromhex("3021" "300d" "020102" "a4023000" "a4023000" "b710" "300e" "300c" "020102" "0307" "00" "800000000000")
class Garbage(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        request = self.rfile.read(int(self.headers["Content-Length"]))
        way = next(ways)
        body = {"noise": os.urandom(300), "nothing": b"", "page": b"<html>proxy</html>", "mirror": request, "cut": request[:40],
                "replay": open(sys.argv[2], "rb").read(), "unprotected": unprotected()}[way]
        self.send_response(502 if way == "page" else 200)
        self.send_header("Content-Type", "application/pkixcmp")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        print(way, flush=True)
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Garbage).serve_forever()
PY
# An authentic answer of this CA, to somebody else's question.
new_key replay.key
openssl cmp -cmd ir -server "127.0.0.1:$up_port/.well-known/cmp/p/gateway" -ref '*.forward.example.com' -secret pass:forward-secret \
    -subject /CN=replay.forward.example.com -newkey replay.key -certout replay.pem -rspout replay.der,replay.conf >client.log 2>&1
kill_upstream
python3 garbage.py "$up_port" replay.der >garbage.log 2>&1 &
garbage=$!
helpers="$helpers $garbage"
est_until lied.est.example.com demo & # keeps asking
est lied2.est.example.com demo
expect_equal "$code" 202 "garbage is no answer: come back later"
lied_in() { [ "$(sort -u garbage.log | wc -l)" -ge "$1" ]; }
expect_soon "in every way that is at hand" lied_in 4
expect_soon "and the log says why" gateway_said 'CA demo: the answer does not count'
expect_equal "$(muster cert lied2.est.example.com --json | known)" none "no certificate comes of it"
kill $garbage
wait $garbage 2>/dev/null
start_upstream
est_until lied2.est.example.com demo
expect_certificate lied2.est.example.com.pem lied2.est.example.com "the CA itself answers: a certificate"
expect_soon "to the others too" both_are lied.est.example.com "good, good"
expect_equal "$(in_both lied2.est.example.com)" "good, good" "once"

# --- killed under load ---
many=$(seq 24)
(for i in $many; do est_until load-$i.est.example.com demo & [ $((i % 4)) = 0 ] && wait; done; wait) &
load=$!
for i in 1 2 3; do
    sleep 0.5
    kill_upstream
    start_upstream
done
kill_gateway
launch
wait $load
for i in $many; do [ -s load-$i.est.example.com.pem ] || est_until load-$i.est.example.com demo; done
expect_equal "$(ls load-*.pem | wc -l), $(good_under load-), $(upstream_good_under load-)" "24, 24 of 24, 24 of 24" "24 devices, the CA killed three times and the gateway once: one certificate each, in front and behind"

# --- openssl cmp as CA ---
mock_device() { # NAME: its key, and the one certificate that the CA will answer with
    [ -f "$1.key" ] || new_key "$1.key"
    openssl req -new -key "$1.key" -subj "/CN=$1" -out mock/req.pem
    openssl x509 -req -in mock/req.pem -CA m/mock-ca.pem -CAkey mock/ca.key -days 20 -out "mock/$1.pem" \
        -extfile <(echo "subjectAltName=DNS:$1") 2>/dev/null
}
mock() { # NAME [options]: until stop_mock
    local name=$1
    shift
    openssl cmp -port "$mock_port" -rsp_cert "mock/$name.pem" "$@" >mock.log 2>&1 &
    mock=$!
    helpers="$helpers $mock"
}
stop_mock() {
    kill $mock 2>/dev/null
    wait $mock 2>/dev/null
}
by_mac="-srv_ref gateway -srv_secret pass:mock-secret"
mock_case() { # NAME PROCEDURE [options of the CA]
    local name=$1 at=$2
    shift 2
    mock_device "$name"
    mock "$name" "$@"
    est_until "$name" "$at"
    [ "$at" = mock-signed ] || [ "$code" != 200 ] || expect_soon "$name: certConf came" mock_heard "${messages:-2}"
    stop_mock
}
mock_heard() { [ "$(grep -ci 'received request' mock.log)" -ge "$1" ]; }
expect_mock() { # NAME what
    expect_equal "$(openssl x509 -in "$1.pem" -noout -fingerprint 2>&1)" "$(openssl x509 -in "mock/$1.pem" -noout -fingerprint)" "$2"
}
ca=$work/m/ca.pem
mock_case a.mock.example.com mock $by_mac
expect_mock a.mock.example.com "openssl cmp as CA: p10cr under a secret"
messages=4 mock_case b.mock.example.com mock $by_mac -poll_count 2 -check_after 1
expect_mock b.mock.example.com "which lets the gateway poll twice"
mock_case c.mock.example.com mock-signed -srv_cert m/mock-signer.pem -srv_key mock/signer.key -srv_trusted m/ca.pem \
    -accept_raverified -grant_implicitconf
expect_mock c.mock.example.com "ir with raVerified, both signed, implicit confirmation"
mock_case d.mock.example.com mock $by_mac -pkistatus 2 -failure 19 -statusstring "not with us"
expect_equal "$code" 400 "the CA rejects: the device is refused"
expect_soon "and the log has the CA's words" gateway_said 'fqdn=d.mock.example.com .*reason=ca_rejected .*badCertTemplate: not with us'
mock_device e.mock.example.com
mock e.mock.example.com $by_mac -send_unprotected
est e.mock.example.com mock
expect_equal "$code" 202 "an answer without protection is none"
stop_mock
mock e.mock.example.com -srv_ref gateway -srv_secret pass:another
est e.mock.example.com mock
expect_equal "$code" 202 "nor one under another secret"
stop_mock
mock e.mock.example.com $by_mac
est_until e.mock.example.com mock
expect_soon "e.mock.example.com: certConf came" mock_heard 2
stop_mock
expect_mock e.mock.example.com "until the CA itself answers"
mock_device f.mock.example.com
cp mock/a.mock.example.com.pem mock/f.mock.example.com.pem
mock f.mock.example.com $by_mac
est_until f.mock.example.com mock
expect_soon "the CA is told of a wrong certificate" grep -q 'rejected by' mock.log
stop_mock
expect_equal "$code" 400 "somebody else's certificate is given to nobody"

expect_match "$(muster audit verify 2>&1; echo "status $?")" 'status 0' "the audit in front verifies"
expect_match "$(upstream_muster audit verify 2>&1; echo "status $?")" 'status 0' "the audit behind verifies"
finish
