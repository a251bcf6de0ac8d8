#!/usr/bin/env bash
# acme-client (npm's 5.4), through a script of our own: account bound by key id, http-01 and tls-alpn-01 by its own servers, renewal,
# revocation, key change, deactivation, what is refused. Rows ACME-39 to ACME-43, ACME-50, ACME-57, ACME-62, ACME-68, ACME-81,
# ACME-87, ACME-96, ACME-97, ACME-110.
. "$(dirname "$0")/lib_acme.sh"
. "$top/tests/interop/acme_recipe.sh"
need npm
need node
packages=$top/var/node-acme # kept from run to run
[ -d "$packages/node_modules/acme-client" ] ||
    timeout 120 npm install --prefix "$packages" --no-audit --no-fund --ignore-scripts acme-client@5.4.0 >npm.log 2>&1 ||
    { echo "skipped: acme-client cannot be installed"; exit 77; }
export ACME_CLIENT=$packages/node_modules/acme-client
start_gateway
client() { NODE_EXTRA_CA_CERTS=$ca timeout 60 node "$top/tests/interop/acme_client.js" "$@"; }
second="tls-alpn-01 $challenge_tls"
acme_recipe
expect_audit
finish
