#!/usr/bin/env bash
# lego (Debian's 4.9): account bound by key id, http-01, tls-alpn-01 by its own servers, dns-01 by a hook, renewal, revocation; EC
# and RSA keys; a pre-authorised account; what is refused. Rows ACME-40 to ACME-43, ACME-50, ACME-57, ACME-62, ACME-68, ACME-80,
# ACME-81, ACME-87, ACME-93 to ACME-95, ACME-110.
. "$(dirname "$0")/lib_acme.sh"
need lego
start_gateway
write_dns_hook
cat >exec.sh <<HOOK
#!/bin/sh
# present|cleanup _acme-challenge.NAME. VALUE
name=\${2#_acme-challenge.}
case \$1 in
present) exec $work/dns-hook.sh set "\${name%.}" "\$3" ;;
*) exec $work/dns-hook.sh clear "\${name%.}" ;;
esac
HOOK
chmod +x exec.sh
export LEGO_CA_CERTIFICATES=$ca EXEC_PATH=$work/exec.sh EXEC_POLLING_INTERVAL=1

http01="--http --http.port 127.0.0.1:$challenge_http"
alpn01="--tls --tls.port 127.0.0.1:$challenge_tls"
dns01="--dns exec --dns.disable-cp --dns.resolvers 127.0.0.1:$dns_port"
lg() { # folder, procedure, options and command: what lego says in client.log, its exit code in $code
    local folder=$1 procedure=$2
    shift 2
    timeout 120 lego --path "$folder" --server "$(directory "$procedure")" --email ops@example.com --accept-tos "$@" >client.log 2>&1
    code=$?
}
crt() { echo "$1/certificates/$2.crt"; }

bind kid-1 --allowed-domains example.com
eab="--eab --kid $kid --hmac $hmac"
lg one bound $eab $http01 -d a.example.com run
expect_equal "$code" 0 "http-01"
expect_certificate "$(crt one a.example.com)" a.example.com "the certificate is there"
cp "$(crt one a.example.com)" first.pem
lg one bound $eab $http01 -d a.example.com renew --days 400 --no-random-sleep
expect_equal "$code" 0 "renew"
expect_equal "$(cmp -s first.pem "$(crt one a.example.com)"; echo $?)" 1 "by another certificate"
lg one bound $eab $alpn01 -d b.example.com -d www.b.example.com run
expect_equal "$code" 0 "tls-alpn-01, two names"
expect_certificate "$(crt one b.example.com)" www.b.example.com "the certificate is there"
lg one bound $eab $dns01 -d '*.c.example.com' run
expect_equal "$code" 0 "dns-01, a wildcard"
expect_certificate "$(crt one _.c.example.com)" '\*.c.example.com' "the certificate is there"
lg one bound $eab --key-type rsa2048 $http01 -d r.example.com run
expect_certificate "$(crt one r.example.com)" r.example.com "an RSA key"
lg one bound $eab --key-type ec384 $http01 -d e.example.com run
expect_certificate "$(crt one e.example.com)" e.example.com "a P-384 key"
lg one bound $eab -d b.example.com revoke --keep
expect_equal "$code" 0 "revoke"
expect_revoked "$(ls one/certificates/b.example.com.crt one/archives/b.example.com.crt 2>/dev/null | head -n 1)" "the certificate list has it"

# Its registration vouches for the names: no challenge could be met here.
bind kid-2 --allowed-domains p.example.com --pre-authorised
lg two bound --eab --kid "$kid" --hmac "$hmac" --http --http.port 127.0.0.1:1 -d p.example.com run
expect_equal "$code" 0 "a pre-authorised account"
expect_certificate "$(crt two p.example.com)" p.example.com "the certificate is there"

# --- refused ---
lg one bound $eab $http01 -d a.example.net run
expect_match "$code $(tr '\n' ' ' <client.log)" '^1 .*rejectedIdentifier' "a name that is not allowed"
lg one bound $eab $http01 -d evilexample.com run
expect_match "$code $(tr '\n' ' ' <client.log)" '^1 .*rejectedIdentifier' "one that only looks like it"
lg three bound $http01 -d a.example.com run
expect_match "$code $(tr '\n' ' ' <client.log)" '^1 .*[Ee]xternal [Aa]ccount [Bb]inding' "no binding"
lg three bound --eab --kid kid-1 --hmac "$hmac" $http01 -d a.example.com run
expect_match "$code $(tr '\n' ' ' <client.log)" '^1 .*unauthorized' "the HMAC key of another"
expect_match "$(last_acme operation=new-account)" 'reason=secret' "and the log says why"
lg one bound $eab --http --http.port "127.0.0.1:$dns_control" -d h.example.com run
expect_match "$code" '^1' "a challenge that is not met"
expect_audit
finish
