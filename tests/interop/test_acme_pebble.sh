#!/usr/bin/env bash
# Beside pebble (Debian's 2.4), the test CA of the clients' own developers: whatever certbot, lego, uacme, dehydrated and curl do, each
# step must end there as it does here: same exit code, same kind of problem. Rows ACME-2 to ACME-6, ACME-26, ACME-40 to ACME-43,
# ACME-57, ACME-62, ACME-68, ACME-81, ACME-87, ACME-96, ACME-97, ACME-110.
. "$(dirname "$0")/lib_acme.sh"
need pebble
start_gateway
serve_folder www
mkdir -p www/.well-known/acme-challenge

# Who may have what, here by registrations; pebble has the same keys, and refuses one name to all.
keys=""
for client in certbot lego uacme dehydrated; do
    bind kid-$client --allowed-domains a.example.com,b.example.com
    keys="$keys${keys:+, }\"kid-$client\": \"$hmac\""
    declare "hmac_$client=$hmac"
done
read -r pebble_port pebble_control < <(free_ports 2)
cat >pebble.json <<JSON
{ "pebble": {
    "listenAddress": "127.0.0.1:$pebble_port", "managementListenAddress": "127.0.0.1:$pebble_control",
    "certificate": "$work/m/tls.pem", "privateKey": "$work/m/keys/tls.pem", "httpPort": $challenge_http, "tlsPort": $challenge_tls,
    "domainBlocklist": ["other.example.com"],
    "externalAccountBindingRequired": true, "externalAccountMACKeys": { $keys } } }
JSON
PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 PEBBLE_AUTHZREUSE=0 \
    pebble -config pebble.json -dnsserver "127.0.0.1:$dns_port" >pebble.log 2>&1 &
helpers="$helpers $!"
wait_for 10 curl -s --cacert "$ca" "https://127.0.0.1:$pebble_port/dir" || fail "pebble does not answer"
curl -s --cacert "$ca" "https://127.0.0.1:$pebble_control/roots/0" -o pebble-ca.pem

cat >uacme.sh <<HOOK
#!/bin/sh
[ "\$2" = http-01 ] || exit 1
case \$1 in
begin) printf %s "\$5" >"$work/www/.well-known/acme-challenge/\$4" ;;
*) rm -f "$work/www/.well-known/acme-challenge/\$4" ;;
esac
HOOK
chmod +x uacme.sh

step() { # what, command: one line of the transcript, with how it ended
    local what=$1 code
    shift
    "$@" >$run.log 2>&1
    code=$?
    [ $code -lt 124 ] || cat $run.log
    echo "$what: $code$(grep -o 'params:acme:error:[a-zA-Z]*' $run.log | head -n 1 | sed 's/.*:/ /')"
}
certificate() { # file, its issuer's: whether it stands, and for which names
    openssl verify -CAfile "$root" -untrusted "${2:-$1}" "$1" >/dev/null 2>&1 &&
        echo "certificate for $(openssl x509 -in "$1" -noout -ext subjectAltName | tail -n 1 | tr -d ' ')" || echo "no certificate"
}
revoked() { # file: whether the CA says so
    serial=$(serial_of "$1")
    wait_for 20 revoked_at_$side && echo "revoked" || echo "not revoked"
}
revoked_at_muster() {
    curl -s "$http/crl/demo.crl" -o $run.crl && openssl crl -inform DER -in $run.crl -noout -text | tr A-Z a-z | grep -q "serial number: $serial"
}
revoked_at_pebble() {
    curl -s --cacert "$ca" "https://127.0.0.1:$pebble_control/cert-status-by-serial/$serial" | grep -q '"Status": *"Revoked"'
}

with_certbot() {
    local cb="timeout 60 certbot --server $acme --config-dir $side-cb --work-dir $side-cb/work --logs-dir $side-cb/logs --non-interactive"
    local live=$side-cb/live/a.example.com
    export REQUESTS_CA_BUNDLE=$ca
    step "no binding" $cb register --agree-tos -m ops@example.com
    step "an unknown key id" $cb register --agree-tos -m ops@example.com --eab-kid kid-none --eab-hmac-key "$hmac_certbot"
    step register $cb register --agree-tos -m ops@example.com --eab-kid kid-certbot --eab-hmac-key "$hmac_certbot"
    step "another contact" $cb update_account -m other@example.com
    step issue $cb certonly --webroot -w www -d a.example.com -d b.example.com --cert-name a.example.com
    certificate $live/cert.pem $live/chain.pem
    step renew $cb renew --force-renewal --no-random-sleep-on-renew
    certificate $live/cert.pem $live/chain.pem
    step "a name that is refused" $cb certonly --webroot -w www -d other.example.com
    step revoke $cb revoke --cert-path $live/cert.pem --no-delete-after-revoke
    step "revoke again" $cb revoke --cert-path $live/cert.pem --no-delete-after-revoke
    step deactivate $cb unregister
    step "issue without an account" $cb certonly --webroot -w www -d b.example.com
    revoked $live/cert.pem
}

