#!/usr/bin/env bash
# 32 clients share one account, and ask for more orders at once than it may have open: as many as that are made, the others are told
# rateLimited, and none is told that we could not. A kill -9 in the middle leaves the account with as many, and no more.
. "$(dirname "$0")/lib.sh"
need curl
python3 -c 'import cryptography' 2>/dev/null || { echo "skipped: no python3-cryptography"; exit 77; }
orders=200 threads=32 quota=150

configure() {
    sed -i "/^procedures:/a\  - { name: bound, domain: devices, ca: demo, profile: device, protocols: [acme], acme: { orders_max: $quota } }" m/muster.yaml
}
start_gateway
ask_for_orders() { # key id
    muster register "$1" --procedure bound --order acme --allowed-domains example.com --pre-authorised >register.log 2>&1
    PYTHONDONTWRITEBYTECODE=1 python3 "$top/tests/interop/acme_quota.py" "$https/acme/bound/directory" "$ca" "$1" "$(sed -n 's/^HMAC key: //p' register.log)" $orders $threads 2>client.log
}
made() { curl -s --cacert "$ca" --cert m/officer.pem --key m/officer.key "https://127.0.0.1:$admin_port/metrics" |
    sed -n 's/^muster_requests_total{protocol="acme",verdict="served",reason=""} //p'; }

expect_equal "$(ask_for_orders site-1)" "201:$quota 429:$((orders - quota)) listed:$quota" "of $orders at once exactly $quota are made, and the others are told so"

ask_for_orders site-2 >client.out &
client=$!
helpers="$helpers $client"
start=$(made)
for attempt in $(seq 1000); do
    [ "$(made)" -ge $((${start:-0} + 60)) ] 2>/dev/null && break
    sleep 0.01
done
kill -0 $client 2>/dev/null
running=$?
kill_gateway
launch
wait $client
expect_equal "$? $running" "0 0" "killed while the clients were at it, who go on to the end"
expect_match "$(cat client.out)" "listed:$quota\$" "after kill -9 in the middle it is the same number: $(cat client.out)"
expect_equal "$(grep -c '503' client.out)" 0 "and no 503"
expect_match "$(muster audit verify 2>&1; echo "status $?")" 'status 0' "the audit verifies"
finish
