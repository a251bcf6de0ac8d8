#!/usr/bin/env bash
# muster-bench against a gateway: each operation of each protocol, a hundred exchanges, every answer verified (key, name, chain,
# distinct serial numbers); closed loop and open, mixes, and the reports. How fast anything was is asserted nowhere.
. "$(dirname "$0")/lib.sh"
need curl

configure() { sed -i '/^procedures:/a\  - { name: bound, domain: devices, ca: demo, profile: device, protocols: [acme], acme: { accounts_max: 100 } }' m/muster.yaml; }
start_gateway
tool=$build/bench/muster-bench

# holds WHAT CONDITION: bench.json, as `r`, holds to the condition (Python).
holds() {
    expect_equal "$(python3 -c 'import json, sys
r = json.load(open("bench.json"))
print(eval(sys.argv[1], {"r": r}))' "$2" 2>&1)" "True" "$1"
}

# bench WHAT COMMAND...: a hundred exchanges, and all are as they must be.
bench() {
    local what=$1
    shift
    "$tool" "$@" --count 100 --clients 8 --pid "$daemon" --json >bench.json 2>client.log
    expect_equal "$? $(python3 -c 'import json
r = json.load(open("bench.json"))
print(r["exchanges"], r["verified"], r["errors"], r["cpu_us"] >= 0, r["floor_us"] > 0)' 2>&1)" "0 100 100 {} True True" "$what"
}

register est 'unit-*.bench.example.com' bench-secret
procedure=manual register est 'poll-*.bench.example.com' bench-secret
est="est --target $https/.well-known/est/demo/simpleenroll --trust $ca"
scep="scep --target $http/scep/demo --issuer $ca --pool 4"
cmp="cmp --target $http/.well-known/cmp/p/demo --trust $ca"

# --- each operation ---
bench "est" $est
holds "over eight connections" 'r["connections"] == 8 and r["resumed"] == 0 and r["requests"] == 100 and r["keep_alive"]'
bench "est, a new connection each" $est --new
holds "over a hundred" 'r["connections"] == 100 and r["resumed"] == 0 and not r["keep_alive"]'
bench "est, resumed" $est --resume
holds "all but the first of each client" 'r["connections"] == 100 and r["resumed"] == 92'
bench "est, renewal over mutual TLS" $est --mix renew
holds "a handshake each" 'r["connections"] == 100 and r["resumed"] == 0 and r["floor_ratio"] > 0'
bench "est, trust anchors" $est --mix cacerts
for key in p384 rsa2048 rsa3072; do
    bench "est, $key" $est --key $key --pool 2
done
bench "scep" $scep
bench "scep, renewal" $scep --mix renew
bench "cmp under a password, confirmed" $cmp
holds "two messages each" 'r["requests"] == 200'
bench "cmp under a password, confirmed implicitly" $cmp --implicit
holds "one message each" 'r["requests"] == 100'
bench "cmp signed, confirmed" $cmp --signed
bench "cmp signed, confirmed implicitly" $cmp --mix renew --implicit
bench "cmp, revocation" $cmp --mix revoke
bench "cmp over TLS, a new connection each" cmp --target "$https/.well-known/cmp/p/demo" --trust "$ca" --new

bench "est, a poll" est --target "$https/.well-known/est/manual/simpleenroll" --trust "$ca" --mix poll --pool 4 --names 'poll-e*.bench.example.com'
bench "scep, a poll" scep --target "$http/scep/manual" --mix poll --pool 4 --names 'poll-s*.bench.example.com'
bench "cmp, a poll" cmp --target "$http/.well-known/cmp/p/manual" --mix poll --names 'poll-c*.bench.example.com'

muster register bench-site --procedure bound --order acme --allowed-domains bench.example.com --pre-authorised >register.log 2>&1
hmac=$(sed -n 's/^HMAC key: //p' register.log)
acme="acme --target $https/acme/bound/directory --trust $ca --kid bench-site --accounts 8"
bench "acme" $acme --hmac "$hmac"
bench "acme, a new connection each" $acme --hmac "$hmac" --new
bench "acme, renewal" $acme --hmac "$hmac" --mix renew
bench "acme, a poll" $acme --hmac "$hmac" --mix poll
bench "acme, revocation" $acme --hmac "$hmac" --mix revoke
"$tool" $acme --hmac d3Jvbmcta2V5 --count 10 >bench.txt 2>client.log
expect_match "$? $(cat client.log)" '^1 .*newAccount: status 4' "no account under another key"

