#!/usr/bin/env bash
# kill -9 in the middle of finalize, again and again, while one account has many orders at once: every order ends in one
# certificate, however often it was asked for; what a client received is in the registry; the audit verifies.
. "$(dirname "$0")/lib.sh"
need curl
python3 -c 'import cryptography' 2>/dev/null || { echo "skipped: no python3-cryptography"; exit 77; }
orders=160 threads=8 kills=5

configure() { sed -i '/^procedures:/a\  - { name: bound, domain: devices, ca: demo, profile: device, protocols: [acme] }' m/muster.yaml; }
start_gateway
muster register site --procedure bound --order acme --allowed-domains example.com --pre-authorised >register.log 2>&1
hmac=$(sed -n 's/^HMAC key: //p' register.log)
mkdir sent got
touch again

python3 "$top/tests/interop/acme_orders.py" "$https/acme/bound/directory" "$ca" site "$hmac" $orders $threads >client.out 2>client.log &
client=$!
helpers="$helpers $client"
got() { ls got | grep -c 'pem$'; }
in_flight=0
for n in $(seq $kills); do
    before=$(got)
    for attempt in $(seq 2000); do # some more have been served since the last start, and a finalize is on its way
        [ "$(got)" -ge $((before + 10)) ] && [ "$(ls sent | wc -l)" -gt "$(got)" ] && break
        sleep 0.01
    done
    kill_gateway
    [ "$(ls sent | wc -l)" -gt "$(got)" ] && in_flight=$((in_flight + 1))
    launch
done
wait $client
expect_equal "$? $(cat client.out)" "0 $orders orders, $orders valid, $orders same" "every order ends in a certificate, and has it still"
expect_match "$in_flight" '^[1-9]' "$in_flight of $kills kills came in the middle of finalize: $(sort -u again | wc -l) were sent again"

curl -s --cacert "$ca" --cert m/officer.pem --key m/officer.key "https://127.0.0.1:$admin_port/api/v1/certificates?limit=1000" |
    python3 -c 'import json, sys
for c in json.load(sys.stdin)["certificates"]: print(c["serial"].lower())' | sort >known.txt
touch good.txt
for n in $(seq $orders); do
    openssl x509 -in "got/$n.pem" -noout -serial | sed 's/serial=//' | tr A-F a-f
    openssl verify -CAfile "$ca" "got/$n.pem" >/dev/null 2>&1 &&
        openssl x509 -in "got/$n.pem" -noout -ext subjectAltName | grep -q "DNS:unit-$n.example.com\$" && echo "$n" >>good.txt
done | sort >received.txt
expect_equal "$(cmp known.txt received.txt && wc -l <known.txt)" $orders "what was received is what is registered: no order got two"
expect_equal "$(wc -l <good.txt)" $orders "each verifies and has its name"
expect_match "$(muster audit verify 2>&1; echo "status $?")" 'status 0' "the audit verifies"
finish
