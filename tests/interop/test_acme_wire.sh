#!/usr/bin/env bash
# ACME as curl sees it, and through what happens to a daemon: methods, media types, links that come from the configuration alone,
# renewal information; a reload and a power cut in the middle of an order; name servers that do not answer.
# Rows ACME-1 to ACME-6, ACME-9, ACME-12, ACME-13, ACME-29, ACME-30, ACME-84, ACME-88, ACME-116 to ACME-118.
. "$(dirname "$0")/lib_acme.sh"
need lego
start_gateway
write_dns_hook
export LEGO_CA_CERTIFICATES=$ca EXEC_PATH=$work/exec.sh EXEC_POLLING_INTERVAL=1

ask() { # path or URL, options: status in $code, head and body in files
    local url=$1
    shift
    [ "${url#http}" != "$url" ] || url=$https$url
    code=$(curl -s --cacert "$ca" -D head -o body -w '%{http_code}' "$@" "$url")
    tr -d '\r' <head >head.txt
}
json() { python3 -c 'import json, sys; print(json.load(open("body"))'"$1"')'; }

# --- the directory ---
ask /acme/bound/directory -H 'Host: evil.example.com' -H 'X-Forwarded-Host: evil.example.com'
expect_equal "$code $(json '["newOrder"]')" "200 $https/acme/bound/new-order" "links come from the configuration"
expect_equal "$(json '["meta"]["externalAccountRequired"]')" True "a binding is required"
ask /acme/anyone/directory
expect_equal "$code $(json '.get("meta")')" "200 None" "or is not"
ask "$http/acme/bound/directory"
expect_equal "$code" 403 "nothing over plain HTTP"
for path in closed/directory nobody/directory "" bound; do
    ask "/acme/$path"
    expect_equal "$code" 404 "no such service: /acme/$path"
done

# --- nonces, methods, media types ---
ask /acme/bound/new-nonce -I
expect_equal "$code $(grep -ci '^cache-control: no-store$' head.txt) $(grep -ci "^link: <$https/acme/bound/directory>;rel=\"index\"$" head.txt)" "200 1 1" "HEAD of new-nonce"
expect_match "$(grep -i '^replay-nonce' head.txt)" '^[Rr]eplay-[Nn]once: [A-Za-z0-9_-]+$' "and its nonce"
ask /acme/bound/new-nonce
expect_equal "$code" 204 "GET of it"
ask /acme/bound/new-order
expect_equal "$code $(json '["type"]') $(grep -ci '^content-type: application/problem+json' head.txt) $(grep -ci '^allow: POST' head.txt)" \
    "405 urn:ietf:params:acme:error:malformed 1 1" "GET of what is asked for by POST"
ask /acme/bound/new-account -d '{}'
expect_equal "$code $(json '["type"]')" "415 urn:ietf:params:acme:error:malformed" "another media type"
ask /acme/bound/new-account -H 'Content-Type: application/jose+json' -d '{}'
expect_equal "$code $(json '["type"]')" "400 urn:ietf:params:acme:error:malformed" "no JWS"
ask /acme/bound/new-account -H 'Content-Type: application/jose+json' --data-binary @"$build/gateway/musterd"
expect_equal "$code" 413 "too much of it"

# --- an order, and what happens meanwhile: the hook waits until it is told to go on ---
cat >exec.sh <<HOOK
#!/bin/sh
name=\${2#_acme-challenge.}
if [ "\$1" = present ]; then touch $work/asked; while [ ! -f $work/go ]; do sleep 0.1; done; $work/dns-hook.sh set "\${name%.}" "\$3"; fi
HOOK
chmod +x exec.sh
bind kid-1 --allowed-domains example.com
eab="--eab --kid $kid --hmac $hmac"
lego_in_background() { # name
    rm -f asked go
    timeout 120 lego --path one --server "$(directory bound)" --email ops@example.com --accept-tos $eab --dns exec --dns.disable-cp \
        --dns.resolvers "127.0.0.1:$dns_port" -d "$1" run >client.log 2>&1 &
    client=$!
    for attempt in $(seq 300); do [ -f asked ] && return; sleep 0.1; done
    fail "$1: lego asks for nothing"
}
go_on() { touch go; wait "$client"; code=$?; }
lego_in_background a.example.com
reload
go_on
expect_certificate one/certificates/a.example.com.crt a.example.com "a reload in the middle of an order is not noticed"
lego_in_background b.example.com
kill_gateway
launch
go_on
expect_certificate one/certificates/b.example.com.crt b.example.com "a power cut neither: nonces are new, and the client tries again"
expect_match "$(grep -c 'reason=badNonce' musterd.log)" '^[1-9]' "which the log tells"

# --- renewal information ---
certificate_id() { # of a PEM file: base64url of the key id, a dot, base64url of the serial number's octets
    python3 - "$(openssl x509 -in "$1" -noout -ext authorityKeyIdentifier | tail -n 1 | sed 's/.*keyid://; s/[^0-9A-Fa-f]//g')" "$(openssl x509 -in "$1" -noout -serial | sed 's/.*=//')" <<'PY'
import base64, sys
key, serial = (bytes.fromhex(x) for x in sys.argv[1:])
serial = b"\0" + serial if serial[0] >= 0x80 else serial
print(".".join(base64.urlsafe_b64encode(x).decode().rstrip("=") for x in (key, serial)))
PY
}
window() { json '["suggestedWindow"]["end"]'; }
id=$(certificate_id one/certificates/a.example.com.crt)
ask "/acme/bound/renewal-info/$id"
expect_equal "$code $([[ $(window) > $(date -u +%FT%TZ) ]] && echo later)" "200 later" "a window that is to come"
expect_match "$(grep -i '^retry-after' head.txt)" '[0-9]' "and when to ask again"
ask "/acme/bound/renewal-info/${id%?}"
expect_match "$code" "^40[04]$" "none for what is not ours"
lego --path one --server "$(directory bound)" --email ops@example.com --accept-tos $eab -d a.example.com revoke --keep >client.log 2>&1
ask "/acme/bound/renewal-info/$id"
expect_equal "$code $([[ $(window) < $(date -u +%FT%TZ) ]] && echo over)" "200 over" "one that is over for what was revoked"

# --- name servers that do not answer ---
sed -i "s/^dns_servers: .*/dns_servers: [\"127.0.0.1:$dns_control\"]/" m/muster.yaml
reload
touch go
timeout 120 lego --path one --server "$(directory bound)" --email ops@example.com --accept-tos $eab --dns exec --dns.disable-cp \
    --dns.resolvers "127.0.0.1:$dns_port" -d c.example.com run >client.log 2>&1
expect_match "$? $(tr '\n' ' ' <client.log)" '^1 .*acme:error:dns' "no name server"
expect_audit
finish
