#!/usr/bin/env bash
# kill -9 under load, again and again, while each client repeats its request until it has a certificate: every certificate that
# was received is in the registry, a lost answer cost no second one, and the audit verifies.
. "$(dirname "$0")/lib.sh"
need curl
start_gateway
register est 'unit-*.load.example.com' load-secret
requests=240 kills=4

mkdir keys got
seq $requests | xargs -P 4 -I{} sh -c 'openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout keys/{}.key \
    -subj /CN=unit-{}.load.example.com -outform DER 2>/dev/null | openssl base64 -A >keys/{}.b64'

ask() {
    curl -s --max-time 5 --cacert "$ca" -u x:load-secret -H 'Content-Type: application/pkcs10' --data @"keys/$1.b64" \
        -f -o "got/$1.part" "$https/.well-known/est/demo/simpleenroll" && mv "got/$1.part" "got/$1.p7"
}
client() { # takes every fourth request
    local i
    for i in $(seq "$1" 4 $requests); do
        until ask "$i" || [ -f stop ]; do
            echo "$i" >>repeated
            sleep 0.05
        done
    done
}
pids=""
for n in 1 2 3 4; do client $n & pids="$pids $!"; done
helpers="$helpers $pids"
for n in $(seq $kills); do
    before=$(ls got | grep -c 'p7$')
    for attempt in $(seq 600); do # under load: some more have been served since the last start
        [ "$(ls got | grep -c 'p7$')" -ge $((before + 10)) ] && break
        sleep 0.05
    done
    kill_gateway
    launch
done
for attempt in $(seq 1200); do
    [ "$(ls got | grep -c 'p7$')" = $requests ] && break
    sleep 0.1
done
touch stop
wait $pids

expect_match "$(wc -l <repeated)" '^[1-9]' "the kills came under load: $(sort -u repeated | wc -l) requests were sent again"
expect_equal "$(certificates_in got/*.p7)" "$requests good, $requests known" "every certificate received verifies and is in the registry"
expect_equal "$(wc -l <known.txt)" $requests "and no request, however often it was sent, got two"
expect_match "$(muster audit verify 2>&1; echo "status $?")" 'status 0' "the audit verifies"
finish
