#!/usr/bin/env bash
# A gateway in front of `openssl cmp -port`, OpenSSL's own CA for tests, which answers always with one certificate: devices of SCEP,
# EST, CMP and ACME. It polls, rejects, forgets its protection, answers with somebody else's certificate; in between it is killed.
. "$(dirname "$0")/lib_acme.sh"
. "$top/tests/interop/lib_upstream.sh"
need sscep
need acme-tiny

# `mock` hands the PKCS#10 on, or asks by ir with raVerified where there is none, under a secret; `mock-signed` signs, and the CA confirms implicitly.
configure() {
    make_mock
    read -r dns_port dns_control challenge_http challenge_tls < <(free_ports 4)
    cat >cas.yaml <<YAML
  - { name: mock, kind: cmp, chain: [mock-ca.pem], cmp: { url: "http://127.0.0.1:$mock_port/", reference: gateway, secret_file: mock.secret, hmac_sha1: true } }
  - { name: mock-signed, kind: cmp, chain: [mock-ca.pem], cmp: { url: "http://127.0.0.1:$mock_port/", key: cmp-ra, certificate: cmp-ra.pem, signer: mock-signer.pem, implicit_confirm: true } }
YAML
    local common="domain: devices, profile: device, protocols: [scep, est, cmp, acme], retry_after: 1s, est: { basic: true }, scep: { ra: scep-ra }, cmp: { ra: mock-ra }"
    common="$common, acme: { binding: false, reach: [127.0.0.1], http_port: $challenge_http }"
    cat >procedures.yaml <<YAML
  - { name: mock, ca: mock, $common }
  - { name: mock-signed, ca: mock-signed, $common }
YAML
    sed -i -e '/^cas:/r cas.yaml' -e '/^procedures:/r procedures.yaml' -e "/^workers:/i dns_servers: [\"127.0.0.1:$dns_port\"]" m/muster.yaml
    start_dns
}
start_gateway
for order in scep est cmp; do procedure=mock register $order "*.$order.example.com" s3cret; done
procedure=mock register est '*.acme.example.com' s3cret --protocols acme
serve_folder www
mkdir -p www/.well-known/acme-challenge
openssl genrsa -out account.key 2048 2>/dev/null

acme() { # NAME PROCEDURE
    openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
    SSL_CERT_FILE=$ca timeout 60 acme-tiny --account-key account.key --csr "$1.csr" --acme-dir www/.well-known/acme-challenge \
        --disable-check --directory-url "$(directory "$2")" >"$1.pem" 2>client.log
}
enroll() { # NAME PROCEDURE: the second label is the protocol
    case $1 in
    *.scep.*) scep "$1" "$2" ;;
    *.cmp.*) cmp_device "$1" "$2" ;;
    *.acme.*) acme "$1" "$2" ;;
    *) est_until "$1" "$2" ;;
    esac
}
key_of() { case $1 in *.scep.*) echo rsa ;; esac; }
mock_case() { # NAME PROCEDURE [options of the CA]: the device enrolls while the CA is there
    local name=$1 at=$2
    shift 2
    mock_device "$name" $(key_of "$name")
    mock "$name" "$@"
    enroll "$name" "$at"
    [ "$at" = mock-signed ] || [ "${confirmed:-yes}" = no ] || expect_soon "$name: certConf came" mock_heard "${messages:-2}"
    stop_mock
}

# --- each protocol, under a secret; polled; signed on both sides ---
for protocol in est scep cmp acme; do
    name=a.$protocol.example.com
    mock_case $name mock $by_mac
    expect_mock $name "$protocol in front, openssl cmp as CA, under a secret"
    name=b.$protocol.example.com
    messages=4 mock_case $name mock $by_mac -poll_count 2 -check_after 1
    expect_mock $name "$protocol: the CA lets the gateway poll twice"
    name=c.$protocol.example.com
    mock_case $name mock-signed $by_signature
    expect_mock $name "$protocol: ir with raVerified, both signed, implicit confirmation"
done
expect_match "$(cat musterd.log)" 'protocol=acme .*operation=finalize' "ACME's order was finalized"

# --- the CA rejects: each protocol has its own word for it ---
rejecting="$by_mac -pkistatus 2 -failure 19"
for protocol in est scep cmp acme; do
    name=d.$protocol.example.com
    confirmed=no mock_case $name mock $rejecting -statusstring "not with us"
    case $protocol in
    est) expect_equal "$code" 400 "est: the CA rejects, the device is refused" ;;
    scep) expect_match "$(cat client.log)" 'pkistatus: FAILURE' "scep: FAILURE" ;;
    cmp) expect_match "$(cat client.log)" 'rejection|rejected' "cmp: rejection" ;;
    acme) expect_match "$(tr '\n' ' ' <client.log)" 'invalid|order' "acme: the order is invalid" ;;
    esac
    expect_equal "$(openssl x509 -in $name.pem -noout 2>/dev/null && echo one)" "" "$protocol: no certificate comes"
    expect_soon "$protocol: the log has the CA's words" said "fqdn=$name .*reason=ca_rejected .*badCertTemplate: not with us"
done

# --- answers that are none ---
mock_device e.est.example.com
mock e.est.example.com $by_mac -send_unprotected
est e.est.example.com mock
expect_equal "$code" 202 "an answer without protection is none"
stop_mock
mock e.est.example.com -srv_ref gateway -srv_secret pass:another
est e.est.example.com mock
expect_equal "$code" 202 "nor one under another secret"
stop_mock
mock e.est.example.com $by_mac
est_until e.est.example.com mock
expect_soon "e.est.example.com: certConf came" mock_heard 2
stop_mock
expect_mock e.est.example.com "until the CA itself answers"
for protocol in est scep cmp acme; do
    name=f.$protocol.example.com
    mock_device $name $(key_of $name)
    cp mock/a.$protocol.example.com.pem mock/$name.pem
    mock $name $by_mac
    enroll $name mock
    expect_soon "$protocol: the CA is told of a wrong certificate" grep -q 'rejected by' mock.log
    stop_mock
    expect_equal "$(openssl x509 -in $name.pem -noout 2>/dev/null && echo one)" "" "$protocol: somebody else's certificate is given to nobody"
done

# --- the CA is not there when the device comes; then it is ---
for protocol in est scep cmp acme; do
    name=g.$protocol.example.com
    mock_device $name $(key_of $name)
    enroll $name mock &
    device=$!
    expect_soon "$protocol: the CA is away" said "fqdn=$name .*(CA mock: |verdict=pending|verdict=processing)"
    mock $name $by_mac
    wait $device
    expect_soon "$name: certConf came" mock_heard 2
    stop_mock
    expect_mock $name "$protocol: it is there: a certificate"
done
expect_match "$(muster audit verify 2>&1; echo "status $?")" 'status 0' "the audit verifies"
finish
