# What every interop test stands on: a gateway of its own on free ports, in a folder of its own, and words to say what must
# happen. Sourced by tests/interop/test_*.sh, which read as recipes: the client's real command line, then what must hold.
#
# Procedures of the gateway: `demo` (SCEP, EST and CMP), `manual` (an officer approves each first enrollment), `des` (dialect
# scep-des), `manual-des` (both), `cisco` (dialect cisco-ios), `digest` (EST with HTTP Digest, MD5 too), `certificates` (EST with
# client certificates alone).
set -u

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${MUSTER_BUILD:-$top/build}
work=$(mktemp -d "${TMPDIR:-/tmp}/muster-interop-XXXXXX")
cd "$work" || exit 1
checks=0 failures=0 daemon="" helpers="" # helpers: process ids that end with the test
daemon_log=musterd.log

on_exit() {
    local status=$?
    stop_gateway
    for helper in $helpers; do
        kill "$helper" 2>/dev/null
        wait "$helper" 2>/dev/null
    done
    [ -z "${MUSTER_KEEP:-}" ] || cp -r "$work" "$MUSTER_KEEP"
    rm -rf "$work" 2>/dev/null || { sleep 1; rm -rf "$work"; } # a helper's last child may still write
    exit $status
}
trap on_exit EXIT

# The test needs this client; without it the test is skipped (and says so).
need() {
    command -v "$1" >/dev/null 2>&1 || [ -x "$1" ] || { echo "skipped: no $1 on PATH"; exit 77; }
}

pass() { checks=$((checks + 1)); echo "ok: $1"; }
fail() {
    checks=$((checks + 1)) failures=$((failures + 1))
    echo "FAILED: $1"
    [ -f client.log ] && tail -n 15 client.log | sed 's/^/  client: /'
    tail -n 3 musterd.log | sed 's/^/  musterd: /'
}

# The last line of every test.
finish() {
    stop_gateway
    echo "$((checks - failures)) of $checks checks hold"
    [ "$failures" = 0 ]
    exit
}

free_ports() {
    python3 - "$1" <<'PY'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in held:
    s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in held))
PY
}

muster() { "$build/cli/muster" "$@"; }

write_config() {
    cat >m/muster.yaml <<YAML
registry: { path: registry, map_max: 1GiB }
workers: 2
log: { format: text, level: info }
listeners:
  - { name: plain, address: 127.0.0.1, port: $http_port, role: devices, base_url: "http://127.0.0.1:$http_port" }
  - name: tls
    address: 127.0.0.1
    port: $tls_port
    role: devices
    base_url: https://127.0.0.1:$tls_port
    tls: { certificate: tls.pem, key: tls, client_certificate: optional }
  - name: administration
    address: 127.0.0.1
    port: $admin_port
    role: administration
    base_url: https://127.0.0.1:$admin_port
    tls: { certificate: tls.pem, key: tls, client_certificate: required }
keys:
  - { name: ca, uri: keys/ca.pem }
  - { name: tls, uri: keys/tls.pem }
  - { name: scep-ra, uri: keys/scep-ra.pem }
  - { name: cmp-ra, uri: keys/cmp-ra.pem }
secrets_keys: [{ id: k1, file: keys/secrets.key }]
cas:
  - { name: demo, kind: local, chain: [ca.pem], key: ca, crl: { url: ["http://127.0.0.1:$http_port/crl/demo.crl"], validity: 7d, refresh: 1d } }
profiles:
  - { name: device, validity: 365d, key_usage: [digital_signature, key_encipherment], extended_key_usage: [client_auth, server_auth] }
domains: [{ name: devices }]
scep_ras: [{ name: scep-ra, key: scep-ra, certificate: scep-ra.pem }]
cmp_ras: [{ name: cmp-ra, key: cmp-ra, certificate: cmp-ra.pem }]
procedures:
  - { name: demo, domain: devices, ca: demo, profile: device, protocols: [scep, est, cmp], retry_after: 1s, scep: { ra: scep-ra }, cmp: { ra: cmp-ra }, est: { basic: true, client_certificate: true } }
  - { name: manual, domain: devices, ca: demo, profile: device, protocols: [scep, est, cmp], approval: manual, retry_after: 3s, scep: { ra: scep-ra }, cmp: { ra: cmp-ra }, est: { basic: true, client_certificate: true }, renewal: { same_key: false } }
  - { name: des, domain: devices, ca: demo, profile: device, protocols: [scep], dialect: scep-des, retry_after: 1s, scep: { ra: scep-ra } }
  - { name: cisco, domain: devices, ca: demo, profile: device, protocols: [scep], dialect: cisco-ios, scep: { ra: scep-ra } }
  - { name: manual-des, domain: devices, ca: demo, profile: device, protocols: [scep], approval: manual, dialect: scep-des, scep: { ra: scep-ra } }
  - { name: digest, domain: devices, ca: demo, profile: device, protocols: [est], dialect: libest, retry_after: 1s, est: { basic: false, digest: true, client_certificate: true } }
  - { name: certificates, domain: devices, ca: demo, profile: device, protocols: [est], retry_after: 1s, est: { basic: false, client_certificate: true } }
default_procedure: demo
YAML
}