# --- how they come ---
"$tool" $est --duration 500ms --warmup 300ms --count 4000 --clients 4 --json >bench.json 2>client.log
expect_equal "$?" 0 "for a time, after a warm-up"
holds "what ends in the warm-up is told apart" 'r["verified"] == r["exchanges"] > 0 < r["warm_up"] and r["verified"] + r["warm_up"] <= 4000'
"$tool" $est --rate 100 --duration 1s --clients 8 --json >bench.json 2>client.log
expect_equal "$?" 0 "an open loop"
holds "as many as were due" 'r["rate"] == 100 and r["verified"] == 100 and sum(r["over_time"]["verified"]) == 100 and r["late_ms"] >= 0'
# The server stands still until the tool tells of half a second: whoever was due meanwhile waited, though one request alone was
# under way.
kill -STOP "$daemon"
: >client.log
(until grep -q '0\.[5-9] s:' client.log; do sleep 0.05; done; kill -CONT "$daemon") &
helpers=$!
"$tool" $est --rate 200 --duration 1s --clients 1 --progress --json >bench.json 2>client.log
expect_equal "$?" 0 "an open loop against a server that stalls"
holds "is charged with all who had to wait" 'r["verified"] == 200 and r["p50_ms"] > 1 and r["late_ms"] > 100'
"$tool" $est --think 20ms --clients 2 --count 40 --json >bench.json 2>client.log
holds "clients who think" 'r["verified"] == 40 and r["seconds"] >= 0.38'
"$tool" $est --count 20 --progress --json >bench.json 2>client.log
expect_match "$? $(tr '\r' '\n' <client.log)" '^0 ' "with a line of progress"

mixed="est:enroll=60,est:renew=20,scep:enroll=10,cmp:enroll=10"
"$tool" mix --mix $mixed --target "est=$https/.well-known/est/demo/simpleenroll" --target "scep=$http/scep/demo" \
    --target "cmp=$http/.well-known/cmp/p/demo" --trust "$ca" --clients 8 --count 100 --pid "$daemon" --json --html page.html >bench.json 2>client.log
expect_equal "$?" 0 "a mix"
holds "by its weights" '[w["verified"] for w in r["work"]] == [60, 20, 10, 10] and r["verified"] == 100 and r["floor_us"] > 0'
expect_equal "$(python3 - <<'PY' 2>&1
from html.parser import HTMLParser
class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen, self.open = {}, []
    def handle_starttag(self, tag, attributes):
        self.seen[tag] = self.seen.get(tag, 0) + 1
        assert not {"src", "href"} & {name for name, _ in attributes}, "it needs another file"
        if tag not in ("meta", "path", "rect", "polyline", "i") or (tag == "rect" and dict(attributes).get("class") == "hint"):
            self.open.append(tag)
    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()
page = Page()
page.feed(open("page.html").read())
print(page.seen["svg"], page.seen["polyline"], page.seen["tr"])
PY
)" "3 7 6" "and a page with three plots of one line, one for each operation, and two; four operations and all"
"$tool" mix --mix est:enroll,acme:order --target "est=$https" >bench.txt 2>client.log
expect_match "$? $(cat client.log)" '^2 .*no operation acme:order' "an operation that there is not"
"$tool" mix --mix est:enroll,scep:enroll --target "est=$https" --count 10 >bench.txt 2>client.log
expect_match "$? $(cat client.log)" '^1 .*--target scep=URL is missing' "a target that is missing"

# --- what is not as it must be ---
"$tool" $cmp --password wrong --count 10 --html page.html >bench.txt 2>client.log
expect_equal "$? $(grep -c '^cmp ir, .* 0 of 10 answers verified' bench.txt)" "1 1" "what is refused is counted as not verified"
expect_match "$(tail -n 1 bench.txt)" 'failed: [0-9]*  cmp ir.*: rejected: ' "by its kind"
expect_match "$(grep '<td>cmp ir.*: ' page.html)" '<td>cmp ir.*: rejected: ' "on the page too"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key -subj "/CN=Another CA" -days 3 -out other.pem 2>openssl.log
"$tool" $est --issuer other.pem --count 10 >bench.txt 2>client.log
expect_match "$? $(tr '\n' ' ' <bench.txt)" '^1 .*failed: 10  est.*: the certificate does not lead to --issuer' "certificates of another CA"
"$tool" est --target "$https/.well-known/est/demo/simpleenroll" --trust other.pem --count 10 >bench.txt 2>client.log
expect_match "$? $(tr '\n' ' ' <bench.txt)" '^1 .*failed: 10  est.*: no TLS handshake' "a server that is not trusted"
"$tool" est --target http://127.0.0.1:1/ --count 10 --json >bench.json 2>client.log
holds "no server: no figures of CPU" '"cpu_us" not in r and "floor_us" not in r and list(r["errors"].values()) == [10]'
"$tool" $est --count 10 --floor --json >bench.json 2>client.log
holds "--floor alone" '"cpu_us" not in r and r["floor_us"] > 0'
expect_match "$(muster audit verify 2>&1; echo "status $?")" 'status 0' "the audit verifies"
finish