with_lego() {
    local lg="timeout 60 lego --path $side-lego --server $acme --email ops@example.com --accept-tos --http --http.webroot www"
    local eab="--eab --kid kid-lego --hmac $hmac_lego" crt=$side-lego/certificates/a.example.com
    export LEGO_CA_CERTIFICATES=$ca
    step "no binding" $lg -d a.example.com run
    step "an unknown key id" $lg --eab --kid kid-none --hmac "$hmac_lego" -d a.example.com run
    step issue $lg $eab -d a.example.com -d b.example.com run
    certificate $crt.crt $crt.issuer.crt
    step renew $lg $eab -d a.example.com renew --days 3650 --no-random-sleep
    certificate $crt.crt $crt.issuer.crt
    step "a name that is refused" $lg $eab -d other.example.com run
    step revoke $lg $eab -d a.example.com revoke --keep
    revoked "$(ls $crt.crt $side-lego/archives/a.example.com.crt 2>/dev/null | head -n 1)"
}

with_uacme() {
    local ua="trusting_ca timeout 60 uacme -v -y -c $side-uacme -a $acme -h $work/uacme.sh" cert=$side-uacme/a.example.com/cert.pem
    step "no binding" $ua new
    step "the key of another" $ua -e "kid-uacme:$hmac_lego" new
    step register $ua -e "kid-uacme:$hmac_uacme" new
    step issue $ua issue a.example.com b.example.com
    certificate $cert
    step renew $ua -f issue a.example.com b.example.com
    certificate $cert
    step "a name that is refused" $ua issue other.example.com
    cp $cert $run.pem
    step revoke $ua revoke $cert
    step "another key" $ua newkey
    step "issue with it" $ua -f issue b.example.com
    step deactivate $ua deactivate
    step "issue after that" $ua issue b.example.com
    revoked $run.pem
}

with_dehydrated() {
    local de="timeout 60 dehydrated -f $work/$side-de/config" cert=$side-de/certs/a.example.com
    mkdir -p "$side-de"
    cat >"$side-de/config" <<CONFIG
CA=$acme
BASEDIR=$work/$side-de
WELLKNOWN=$work/www/.well-known/acme-challenge
CURL_OPTS="--cacert $ca"
KEY_ALGO=secp384r1
KEYSIZE=2048
EAB_KID=kid-none
EAB_HMAC_KEY=$hmac_dehydrated
CONFIG
    step "an unknown key id" $de --register --accept-terms
    sed -i s/kid-none/kid-dehydrated/ "$side-de/config"
    step register $de --register --accept-terms
    step issue $de -c -d "a.example.com b.example.com"
    certificate $cert/cert.pem $cert/chain.pem
    step renew $de -c -x -d "a.example.com b.example.com"
    certificate $cert/cert.pem $cert/chain.pem
    step "a name that is refused" $de -c -d other.example.com
    cp $cert/cert.pem $run.pem
    step revoke $de -r $cert/cert.pem
    step deactivate $de --deactivate
    revoked $run.pem
}

with_curl() {
    local ask="curl -s --cacert $ca -o $run.body -w %{http_code}" json='Content-Type: application/jose+json' new
    echo "the directory: $($ask "$acme")"
    resource() { curl -s --cacert "$ca" "$acme" | python3 -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }
    echo "binding required: $(curl -s --cacert "$ca" "$acme" | python3 -c 'import json, sys; print(json.load(sys.stdin)["meta"]["externalAccountRequired"])')"
    echo "HEAD and GET of newNonce: $($ask -I "$(resource newNonce)") $($ask "$(resource newNonce)")"
    for new in newAccount newOrder keyChange; do # revokeCert: pebble has no 415 there
        echo "GET of $new: $($ask "$(resource $new)")"
        echo "another media type: $($ask -d '{}' "$(resource $new)") $(grep -o 'acme:error:[a-zA-Z]*' $run.body)"
        echo "no JWS: $($ask -H "$json" -d '{}' "$(resource $new)") $(grep -o 'acme:error:[a-zA-Z]*' $run.body)"
    done
}

clients=curl
for client in certbot lego dehydrated; do ! command -v $client >/dev/null || clients="$clients $client"; done
! command -v uacme >/dev/null || ! trusting_ca true 2>/dev/null || clients="$clients uacme"
runs=""
for client in $clients; do
    for side in muster pebble; do
        case $side in muster) acme=$(directory bound) root=$ca ;; pebble) acme=https://127.0.0.1:$pebble_port/dir root=$work/pebble-ca.pem ;; esac
        run=$side.$client
        "with_$client" >$run.said &
        runs="$runs $!"
    done
done
wait $runs

# Every line of both transcripts is a check.
for client in $clients; do
    while IFS= read -r here <&3 && IFS= read -r there <&4; do
        expect_equal "$here" "$there" "$client: $here"
    done 3<muster.$client.said 4<pebble.$client.said
    expect_equal "$(wc -l <muster.$client.said)" "$(wc -l <pebble.$client.said)" "$client: as many steps"
    [ $client = curl ] || expect_equal "$(grep -c '^certificate for' muster.$client.said) $(grep -cx revoked muster.$client.said)" "2 1" "$client: two certificates, one revoked"
done
expect_audit
finish
