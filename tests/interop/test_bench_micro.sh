#!/usr/bin/env bash
# muster-bench's measurements of single parts, each for about a second: they run, and what they say is sane. How fast anything
# was is asserted nowhere. Then bench/run, which drives them all, for one case.
. "$(dirname "$0")/lib.sh"
need curl

configure() { sed -i 's/^workers: 2/workers: 2\nlimits: { per_address: 5000, connections: 5000, handshake: 600ms, head_time: 600ms, body_time: 600ms }/' m/muster.yaml; }
start_gateway
tool=$build/bench/muster-bench

# bench WHAT CONDITION COMMAND...: the command's JSON, each line of it as `r`, holds to the condition (Python).
bench() {
    local what=$1 condition=$2
    shift 2
    "$tool" "$@" --json >bench.json 2>client.log
    expect_equal "$? $(python3 -c 'import json, sys
lines = [json.loads(line) for line in open("bench.json")]
print(len(lines) > 0 and all(eval(sys.argv[1], {"r": r}) for r in lines))' "$condition" 2>&1)" "0 True" "$what"
}
ratio='0 < r["ratio"]["low"] <= r["ratio"]["median"] <= r["ratio"]["high"]'

bench "issue" "$ratio and r['ours_us'] > 0 and r['floor_us'] > 0" issue --rounds 3 --each 30
expect_equal "$(wc -l <bench.json)" 2 "two kinds of keys"
bench "http" "$ratio and r['ours_us'] > 0 and r['bare_us'] > 0" http --rounds 2 --round-ms 60 --connections 8
bench "commit" "$ratio and r['alone'] > 0 and r['together'] > 0 and r['fdatasync_us'] > 0" \
    commit --rounds 2 --round-ms 60 --directory "$work"
bench "match" '0 < r["against_scan"]["median"] < 1 and r["hostile"]["median"] >= 1 and len(r["us"]) == 7' \
    match --size 2000 --rounds 1 --directory "$work"
bench "import" "$ratio and r['raw_rows'] >= 2 * 5000 and r['raw_bytes'] > 5000 * 100" import --rows 5000 --rounds 2 --directory "$work"
expect_equal "$(find "$work" -maxdepth 1 -name 'muster-bench-*')" "" "nothing is left behind"

for phase in handshake head body; do
    target=$http
    [ $phase != handshake ] || target=$https
    bench "a drip in the $phase is cut off" '0.5 < r["ratio"]["median"] and r["connections"] == 4' \
        drip --target "$target/scep/demo" --phase $phase --deadline-ms 600 --connections 4
done
"$tool" drip --target "$http/scep/demo" --phase head --deadline-ms 50 --connections 2 >bench.txt 2>client.log
expect_match "$? $(cat client.log)" '^1 .*2 of 2 connections outlive' "who outlives four deadlines is told of"

stop_gateway
sed -i 's/600ms/60s/g' m/muster.yaml
launch
bench "idle connections" 'r["connections"] == 200 and r["used_kib"] > 0 and r["answer_ms"] > 0' \
    idle --target "$https/.well-known/est/demo/cacerts" --pid "$daemon" --connections 200 --per-address 90

stop_gateway
rm -rf m/registry
"$tool" seed --config m/muster.yaml --rows 3000 --issued 500 >seed.log 2>client.log
expect_match "$? $(cat seed.log)" '^0 3000 registrations .* 500 certificates' "a registry is filled"
launch
"$tool" est --target "$https/.well-known/est/demo/simpleenroll" --trust "$ca" --count 50 --clients 4 --json >bench.json 2>client.log
expect_equal "$? $(python3 -c 'import json; print(json.load(open("bench.json"))["verified"])')" "0 50" "and the gateway enrolls by it"
stop_gateway

"$top/bench/run" --quick --build "$build" --directory "$work" --case drip --case workers --page page.md >run.log 2>client.log
expect_equal "$? $(grep -c '^| .* [0-9.]* |' page.md) $(grep -c 'not measured' page.md)" "0 4 0" "bench/run writes its page"
"$top/bench/run" --build "$build" --case nothing >run.log 2>&1
expect_equal "$?" 2 "a case that there is not"
finish
