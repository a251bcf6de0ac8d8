#!/usr/bin/env bash
# The gateway's own certificates are not there, nor their keys: it makes the keys, asks the CA behind, a second gateway over CMP, for each
# certificate, and serves with them. The CA is down at first, and the gateway is killed in between. Then the same from the embedded CA, as
# a user who is not root.
. "$(dirname "$0")/lib.sh"
need curl
. "$top/tests/interop/lib_upstream.sh"
. "$top/tests/interop/lib_renewal.sh"

patience=100
own="tls scep-ra cmp-ra"
take_away() { for name in $own; do rm -f "m/$name.pem" "m/keys/$name.pem"; done; }
# Its own certificates the gateway asks for under the secret of a pattern; as an RA, with a certificate that is there, for its devices'.
# `ra` is the profile of CMP's RA.
configure() {
    read -r metrics_port < <(free_ports 1)
    cp -r m before
    copy_upstream
    sed -i -e '/^profiles:/a\  - { name: ra, validity: 30d, key_usage: [digital_signature], extended_key_usage: [1.3.6.1.5.5.7.3.28, 1.3.6.1.5.5.7.3.32] }' \
        -e '/name: gateway,/s/cmp: { /cmp: { profiles: [ra], /' up/muster.yaml
    printf 'forward-secret\n' >m/forward.secret
    sed -i -e "/^listeners:/a\\  - { name: metrics, address: 127.0.0.1, port: $metrics_port, role: metrics }" m/muster.yaml
    cp m/muster.yaml plain.yaml
    cp m/cmp-ra.pem m/behind.pem
    cp m/keys/cmp-ra.pem m/keys/behind.pem
    local behind="kind: cmp, chain: [ca.pem], timeout: 2s, cmp: { url: \"$up_cmp/gateway\""
    local secret='reference: "*.gw.example.com", secret_file: forward.secret'
    sed -i -e '/^keys:/a\  - { name: behind, uri: keys/behind.pem }' \
        -e "s|^  - { name: demo, kind: local,.*|  - { name: demo, $behind, key: behind, certificate: behind.pem } }\n  - { name: own, $behind, $secret } }\n  - { name: own-ra, $behind, $secret, profile: ra } }|" \
        -e '0,/tls: { certificate: tls.pem, key: tls, /s//&renew: { ca: own, names: [tls.gw.example.com, 127.0.0.1] }, /' \
        -e '/^scep_ras:/s/ }]/, renew: { ca: own, names: [scep.gw.example.com] } }]/' \
        -e '/^cmp_ras:/s/ }]/, renew: { ca: own-ra, names: [cmp.gw.example.com] } }]/' m/muster.yaml
    take_away
    "$build/gateway/musterd" --config m/muster.yaml --check >check.log 2>&1
    expect_equal "$? $(grep -c 'is not there yet; CA own\(-ra\)\? is asked for it' check.log) $(grep -c 'is not there yet; musterd makes it' check.log)" \
        "0 3 3" "--check tells what is missing, and that it comes"
    expect_equal "$(ls m/keys)" "behind.pem
ca.pem
secrets.key" "and makes nothing"
}
health() { curl -s "http://127.0.0.1:$metrics_port/healthz"; }
is_healthy() { [ "$(health)" = ok ]; }
status_of() { curl -s -o /dev/null -D head.txt -w '%{http_code}' "$@"; }
handshake() { echo | openssl s_client -connect "127.0.0.1:$tls_port" 2>&1; }
hashes() { sha256sum m/keys/tls.pem m/keys/scep-ra.pem m/keys/cmp-ra.pem; }
issued_behind() { asks_admin "$up_admin" up | names_under "$1"; }

# --- the CA behind is down ---
start_gateway
expect_equal "$(stat -c '%a %U' m/keys/tls.pem m/keys/scep-ra.pem m/keys/cmp-ra.pem | sort -u)" "600 $(id -un)" "the keys are made, for nobody else to read"
expect_equal "$(ls m/tls.pem m/scep-ra.pem m/cmp-ra.pem 2>/dev/null)" "" "the certificates are not there"
expect_match "$(cat musterd.log)" 'warning certificate of="scep ra scep-ra" .*it is not there yet.*ca=own' "the start tells what is awaited"
expect_equal "$(status_of "$http/scep/demo?operation=GetCACaps") $(grep -ci '^retry-after: [1-9]' head.txt)" "503 1" "SCEP is not ready yet"
expect_equal "$(status_of "$http/.well-known/cmp/p/demo" -H 'Content-Type: application/pkixcmp' --data-binary x) $(grep -ci '^retry-after: [1-9]' head.txt)" \
    "503 1" "CMP is not ready yet"