# For `configure`: procedure `large` of a CA three certificates deep, all RSA, so that what EST sends in base64 is longer than
# the first kilobyte that some clients read.
add_large_ca() {
    local name issuer=""
    for name in large-root large-middle large; do
        openssl req -x509 -newkey rsa:2048 -nodes -keyout m/keys/$name.pem -subj "/O=muster, large/CN=$name" -addext keyUsage=critical,keyCertSign,cRLSign \
            ${issuer:+-CA m/$issuer.pem -CAkey m/keys/$issuer.pem} -days 30 -out m/$name.pem 2>/dev/null
        issuer=$name
    done
    sed -i "/^keys:/a\\  - { name: large, uri: keys/large.pem }
        /^cas:/a\\  - { name: large, kind: local, chain: [large.pem, large-middle.pem, large-root.pem], key: large }
        /^procedures:/a\\  - { name: large, domain: devices, ca: large, profile: device, protocols: [scep, est], scep: { ra: scep-ra }, est: { basic: true } }" \
        m/muster.yaml
}

start_gateway() { # [more options of muster init]
    read -r http_port tls_port admin_port < <(free_ports 3)
    muster init --dir m --domain devices --procedure demo --ca-name demo --http-port "$http_port" --tls-port "$tls_port" \
        --admin-port "$admin_port" "$@" >init.log 2>&1 || { cat init.log; exit 1; }
    write_config
    ! declare -F configure >/dev/null || configure # what a test changes in m/muster.yaml
    export MUSTER_CONFIG=$work/m/muster.yaml
    http=http://127.0.0.1:$http_port
    https=https://127.0.0.1:$tls_port
    ca=$work/m/ca.pem
    launch
}

launch() {
    local attempt attempts=300
    [ -z "${MUSTER_VALGRIND:-}" ] || attempts=1800 # under which an RSA key takes its time
    # For a build with AddressSanitizer: whole call stacks, so that what is kept on purpose can be told from a leak.
    export ASAN_OPTIONS=fast_unwind_on_malloc=0 LSAN_OPTIONS=suppressions=$top/tests/tools/lsan.supp:print_suppressions=0
    ${MUSTER_VALGRIND:+valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=99 \
        --suppressions="$top/tests/tools/valgrind.supp" --log-file=valgrind.%p.log} \
        "$build/gateway/musterd" --config m/muster.yaml 2>>"$daemon_log" &
    daemon=$!
    for attempt in $(seq $attempts); do
        curl -s -o /dev/null "$http/ca/demo.cer" && return
        kill -0 $daemon 2>/dev/null || { cat musterd.log; exit 1; }
        sleep 0.1
    done
    echo "musterd does not answer"
    exit 1
}

# The configuration is read anew; back when the log says how that went.
reload() {
    local attempt before
    before=$(grep -c ' reload ' musterd.log)
    kill -HUP "$daemon"
    for attempt in $(seq 100); do
        [ "$(grep -c ' reload ' musterd.log)" -gt "$before" ] && return
        sleep 0.1
    done
    fail "musterd does not reload"
}

