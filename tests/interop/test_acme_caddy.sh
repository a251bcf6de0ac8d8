#!/usr/bin/env bash
# Caddy (Debian's 2.6): a web server that gets, renews and serves its own certificates: accounts bound by key id, http-01 and
# tls-alpn-01 on its own ports, renewal; an officer revokes; what is refused. Rows ACME-40 to ACME-43, ACME-50, ACME-57, ACME-62,
# ACME-68, ACME-110.
. "$(dirname "$0")/lib_acme.sh"
PATH=$PATH:$top/var/unpacked/usr/bin
need caddy
start_gateway
export HOME=$work XDG_DATA_HOME=$work XDG_CONFIG_HOME=$work

start_caddy() { # folder, procedure, challenge not to be used, key id, HMAC key, names: what Caddy says in client.log
    cat >Caddyfile <<CADDY
{
    admin off
    http_port $challenge_http
    https_port $challenge_tls
    storage file_system $work/$1
    auto_https disable_redirects
}
${*:6} {
    bind 127.0.0.1
    respond "from Caddy"
    tls {
        issuer acme {
            dir $(directory "$2")
            trusted_roots $ca
            ${4:+eab $4 $5}
            alt_http_port $challenge_http
            alt_tlsalpn_port $challenge_tls
            disable_$3_challenge
        }
    }
}
CADDY
    caddy adapt --config Caddyfile --adapter caddyfile 2>adapt.log | python3 -c '
import json, sys
config = json.load(sys.stdin)
for policy in config["apps"]["tls"]["automation"]["policies"]: # the Caddyfile has no word for this
    policy["renewal_window_ratio"] = float(sys.argv[1])
json.dump(config, sys.stdout)' "${window:-0.3}" >caddy.json
    caddy run --config caddy.json >client.log 2>&1 &
    caddy=$!
    helpers="$helpers $caddy"
}
stop_caddy() { kill "$caddy"; wait "$caddy" 2>/dev/null; }
logged() { grep -qE "$1" client.log; }
served() { # name
    curl -s --cacert "$ca" --resolve "$1:$challenge_tls:127.0.0.1" "https://$1:$challenge_tls/" | grep -q 'from Caddy' &&
        openssl s_client -connect "127.0.0.1:$challenge_tls" -servername "$1" </dev/null 2>/dev/null | openssl x509 >served.pem
}
expect_served() { # name, what
    wait_for 20 served "$1"
    expect_equal "$?" 0 "$2"
    expect_certificate served.pem "$1" "with the certificate for it"
}

bind kid-1 --allowed-domains a.example.com,b.example.com
start_caddy one bound tlsalpn "$kid" "$hmac" a.example.com
expect_served a.example.com "http-01, and it serves"
cp served.pem first.pem
stop_caddy
start_caddy one bound http "$kid" "$hmac" b.example.com www.b.example.com
expect_served b.example.com "tls-alpn-01, and it serves"
expect_served www.b.example.com "and a second name"
stop_caddy

# --- renewed ---
window=1 start_caddy one bound tlsalpn "$kid" "$hmac" a.example.com
wait_for 20 logged 'certificate renewed successfully'
expect_equal "$?" 0 "renewed"
stop_caddy
start_caddy one bound tlsalpn "$kid" "$hmac" a.example.com
expect_served a.example.com "it serves"
expect_equal "$(cmp -s first.pem served.pem; echo $?)" 1 "by another certificate"
stop_caddy
muster revoke a.example.com --serial "$(serial_of first.pem)" --reason superseded >client.log 2>&1
expect_equal "$?" 0 "an officer revokes the old one"
expect_revoked first.pem "the certificate list has it"

# --- refused ---
refused() { # folder, key id, HMAC key, name, what Caddy says, what
    start_caddy "$1" bound tlsalpn "$2" "$3" "$4"
    wait_for 15 logged "$5"
    expect_equal "$?" 0 "$6"
    stop_caddy
    expect_equal "$(find "$1" -name "$4.crt" 2>/dev/null | wc -l)" 0 "no certificate for it"
}
refused one "$kid" "$hmac" other.example.com rejectedIdentifier "a name that is not allowed"
refused two kid-none "$hmac" a.example.com 'acme:error:unauthorized' "an unknown key id"
refused two "" "" a.example.com '[Ee]xternal ?[Aa]ccount' "no binding"

# --- unbound ---
start_caddy three anyone tlsalpn "" "" f.example.com
expect_served f.example.com "without binding or registration"
stop_caddy
expect_audit
finish
