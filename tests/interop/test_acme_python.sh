#!/usr/bin/env bash
# python3-acme (Debian's 2.1), the library under certbot, through a script of our own: account bound by key id, http-01 by its own
# server, renewal, revocation by account and by the certificate's key, key change, deactivation, what is refused. Rows ACME-39 to
# ACME-43, ACME-50, ACME-57, ACME-62, ACME-68, ACME-81, ACME-87, ACME-96, ACME-97, ACME-110.
. "$(dirname "$0")/lib_acme.sh"
. "$top/tests/interop/acme_recipe.sh"
for python in python3 /usr/bin/python3 ""; do "${python:-false}" -c 'import acme' 2>/dev/null && break; done
[ -n "$python" ] || { echo "skipped: no python3-acme here"; exit 77; }
start_gateway
client() { REQUESTS_CA_BUNDLE=$ca timeout 60 "$python" "$top/tests/interop/acme_client.py" "$@"; }
acme_recipe
bind kid-2 --allowed-domains c.example.com
try three bound register "$kid" "$hmac"
try three bound issue http-01 "$challenge_http" c.example.com
try two bound revoke three/c.example.com.pem three/c.example.com.key
expect_equal "$code" 0 "revoked by the certificate's key"
expect_revoked three/c.example.com.pem "the certificate list has it"
expect_match "$(muster explain --key-id kid-2 --procedure bound)" '^key id kid-2 through bound .*: admitted' "explained by key id alone"
expect_match "$(muster explain d.example.com --key-id kid-2 --procedure bound)" '^key id kid-2: d.example.com .*: refused' "and with a name that its accounts may not order"
expect_audit
finish