expect_match "$(grep 'protocol=cmp' musterd.log | tail -n 1)" 'reason=not_ready .*the certificate of its RA is not there yet' "the log says why"
expect_match "$(handshake)" 'alert handshake failure' "TLS is refused by an alert"
expect_match "$(grep 'protocol=http' musterd.log | tail -n 1)" 'the listener has no certificate yet' "and the log says why"
expect_soon "health says so" said 'kind=health|started'
expect_soon "health names the first" eval '[ "$(health)" = "certificate of listener tls: not there yet" ]'
expect_equal "$(curl -s "http://127.0.0.1:$metrics_port/metrics" | grep -c 'certificate_expiry_seconds{certificate="\(listener\|scep\|cmp\)')" 0 "no end is told of what is not there"
expect_soon "the first ones are ordered" said 'cmp ra cmp-ra: its first one is ordered'
expect_soon "the CA behind is down: that is told" said 'CA own: '
hashes >keys.txt
kill_gateway
launch
kill_gateway
launch
expect_equal "$(hashes)" "$(cat keys.txt)" "a gateway that is killed goes on with the same keys"
expect_equal "$(status_of "$http/scep/demo?operation=GetCACaps")" 503 "and waits on"

# --- it comes up ---
start_upstream
upstream_muster register '*.gw.example.com' --procedure gateway --order cmp --password forward-secret >register.log 2>&1 || cat register.log
for pause in 0.5 2 1 3; do
    sleep $pause
    kill_gateway
    launch
