#!/usr/bin/env bash
# kill -9 in the middle of what openssl cmp does: between ip and certConf, after an ip that never arrived, between waiting and
# pollReq, after the officer's decision, before a device's word that never comes, and under load. Every exchange goes on after the
# restart; each device has one certificate; the audit verifies. The client does not repeat what was not answered: relay.py does.
. "$(dirname "$0")/lib.sh"
need curl
openssl cmp -help >/dev/null 2>&1 || { echo "skipped: this openssl has no cmp"; exit 77; }

configure() {
    sed -i '/^procedures:/a\  - { name: brief, domain: devices, ca: demo, profile: device, protocols: [cmp], retry_after: 1s, cmp: { ra: cmp-ra, implicit_confirm: false, confirm_wait: 10s } }' m/muster.yaml
}
start_gateway
read -r relay_port load_port < <(free_ports 2)
relay=""

# One relay a case: hold or lose message N.
begin() {
    [ -z "$relay" ] || { kill "$relay"; wait "$relay" 2>/dev/null; }
    rm -f go held same differs
    python3 "$top/tests/interop/relay.py" "$relay_port" "$http_port" "$@" &
    relay=$!
    helpers="$helpers $relay"
    until (exec 3<>/dev/tcp/127.0.0.1/"$relay_port") 2>/dev/null; do sleep 0.05; done
}
client() { # command, name, procedure, port [options]: as a device of that name with its password
    local command=$1 name=$2 procedure=$3 port=$4
    shift 4
    [ -f "$name.key" ] || new_key "$name.key"
    timeout 120 openssl cmp -cmd "$command" -server "http://127.0.0.1:$port/.well-known/cmp/p/$procedure" -trusted "$ca" \
        -ref "$name.example.com" -secret pass:s3cret -subject "/CN=$name.example.com" -newkey "$name.key" -certout "$name.pem" \
        "$@" >"$name.log" 2>&1
}
# The gateway dies at the moment that the relay waits for, and comes back.
kill_when_held() {
    local attempt
    for attempt in $(seq 400); do
        [ -f held ] && break
        sleep 0.05
    done
    expect_match "$(ls held 2>&1)" '^held$' "$1: the moment has come"
    kill_gateway
    launch
}
status_of() { muster cert "$1.example.com" --json | python3 -c 'import json, sys
print(" ".join(c["status"] for c in json.load(sys.stdin)))'; }

# --- between ip and certConf ---
register cmp conf.example.com s3cret
begin hold 2
client ir conf demo "$relay_port" & pid=$!
kill_when_held "between ip and certConf"
touch go
wait $pid
expect_certificate conf.pem conf.example.com "the confirmation after the restart is taken"
expect_equal "$(status_of conf)" good "and the certificate is good"

# --- the ip never arrived: the same ir again ---
register cmp lost.example.com s3cret --one-time
begin lose 1
client ir lost demo "$relay_port" & pid=$!
kill_when_held "after an ip that was lost"
touch go
wait $pid
expect_match "$(ls same differs 2>/dev/null)" '^same$' "the same ir gets the same ip, octet for octet"
expect_certificate lost.pem lost.example.com "which is confirmed"
expect_equal "$(status_of lost)" good "one certificate, and it is good"

# --- between waiting and pollReq, and between approval and pollReq ---
procedure=manual register cmp poll.example.com s3cret
begin hold 2
client ir poll manual "$relay_port" & pid=$!
kill_when_held "between waiting and pollReq"
approve_all
kill_gateway
launch
touch go
wait $pid
expect_certificate poll.pem poll.example.com "polling after the restart gets the certificate"
expect_equal "$(status_of poll)" good "one certificate, and it is good"

# --- the answer to a pollReq never arrived ---
procedure=manual register cmp again.example.com s3cret
begin lose 2
new_key again.key
openssl req -new -key again.key -subj /CN=again.example.com -out again.csr
client p10cr again manual "$relay_port" -csr again.csr & pid=$!
kill_when_held "after a pollRep that was lost"
touch go
decide_when_asked approve
wait $pid
expect_certificate again.pem again.example.com "p10cr: the same pollReq is answered again, and polling goes on"
expect_equal "$(status_of again)" good "one certificate, and it is good"

# --- a device that never confirms: the time to confirm runs on over the kill ---
procedure=brief register cmp silent.example.com s3cret --one-time
begin hold 2
client ir silent brief "$relay_port" & pid=$!
kill_when_held "before a certConf that never comes"
kill $pid 2>/dev/null
wait $pid 2>/dev/null
for attempt in $(seq 300); do
    [ "$(status_of silent)" = revoked ] && break
    sleep 0.1
done
expect_equal "$(status_of silent)" revoked "what was not confirmed is revoked after the restart"
client ir silent brief "$http_port"
expect_certificate silent.pem silent.example.com "and its one-time registration is free again"
expect_equal "$(status_of silent | tr ' ' '\n' | sort | tr '\n' ' ')" "good revoked " "for one more"

# --- a key update, signed ---
begin hold 2
new_key update.key
timeout 120 openssl cmp -cmd kur -server "http://127.0.0.1:$relay_port/.well-known/cmp/p/demo" -trusted "$ca" -cert conf.pem \
    -key conf.key -newkey update.key -certout update.pem >update.log 2>&1 & pid=$!
kill_when_held "between kup and certConf"
touch go
wait $pid
expect_certificate update.pem conf.example.com "a key update is confirmed after the restart"

# --- under load ---
requests=40 kills=3
register cmp 'unit-*.example.com' s3cret
python3 "$top/tests/interop/relay.py" "$load_port" "$http_port" & helpers="$helpers $!"
for n in $(seq $requests); do new_key "unit-$n.key"; done
four() { for i in $(seq "$1" 4 $requests); do client ir "unit-$i" demo "$load_port"; done; }
pids=""
for n in 1 2 3 4; do four $n & pids="$pids $!"; done
helpers="$helpers $pids"
for n in $(seq $kills); do
    before=$(ls unit-*.log 2>/dev/null | wc -l)
    for attempt in $(seq 400); do
        [ "$(ls unit-*.log 2>/dev/null | wc -l)" -ge $((before + 6)) ] && break
        sleep 0.02
    done
    kill_gateway
    launch
done
wait $pids
once=0 told=0
for n in $(seq $requests); do
    [ "$(status_of "unit-$n")" = good ] && once=$((once + 1))
    # Its certConf was taken and the answer lost: "confirmed already".
    { [ -s "unit-$n.pem" ] || grep -q certConfirmed "unit-$n.log"; } && told=$((told + 1))
done
expect_equal "$once" $requests "under load each device has one certificate, confirmed"
expect_equal "$told" $requests "and knows it"
expect_match "$(muster audit verify 2>&1; echo "status $?")" 'status 0' "the audit verifies"
finish
