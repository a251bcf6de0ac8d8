#!/usr/bin/env bash
# ACME in front of a CA that speaks CMP, which is a second gateway: an order is `processing` until that CA has answered; it is killed,
# stopped, replaced by one that answers garbage, and its officer denies; a revocation reaches it. Clients: acme-tiny, python3-acme.
. "$(dirname "$0")/lib_acme.sh"
. "$top/tests/interop/lib_upstream.sh"
need acme-tiny
for python in python3 /usr/bin/python3 ""; do "${python:-false}" -c 'import acme' 2>/dev/null && break; done
[ -n "$python" ] || { echo "skipped: no python3-acme here"; exit 77; }

configure() {
    copy_upstream
    read -r dns_port dns_control challenge_http challenge_tls < <(free_ports 4)
    cat >cas.yaml <<YAML
  - { name: demo, kind: cmp, chain: [ca.pem], timeout: 2s, cmp: { url: "$up_cmp/gateway", key: cmp-ra, certificate: cmp-ra.pem } }
  - { name: approved, kind: cmp, chain: [ca.pem], cmp: { url: "$up_cmp/approved", key: cmp-ra, certificate: cmp-ra.pem } }
YAML
    local common="domain: devices, profile: device, protocols: [acme, est], retry_after: 1s"
    local acme="acme: { binding: false, ip: true, reach: [127.0.0.1], http_port: $challenge_http"
    cat >procedures.yaml <<YAML
  - { name: orders, ca: demo, $common, $acme } }
  - { name: approved, ca: approved, $common, $acme } }
YAML
    sed -i -e '/name: demo, kind: local/d' -e '/^cas:/r cas.yaml' -e '/^procedures:/r procedures.yaml' \
        -e "/^workers:/i dns_servers: [\"127.0.0.1:$dns_port\"]" m/muster.yaml
    start_dns
    start_upstream
}
start_gateway
procedure=orders register est '*.acme.example.com' s3cret --protocols acme
procedure=approved register est '*.approved.example.com' s3cret --protocols acme
for pattern in acme approved; do
    upstream_muster register "*.$pattern.example.com" --procedure gateway --order cmp --password unused >register.log 2>&1
done
serve_folder www
mkdir -p www/.well-known/acme-challenge
openssl genrsa -out account.key 2048 2>/dev/null

order() { # NAME [PROCEDURE]
    [ -f "$1.key" ] || { new_key "$1.key" && openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"; }
    SSL_CERT_FILE=$ca timeout 90 acme-tiny --account-key account.key --csr "$1.csr" --acme-dir www/.well-known/acme-challenge \
        --disable-check --directory-url "$(directory "${2:-orders}")" >"$1.pem" 2>"$1.log"
}
expect_ordered() { # NAME what
    expect_certificate "$1.pem" "$1" "$2"
    expect_equal "$(in_both "$1")" "good, good" "$1: once, in front and behind"
}
processing() { said "protocol=acme .*operation=finalize .*fqdn=$1 verdict=pending"; }

# --- there and back ---
order a.acme.example.com
expect_ordered a.acme.example.com "the CA behind has issued"
order a.acme.example.com
expect_equal "$(in_both a.acme.example.com)" "good good, good good" "another order: another certificate"
mkdir account
cp account.key account/account.pem
cp a.acme.example.com.pem account/
REQUESTS_CA_BUNDLE=$ca timeout 60 "$python" "$top/tests/interop/acme_client.py" account "$(directory orders)" revoke a.acme.example.com.pem >client.log 2>&1
expect_equal "$?" 0 "the account revokes"
expect_soon "and the CA has revoked" both_are a.acme.example.com "good revoked, good revoked"

# --- an officer behind decides ---
order b.approved.example.com approved &
client=$!
expect_soon "an officer behind has to approve: the order is processing" processing b.approved.example.com
expect_soon "the CA is polled" upstream_said 'operation=pollReq .*fqdn=b.approved.example.com'
upstream_decide approve
wait $client
expect_ordered b.approved.example.com "approved"
order c.approved.example.com approved &
client=$!
expect_soon "another one waits" upstream_said 'operation=pollReq .*fqdn=c.approved.example.com'
upstream_decide deny
wait $client
expect_match "$? $(tr '\n' ' ' <c.approved.example.com.log)" '^1 .*invalid' "denied: the order is invalid"
expect_soon "and the log says why" said 'fqdn=c.approved.example.com .*reason=ca_rejected'

# --- the CA is away, slow, and somebody else ---
kill_upstream
order away.acme.example.com &
client=$!
expect_soon "the CA is away: processing" processing away.acme.example.com
expect_soon "and the log says so" said 'kind=order .*CA demo: '
start_upstream
wait $client
expect_ordered away.acme.example.com "it is back"

kill -STOP "$upstream"
order slow.acme.example.com &
client=$!
expect_soon "requests to it end by their time-out" said 'kind=order .*CA demo: Timeout'
kill -CONT "$upstream"
wait $client
expect_ordered slow.acme.example.com "it goes on"

new_key replay.key
openssl cmp -cmd ir -server "127.0.0.1:$up_port/.well-known/cmp/p/gateway" -ref '*.acme.example.com' -secret pass:unused \
    -subject /CN=replay.acme.example.com -newkey replay.key -certout replay.pem -rspout replay.der,replay.conf >client.log 2>&1
kill_upstream
start_garbage replay.der
order lied.acme.example.com &
client=$!
expect_soon "garbage is no answer" processing lied.acme.example.com
expect_soon "in every way that is at hand" lied_in 4
expect_equal "$(muster cert lied.acme.example.com --json | known)" none "no certificate comes of it"
stop_garbage
start_upstream
wait $client
expect_ordered lied.acme.example.com "the CA itself answers"

# --- killed under load: the gateway too, whose orders go on from what is recorded ---
many=$(seq 12)
(for i in $many; do order load-$i.acme.example.com & done; wait) &
load=$!
kill_upstream_thrice 0.7
kill_gateway
launch
wait $load
for i in $many; do [ -s load-$i.acme.example.com.pem ] || order again-$i.acme.example.com; done
expect_equal "$(cat load-*.pem again-*.pem 2>/dev/null | grep -c BEGIN)" "$((12 * 2))" "12 devices have a certificate and its chain"
front=$(good_under load-) behind=$(upstream_good_under load-)
expect_equal "$front" "$behind" "in front and behind there are as many"
expect_match "$front" '^([0-9]+) of \1$' "one for each order"

expect_match "$(muster audit verify 2>&1; echo "status $?")" 'status 0' "the audit in front verifies"
expect_match "$(upstream_muster audit verify 2>&1; echo "status $?")" 'status 0' "the audit behind verifies"
finish
