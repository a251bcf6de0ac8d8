#!/usr/bin/env bash
# kill -9 under load, again and again: every certificate that a client received is in the registry, and the audit verifies.
. "$(dirname "$0")/lib.sh"
need curl
start_gateway
register est 'unit-*.load.example.com' load-secret

mkdir keys got
for i in $(seq 400); do
    printf '%s\n' "$i"
done | xargs -P 4 -I{} sh -c 'openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout keys/{}.key \
    -subj /CN=unit-{}.load.example.com -outform DER 2>/dev/null | openssl base64 -A >keys/{}.b64'

client() { # takes every fourth request
    local i
    for i in $(seq "$1" 4 400); do
        curl -s --max-time 5 --cacert "$ca" -u x:load-secret -H 'Content-Type: application/pkcs10' --data @"keys/$i.b64" \
            -f -o "got/$i.part" "$https/.well-known/est/demo/simpleenroll" && mv "got/$i.part" "got/$i.p7"
        [ -f "got/$i.p7" ] || sleep 0.05
    done
}
pids=""
for n in 1 2 3 4; do client $n & pids="$pids $!"; done
for n in 1 2 3; do
    sleep 0.4
    kill_gateway
    launch
done
wait $pids

received=$(ls got | grep -c 'p7$')
expect_match "$received" '^[1-9][0-9]+$' "clients received certificates between the kills ($received)"
expect_equal "$(certificates_in got/*.p7)" "$received good, $received known" "every one of them verifies and is in the registry"
expect_match "$(muster audit verify 2>&1; echo "status $?")" 'status 0' "the audit verifies"
finish
