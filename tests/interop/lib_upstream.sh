# What the tests with a CA behind the gateway stand on, beside lib.sh: a second gateway as that CA, somebody who answers in its
# place, `openssl cmp -port` as the CA, and devices of SCEP, EST and CMP. Sourced after lib.sh or lib_acme.sh.
openssl cmp -help >/dev/null 2>&1 || { echo "skipped: this openssl has no cmp"; exit 77; }


# --- the CA behind: a gateway of its own in up/, with the same CA, so that one root is all that there is to trust ---
upstream="" # its process
upstream_muster() { MUSTER_CONFIG=$work/up/muster.yaml muster "$@"; }
copy_upstream() { # from m/, before anything else is changed there; its CMP is at $up_cmp/PROCEDURE
    read -r up_port up_tls up_admin < <(free_ports 3)
    cp -r m up
    sed -i -e "s/$http_port/$up_port/g; s/$tls_port/$up_tls/g; s/$admin_port/$up_admin/g" up/muster.yaml
    up_cmp=http://127.0.0.1:$up_port/.well-known/cmp/p
    cat >up.yaml <<YAML
  - { name: gateway, domain: devices, ca: demo, profile: device, protocols: [cmp], retry_after: 1s, cmp: { ra: cmp-ra, ra_anchors: [ca.pem] } }
  - { name: approved, domain: devices, ca: demo, profile: device, protocols: [cmp], approval: manual, retry_after: 1s, cmp: { ra: cmp-ra, ra_anchors: [ca.pem] } }
YAML
    sed -i '/^procedures:/r up.yaml' up/muster.yaml
}
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
kill_upstream_thrice() { # under load; PAUSE seconds before each
    for _ in 1 2 3; do
        sleep "$1"
        kill_upstream
        start_upstream
    done
}
upstream_decide() { # approve | deny
    upstream_muster pending --json | python3 -c 'import json, sys
for row in json.load(sys.stdin): print(row["id"])' | while read -r id; do upstream_muster "$1" "$id" >/dev/null; done
}
upstream_said() { grep -qE "$1" upstream.log; }

# --- somebody else answers at its port, in seven ways one after the other; FILE is an authentic answer to another question ---
start_garbage() { # FILE
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
    python3 garbage.py "$up_port" "$1" >garbage.log 2>&1 &
    garbage=$!
    helpers="$helpers $garbage"
}
stop_garbage() {
    kill $garbage
    wait $garbage 2>/dev/null
}
lied_in() { [ "$(sort -u garbage.log | wc -l)" -ge "$1" ]; }

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
scep() { # NAME [PROCEDURE]: until there is a certificate, or a refusal
    local name=$1 url=$http/scep/${2:-demo}
    [ -f "$name.key" ] || openssl genrsa -out "$name.key" 2048 2>/dev/null
    cat >"$name.cnf" <<CNF
[req]
prompt = no
distinguished_name = dn
attributes = attrs
[dn]
CN = $name
[attrs]
challengePassword = s3cret
CNF
    openssl req -new -config "$name.cnf" -key "$name.key" -out "$name.csr"
    if ! command -v sscep >/dev/null; then
        pki --scepca --url "$url" --caout "$name-ca.pem" --raout "$name-ra.pem" --outform pem --force >client.log 2>&1
        timeout 60 pki --scep --url "$url" --in "$name.key" --dn "CN=$name" --san "$name" --password s3cret --interval 1 \
            --maxpolltime 40 --cacert-enc "$name-ra.pem" --cacert-sig "$name-ra.pem" --cacert "$name-ca.pem" --outform pem \
            >"$name.pem" 2>client.log
        return
    fi
    sscep getca -u "$url" -c "$name-ca" >client.log 2>&1
    timeout 60 sscep enroll -u "$url" -c "$name-ca" -k "$name.key" -r "$name.csr" -l "$name.pem" -t 1 -n 40 >client.log 2>&1
}
cmp_device() { # NAME PROCEDURE [options]
    local name=$1 at=$2
    shift 2
    [ -f "$name.key" ] || new_key "$name.key"
    timeout 60 openssl cmp -cmd ir -server "$http/.well-known/cmp/p/$at" -trusted "$ca" -ref "$name" -secret pass:s3cret \
        -subject "/CN=$name" -newkey "$name.key" -certout "$name.pem" "$@" >client.log 2>&1
}

