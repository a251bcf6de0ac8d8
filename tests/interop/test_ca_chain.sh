#!/usr/bin/env bash
# The chain of a CA behind, asked of the CA itself by genm with caCerts: only an anchor is configured. The CA, a second gateway, is down at
# first; then it issues by one intermediate, later by another, then by one that nobody vouches for.
. "$(dirname "$0")/lib.sh"
need curl
. "$top/tests/interop/lib_upstream.sh"

# NAME [ISSUER]: pki/NAME.pem, a CA.
new_ca() {
    new_key "pki/$1.key"
    openssl req -x509 -new -key "pki/$1.key" -subj "/CN=Upstream $1" -days 30 -out "pki/$1.pem" ${2:+-CA "pki/$2.pem" -CAkey "pki/$2.key"} \
        -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
}
# The RA of the CA behind, certified by ISSUER.
new_ra() {
    openssl req -x509 -new -key up/keys/cmp-ra.pem -subj "/CN=Upstream RA" -days 30 -out up/cmp-ra.pem -CA "pki/$1.pem" -CAkey "pki/$1.key" \
        -addext basicConstraints=CA:FALSE -addext keyUsage=digitalSignature -addext extendedKeyUsage=1.3.6.1.5.5.7.3.28,1.3.6.1.5.5.7.3.32 2>/dev/null
}
patience=100
stop_upstream() {
    kill "$upstream"
    wait "$upstream" 2>/dev/null
}
issue_by() { # INTERMEDIATE ROOT
    new_ra "$1"
    sed -i -e "s|^  - { name: demo, kind: local,.*|  - { name: demo, kind: local, chain: [../pki/$1.pem, ../pki/$2.pem], key: upstream-$1 }|" up/muster.yaml
}
configure() {
    read -r up_port up_tls up_admin metrics_port < <(free_ports 4)
    mkdir pki
    new_ca root
    new_ca one root
    new_ca two root
    new_ca stranger
    new_ca three stranger
    cp -r m up
    sed -i -e "s/$http_port/$up_port/g; s/$tls_port/$up_tls/g; s/$admin_port/$up_admin/g" -e '/name: cisco\|-des\|name: des/d' up/muster.yaml
    for name in one two three; do
        sed -i "/^keys:/a\\  - { name: upstream-$name, uri: ../pki/$name.key }" up/muster.yaml
    done
    sed -i '/^procedures:/a\  - { name: gateway, domain: devices, ca: demo, profile: device, protocols: [cmp], retry_after: 1s, cmp: { ra: cmp-ra, ra_anchors: [ca.pem] } }' up/muster.yaml
    issue_by one root
    sed -i -e "/^listeners:/a\\  - { name: metrics, address: 127.0.0.1, port: $metrics_port, role: metrics }" \
        -e "s|^  - { name: demo, kind: local,.*|  - { name: demo, kind: cmp, anchors: [../pki/root.pem], chain_refresh: 30m, timeout: 2s, cmp: { url: \"http://127.0.0.1:$up_port/.well-known/cmp/p/gateway\", key: cmp-ra, certificate: cmp-ra.pem } }|" m/muster.yaml
}
cacerts() { curl -s --cacert "$ca" "$https/.well-known/est/demo/cacerts" | base64 -d | openssl pkcs7 -inform DER -print_certs 2>/dev/null | sed -n 's/^subject=//p' | tr -d ' ' | tr '\n' ' '; }
status_of() { curl -s -o /dev/null --cacert "$ca" -w '%{http_code}' "$1"; }
metric() { curl -s "http://127.0.0.1:$metrics_port/metrics" | sed -n 's/^muster_ca_chain_known{ca="demo"} //p'; }
ask() { # NAME [curl's options]: with NAME.key; the answer's status in $code, NAME.pem when a certificate came
    local name=$1 where=$2
    shift 2
    [ -f "$name.key" ] || { new_key "$name.key" && openssl req -new -key "$name.key" -subj "/CN=$name" -outform DER | openssl base64 -A >"$name.b64"; }
    code=$(curl -s --max-time 20 --cacert "$ca" "$@" -H 'Content-Type: application/pkcs10' --data @"$name.b64" -o "$name.p7" -w '%{http_code}' \
        "$https/.well-known/est/demo/$where")
    [ "$code" = 200 ] && base64 -d "$name.p7" | openssl pkcs7 -inform DER -print_certs -out "$name.pem"
}
enroll() { # NAME: comes back until there is an answer
    register est "$1" s3cret
    for _ in $(seq 100); do
        ask "$1" simpleenroll -u x:s3cret
        [ "$code" = 202 ] || [ "$code" = 503 ] || return
        sleep 0.3
    done
}
issuer_of() { openssl x509 -in "$1" -noout -issuer | tr -d ' '; }
start_gateway

