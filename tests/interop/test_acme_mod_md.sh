#!/usr/bin/env bash
# Apache with mod_md (Debian's 2.4): a web server that gets, renews and serves its own certificate: account bound by key id, http-01
# and tls-alpn-01 on its own ports; an officer revokes, renewal information says so, and it renews; what is refused. Rows ACME-40 to
# ACME-43, ACME-50, ACME-57, ACME-62, ACME-84, ACME-88, ACME-110.
. "$(dirname "$0")/lib_acme.sh"
PATH=$PATH:/usr/sbin
need apache2
modules=/usr/lib/apache2/modules
[ -f $modules/mod_md.so ] || { echo "skipped: no mod_md here"; exit 77; }
start_gateway
chmod 711 "$work" # Apache's children are not root

apache_config() { # procedure, challenge, name, binding
    cat >apache.conf <<CONF
ServerRoot $work
ServerName localhost
PidFile $work/apache.pid
ErrorLog $work/client.log
LogLevel warn md:debug
Mutex file:$work
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule socache_shmcb_module $modules/mod_socache_shmcb.so
LoadModule ssl_module $modules/mod_ssl.so
LoadModule md_module $modules/mod_md.so
User $([ "$(id -u)" = 0 ] && echo www-data || id -un)
Group $([ "$(id -u)" = 0 ] && echo www-data || id -gn)
SSLSessionCache shmcb:$work/ssl-cache(512000)
Listen 127.0.0.1:$challenge_http
Listen 127.0.0.1:$challenge_tls https
Protocols http/1.1 acme-tls/1
MDPortMap http:$challenge_http https:$challenge_tls
MDCertificateAuthority $(directory "$1")
MDCACertificateFile $ca
MDCertificateAgreement accepted
MDContactEmail ops@example.com
MDPrivateKeys secp256r1
MDStoreDir $work/store
MDCAChallenges $2
MDRetryDelay 1s
MDCheckInterval 1s
MDInitialDelay 0
${4:+MDExternalAccountBinding $4}
MDomain $3
<VirtualHost 127.0.0.1:$challenge_http>
ServerName $3
</VirtualHost>
<VirtualHost 127.0.0.1:$challenge_tls>
ServerName $3
SSLEngine on
</VirtualHost>
CONF
}
start_apache() { # arguments of apache_config; Apache starts anew, with what it has stored
    apache_config "$@"
    apache2 -f "$work/apache.conf" -D FOREGROUND >apache.out 2>&1 &
    apache=$!
    helpers="$helpers $apache"
}
stop_apache() { kill "$apache"; wait "$apache" 2>/dev/null; }
staged() { [ -s "store/staging/$1/job.json" ] && grep -q '"finished": *true' "store/staging/$1/job.json"; }
expect_served() { # name, what: the certificate that Apache shows
    openssl s_client -connect "127.0.0.1:$challenge_tls" -servername "$1" </dev/null 2>/dev/null | openssl x509 >served.pem 2>/dev/null
    expect_certificate served.pem "$1" "$2"
}

bind kid-1 --allowed-domains a.example.com,b.example.com
start_apache bound http-01 a.example.com "$kid $hmac"
wait_for 20 staged a.example.com
expect_equal "$?" 0 "http-01"
stop_apache
start_apache bound http-01 a.example.com "$kid $hmac"
wait_for 10 test -s store/domains/a.example.com/pubcert.secp256r1.pem
expect_served a.example.com "served after a restart"
cp served.pem first.pem

# --- renewed: an officer revokes, renewal information says that it is time ---
muster revoke a.example.com --serial "$(serial_of first.pem)" --reason superseded >revoke.log 2>&1
expect_equal "$?" 0 "an officer revokes"
wait_for 20 staged a.example.com
expect_equal "$?" 0 "renewal information makes Apache renew at once"
expect_match "$(grep -c 'operation=renewal-info.*status=200' musterd.log)" '^[1-9]' "which it has asked for"
expect_revoked first.pem "the certificate list has the old one"
stop_apache
start_apache bound http-01 a.example.com "$kid $hmac"
wait_for 10 test ! -e store/staging/a.example.com
expect_served a.example.com "a certificate is served"
expect_equal "$(cmp -s first.pem served.pem; echo $?)" 1 "and another one"
stop_apache

# --- tls-alpn-01, by Apache's own TLS ---
start_apache bound tls-alpn-01 b.example.com "$kid $hmac"
wait_for 20 staged b.example.com
expect_equal "$?" 0 "tls-alpn-01"
stop_apache

# --- refused ---
refused() { # procedure, name, binding, what Apache's log says, what
    : >client.log
    start_apache "$1" http-01 "$2" "$3"
    wait_for 15 grep -qE "$4" client.log
    expect_equal "$?" 0 "$5"
    stop_apache
    staged "$2" && fail "$2: a certificate came"
}
refused bound other.example.com "$kid $hmac" rejectedIdentifier "a name that is not allowed"
rm -rf store
refused bound a.example.com "kid-none $hmac" 'acme:error:unauthorized' "an unknown key id"
refused bound b.example.com "" '[Ee]xternal ?[Aa]ccount' "no binding"

# --- unbound ---
start_apache anyone http-01 f.example.com ""
wait_for 20 staged f.example.com
expect_equal "$?" 0 "without binding or registration"
stop_apache
expect_audit
finish
