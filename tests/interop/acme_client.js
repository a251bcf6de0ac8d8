// A client made of acme-client from npm, for test_acme_node.sh: node acme_client.js FOLDER DIRECTORY COMMAND...
//
// register [KEYID HMAC] | issue http-01|tls-alpn-01 PORT NAME... | revoke FILE [KEYFILE] | new-key | deactivate. The account's key
// is FOLDER/account.pem; a certificate goes to FOLDER/NAME.pem, its key to FOLDER/NAME.key. Exit code 1 with the problem if refused.
const fs = require('fs'), http = require('http'), tls = require('tls');
const acme = require(process.env.ACME_CLIENT);
const [folder, directoryUrl, command, ...words] = process.argv.slice(2);
const accountFile = `${folder}/account.pem`;

const connect = (keyFile, more = {}) =>
    new acme.Client({ directoryUrl, accountKey: fs.readFileSync(keyFile), backoffAttempts: 20, backoffMin: 200, backoffMax: 1000, ...more });

async function withAccount() {
    const client = connect(accountFile);
    await client.createAccount({ onlyReturnExisting: true });
    return client;
}

// Starts what answers challenges of this kind; returns what adds an answer.
function serve(kind, port) {
    const answers = {};
    if (kind === 'http-01') {
        http.createServer((request, response) => response.end(answers[request.url.split('/').pop()])).listen(port, '127.0.0.1');
        return async (authz, challenge, keyAuthorization) => { answers[challenge.token] = keyAuthorization; };
    }
    const choose = (name, done) => done(null, answers[name]);
    tls.createServer({ ALPNProtocols: ['acme-tls/1'], SNICallback: choose }).listen(port, '127.0.0.1');
    return async (authz, challenge, keyAuthorization) => {
        const [key, cert] = await acme.crypto.createAlpnCertificate(authz, keyAuthorization);
        answers[authz.identifier.value] = tls.createSecureContext({ key, cert });
    };
}

const commands = {
    async register(kid, hmacKey) {
        fs.mkdirSync(folder, { recursive: true });
        fs.writeFileSync(accountFile, await acme.crypto.createPrivateEcdsaKey());
        const client = connect(accountFile, kid ? { externalAccountBinding: { kid, hmacKey } } : {});
        await client.createAccount({ termsOfServiceAgreed: true, contact: ['mailto:ops@example.com'] });
    },
    async issue(kind, port, ...names) {
        const client = await withAccount();
        const [key, csr] = await acme.crypto.createCsr({ altNames: names }, await acme.crypto.createPrivateEcdsaKey());
        const certificate = await client.auto({
            csr, challengePriority: [kind], challengeCreateFn: serve(kind, Number(port)), challengeRemoveFn: async () => {},
            skipChallengeVerification: true, // it would look at port 80 of a name that only we know
        });
        fs.writeFileSync(`${folder}/${names[0]}.key`, key);
        fs.writeFileSync(`${folder}/${names[0]}.pem`, certificate);
    },
    async revoke(file, keyFile) {
        const client = keyFile ? connect(keyFile) : await withAccount();
        await client.revokeCertificate(fs.readFileSync(file), { reason: 1 });
    },
    async 'new-key'() {
        const client = await withAccount();
        const key = await acme.crypto.createPrivateEcdsaKey();
        await client.updateAccountKey(key);
        fs.writeFileSync(accountFile, key);
    },
    async deactivate() {
        const client = await withAccount();
        await client.updateAccount({ status: 'deactivated' });
    },
};
commands[command](...words).then(() => process.exit(0), (problem) => { console.error(problem); process.exit(1); });
