#!/usr/bin/env bash
# certbot (Debian's 2.1): account bound by key id, http-01 by its own server, dns-01 by hooks for a wildcard too, renewal, revocation
# by account and by the certificate's key, change of contact; what is refused. Rows ACME-39 to ACME-43, ACME-50, ACME-56, ACME-57,
# ACME-62, ACME-68, ACME-81, ACME-87, ACME-110, ACME-112.
. "$(dirname "$0")/lib_acme.sh"
need certbot
start_gateway
write_dns_hook
cat >dns-set.sh <<HOOK
#!/bin/sh
exec $work/dns-hook.sh set "\$CERTBOT_DOMAIN" "\$CERTBOT_VALIDATION"
HOOK
chmod +x dns-set.sh
export REQUESTS_CA_BUNDLE=$ca

cb() { # folder, procedure, command and options: what certbot says in client.log, its exit code in $code
    local folder=$1 procedure=$2
    shift 2
    timeout 120 certbot "$@" --server "$(directory "$procedure")" --config-dir "$folder" --work-dir "$folder/work" --logs-dir "$folder/logs" \
        --non-interactive >client.log 2>&1
    code=$?
}
get() { # folder, procedure, name, options
    local folder=$1 procedure=$2 name=$3
    shift 3
    cb "$folder" "$procedure" certonly --standalone --http-01-address 127.0.0.1 --http-01-port "$challenge_http" -d "$name" "$@"
}

bind kid-1 --allowed-domains a.example.com,'*.w.example.com',w.example.com
cb one bound register --agree-tos -m ops@example.com --eab-kid "$kid" --eab-hmac-key "$hmac"
expect_equal "$code" 0 "an account is bound to its registration"
get one bound a.example.com
expect_equal "$code" 0 "http-01"
expect_certificate one/live/a.example.com/cert.pem a.example.com "the certificate is there"
cp one/live/a.example.com/cert.pem first.pem
cb one bound renew --force-renewal --no-random-sleep-on-renew
expect_equal "$code" 0 "renew"
expect_certificate one/live/a.example.com/cert.pem a.example.com "the new certificate is there"
expect_equal "$(cmp -s first.pem one/live/a.example.com/cert.pem; echo $?)" 1 "and another one"
cb one bound certonly --manual --preferred-challenges dns --manual-auth-hook "$work/dns-set.sh" -d 'w.example.com,*.w.example.com'
expect_equal "$code" 0 "dns-01, a name and its wildcard"
expect_certificate one/live/w.example.com/cert.pem '\*.w.example.com' "the wildcard is there"
cb one bound update_account -m other@example.com
expect_equal "$code" 0 "another contact"
cb one bound revoke --cert-path one/live/a.example.com/cert.pem --reason superseded --no-delete-after-revoke
expect_equal "$code" 0 "revoked by the account"
expect_revoked one/live/a.example.com/cert.pem "the certificate list has it"
cb one bound revoke --cert-path one/live/a.example.com/cert.pem --no-delete-after-revoke
expect_match "$code $(last_acme operation=revoke-cert)" '^1 .*reason=alreadyRevoked' "once"
cb two bound revoke --cert-path one/live/w.example.com/cert.pem --key-path one/live/w.example.com/privkey.pem --no-delete-after-revoke
expect_equal "$code" 0 "revoked by the certificate's key"
expect_revoked one/live/w.example.com/cert.pem "the certificate list has it"

# --- refused ---
get one bound other.example.com
expect_match "$code $(cat client.log)" '^1 .*' "a name that is not allowed"
expect_equal "$(ls one/live | grep -c other)" 0 "no certificate for it"
get two bound a.example.com --agree-tos --register-unsafely-without-email
expect_match "$code $(tr '\n' ' ' <client.log)" '^1 .*[Ee]xternal [Aa]ccount' "no binding"
get two bound a.example.com --agree-tos --register-unsafely-without-email --eab-kid kid-none --eab-hmac-key "$hmac"
expect_match "$code $(tr '\n' ' ' <client.log)" '^1 .*binding does not hold' "an unknown key id"
muster close --key-id kid-1 --procedure bound >close.log 2>&1
get one bound a.example.com --force-renewal
expect_equal "$code" 1 "a registration that was closed"
expect_match "$(last_acme 'operation=new-order')" 'reason=closed' "and the log says why"

# --- unbound ---
get three anyone f.example.com --agree-tos --register-unsafely-without-email
expect_certificate three/live/f.example.com/cert.pem f.example.com "without binding or registration"
cb three anyone unregister
expect_equal "$code" 0 "the account is deactivated"
expect_audit
finish
