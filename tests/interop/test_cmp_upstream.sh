#!/usr/bin/env bash
# A gateway in front of a CA that speaks CMP, which is a second gateway: devices of SCEP, EST and CMP enroll through it, while it is
# killed, stopped, replaced by one that answers garbage; afterwards each device has exactly one certificate in both. Rows CMP-70,
# CMP-83 to CMP-90, CMP-117, CMP-118.
. "$(dirname "$0")/lib.sh"
. "$top/tests/interop/lib_upstream.sh"
need curl
command -v sscep >/dev/null || need pki # either speaks SCEP

# `demo` asks by ir with raVerified, signed by the gateway's RA; `forward` hands the PKCS#10 on, under a secret; `forged` has another
# secret; `approved` is decided by the upstream officer.
configure() {
    copy_upstream
    printf 'forward-secret\n' >m/forward.secret
    printf 'another-secret\n' >m/forged.secret
    cat >cas.yaml <<YAML
  - { name: demo, kind: cmp, chain: [ca.pem], timeout: 2s, cmp: { url: "$up_cmp/gateway", key: cmp-ra, certificate: cmp-ra.pem } }
  - { name: approved, kind: cmp, chain: [ca.pem], cmp: { url: "$up_cmp/approved", key: cmp-ra, certificate: cmp-ra.pem, request: cr, implicit_confirm: true } }
  - { name: forward, kind: cmp, chain: [ca.pem], cmp: { url: "$up_cmp/gateway", reference: "*.forward.example.com", secret_file: forward.secret } }
  - { name: forged, kind: cmp, chain: [ca.pem], cmp: { url: "$up_cmp/gateway", reference: "*.forward.example.com", secret_file: forged.secret } }
YAML
    local common="domain: devices, profile: device, protocols: [est], retry_after: 1s, est: { basic: true }"
    cat >procedures.yaml <<YAML
  - { name: approved, ca: approved, $common }
  - { name: forward, ca: forward, $common }
  - { name: forged, ca: forged, $common }
YAML
    sed -i -e '/name: demo, kind: local/d' -e '/^cas:/r cas.yaml' -e '/^procedures:/r procedures.yaml' m/muster.yaml
    start_upstream
}
start_gateway

register est '*.est.example.com' s3cret
register scep '*.scep.example.com' s3cret
register cmp '*.cmp.example.com' s3cret
procedure=forward register est '*.forward.example.com' s3cret
procedure=approved register est '*.approved.example.com' s3cret
for pattern in est scep cmp forward approved; do
    secret=unused-$pattern
    [ $pattern = forward ] && secret=forward-secret
    upstream_muster register "*.$pattern.example.com" --procedure gateway --order cmp --password "$secret" >register.log 2>&1 ||
        { fail "register upstream"; cat register.log; }
done

# --- every protocol in front ---
est_until a.est.example.com demo
expect_certificate a.est.example.com.pem a.est.example.com "EST in front, CMP behind"
scep a.scep.example.com
expect_certificate a.scep.example.com.pem a.scep.example.com "SCEP in front"
cmp_device a.cmp.example.com demo
expect_certificate a.cmp.example.com.pem a.cmp.example.com "CMP in front"
cmp_device b.cmp.example.com demo -implicit_confirm
expect_certificate b.cmp.example.com.pem b.cmp.example.com "CMP in front with implicit confirmation"
est_until a.forward.example.com forward
expect_certificate a.forward.example.com.pem a.forward.example.com "the PKCS#10 handed on, under a secret"
expect_match "$(grep -c 'operation=p10cr' upstream.log)" '^[1-9]' "as p10cr"
expect_soon "the CA is told that it was taken" upstream_said 'operation=certConf .*fqdn=a.forward.example.com verdict=confirmed'
for name in a.est a.scep a.cmp b.cmp a.forward; do
    expect_equal "$(in_both $name.example.com)" "good, good" "$name: one certificate in front, one behind"
done

# --- a secret that the CA does not know ---
est_until b.forward.example.com forged
expect_equal "$code" 400 "a secret that the CA does not know: the device is refused"
expect_soon "and the log says what the CA answered" said 'fqdn=b.forward.example.com .*reason=ca_rejected .*badMessageCheck'

