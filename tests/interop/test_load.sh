#!/usr/bin/env bash
# Many clients at once, while the configuration is reloaded and officers work: every certificate that was received is in the
# registry, nothing else failed, and the daemon ends well (under a sanitizer: without a report).
. "$(dirname "$0")/lib.sh"
need curl
start_gateway
clients=8 each=${MUSTER_LOAD:-25}

register est 'unit-*.load.example.com' load-secret

client() { # number: own keys, EST with Basic, each request on a new connection
    local i
    mkdir "c$1"
    for i in $(seq "$each"); do
        openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "c$1/$i.key" -subj "/CN=unit-$1-$i.load.example.com" \
            -outform DER 2>/dev/null | openssl base64 -A >"c$1/$i.b64"
        curl -s --cacert "$ca" -u x:load-secret -H 'Content-Type: application/pkcs10' --data @"c$1/$i.b64" -o "c$1/$i.p7" \
            -w '%{http_code}\n' "$https/.well-known/est/demo/simpleenroll" >>"c$1/status"
    done
}

pids=""
for n in $(seq $clients); do client "$n" & pids="$pids $!"; done
for n in 1 2 3; do
    sleep 0.7
    reload
    register est "extra-$n.example.com" extra-secret
    close_registration "extra-$n.example.com"
done
wait $pids

expect_equal "$(cat c*/status | sort | uniq -c | tr -s ' ')" " $((clients * each)) 200" "every request was answered with a certificate"
expect_equal "$(grep -c 'reload result=done' musterd.log)" 3 "three reloads while serving"
expect_equal "$(certificates_in c*/*.p7)" "$((clients * each)) good, $((clients * each)) known" "every certificate verifies and is in the registry"
expect_match "$(muster audit verify 2>&1; echo "status $?")" 'status 0' "the audit verifies"
finish
