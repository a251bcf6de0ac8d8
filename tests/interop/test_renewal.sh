#!/usr/bin/env bash
# The gateway's own certificates, near their end, are renewed over the same key and taken into use without a connection dropped: from
# the embedded CA; from a CA behind that speaks CMP, which is down at first, while the gateway is killed in between; and as a user who
# at first may not write the file.
. "$(dirname "$0")/lib.sh"
need curl
. "$top/tests/interop/lib_renewal.sh"
openssl cmp -help >/dev/null 2>&1 || { echo "skipped: this openssl has no cmp"; exit 77; }

served() { echo | openssl s_client -connect "127.0.0.1:${1:-$tls_port}" 2>/dev/null | openssl x509 2>/dev/null; }
patience=100
is_renewed() { # FILE what
    if eventually in_use "$2"; then pass "$2: renewed and in use"; else fail "$2: renewed and in use"; fi
    [ "$(serial_of "m/$1.pem")" != "$(serial_of "old-$1.pem")" ] || fail "$2: another serial number"
    expect_equal "$(field "m/$1.pem" -pubkey)" "$(field "old-$1.pem" -pubkey)" "$2: the same key"
    expect_equal "$(field "m/$1.pem" -subject -ext subjectAltName)" "$(field "old-$1.pem" -subject -ext subjectAltName)" "$2: the same names"
    expect_equal "$(openssl verify -CAfile "$ca" "m/$1.pem" 2>&1)" "m/$1.pem: OK" "$2: of the same CA"
    openssl x509 -in "m/$1.pem" -noout -checkend $((25 * 86400)) >/dev/null
    expect_equal $? 0 "$2: ends later"
}
expiry() { curl -s "http://127.0.0.1:$metrics_port/metrics" | sed -n "s/^muster_certificate_expiry_seconds{certificate=\"$1\"} //p"; }
end_of() { date -d "$(openssl x509 -in "$1" -noout -enddate | sed 's/.*=//')" +%s; }

# A client that is there before the renewal and after it, on one connection; it ends when `go` is there.
stays_connected() {
    python3 - "$tls_port" <<'PY'
import os, socket, ssl, sys, time
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
s = context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
def ask():
    s.sendall(b"GET /.well-known/est/demo/cacerts HTTP/1.1\r\nHost: x\r\n\r\n")
    head = b""
    while b"\r\n\r\n" not in head:
        head += s.recv(1)
    length = next(int(l.split(b":")[1]) for l in head.split(b"\r\n") if l.lower().startswith(b"content-length"))
    while length:
        length -= len(s.recv(length))
    return head.split()[1].decode()
print(ask())
for _ in range(300):
    if os.path.exists("go"):
        break
    time.sleep(0.2)
    ask()
print(ask())
PY
}

# --- the embedded CA ---
renew='renew: { ca: demo }'
configure() {
    read -r metrics_port up_port up_tls up_admin < <(free_ports 4)
    aged tls /CN=gw.example.com digitalSignature serverAuth "DNS:gw.example.com,IP:127.0.0.1"
    aged scep-ra "/CN=muster SCEP RA" digitalSignature,keyEncipherment serverAuth
    aged cmp-ra "/CN=muster CMP RA" digitalSignature 1.3.6.1.5.5.7.3.28,1.3.6.1.5.5.7.3.32
    cp -r m before
    sed -i -e "/^listeners:/a\\  - { name: metrics, address: 127.0.0.1, port: $metrics_port, role: metrics }" m/muster.yaml
    cp m/muster.yaml plain.yaml
}
start_gateway
eventually said 'kind=service '
expect_match "$(grep 'kind=service ' musterd.log)" 'listener tls ends in (19|20) days: nobody renews it.*scep ra' "what nobody renews is told"
expect_equal "$(expiry 'listener tls')" "$(end_of m/tls.pem)" "its end is a metric"
stays_connected >connected.log 2>&1 &
client=$!
sed -i -e '0,/tls: { certificate: tls.pem, key: tls, /s//&'"$renew"', /' -e 's/\(_ras: .*\) }]$/\1, '"$renew"' }]/' m/muster.yaml
old=$(served)
reload
expect_match "$(grep ' reload ' musterd.log | tail -n 1)" 'result=done' "renewals are configured"
is_renewed tls "listener tls"
is_renewed scep-ra "scep ra scep-ra"
is_renewed cmp-ra "cmp ra cmp-ra"
expect_equal "$(served)" "$(openssl x509 -in m/tls.pem)" "TLS shows the new certificate"
[ "$(served)" != "$old" ] || fail "TLS shows another certificate"
expect_equal "$(served "$admin_port")" "$(served)" "and so does the other listener of that file"
touch go
wait $client
expect_equal "$(tr '\n' ' ' <connected.log)" "200 200 " "a connection from before is served on"
expect_equal "$(expiry 'listener tls')" "$(end_of m/tls.pem)" "the metric follows"
curl -s "$http/scep/demo?operation=GetCACert" | openssl pkcs7 -inform der -print_certs >got.pem
grep -q "$(sed -n 2p m/scep-ra.pem)" got.pem
expect_equal $? 0 "SCEP hands the new RA certificate out"
register cmp a.example.com s3cret
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out a.key 2>/dev/null
openssl cmp -cmd ir -server "$http/.well-known/cmp/p/demo" -trusted "$ca" -ref a.example.com -secret pass:s3cret -subject /CN=a.example.com \
    -newkey a.key -certout a.pem >client.log 2>&1
