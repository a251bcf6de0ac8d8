"""A client made of python3-acme, for test_acme_python.sh: acme_client.py FOLDER DIRECTORY COMMAND...

register [KEYID HMAC] | issue http-01 PORT NAME... | revoke FILE [KEYFILE] | new-key | deactivate. The account's key is
FOLDER/account.pem; a certificate goes to FOLDER/NAME.pem, its key to FOLDER/NAME.key. Exit code 1 with the problem if refused.
Not tls-alpn-01: the library's certificates for it lack the OCTET STRING around the digest that RFC 8737, 3 asks for."""
import datetime, json, os, sys, threading
import OpenSSL.crypto as openssl
import josepy
from acme import challenges, client, crypto_util, errors, jws, messages, standalone
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

folder, directory, command, *words = sys.argv[1:]
account_file = f"{folder}/account.pem"


def new_key(path):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with open(path, "wb") as out:
        out.write(pem)
    return pem


def read(path):
    with open(path, "rb") as file:
        return file.read()


def connect(key_file):
    net = client.ClientNetwork(josepy.JWKRSA.load(read(key_file)), user_agent="python3-acme")
    return client.ClientV2(client.ClientV2.get_directory(directory, net), net)


def post(acme, resource, body):
    return acme.net.post(acme.directory[resource], body, new_nonce_url=acme.directory["newNonce"])


def with_account():
    acme = connect(account_file)
    found = post(acme, "newAccount", messages.NewRegistration(only_return_existing=True))
    acme.net.account = messages.RegistrationResource(uri=found.headers["Location"], body=messages.Registration())
    return acme


def register(kid=None, hmac=None):
    os.makedirs(folder, exist_ok=True)
    new_key(account_file)
    acme = connect(account_file)
    binding = kid and messages.ExternalAccountBinding.from_data(acme.net.key.public_key(), kid, hmac, acme.directory)
    acme.new_account(messages.NewRegistration.from_data(email="ops@example.com", terms_of_service_agreed=True,
                                                        external_account_binding=binding))


def issue(kind, port, *names):
    acme = with_account()
    key = new_key(f"{folder}/{names[0]}.key")
    order = acme.new_order(crypto_util.make_csr(key, list(names)))
    asked, proofs = [], set()
    for authorization in order.authorizations:
        if authorization.body.status != messages.STATUS_VALID:
            body = next(c for c in authorization.body.challenges if c.chall.typ == kind)
            response, proof = body.chall.response_and_validation(acme.net.key)
            asked.append((body, response))
            proofs.add(standalone.HTTP01RequestHandler.HTTP01Resource(body.chall, response, proof))
    server = standalone.HTTP01Server(("127.0.0.1", int(port)), proofs)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for body, response in asked:
        acme.answer_challenge(body, response)
    done = acme.poll_and_finalize(order, datetime.datetime.now() + datetime.timedelta(seconds=30))
    with open(f"{folder}/{names[0]}.pem", "w") as out:
        out.write(done.fullchain_pem)


def revoke(path, key_file=None):
    acme = connect(key_file) if key_file else with_account()
    acme.revoke(josepy.ComparableX509(openssl.load_certificate(openssl.FILETYPE_PEM, read(path))), 1)


def roll_key():
    acme = with_account()
    pem = new_key(f"{folder}/next.pem")
    inner = json.dumps({"account": acme.net.account.uri, "oldKey": acme.net.key.public_key().to_partial_json()})
    post(acme, "keyChange", jws.JWS.sign(inner.encode(), josepy.JWKRSA.load(pem), josepy.RS256, None, acme.directory["keyChange"]))
    os.replace(f"{folder}/next.pem", account_file)


def deactivate():
    acme = with_account()
    acme.deactivate_registration(acme.net.account)


try:
    {"register": register, "issue": issue, "revoke": revoke, "new-key": roll_key, "deactivate": deactivate}[command](*words)
except (messages.Error, errors.Error) as problem:
    print(repr(problem), [str(a.body) for a in getattr(problem, "failed_authzrs", [])], file=sys.stderr)
    sys.exit(1)
