# What the tests of ACME stand on, beside lib.sh: a name server where every name is 127.0.0.1 and TXT records can be set, and
# procedures whose validation goes there. Sourced by tests/interop/test_acme_*.sh.
#
# `bound`: accounts are bound to a registration by key id and HMAC key. `unbound`: a challenge proves names that are registered for
# ACME. `anyone`: a challenge proves any name. `closed`: not open on ACME.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need curl
need pebble-challtestsrv

configure() {
    read -r dns_port dns_control challenge_http challenge_tls < <(free_ports 4)
    local common="domain: devices, ca: demo, profile: device, protocols: [acme, est]"
    local there="reach: [127.0.0.1], http_port: $challenge_http, tls_port: $challenge_tls"
    cat >more.yaml <<YAML
  - { name: bound, $common, acme: { $there, wildcard: true, ip: true } }
  - { name: unbound, $common, acme: { $there, binding: false } }
  - { name: anyone, $common, preregistration: false, est: { basic: false }, acme: { $there, binding: false } }
  - { name: unreachable, $common, acme: { http_port: $challenge_http } }
  - { name: closed, domain: devices, ca: demo, profile: device, protocols: [est] }
YAML
    sed -i -e '/^procedures:/r more.yaml' -e "/^workers:/i dns_servers: [\"127.0.0.1:$dns_port\"]" m/muster.yaml
    start_dns
}
start_dns() {
    pebble-challtestsrv -defaultIPv4 127.0.0.1 -defaultIPv6 "" -dns01 "127.0.0.1:$dns_port" -management "127.0.0.1:$dns_control" \
        -http01 "" -https01 "" -tlsalpn01 "" >dns.log 2>&1 &
    helpers="$helpers $!"
}

directory() { echo "$https/acme/$1/directory"; }

# bind KEYID [options of register]: the account's key id and HMAC key in $kid and $hmac.
bind() {
    kid=$1
    shift
    muster register "$kid" --procedure "${procedure:-bound}" --order acme "$@" >register.log 2>&1 || { fail "register $kid"; cat register.log; }
    hmac=$(sed -n 's/^HMAC key: //p' register.log)
}

# A client that goes on in the background serves this folder as $challenge_http does.
serve_folder() {
    mkdir -p "$1"
    python3 -m http.server --bind 127.0.0.1 --directory "$1" "$challenge_http" >http.log 2>&1 &
    helpers="$helpers $!"
    for attempt in $(seq 100); do
        curl -s -o /dev/null "http://127.0.0.1:$challenge_http/" && return
        sleep 0.1
    done
}

# A hook for dns-01: dns-hook.sh set|clear NAME VALUE.
write_dns_hook() {
    cat >dns-hook.sh <<HOOK
#!/bin/sh
exec curl -s -d "{\"host\":\"_acme-challenge.\$2.\",\"value\":\"\$3\"}" http://127.0.0.1:$dns_control/\$1-txt
HOOK
    chmod +x dns-hook.sh
}

# For clients that trust the system's certificates alone: they see our CA in their place.
trusting_ca() { unshare -rm sh -c 'mount --bind "$0" /etc/ssl/certs/ca-certificates.crt && exec "$@"' "$ca" "$@"; }
need_own_trust() { trusting_ca true 2>/dev/null || { echo "skipped: no mount namespace of one's own here"; exit 77; }; }

wait_for() { # seconds, command: until it succeeds
    local attempt
    for attempt in $(seq $(($1 * 5))); do
        "${@:2}" >/dev/null 2>&1 && return
        sleep 0.2
    done
    return 1
}

last_acme() { grep ' protocol=acme ' musterd.log | grep "$1" | tail -n 1; }
serial_of() { openssl x509 -in "$1" -noout -serial | sed 's/.*=//' | tr A-F a-f; }
# The certificate list has it, soon.
expect_revoked() { # file, what
    local attempt serial
    serial=$(serial_of "$1")
    for attempt in $(seq 50); do
        curl -s "$http/crl/demo.crl" -o crl.der
        openssl crl -inform DER -in crl.der -noout -text | tr A-Z a-z | grep -q "serial number: $serial" && { pass "$2"; return; }
        sleep 0.2
    done
    fail "$2"
}
expect_audit() { expect_match "$(muster audit verify 2>&1; echo "status $?")" 'status 0' "the audit verifies"; }