done
expect_soon "TLS: enrolled and in use" in_use "listener tls"
expect_soon "SCEP RA: enrolled and in use" in_use "scep ra scep-ra"
expect_soon "CMP RA: enrolled and in use" in_use "cmp ra cmp-ra"
expect_equal "$(hashes)" "$(cat keys.txt)" "the keys are those of the beginning"
for name in tls scep cmp; do
    file=m/$name.pem
    [ $name = tls ] || file=m/$name-ra.pem
    more=""
    [ $name = tls ] && more=,IPAddress:127.0.0.1
    expect_equal "$(field "$file" -subject -nameopt RFC2253) $(field "$file" -ext subjectAltName | tail -n 1 | tr -d ' ')" \
        "subject=CN=$name.gw.example.com DNS:$name.gw.example.com$more" "$name: the names that were asked for"
    key=${file#m/}
    expect_equal "$(field "$file" -pubkey)" "$(openssl pkey -in "m/keys/$key" -pubout)" "$name: over the key that was made"
    expect_equal "$(openssl verify -CAfile "$ca" "$file" 2>&1)" "$file: OK" "$name: by the CA"
done
for name in tls scep cmp; do
    expect_equal "$(issued_behind "$name.gw.example.com")" "1 of 1" "$name: the CA behind issued one"
done
expect_match "$(field m/cmp-ra.pem -ext extendedKeyUsage,keyUsage | tr -d '\n')" 'Digital Signature.*1.3.6.1.5.5.7.3.28|Digital Signature.*CMC Registration Authority' \
    "the CMP RA may speak for the CA"
expect_soon "health is well" is_healthy

# --- the protocols work with them ---
register est e.gw.example.com s3cret
register scep s.gw.example.com s3cret
register cmp c.gw.example.com s3cret
est_until e.gw.example.com demo
expect_certificate e.gw.example.com.pem e.gw.example.com "EST over TLS, with curl"
if command -v estclient >/dev/null; then
    mkdir -p got
    EST_OPENSSL_CACERT=$ca timeout 60 estclient -g -s 127.0.0.1 -p "$tls_port" -o got --path-seg demo --pem-output >client.log 2>&1
    expect_equal "$(openssl x509 -in got/cacert-0-0.pem -noout -fingerprint)" "$(openssl x509 -in "$ca" -noout -fingerprint)" "EST over TLS, with estclient"
fi
scep s.gw.example.com
expect_certificate s.gw.example.com.pem s.gw.example.com "SCEP"
cmp_device c.gw.example.com demo
expect_certificate c.gw.example.com.pem c.gw.example.com "CMP"
timeout 60 openssl cmp -cmd cr -server "$http/.well-known/cmp/p/demo" -trusted "$ca" -cert c.gw.example.com.pem -key c.gw.example.com.key \
    -subject /CN=c.gw.example.com -newkey c.gw.example.com.key -certout again.pem -extracertsout extra.pem >client.log 2>&1
grep -q "$(sed -n 3p m/cmp-ra.pem)" extra.pem
expect_equal $? 0 "CMP answers with its RA's certificate"
expect_equal "$(muster audit show --limit 1000 | grep -c '"service":"')" 3 "the three stand in the audit"

# --- what is in use is not given up ---
mv m/tls.pem kept.pem
reload
expect_match "$(grep ' reload ' musterd.log | tail -n 1)" 'kept the old configuration.*tls.pem is not there: the certificate that is in use stays' "a file that is gone: a reload does nothing"
expect_equal "$(curl -s --cacert "$ca" -o /dev/null -w '%{http_code}' "$https/.well-known/est/demo/cacerts")" 200 "and TLS goes on"
mv kept.pem m/tls.pem
cp m/muster.yaml kept.yaml
sed -i '0,/certificate: tls.pem/s//certificate: tsl.pem/' m/muster.yaml
reload
expect_match "$(grep ' reload ' musterd.log | tail -n 1)" 'kept the old configuration.*tsl.pem is not there: the certificate that is in use stays' "a file by another name: nor then"
cp kept.yaml m/muster.yaml

# --- renewals go on from there ---
stop_gateway
aged scep-ra /CN=scep.gw.example.com digitalSignature,keyEncipherment serverAuth DNS:scep.gw.example.com
: >musterd.log
launch
expect_soon "what nears its end is renewed" in_use "scep ra scep-ra"
expect_match "$(grep 'service-renewal .*verdict=issued' musterd.log)" 'scep ra scep-ra: renewed' "as a renewal"
expect_equal "$(hashes)" "$(cat keys.txt)" "over the same key"
stop_gateway

# --- nobody renews it: a missing file stops the start ---
rm m/tls.pem
sed -i 's/renew: { ca: own, names: \[tls[^}]*}, //' m/muster.yaml
"$build/gateway/musterd" --config m/muster.yaml >refused.log 2>&1
expect_equal "$? $(grep -c 'tls.certificate: .*tls.pem: No such file' refused.log)" "1 1" "without renew a missing file stops the start"

# --- from the embedded CA, as a user who is not root, and who may not write the folder at first: by the name of the URL ---
[ "$(id -u)" = 0 ] || finish
rm -rf m && cp -r before m
take_away
chmod 711 "$work"
chmod 755 m
chown -R nobody m/keys
sed -e '1i user: nobody' -e '0,/tls: { certificate: tls.pem, key: tls, /s//&renew: { ca: demo }, /' \
    -e '/_ras:/s/ }]/, renew: { ca: demo } }]/' plain.yaml >m/muster.yaml
: >musterd.log
launch
expect_soon "what was issued and cannot be written is told" said 'issued, but the user that the gateway runs as cannot write it: .*Permission denied'
expect_equal "$(ls m/tls.pem m/scep-ra.pem m/cmp-ra.pem 2>/dev/null)" "" "and nothing is there"
kill_gateway
launch
chown nobody m
for what in "listener tls" "scep ra scep-ra" "cmp ra cmp-ra"; do
    expect_soon "$what: enrolled from the embedded CA" in_use "$what"
done
expect_equal "$(grep -c 'service-renewal .*verdict=issued' musterd.log)" 3 "a gateway that is killed then writes what was issued, and asks for no other"
expect_equal "$(stat -c '%a %U' m/keys/tls.pem m/keys/scep-ra.pem m/keys/cmp-ra.pem | sort -u)" "600 nobody" "the keys are the user's"
expect_equal "$(field m/tls.pem -subject -nameopt RFC2253) $(field m/tls.pem -ext subjectAltName | tail -n 1 | tr -d ' ')" \
    "subject=CN=127.0.0.1 IPAddress:127.0.0.1" "the name is that of the URL"
expect_equal "$(curl -s --cacert "$ca" -o /dev/null -w '%{http_code}' "$https/.well-known/est/demo/cacerts")" 200 "TLS is served"
expect_equal "$(status_of "$http/scep/demo?operation=GetCACaps")" 200 "and SCEP"
finish