# --- the CA is down ---
expect_match "$(cat musterd.log)" 'warning ca name=demo note="its chain is not known yet' "that the chain is not known is told at the start"
eventually said 'kind=ca-chain .*CA demo: '
expect_equal $? 0 "that the CA does not answer is told"
expect_equal "$(status_of "$https/.well-known/est/demo/cacerts") $(status_of "$http/scep/demo?operation=GetCACert") $(status_of "$http/ca/demo.cer")" "503 503 503" \
    "nothing is served meanwhile"
expect_equal "$(metric)" 0 "and a metric says so"
expect_match "$("$build/gateway/musterd" --config m/muster.yaml --check)" 'CA demo: its chain is not known yet' "musterd --check says it, too"
kill_gateway

# --- it tells its chain ---
start_upstream
MUSTER_CONFIG=$work/up/muster.yaml muster register '*.example.com' --procedure gateway --order cmp --password none >register.log 2>&1 || cat register.log
launch
eventually said 'CA demo: its chain is in use'
expect_equal $? 0 "the CA told its chain, and it is in use"
expect_equal "$(cacerts)" "CN=Upstreamone CN=Upstreamroot " "EST hands it out"
curl -s "$http/scep/demo?operation=GetCACert" | openssl pkcs7 -inform der -print_certs | grep -c '^subject' >count
expect_equal "$(cat count)" 3 "SCEP hands it out, after its RA"
expect_equal "$(metric)" 1 "the metric follows"
expect_match "$("$build/gateway/musterd" --config m/muster.yaml --check)" 'CA demo: 2 certificates in its chain, 0 others.*registry/chain-demo.pem' "musterd --check tells the chain"
enroll a.example.com
expect_equal "$(openssl verify -CAfile pki/root.pem -untrusted pki/one.pem a.example.com.pem 2>&1)" "a.example.com.pem: OK" "a device enrolls"
kill_gateway
launch
expect_equal "$(cacerts)" "CN=Upstreamone CN=Upstreamroot " "after a start it is known at once"

# --- it issues by another one ---
stop_upstream
issue_by two root
start_upstream
: >musterd.log
enroll b.example.com
expect_equal "$(issuer_of b.example.com.pem)" "issuer=CN=Upstreamtwo" "a certificate by another intermediate is taken, as the anchor vouches for it"
eventually said 'CA demo: its chain is in use'
expect_equal $? 0 "and the CA is asked anew, long before the interval is over"
expect_equal "$(cacerts)" "CN=Upstreamtwo CN=Upstreamroot " "the new chain is handed out"
expect_match "$("$build/gateway/musterd" --config m/muster.yaml --check)" '2 certificates in its chain, 1 others' "the old intermediate stays known"
ask a.example.com simplereenroll --cert a.example.com.pem --key a.example.com.key
for _ in $(seq 100); do
    [ "$code" = 202 ] || break
    sleep 0.3
    ask a.example.com simplereenroll --cert a.example.com.pem --key a.example.com.key
done
expect_equal "$code $(issuer_of a.example.com.pem)" "200 issuer=CN=Upstreamtwo" "what the old one issued still renews"

# --- it issues by one that nobody vouches for ---
stop_upstream
issue_by three stranger
start_upstream
: >musterd.log
register est c.example.com s3cret
ask c.example.com simpleenroll -u x:s3cret
eventually said 'kind=order .*error=.*CA demo: '
expect_match "$(grep 'kind=order ' musterd.log)" 'does not chain to an anchor' "answers of a signer that nobody vouches for do not count"
expect_equal "$code" 202 "and the device waits"
expect_equal "$(cacerts)" "CN=Upstreamtwo CN=Upstreamroot " "the chain stays"
finish