# --- an officer behind decides ---
est a.approved.example.com approved
expect_equal "$code" 202 "an officer behind has to approve: come back later"
expect_soon "the CA is polled" upstream_said 'operation=pollReq .*fqdn=a.approved.example.com'
upstream_decide approve
est_until a.approved.example.com approved
expect_certificate a.approved.example.com.pem a.approved.example.com "approved"
expect_equal "$(grep -c 'operation=certConf .*fqdn=a.approved' upstream.log)" 0 "implicitConfirm was granted: no certConf"
est b.approved.example.com approved
expect_soon "another one waits" upstream_said 'operation=cr .*fqdn=b.approved.example.com'
upstream_decide deny
est_until b.approved.example.com approved
expect_equal "$code" 400 "denied"

# --- revocation ---
muster revoke a.est.example.com --reason keyCompromise >client.log 2>&1 || fail "revoke"
expect_soon "a revocation is passed on" both_are a.est.example.com "revoked, revoked"

# --- one of each protocol, in the background ---
begin() { # WORD: WORD.est, WORD.scep and WORD.cmp ask until they are answered
    est_until "$1.est.example.com" demo &
    scep "$1.scep.example.com" &
    cmp_device "$1.cmp.example.com" demo &
    begun="$(jobs -p | tail -n 3)"
}
expect_all() { # WORD what
    local protocol
    wait $begun
    for protocol in est scep cmp; do
        expect_certificate "$1.$protocol.example.com.pem" "$1.$protocol.example.com" "$2: $protocol has its certificate"
        expect_equal "$(in_both "$1.$protocol.example.com")" "good, good" "$1.$protocol: once"
    done
}

# --- the CA is away ---
kill_upstream
est away.est.example.com demo
expect_equal "$code" 202 "the CA is away: come back later"
begin away
expect_soon "and the log says so" said 'kind=order .*CA demo: '
expect_soon "SCEP is told to come back later" said 'protocol=scep .*fqdn=away.scep.example.com verdict=pending'
expect_soon "CMP is" said 'protocol=cmp .*fqdn=away.cmp.example.com verdict=pending'
start_upstream
expect_all away "it is back"

# --- the CA is slow: longer than anybody waits for it ---
kill -STOP "$upstream"
est slow.est.example.com demo
expect_equal "$code" 202 "the CA does not answer: come back later"
begin slow
expect_soon "requests to it end by their time-out" said 'kind=order .*CA demo: Timeout'
kill -CONT "$upstream"
expect_all slow "it goes on"

# --- somebody else answers in its place ---
new_key replay.key
openssl cmp -cmd ir -server "127.0.0.1:$up_port/.well-known/cmp/p/gateway" -ref '*.forward.example.com' -secret pass:forward-secret \
    -subject /CN=replay.forward.example.com -newkey replay.key -certout replay.pem -rspout replay.der,replay.conf >client.log 2>&1
kill_upstream
start_garbage replay.der
begin lied
est lied2.est.example.com demo
expect_equal "$code" 202 "garbage is no answer: come back later"
expect_soon "in every way that is at hand" lied_in 4
expect_soon "and the log says why" said 'CA demo: the answer does not count'
expect_equal "$(muster cert lied2.est.example.com --json | known)" none "no certificate comes of it"
stop_garbage
start_upstream
expect_all lied "the CA itself answers"
est_until lied2.est.example.com demo
expect_equal "$(in_both lied2.est.example.com)" "good, good" "and who came in between: once"

# --- killed under load ---
many=$(seq 24)
(for i in $many; do est_until load-$i.est.example.com demo & [ $((i % 4)) = 0 ] && wait; done; wait) &
load=$!
kill_upstream_thrice 0.5
kill_gateway
launch
wait $load
for i in $many; do [ -s load-$i.est.example.com.pem ] || est_until load-$i.est.example.com demo; done
expect_equal "$(ls load-*.pem | wc -l), $(good_under load-), $(upstream_good_under load-)" "24, 24 of 24, 24 of 24" "24 devices, the CA killed three times and the gateway once: one certificate each, in front and behind"

expect_match "$(muster audit verify 2>&1; echo "status $?")" 'status 0' "the audit in front verifies"
expect_match "$(upstream_muster audit verify 2>&1; echo "status $?")" 'status 0' "the audit behind verifies"
finish
