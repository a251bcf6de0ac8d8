#!/usr/bin/env bash
# uacme (Debian's 1.7): account bound by key id, http-01 and dns-01 by its hook, renewal, revocation, key change, deactivation;
# a wrong key, a name that is not allowed, a registration that was closed. Rows ACME-3, ACME-29, ACME-33 to ACME-49, ACME-50,
# ACME-57, ACME-62, ACME-68, ACME-81, ACME-87, ACME-96, ACME-97, ACME-110.
. "$(dirname "$0")/lib_acme.sh"
need uacme
start_gateway
need_own_trust
write_dns_hook
serve_folder www

# uacme's hook: begin|done|failed TYPE IDENT TOKEN AUTH; it takes the challenge that $CHALLENGE names.
cat >hook.sh <<HOOK
#!/bin/sh
[ "\$2" = "\$CHALLENGE" ] || exit 1
case "\$2 \$1" in
"http-01 begin") mkdir -p $work/www/.well-known/acme-challenge; printf %s "\$5" >"$work/www/.well-known/acme-challenge/\$4" ;;
"http-01 "*) rm -f "$work/www/.well-known/acme-challenge/\$4" ;;
"dns-01 begin") $work/dns-hook.sh set "\$3" "\$5" ;;
"dns-01 "*) $work/dns-hook.sh clear "\$3" ;;
esac
HOOK
chmod +x hook.sh
ua() { # folder, procedure, options: what uacme says in client.log, its exit code in $code
    local folder=$1 procedure=$2
    shift 2
    trusting_ca timeout 60 uacme -v -y -c "$folder" -a "$(directory "$procedure")" -h "$work/hook.sh" "$@" >client.log 2>&1
    code=$?
}
export CHALLENGE=http-01

bind kid-1 --allowed-domains a.example.com,b.example.com
ua one bound -e "$kid:$hmac" new
expect_equal "$code" 0 "an account is bound to its registration"
[ "$code" = 0 ] || finish
ua one bound issue a.example.com
expect_equal "$code" 0 "http-01"
expect_certificate one/a.example.com/cert.pem a.example.com "the certificate is there"
cp one/a.example.com/cert.pem first.pem
ua one bound -f issue a.example.com
expect_certificate one/a.example.com/cert.pem a.example.com "renewed"
expect_equal "$(cmp -s first.pem one/a.example.com/cert.pem; echo $?)" 1 "by another certificate"
CHALLENGE=dns-01 ua one bound issue b.example.com www.b.example.com
expect_certificate one/b.example.com/cert.pem www.b.example.com "dns-01, two names"
cp one/b.example.com/cert.pem revoked.pem
ua one bound revoke one/b.example.com/cert.pem
expect_equal "$code" 0 "revoke"
expect_revoked revoked.pem "the certificate list has it"
ua one bound newkey
expect_equal "$code" 0 "the account's key changes"
ua one bound -f issue a.example.com
expect_equal "$code" 0 "and the account goes on"

# --- an IP address ---
bind kid-ip --allowed-domains a.example.com --attribute ipaddress=127.0.0.1
ua ip bound -e "$kid:$hmac" new
ua ip bound issue 127.0.0.1
expect_equal "$code $(openssl x509 -in ip/127.0.0.1/cert.pem -noout -ext subjectAltName | tail -n 1 | tr -d ' ')" "0 IPAddress:127.0.0.1" "an IP address that is registered"
ua ip bound issue 127.0.0.2
expect_match "$code $(tr '\n' ' ' <client.log)" '^2 .*rejectedIdentifier' "and another one"

# --- refused ---
ua one bound issue other.example.com
expect_equal "$code" 2 "a name that is not allowed"
expect_match "$(cat client.log)" rejectedIdentifier "rejectedIdentifier"
muster register kid-2 --procedure bound --order acme --allowed-domains c.example.com >register.log 2>&1
ua two bound -e "kid-2:$hmac" new # kid-ip's
expect_equal "$code" 2 "the HMAC key of another"
expect_match "$(cat client.log)" 'acme:error:unauthorized' "unauthorized"
cp client.log wrong-key.log
ua two bound -e "kid-none:$hmac" new
expect_equal "$(grep -o 'detail.*' client.log)" "$(grep -o 'detail.*' wrong-key.log)" "an unknown key id, in the same words"
expect_match "$(last_acme 'operation=new-account')" 'reason=no_registration' "the log tells them apart"
ua two bound new
expect_equal "$code" 2 "no binding at all"
ua two closed new
expect_equal "$code" 2 "a procedure that is not open on ACME"
muster close --key-id kid-1 --procedure bound >close.log 2>&1
ua one bound -f issue a.example.com
expect_equal "$code" 2 "a registration that was closed"
expect_match "$(cat client.log)" 'acme:error:unauthorized' "unauthorized"
expect_match "$(last_acme 'operation=new-order')" 'reason=closed' "and the log says why"

# --- unbound: the challenge proves the name, the registration allows it ---
ua three unbound new
procedure=unbound register est d.example.com s3cret --protocols acme
ua three unbound issue d.example.com
expect_certificate three/d.example.com/cert.pem d.example.com "without binding, a registered name"
ua three unbound issue e.example.com
expect_equal "$code" 2 "and one that is not"
ua four anyone new
ua four anyone issue f.example.com
expect_certificate four/f.example.com/cert.pem f.example.com "no registration is asked for"

# --- not where strangers point us ---
procedure=unreachable bind kid-3 --allowed-domains g.example.com
ua five unreachable -e "$kid:$hmac" new
ua five unreachable issue g.example.com
expect_equal "$code" 2 "a name that points at loopback"
expect_match "$(cat client.log)" 'acme:error:connection' "is not connected to"
ua four anyone deactivate
expect_equal "$code" 0 "the account is deactivated"
ua four anyone -f issue f.example.com
expect_equal "$code" 2 "and may not go on"
expect_audit
finish