# --- what must hold ---
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
both_are() { [ "$(in_both "$1")" = "$2" ]; }
# How many certificates are there of names with this beginning, of how many names.
names_under() {
    python3 -c 'import json, sys
names = [c["fqdn"] for c in json.load(sys.stdin)["certificates"] if c["fqdn"].startswith(sys.argv[1])]
print(len(names), "of", len(set(names)))' "$1"
}
asks_admin() { curl -s --cacert m/ca.pem --cert "$2/officer.pem" --key "$2/officer.key" "https://127.0.0.1:$1/api/v1/certificates?limit=1000"; }
good_under() { asks_admin "$admin_port" m | names_under "$1"; }
upstream_good_under() { asks_admin "$up_admin" up | names_under "$1"; }

# --- openssl cmp as CA: it answers always with one certificate, which is made beforehand ---
make_mock() { # its CA, the certificate that it signs messages with, the secret that it shares; an RA for CMP's devices, from that CA
    read -r mock_port < <(free_ports 1)
    mkdir mock
    new_key mock/ca.key
    openssl req -x509 -new -key mock/ca.key -subj "/CN=Mock CA" -days 30 -out m/mock-ca.pem 2>/dev/null
    new_key mock/signer.key
    openssl req -x509 -new -key mock/signer.key -subj "/CN=Mock Signer" -days 30 -out m/mock-signer.pem \
        -addext keyUsage=digitalSignature 2>/dev/null
    printf 'mock-secret\n' >m/mock.secret
    new_key m/keys/mock-ra.pem
    openssl req -new -key m/keys/mock-ra.pem -subj "/CN=Mock RA" | openssl x509 -req -CA m/mock-ca.pem -CAkey mock/ca.key -days 30 \
        -extfile <(printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=1.3.6.1.5.5.7.3.28\n') -out m/mock-ra.pem 2>/dev/null
    sed -i -e '/^keys:/a\  - { name: mock-ra, uri: keys/mock-ra.pem }' \
        -e '/^cmp_ras:/c\cmp_ras:\n  - { name: cmp-ra, key: cmp-ra, certificate: cmp-ra.pem }\n  - { name: mock-ra, key: mock-ra, certificate: mock-ra.pem }' m/muster.yaml
}
mock_device() { # NAME [rsa]: its key, and the one certificate that the CA will answer with
    if [ -f "$1.key" ]; then :; elif [ "${2:-}" = rsa ]; then openssl genrsa -out "$1.key" 2048 2>/dev/null; else new_key "$1.key"; fi
    openssl req -new -key "$1.key" -subj "/CN=$1" -out "mock/$1.csr"
    openssl x509 -req -in "mock/$1.csr" -CA m/mock-ca.pem -CAkey mock/ca.key -days 20 -out "mock/$1.pem" \
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
by_mac="-srv_ref gateway -srv_secret pass:mock-secret -accept_raverified"
by_signature="-srv_cert m/mock-signer.pem -srv_key mock/signer.key -srv_trusted m/ca.pem -accept_raverified -grant_implicitconf"
mock_heard() { [ "$(grep -ci 'received request' mock.log)" -ge "$1" ]; }
expect_mock() { # NAME what: the device has that very certificate, and the registry has it once
    expect_equal "$(openssl x509 -in "$1.pem" -noout -fingerprint 2>&1)" "$(openssl x509 -in "mock/$1.pem" -noout -fingerprint)" "$2"
    expect_equal "$(muster cert "$1" --json | known)" good "$1: recorded, once"
}
