# What every ACME client that does all of RFC 8555 must be able to do here. Sourced by the tests of libraries, whose `client FOLDER
# DIRECTORY COMMAND...` has the words register, issue, revoke, new-key and deactivate; $second is another challenge and its port,
# for a client that has one.
try() { # folder, procedure, command...: what the client says in client.log, its exit code in $code
    local folder=$1 procedure=$2
    shift 2
    client "$folder" "$(directory "$procedure")" "$@" >client.log 2>&1
    code=$?
}
said() { echo "$code $(tr '\n' ' ' <client.log)"; }

acme_recipe() {
    local http01="http-01 $challenge_http"
    bind kid-1 --allowed-domains a.example.com,b.example.com
    try one bound register "$kid" "$hmac"
    expect_equal "$code" 0 "an account is bound to its registration"
    try one bound issue $http01 a.example.com
    expect_equal "$code" 0 "http-01"
    expect_certificate one/a.example.com.pem a.example.com "the certificate is there"
    cp one/a.example.com.pem first.pem
    try one bound issue $http01 a.example.com
    expect_certificate one/a.example.com.pem a.example.com "renewed"
    expect_equal "$(cmp -s first.pem one/a.example.com.pem; echo $?)" 1 "by another certificate"
    try one bound issue ${second:-$http01} b.example.com www.b.example.com
    expect_certificate one/b.example.com.pem www.b.example.com "${second:-http-01}, two names"
    try one bound revoke one/a.example.com.pem
    expect_equal "$code" 0 "revoked by the account"
    expect_revoked one/a.example.com.pem "the certificate list has it"
    try one bound revoke one/a.example.com.pem
    expect_match "$(said)" '^1 .*[aA]lready' "once"
    cp one/account.pem old.pem
    try one bound new-key
    expect_equal "$code" 0 "the account's key changes"
    try one bound issue $http01 a.example.com
    expect_equal "$code" 0 "and the account goes on"
    mkdir -p before
    cp old.pem before/account.pem
    try before bound issue $http01 a.example.com
    expect_match "$(said)" '^1 ' "but not with the old key"
    expect_match "$(last_acme operation=new-account)" 'reason=accountDoesNotExist' "which nobody has any more"

    # --- refused ---
    try one bound issue $http01 other.example.com
    expect_match "$(said)" '^1 .*the account may not have this name' "a name that is not allowed"
    expect_match "$(last_acme operation=new-order)" 'reason=name_policy' "the log says why"
    expect_equal "$(ls one | grep -c 'other.*pem')" 0 "no certificate for it"
    try two bound register
    expect_match "$(said)" '^1 .*([eE]xternal ?[aA]ccount)' "no binding"
    try two bound register kid-none "$hmac"
    expect_match "$(said)" '^1 .*binding does not hold' "an unknown key id"
    try two bound register kid-1 "$(printf 'a key of somebody else, 32 octets' | base64 | tr '+/' '-_' | tr -d '=\n')"
    expect_match "$(said)" '^1 .*binding does not hold' "another HMAC key"
    expect_match "$(last_acme operation=new-account)" 'reason=secret' "and the log says why"
    try one bound issue http-01 "$dns_control" b.example.com
    expect_match "$(said)" '^1 ' "a challenge that is not met"
    try one bound deactivate
    expect_equal "$code" 0 "the account is deactivated"
    try one bound issue $http01 a.example.com
    expect_match "$(said)" '^1 ' "and may not go on"
}
