#!/usr/bin/env bash
# certmonger, as a session daemon on a bus of its own: enrollment with a CA that it asked for its certificates itself, renewal with
# the same key and with a new one, polling, refusals. It sends GET even where POST is offered.
. "$(dirname "$0")/lib.sh"
session=/usr/lib/certmonger/certmonger-session
need getcert
need dbus-daemon
need $session
start_gateway

start_certmonger() { # its files lie under $HOME
    export HOME=$work/home
    unset XDG_CONFIG_HOME
    mkdir -p "$HOME"
    { read -r DBUS_SESSION_BUS_ADDRESS && read -r bus; } < <(dbus-daemon --session --fork --print-address=1 --print-pid=1 2>/dev/null)
    [ -n "${bus:-}" ] || { echo "skipped: no bus for certmonger"; exit 77; }
    export DBUS_SESSION_BUS_ADDRESS
    $session -n -B -d 1 >certmonger.log 2>&1 &
    helpers="$! $bus"
    for attempt in $(seq 100); do
        getcert list-cas -s >client.log 2>&1 && return
        sleep 0.1
    done
    echo "skipped: certmonger does not start here"
    exit 77
}

add_ca() { # name, procedure: waits until certmonger has the CA's certificates
    getcert add-scep-ca -s -c "$1" -u "$http/scep/$2" >client.log 2>&1
    for attempt in $(seq 100); do
        getcert list-cas -s -c "$1" -v >client.log 2>&1
        grep -q 'thumbprint' client.log && return
        sleep 0.1
    done
}
request() { # name, CA, FQDN, password [more options]
    local name=$1 ca_name=$2 fqdn=$3 password=$4
    shift 4
    getcert request -s -I "$name" -c "$ca_name" -k "$work/$name.key" -f "$work/$name.pem" -N "CN=$fqdn" -D "$fqdn" -L "$password" \
        "$@" >client.log 2>&1
}
state() { getcert list -s -i "$1" 2>&1 | tee client.log | sed -n 's/^[[:space:]]*status: //p'; }
await() { # name, state
    for attempt in $(seq 200); do
        now=$(state "$1")
        [ "$now" = "$2" ] && return
        sleep 0.1
    done
}
await_change() { # file, what it was
    for attempt in $(seq 200); do
        cmp -s "$1" "$2" || return
        sleep 0.1
    done
}
await_request() { # FQDN, reason: in $last
    for attempt in $(seq 100); do
        last=$(grep "fqdn=$1 " musterd.log | tail -n 1)
        [[ $last == *reason=$2* ]] && return
        sleep 0.1
    done
}
public_key() { openssl x509 -in "$1" -noout -pubkey; }

start_certmonger
add_ca muster demo
expect_match "$(cat client.log)" 'CA certificate thumbprint' "it takes the answers to GetCACaps and GetCACert"
expect_match "$(/usr/lib/certmonger/scep-submit -u "$http/scep/demo" -c 2>&1)" 'SHA-256' "scep-submit -c: capabilities"
expect_equal "$(/usr/lib/certmonger/scep-submit -u "$http/scep/demo" -C 2>&1 | grep -c BEGIN)" 2 "scep-submit -C: RA and CA"

register scep a.example.com s3cret
request a muster a.example.com s3cret
await a MONITORING
expect_certificate a.pem a.example.com "enrollment"
expect_match "$(grep 'fqdn=a.example.com' musterd.log | tail -n 1)" 'method=GET' "its message came by GET"

add_ca cisco cisco
request a2 cisco a.example.com s3cret
await a2 MONITORING
expect_certificate a2.pem a.example.com "the CA's certificate in the answer (dialect cisco-ios): it takes the device's own"

# --- renewal ---
cp a.pem first.pem
getcert resubmit -s -i a >client.log 2>&1
await_change a.pem first.pem
expect_certificate a.pem a.example.com "renewal with the same key, under the first transactionID"
expect_equal "$(public_key a.pem)" "$(public_key first.pem)" "the key was kept"
cp a.pem second.pem
getcert rekey -s -i a >client.log 2>&1
await_change a.pem second.pem
expect_certificate a.pem a.example.com "renewal with a new key"
if [ "$(public_key a.pem)" = "$(public_key second.pem)" ]; then fail "the key is new"; else pass "the key is new"; fi

# --- refusals ---
request wrong muster a.example.com not-the-password
await wrong CA_REJECTED
expect_refusal wrong.pem a.example.com secret "wrong password"
# It shows words of its own for failInfo badRequest, never failInfoText.
expect_match "$(cat client.log)" 'not permitted or is not supported' "getcert list says badRequest in its words"
request nobody muster nobody.example.com s3cret
await nobody CA_REJECTED
expect_refusal nobody.pem nobody.example.com no_registration "unregistered"
register scep 'serial-*.example.com' w-secret
request wild muster serial-1234.example.com w-secret
await wild MONITORING
expect_certificate wild.pem serial-1234.example.com "a wildcard registration"
register scep ip.example.com ip-secret --ip 192.0.2.7
request badip muster ip.example.com ip-secret -A 192.0.2.9
await badip CA_REJECTED
expect_refusal badip.pem ip.example.com ip "a wrong IP address"
request ip muster ip.example.com ip-secret -A 192.0.2.7
await ip MONITORING
expect_certificate ip.pem ip.example.com "the right IP address"
register scep sn.example.com sn-secret --serial FOC123
request badsn muster sn.example.com sn-secret -N serialNumber=FOC999,CN=sn.example.com
await badsn CA_REJECTED
expect_refusal badsn.pem sn.example.com serial "a wrong serial number"
request sn muster sn.example.com sn-secret -N serialNumber=FOC123,CN=sn.example.com
await sn MONITORING
expect_certificate sn.pem sn.example.com "the right serial number"
close_registration a.example.com
request closed muster a.example.com s3cret
await closed CA_REJECTED
expect_refusal closed.pem a.example.com closed "a closed registration"

# --- polling: certmonger itself looks again after days; `getcert refresh` at once ---
add_ca by-hand manual
procedure=manual register scep slow.example.com m-secret
request slow by-hand slow.example.com m-secret
await slow CA_WORKING
expect_equal "$now" CA_WORKING "an officer must approve: CA_WORKING"
getcert refresh -s -i slow >client.log 2>&1
sleep 1
await slow CA_WORKING
expect_equal "$now" CA_WORKING "it asks again: still CA_WORKING"
approve_all
getcert refresh -s -i slow >client.log 2>&1
await slow MONITORING
expect_certificate slow.pem slow.example.com "approved: the next look gets the certificate"
procedure=manual register scep denied.example.com m-secret
request denied by-hand denied.example.com m-secret
await denied CA_WORKING
deny_all
getcert refresh -s -i denied >client.log 2>&1
await denied CA_REJECTED
expect_equal "$now" CA_REJECTED "denied: the next look says so"
expect_refusal denied.pem denied.example.com denied "and the log too"
getcert resubmit -s -i slow >client.log 2>&1
await_request slow.example.com key_reuse
expect_match "$last" 'reason=key_reuse' "renewal with the same key where the procedure wants a new one"
finish
