#!/usr/bin/env bash
# Mistakes in the configuration stop the start, with file, line, setting and what was expected; at a reload they leave the old
# configuration serving.
. "$(dirname "$0")/lib.sh"
need curl
start_gateway
cp m/muster.yaml m/good.yaml
export MUSTER_CONFIG=$work/m/good.yaml # for the officer

line_of() { grep -n -m 1 -- "$1" m/muster.yaml | cut -d: -f1; }

# mistaken WHAT SED-SCRIPT TEXT-ON-THE-LINE MESSAGE: the good file with one change is refused with that line and message.
mistaken() {
    cp m/good.yaml m/muster.yaml
    sed -i "$2" m/muster.yaml
    cmp -s m/good.yaml m/muster.yaml && fail "$1: nothing was changed"
    "$build/gateway/musterd" --config m/muster.yaml --check >out 2>err
    expect_equal "$?" 1 "$1: refused"
    expect_equal "$(wc -l <err)" 1 "$1: in one line"
    expect_match "$(cat err)" "muster.yaml:$(line_of "$3"): $4" "$1: with file, line and expectation"
    "$build/gateway/musterd" --config m/muster.yaml >out 2>start.err
    expect_equal "$? $(cat start.err)" "1 $(cat err)" "$1: and musterd does not start, in the same words"
}

"$build/gateway/musterd" --config m/muster.yaml --check >out 2>err
expect_equal "$? $(wc -c <err)" "0 0" "the good file passes"
for hash in sha256 sha1; do # SCEP-38
    fingerprint=$(openssl x509 -in "$ca" -noout -fingerprint -$hash | sed 's/.*=//; s/://g' | tr A-F a-f)
    expect_match "$(grep ' info ca name=demo ' musterd.log)" "$hash=$fingerprint( |\$)" "the log begins with the CA's $hash"
    expect_equal "$(grep -c "$fingerprint" out) $(grep -c "$fingerprint" init.log)" "1 1" "--check and init print it"
done
mistaken "a misspelt protocol" 's/name: demo, domain: devices, ca: demo, profile: device, protocols: \[scep/name: demo, domain: devices, ca: demo, profile: device, protocols: [sceep/' \
    'sceep' "procedures\[0\].protocols: expected one of scep, est, cmp, acme; got 'sceep'"
mistaken "a misspelt setting" 's/retry_after: 1s/retry_afer: 1s/' 'retry_afer' "procedures\[0\]: unknown setting 'retry_afer'; did you mean 'retry_after'"
mistaken "a CA that is not there" 's/name: demo, domain: devices, ca: demo/name: demo, domain: devices, ca: dmeo/' 'dmeo' \
    "procedures\[0\].ca: expected a name from cas \(demo\); got 'dmeo'"
mistaken "a number without unit" 's/validity: 365d/validity: 365/' 'validity: 365,' "profiles\[0\].validity: expected a duration"
mistaken "a port beyond all" "s/port: $tls_port/port: 70000/" 'port: 70000' 'listeners\[1\].port: expected .*65535'
mistaken "a key file that is not there" 's/keys\/tls.pem/keys\/none.pem/' 'none.pem' 'keys\[1\].uri: '
mistaken "administration without TLS" '/name: administration/,/tls:/{/tls:/d}' 'name: administration' 'listeners\[2\]'
mistaken "broken YAML" 's/^domains: .*/domains: [{ name: devices }/' '^scep_ras:' "not YAML: did not find expected ',' or ']'"

# --- reload ---
cp m/good.yaml m/muster.yaml
sed -i 's/ca: demo, profile: device, protocols: \[est\], dialect/ca: dmeo, profile: device, protocols: [est], dialect/' m/muster.yaml
reload
expect_match "$(grep ' reload ' musterd.log | tail -n 1)" "error reload result=\"kept the old configuration\" error=.*muster.yaml:[0-9]+: procedures\[5\].ca: expected a name from cas" \
    "a reload with a mistake says which"
status() { curl -s --cacert "$ca" -o /dev/null -w '%{http_code}' "$https/.well-known/est/$1/cacerts"; }
expect_equal "$(status demo) $(status digest)" "200 200" "and the old configuration goes on serving"
register est a.example.com s3cret
expect_equal "$(muster list --json | grep -c a.example.com)" 1 "an officer is served too"
cp m/tls.pem kept.pem
echo nonsense >m/tls.pem
cp m/good.yaml m/muster.yaml
reload
expect_match "$(grep ' reload ' musterd.log | tail -n 1)" 'kept the old configuration.*listeners\[1\].tls.certificate' "a certificate that cannot be read is a mistake too"
expect_equal "$(status demo)" 200 "TLS goes on with the old one"
cp kept.pem m/tls.pem
sed -i 's/name: digest,/name: digest2,/' m/muster.yaml
reload
expect_match "$(grep ' reload ' musterd.log | tail -n 1)" 'result=done' "a good file is taken"
expect_equal "$(status digest) $(status digest2)" "404 200" "and is in force"
sed -i "s/port: $http_port, role/port: 1, role/" m/muster.yaml
reload
expect_match "$(grep ' reload ' musterd.log | tail -n 1)" 'result=done note=.*restart' "what needs a restart is said"
expect_equal "$(status demo)" 200 "and the listeners stay"
expect_match "$(muster audit verify 2>&1; echo "status $?")" 'status 0' "the audit verifies"
finish
