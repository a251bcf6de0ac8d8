#!/usr/bin/env bash
# Started as root, the gateway binds its ports, reads its keys and goes on as the configured user, who owns the registry from then
# on. What that user cannot read is said at the start, not at the first reload.
. "$(dirname "$0")/lib.sh"
need curl
[ "$(id -u)" = 0 ] || { echo "skipped: only root can become another user"; exit 77; }
user=nobody
chmod 711 "$work"
configure() { sed -i "1i user: $user" m/muster.yaml; }
start_gateway
expect_equal "$(awk '/^Uid:/{ print $2, $3, $4, $5 }' /proc/$daemon/status)" "$(id -u $user) $(id -u $user) $(id -u $user) $(id -u $user)" \
    "no user id of root is left"
expect_equal "$(awk '/^CapEff:|^CapPrm:/{ print $2 }' /proc/$daemon/status | sort -u)" 0000000000000000 "nor a capability"
expect_equal "$(cd /proc/$daemon/task && cat ./*/status | awk '/^Uid:/{ print $2 }' | sort -u)" "$(id -u $user)" "in no thread"
expect_equal "$(stat -c %U m/registry m/registry/data.mdb | sort -u)" $user "the registry is the user's"
register est a.example.com s3cret
expect_equal "$(muster list --json | grep -c '"a.example.com"')" 1 "and can be written"
expect_match "$(grep ' warning user ' musterd.log)" 'reloads will fail.*keys\[0\].uri: .*Permission denied' "keys that the user cannot read are told at the start"
reload
expect_match "$(grep ' reload ' musterd.log | tail -n 1)" 'kept the old configuration.*Permission denied' "a reload keeps the old ones"
expect_equal "$(muster list --json | grep -c '"a.example.com"')" 1 "and serves on"
stop_gateway

chown -R $user m/keys
: >musterd.log
launch
expect_equal "$(grep -c ' warning user ' musterd.log)" 0 "keys that the user can read are no matter"
reload
expect_match "$(grep ' reload ' musterd.log | tail -n 1)" 'result=done' "and are read anew"
expect_equal "$(muster list --json | grep -c '"a.example.com"')" 1 "what was registered is there after a restart"
finish
