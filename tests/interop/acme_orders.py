"""Orders of one account at once, by threads that never give up: what is not answered is asked again, as it was.

acme_orders.py DIRECTORY CA KEYID HMAC COUNT THREADS

Order n is for unit-n.example.com. Folders here: sent/n: its finalize went out; got/n.pem: its certificate came. Lines of `again`:
a finalize that was sent once more. In the end each order is looked at, finalized and downloaded once more: `valid`, `same`."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import ssl
import sys
import threading
import time
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

directory_url, ca, key_id, mac_key = sys.argv[1:5]
count, threads = int(sys.argv[5]), int(sys.argv[6])
trust = ssl.create_default_context(cafile=ca)
account_key = ec.generate_private_key(ec.SECP256R1())


def base64url(octets):
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def as_json(value):
    return json.dumps(value, separators=(",", ":")).encode()


def jws(header, payload, sign):
    first, second = base64url(as_json(header)), base64url(payload)
    return {"protected": first, "payload": second, "signature": base64url(sign(f"{first}.{second}".encode()))}


def sign_es256(text):
    r, s = utils.decode_dss_signature(account_key.sign(text, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def account_jwk():
    numbers = account_key.public_key().public_numbers()
    return {"crv": "P-256", "kty": "EC", "x": base64url(numbers.x.to_bytes(32, "big")), "y": base64url(numbers.y.to_bytes(32, "big"))}


class Client:
    """One connection; asks until there is an answer that is no accident."""

    def __init__(self, account=None):
        self.account, self.link, self.nonce = account, None, None

    def exchange(self, method, url, body=None):
        parts = urllib.parse.urlsplit(url)
        target = parts.path + ("?" + parts.query if parts.query else "")
        if self.link is None:
            self.link = http.client.HTTPSConnection(parts.hostname, parts.port, context=trust, timeout=20)
        try:
            self.link.request(method, target, body, {"Content-Type": "application/jose+json"})
            answer = self.link.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.link = None
            return None, None, None
        self.nonce = answer.headers.get("Replay-Nonce")
        return answer.status, answer.headers, text

    def get(self, url):
        while True:
            status, _, text = self.exchange("GET", url)
            if status in (200, 204):
                return text
            time.sleep(0.05)

    def post_once(self, url, payload):
        """Whatever comes of it."""
        if self.nonce is None:
            self.get(directory["newNonce"])
        header = {"alg": "ES256", "nonce": self.nonce, "url": url}
        header.update({"kid": self.account} if self.account else {"jwk": account_jwk()})
        self.nonce = None
        return self.exchange("POST", url, as_json(jws(header, payload, sign_es256)))

    def post(self, url, payload, before=None):
        """`before` is called with every try."""
        while True:
            if before:
                before()
            status, headers, text = self.post_once(url, payload)
            if status is not None and status < 300:
                return headers, text
            if status is not None and status < 500 and b"badNonce" not in text:
                sys.exit(f"{url}: {status} {text.decode()}")
            time.sleep(0.02)


def join(client):
    inner = {"alg": "HS256", "kid": key_id, "url": directory["newAccount"]}
    secret = base64.urlsafe_b64decode(mac_key + "=" * (-len(mac_key) % 4))
    binding = jws(inner, as_json(account_jwk()), lambda text: hmac.new(secret, text, hashlib.sha256).digest())
    return client.post(directory["newAccount"], as_json({"externalAccountBinding": binding}))[0]["Location"]


def certificate_request(name):
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(names, False)
    request = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return as_json({"csr": base64url(request.public_bytes(serialization.Encoding.DER))})


def finish(client, order, finalize, csr, tried):
    """The order's address and its certificate."""
    _, text = client.post(finalize, csr, tried)
    while json.loads(text)["status"] == "processing":
        time.sleep(0.2)
        _, text = client.post(order, b"")
    url = json.loads(text)["certificate"]
    return url, client.post(url, b"")[1]


def hold(client, n, lock):
    name, tries = f"unit-{n}.example.com", []

    def tried():
        tries.append(n)
        open(f"sent/{n}", "w").close()
        if len(tries) > 1:
            with lock, open("again", "a") as file:
                print(n, file=file)

    csr = certificate_request(name)
    headers, text = client.post(directory["newOrder"], as_json({"identifiers": [{"type": "dns", "value": name}]}))
    finalize = json.loads(text)["finalize"]
    url, chain = finish(client, headers["Location"], finalize, csr, tried)
    with open(f"got/{n}.part", "wb") as file:
        file.write(chain)
    os.rename(f"got/{n}.part", f"got/{n}.pem")
    return headers["Location"], finalize, csr, url, chain


def work(first, lock, held):
    client = Client(account)
    for n in range(first, count + 1, threads):
        held[n] = hold(client, n, lock)


directory = json.loads(Client().get(directory_url))
account = join(Client())


def at_once(work, *more):
    """By so many threads."""
    running = [threading.Thread(target=work, args=(n + 1, threading.Lock(), *more)) for n in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def main():
    orders = {}
    at_once(work, orders)
    last = Client(account)
    valid = same = 0
    for order, finalize, csr, url, chain in orders.values():
        valid += json.loads(last.post(order, b"")[1])["status"] == "valid"
        same += finish(last, order, finalize, csr, None) == (url, chain)
    print(f"{len(orders)} orders, {valid} valid, {same} same")


if __name__ == "__main__":
    main()