openssl cmp -cmd cr -server "$http/.well-known/cmp/p/demo" -trusted "$ca" -cert a.pem -key a.key -subject /CN=a.example.com \
    -newkey a.key -certout b.pem -extracertsout extra.pem >client.log 2>&1
grep -q "$(sed -n 3p m/cmp-ra.pem)" extra.pem
expect_equal $? 0 "CMP answers with the new RA certificate"
expect_equal "$(grep -c 'service-renewal .*verdict=issued' musterd.log)" 3 "each was issued once"
expect_equal "$(muster audit show --limit 1000 | grep -c '"service":"')" 3 "and stands in the audit"
expect_match "$(muster audit verify 2>&1; echo "status $?")" 'status 0' "which verifies"
stop_gateway

# --- a CA behind ---
upstream=""
start_upstream() {
    "$build/gateway/musterd" --config up/muster.yaml 2>>upstream.log &
    upstream=$!
    helpers="$helpers $upstream"
    for _ in $(seq 300); do
        curl -s -o /dev/null --max-time 1 "http://127.0.0.1:$up_port/ca/demo.cer" && return
        sleep 0.1
    done
    fail "the CA behind does not start"
}
rm -rf m && cp -r before m
cp -r before up
openssl genrsa -out m/keys/scep-ra.pem 2048 2>/dev/null # that of the CA behind is its own
aged scep-ra "/CN=ra.forward.example.com" digitalSignature,keyEncipherment serverAuth DNS:ra.forward.example.com
sed -i -e "s/$http_port/$up_port/g; s/$tls_port/$up_tls/g; s/$admin_port/$up_admin/g" up/muster.yaml
sed -i '/^procedures:/a\  - { name: gateway, domain: devices, ca: demo, profile: device, protocols: [cmp], retry_after: 1s, cmp: { ra: cmp-ra, ra_anchors: [ca.pem] } }' up/muster.yaml
printf 'forward-secret\n' >m/forward.secret
cmp="http://127.0.0.1:$up_port/.well-known/cmp/p/gateway"
cat >cas.yaml <<YAML
  - { name: behind, kind: cmp, chain: [ca.pem], timeout: 2s, cmp: { url: "$cmp", key: cmp-ra, certificate: cmp-ra.pem } }
  - { name: forward, kind: cmp, chain: [ca.pem], timeout: 2s, cmp: { url: "$cmp", reference: "*.forward.example.com", secret_file: forward.secret } }
YAML
sed -e '/^cas:/r cas.yaml' -e '0,/tls: { certificate: tls.pem, key: tls, /s//&renew: { ca: behind, before: 60d }, /' \
    -e 's/\(^scep_ras: .*\) }]$/\1, renew: { ca: forward, before: 50d } }]/' plain.yaml >m/muster.yaml
: >musterd.log
launch
eventually said 'CA behind: '
expect_equal $? 0 "the CA behind is down: that is told"
eventually said 'listener tls: its renewal is ordered'
expect_match "$(grep 'service-renewal .*verdict=pending' musterd.log)" 'listener tls: its renewal is ordered' "the order stands"
kill_gateway
start_upstream
MUSTER_CONFIG=$work/up/muster.yaml muster register gw.example.com --procedure gateway --order cmp --password none >register.log 2>&1 || cat register.log
MUSTER_CONFIG=$work/up/muster.yaml muster register '*.forward.example.com' --procedure gateway --order cmp --password forward-secret >register.log 2>&1 || cat register.log
launch
is_renewed tls "listener tls"
is_renewed scep-ra "scep ra scep-ra"
expect_equal "$(served)" "$(openssl x509 -in m/tls.pem)" "TLS shows the new certificate"
expect_equal "$(serial_of m/cmp-ra.pem)" "$(serial_of old-cmp-ra.pem)" "what is not to be renewed stays"
expect_equal "$(MUSTER_CONFIG=$work/up/muster.yaml muster cert --json | grep -o '"serial"' | wc -l)" 2 "the CA behind issued two certificates"
stop_gateway

# --- a user who may not write the file ---
[ "$(id -u)" = 0 ] || finish
rm -rf m && cp -r before m
chmod 711 "$work"
chmod 755 m
chown -R nobody m/keys
sed -e '1i user: nobody' -e '0,/tls: { certificate: tls.pem, key: tls, /s//&'"$renew"', /' plain.yaml >m/muster.yaml
: >musterd.log
launch
expect_match "$(grep 'warning renewal' musterd.log)" 'listener tls.*this user cannot write the folder.*Permission denied' "that it cannot be written is told at the start"
eventually said 'issued, but the user that the gateway runs as cannot write it: .*tls.pem.new: Permission denied'
expect_equal $? 0 "and when it comes to it"
expect_equal "$(serial_of m/tls.pem)" "$(serial_of old-tls.pem)" "the old one stays"
chown nobody m
is_renewed tls "listener tls"
expect_equal "$(grep -c 'service-renewal .*verdict=issued' musterd.log)" 1 "nothing was issued twice"
finish
