#!/usr/bin/env bash
# muster-bench against a gateway: each scenario, a hundred enrollments, every answer verified (key, name, distinct serial
# numbers). How fast they were is asserted nowhere. The CPU of the daemon and the floor of its cryptography are told.
. "$(dirname "$0")/lib.sh"
need curl

configure() { sed -i '/^procedures:/a\  - { name: bound, domain: devices, ca: demo, profile: device, protocols: [acme] }' m/muster.yaml; }
start_gateway

bench() { # what, then the scenario and its options
    local what=$1
    shift
    "$build/bench/muster-bench" "$@" --count 100 --clients 8 --pid "$daemon" --json >bench.json 2>client.log
    expect_equal "$? $(python3 -c 'import json
r = json.load(open("bench.json"))
print(r["exchanges"], r["verified"], r["cpu_us"] >= 0, r["floor_us"] > 0)' 2>&1)" "0 100 100 True True" "$what"
}

register est 'unit-*.bench.example.com' bench-secret
est=$https/.well-known/est/demo/simpleenroll cmp=$http/.well-known/cmp/p/demo
bench "est" est --target "$est" --trust "$ca"
bench "est, a new connection each" est --target "$est" --trust "$ca" --new
bench "scep" scep --target "$http/scep/demo" --pool 4
bench "cmp under a password, confirmed" cmp --target "$cmp"
bench "cmp under a password, confirmed implicitly" cmp --target "$cmp" --implicit
bench "cmp signed, confirmed" cmp --target "$cmp" --signed --trust "$ca"
bench "cmp signed, confirmed implicitly" cmp --target "$cmp" --signed --implicit --trust "$ca"
bench "cmp over TLS, a new connection each" cmp --target "$https/.well-known/cmp/p/demo" --trust "$ca" --new

muster register bench-site --procedure bound --order acme --allowed-domains bench.example.com --pre-authorised >register.log 2>&1
hmac=$(sed -n 's/^HMAC key: //p' register.log)
acme="acme --target $https/acme/bound/directory --trust $ca --kid bench-site"
bench "acme" $acme --hmac "$hmac" --pool 4
bench "acme, a new connection each" $acme --hmac "$hmac" --pool 4 --new
"$build/bench/muster-bench" $acme --hmac d3Jvbmcta2V5 --count 10 >bench.txt 2>client.log
expect_match "$? $(cat client.log)" '^1 .*newAccount: status 4' "no account under another key"

"$build/bench/muster-bench" cmp --target "$cmp" --trust "$ca" --password wrong --count 10 >bench.txt 2>client.log
expect_equal "$? $(grep -c '^cmp ir, .* 0 of 10 answers verified' bench.txt)" "1 1" "what is refused is counted as not verified"
expect_match "$(cat client.log)" 'the first that failed: rejected: ' "and it is said why"
expect_match "$(muster audit verify 2>&1; echo "status $?")" 'status 0' "the audit verifies"
finish
