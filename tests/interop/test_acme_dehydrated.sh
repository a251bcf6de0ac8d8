#!/usr/bin/env bash
# dehydrated (Debian's 0.7): account bound by key id, http-01 by a web server's folder, dns-01 by its hook, renewal, revocation,
# deactivation. It asks for a nonce before every request and does not try again after badNonce. Rows ACME-26, ACME-29, ACME-41,
# ACME-57, ACME-62, ACME-68, ACME-81, ACME-87, ACME-110.
. "$(dirname "$0")/lib_acme.sh"
need dehydrated
start_gateway
write_dns_hook
serve_folder www
mkdir -p www/.well-known/acme-challenge
cat >hook.sh <<HOOK
#!/bin/sh
case \$1 in
deploy_challenge) $work/dns-hook.sh set "\$2" "\$4" ;;
clean_challenge) $work/dns-hook.sh clear "\$2" ;;
esac
HOOK
chmod +x hook.sh
de() { # folder, procedure, options: what dehydrated says in client.log, its exit code in $code
    local folder=$1
    mkdir -p "$folder"
    cat >"$folder/config" <<CONFIG
CA=$(directory "$2")
BASEDIR=$work/$folder
WELLKNOWN=$work/www/.well-known/acme-challenge
CURL_OPTS="--cacert $ca"
KEY_ALGO=secp384r1
EAB_KID="$eab_kid"
EAB_HMAC_KEY="$eab_hmac"
CONFIG
    shift 2
    timeout 120 dehydrated -f "$folder/config" "$@" >client.log 2>&1
    code=$?
}

bind kid-1 --allowed-domains a.example.com,b.example.com
eab_kid=$kid eab_hmac=$hmac
de one bound --register --accept-terms
expect_equal "$code" 0 "an account is bound to its registration"
de one bound -c -d a.example.com
expect_equal "$code" 0 "http-01"
expect_certificate one/certs/a.example.com/cert.pem a.example.com "the certificate is there"
cp one/certs/a.example.com/cert.pem first.pem
de one bound -c -x -d a.example.com
expect_equal "$code" 0 "renewed"
expect_equal "$(cmp -s first.pem one/certs/a.example.com/cert.pem; echo $?)" 1 "by another certificate"
de one bound -c -t dns-01 -k "$work/hook.sh" -d "b.example.com www.b.example.com"
expect_equal "$code" 0 "dns-01, two names"
expect_certificate one/certs/b.example.com/cert.pem www.b.example.com "the certificate is there"
cp one/certs/b.example.com/cert.pem revoked.pem
de one bound -r one/certs/b.example.com/cert.pem
expect_equal "$code" 0 "revoke"
expect_revoked revoked.pem "the certificate list has it"

# --- refused ---
de one bound -c -d other.example.com
expect_match "$code $(tr '\n' ' ' <client.log)" '^1 .*rejectedIdentifier' "a name that is not allowed"
eab_kid=kid-none
de two bound --register --accept-terms
expect_match "$code $(tr '\n' ' ' <client.log)" '^1 .*unauthorized' "an unknown key id"
de one bound --account
expect_equal "$code" 0 "the account is still good"
de one bound --deactivate
expect_equal "$code" 0 "and is deactivated"

# --- unbound ---
eab_kid="" eab_hmac=""
procedure=unbound register est d.example.com s3cret --protocols acme
de three unbound --register --accept-terms
de three unbound -c -d d.example.com
expect_certificate three/certs/d.example.com/cert.pem d.example.com "without binding, a registered name"
de three unbound -c -d e.example.com
expect_equal "$code" 1 "and one that is not"
expect_equal "$(grep -c 'reason=badNonce' musterd.log)" 0 "no nonce was refused"
expect_audit
finish