stop_gateway() {
    [ -n "$daemon" ] || return 0
    kill "$daemon" 2>/dev/null
    wait "$daemon"
    local status=$?
    daemon=""
    [ $status = 0 ] || [ $status = 137 ] || { failures=$((failures + 1)); echo "FAILED: musterd ended with $status"; tail -n 5 musterd.log; cat valgrind.*.log 2>/dev/null; }
}

kill_gateway() { # as a power cut does
    kill -9 "$daemon"
    wait "$daemon" 2>/dev/null
    daemon=""
}

# register ORDER FQDN PASSWORD [more options]: through procedure $procedure (demo).
register() {
    local order=$1 fqdn=$2 password=$3
    shift 3
    muster register "$fqdn" --procedure "${procedure:-demo}" --order "$order" --password "$password" "$@" >register.log 2>&1 ||
        { fail "register $fqdn"; cat register.log; }
}

close_registration() { muster close "$1" --procedure "${procedure:-demo}" >close.log 2>&1 || { fail "close $1"; cat close.log; }; }

# A PEM file holds a certificate of our CA for this FQDN.
expect_certificate() {
    if openssl verify -CAfile "$ca" "$1" >/dev/null 2>&1 && openssl x509 -in "$1" -noout -ext subjectAltName 2>/dev/null | grep -q "DNS:$2"; then
        pass "$3"
    else
        fail "$3"
    fi
}

# No certificate came, and the log's last request line for this FQDN has the reason.
expect_refusal() { # file, fqdn, reason, what
    if [ -s "$1" ] && openssl x509 -in "$1" -noout 2>/dev/null; then
        fail "$4: a certificate came"
    elif tail -n 40 musterd.log | grep "fqdn=$2 " | tail -n 1 | grep -q "reason=$3 "; then
        pass "$4"
    else
        fail "$4: no line with fqdn=$2 and reason=$3"
    fi
}

# The certificates in these files (base64 of PKCS#7, as EST sends them): "13 good, 13 known" to CA and registry. Asks the
# administration itself, with the officer's certificate.
certificates_in() {
    local p7 good=0 known=0 serial
    curl -s --cacert "$ca" --cert m/officer.pem --key m/officer.key "https://127.0.0.1:$admin_port/api/v1/certificates?limit=1000" |
        python3 -c 'import json, sys
for c in json.load(sys.stdin)["certificates"]: print(c["serial"].lower())' >known.txt
    for p7 in "$@"; do
        base64 -d "$p7" | openssl pkcs7 -inform DER -print_certs -out one.pem 2>/dev/null
        openssl verify -CAfile "$ca" one.pem >/dev/null 2>&1 && good=$((good + 1))
        serial=$(openssl x509 -in one.pem -noout -serial | sed 's/serial=//' | tr A-F a-f)
        grep -qx "$serial" known.txt && known=$((known + 1))
    done
    echo "$good good, $known known"
}

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }
said() { grep -qE "$1" musterd.log; }
eventually() { # command: true within $patience seconds
    local attempt
    for attempt in $(seq $((${patience:-20} * 5))); do
        "$@" && return
        sleep 0.2
    done
    return 1
}

expect_equal() { if [ "$1" = "$2" ]; then pass "$3"; else fail "$3: '$1' is not '$2'"; fi; }
expect_match() { if printf '%s' "$1" | grep -qE -- "$2"; then pass "$3"; else fail "$3: '$1' has no '$2'"; fi; }

# What the officer decides about all that waits: approve or deny.
decide_all() {
    muster pending --json | python3 -c 'import json, sys
for row in json.load(sys.stdin): print(row["id"])' |
        while read -r id; do muster "$1" "$id" >/dev/null; done
}
approve_all() { decide_all approve; }
deny_all() { decide_all deny; }

# The same as soon as something waits; for a client that polls meanwhile.
decide_when_asked() {
    local attempt
    for attempt in $(seq 200); do
        [ "$(muster pending --json)" = "[]" ] || break
        sleep 0.2
    done
    decide_all "$1"
}
