#!/usr/bin/env python3
"""SCEP messages with every oddity that real clients show (RFC 8894), made and read without any of our own code: DER by hand,
cryptography by the openssl program.

    pkimessage.py csr     --key K --cn NAME [--challenge TEXT] ...          a PKCS#10, DER
    pkimessage.py signer  --key K --cn NAME [--serial-octets N] [--v1] ...  a self-signed certificate, DER
    pkimessage.py poll    --issuer DER --subject NAME                       IssuerAndSubject of a CertPoll, DER
    pkimessage.py make    --key K --signer CERT --content DER --ra PEM ...  a pkiMessage, DER
    pkimessage.py open    --key K --signer CERT --ra PEM --out PEM REPLY    prints name=value lines, writes the certificate

Files in are DER unless PEM is said; what is made goes to standard output."""
import argparse
import datetime
import os
import subprocess
import sys
import tempfile

# --- DER ---

INTEGER, OCTETS, NULL, OID, UTF8, SEQUENCE, SET, PRINTABLE, T61, IA5, UTC_TIME, GENERAL_TIME = (
    0x02, 0x04, 0x05, 0x06, 0x0c, 0x30, 0x31, 0x13, 0x14, 0x16, 0x17, 0x18)
STRINGS = {"printable": PRINTABLE, "utf8": UTF8, "ia5": IA5, "t61": T61}


def tlv(tag, *parts):
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def oid(dotted):
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    out = bytes([first * 40 + second])
    for arc in rest:
        octets = [arc & 0x7f]
        while arc := arc >> 7:
            octets.insert(0, 0x80 | arc & 0x7f)
        out += bytes(octets)
    return tlv(OID, out)


def algorithm(dotted, parameters=tlv(NULL)):
    return tlv(SEQUENCE, oid(dotted), parameters)


def integer(value, octets=None):
    return tlv(INTEGER, value.to_bytes(octets or value.bit_length() // 8 + 1, "big"))


def read(data, at=0):
    """(tag, content, end of the element)"""
    tag, length, at = data[at], data[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7f
        length, at = int.from_bytes(data[at:at + size], "big"), at + size
    return tag, data[at:at + length], at + length


def children(content):
    """[(tag, content, whole element)]"""
    out, at = [], 0
    while at < len(content):
        tag, inner, end = read(content, at)
        out.append((tag, inner, content[at:end]))
        at = end
    return out


def inside(element, *path):
    """The content found by going down: inside(der, 1, 0) is the first child of the second child."""
    content = read(element)[1]
    for step in path:
        content = children(content)[step][1]
    return content


# --- what the openssl program does ---

def openssl(*arguments, data=b"", may_fail=False):
    run = subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=False)
    if run.returncode and not may_fail:
        sys.exit("openssl %s: %s" % (arguments[0], run.stderr.decode()))
    return run.stdout if run.returncode == 0 else None


def sign(key, digest, data):
    return openssl("dgst", "-" + digest, "-sign", key, data=data)


def spki(key):
    return openssl("pkey", "-in", key, "-pubout", "-outform", "DER")


def is_rsa(key):
    return oid("1.2.840.113549.1.1.1") in spki(key)[:40]


DIGEST = {"md5": "1.2.840.113549.2.5", "sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1",
          "sha384": "2.16.840.1.101.3.4.2.2", "sha512": "2.16.840.1.101.3.4.2.3"}


def signature_algorithm(key):
    return algorithm("1.2.840.113549.1.1.11") if is_rsa(key) else tlv(SEQUENCE, oid("1.2.840.10045.4.3.2"))


# --- names, requests, certificates ---

def name(cn, string=UTF8):
    return tlv(SEQUENCE, tlv(SET, tlv(SEQUENCE, oid("2.5.4.3"), tlv(string, cn.encode()))))


def csr(a):
    """Attributes stand in the order challengePassword, extensionRequest, friendlyName, unsorted unless --sorted: DER wants a SET OF
    in order, strongSwan does not care."""
    attributes = []
    if a.challenge:
        attributes.append(tlv(SEQUENCE, oid("1.2.840.113549.1.9.7"), tlv(SET, tlv(STRINGS[a.string], a.challenge.encode()))))
    san = tlv(SEQUENCE, tlv(0x82, (a.san or a.cn).encode()))
    extension = tlv(SEQUENCE, oid("2.5.29.17"), tlv(OCTETS, san))
    attributes.append(tlv(SEQUENCE, oid("1.2.840.113549.1.9.14"), tlv(SET, tlv(SEQUENCE, extension))))
    if a.friendly_name:
        attributes.append(tlv(SEQUENCE, oid("1.2.840.113549.1.9.20"), tlv(SET, tlv(0x1e, a.friendly_name.encode("utf-16-be")))))
    attributes.sort(reverse=not a.sorted)
    info = tlv(SEQUENCE, integer(0), name(a.cn), spki(a.key), tlv(0xa0, *attributes))
    return tlv(SEQUENCE, info, signature_algorithm(a.key), tlv(0x03, b"\0", sign(a.key, "sha256", info)))


def time(moment):
    if moment.year < 2050:
        return tlv(UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())
    return tlv(GENERAL_TIME, moment.strftime("%Y%m%d%H%M%SZ").encode())


def signer(a):
    now = datetime.datetime.now(datetime.timezone.utc)
    serial = tlv(INTEGER, b"\x5a" + os.urandom(a.serial_octets - 1))
    version = b"" if a.v1 else tlv(0xa0, integer(2))
    validity = tlv(SEQUENCE, time(now - datetime.timedelta(minutes=1)), time(now + datetime.timedelta(days=a.days)))
    tbs = tlv(SEQUENCE, version, serial, signature_algorithm(a.key), name(a.cn), validity, name(a.cn), spki(a.key))
    return tlv(SEQUENCE, tbs, signature_algorithm(a.key), tlv(0x03, b"\0", sign(a.key, "sha256", tbs)))


def tbs_of(certificate):
    fields = children(inside(certificate, 0))
    return fields[1:] if fields[0][0] == 0xa0 else fields


def issuer_and_serial(certificate):
    serial, _, issuer = (field[2] for field in tbs_of(certificate)[:3])
    return tlv(SEQUENCE, issuer, serial)


def poll(a):
    issuer = tbs_of(open(a.issuer, "rb").read())[4][2]
    return tlv(SEQUENCE, issuer, name(a.subject))


# --- pkiMessage ---

ARC = "2.16.840.1.113733.1.9."
ATTRIBUTES = {oid(ARC + "2"): "messageType", oid(ARC + "3"): "pkiStatus", oid(ARC + "4"): "failInfo", oid(ARC + "5"): "senderNonce",
              oid(ARC + "6"): "recipientNonce", oid(ARC + "7"): "transactionID", oid("1.3.6.1.5.5.7.24.1"): "failInfoText"}


def attribute(dotted, value):
    return tlv(SEQUENCE, oid(dotted), tlv(SET, value))


def envelop(a, content):
    der = openssl("cms", "-encrypt", "-binary", "-outform", "DER", "-" + a.cipher, a.ra, data=content)
    if not a.constructed:
        return der
    # encryptedContent as a constructed [0] of pieces, as scepclient sends it
    fields = [element for _, _, element in children(inside(der, 1, 0))]
    content_type, cipher, encrypted = children(read(fields[2])[1])
    pieces = [tlv(OCTETS, encrypted[1][i:i + 512]) for i in range(0, len(encrypted[1]), 512)]
    fields[2] = tlv(SEQUENCE, content_type[2], cipher[2], tlv(0xa0, *pieces))
    return tlv(SEQUENCE, children(read(der)[1])[0][2], tlv(0xa0, tlv(SEQUENCE, *fields)))


def make(a):
    content = open(a.content, "rb").read()
    content = content if a.clear else envelop(a, content)
    certificate = open(a.signer, "rb").read()
    parameters = b"" if a.no_parameters else tlv(NULL)
    digest = algorithm(DIGEST[a.digest], parameters)
    signed = [attribute("1.2.840.113549.1.9.3", oid("1.2.840.113549.1.7.1")),
              attribute("1.2.840.113549.1.9.4", tlv(OCTETS, openssl("dgst", "-" + a.digest, "-binary", data=content))),
              attribute("1.2.840.113549.1.9.5", time(datetime.datetime.now(datetime.timezone.utc))),
              attribute(ARC + "7", tlv(STRINGS[a.string], a.id.encode()))]
    if a.type:
        signed.append(attribute(ARC + "2", tlv(PRINTABLE, a.type.encode())))
    if a.nonce:
        signed.append(attribute(ARC + "5", tlv(OCTETS, bytes.fromhex(a.nonce))))
    signed.sort()
    algorithm_of_key = algorithm("1.2.840.113549.1.1.1", parameters) if is_rsa(a.key) else signature_algorithm(a.key)
    info = tlv(SEQUENCE, integer(1), issuer_and_serial(certificate), digest, tlv(0xa0, *signed), algorithm_of_key,
               tlv(OCTETS, sign(a.key, a.digest, tlv(SET, *signed))))
    inner = tlv(SEQUENCE, oid("1.2.840.113549.1.7.1"), tlv(0xa0, tlv(OCTETS, content)))
    return tlv(SEQUENCE, oid("1.2.840.113549.1.7.2"),
               tlv(0xa0, tlv(SEQUENCE, integer(1), tlv(SET, digest), inner, tlv(0xa0, certificate), tlv(SET, info))))


# --- CertRep ---

def show_attributes(signer_info):
    for tag, content, _ in children(signer_info):
        if tag != 0xa0:
            continue
        for _, pair, _ in children(content):
            (_, _, kind), (_, values, _) = children(pair)
            if kind in ATTRIBUTES:
                tag, value, _ = read(values)[0], read(values)[1], None
                label = {OCTETS: "octets", PRINTABLE: "printable", UTF8: "utf8"}.get(tag, hex(tag))
                print("%s=%s\n%s.string=%s" % (ATTRIBUTES[kind], value.hex() if tag == OCTETS else value.decode(),
                                              ATTRIBUTES[kind], label))


def decrypt(a, enveloped):
    recipient = children(inside(enveloped, 1, 0, 1))[0][0]
    print("recipient=%s" % {SEQUENCE: "key-transport", 0xa3: "password"}.get(recipient, hex(recipient)))
    print("cipher=%s" % inside(enveloped, 1, 0, 2, 1, 0).hex())
    how = ["-pwri_password", a.password] if recipient == 0xa3 else ["-inkey", a.key]
    return openssl("cms", "-decrypt", "-binary", "-inform", "DER", *how, data=enveloped)


def show(a):
    reply = open(a.reply, "rb").read()
    with tempfile.NamedTemporaryFile() as content_file:
        signed = children(inside(reply, 1, 0))
        verified = openssl("cms", "-verify", "-binary", "-inform", "DER", "-noverify", "-nointern", "-certfile", a.ra,
                           "-out", content_file.name, data=reply, may_fail=True) is not None
        print("verified=%s" % ("yes" if verified else "no"))
        content = content_file.read()
    inner = children(signed[2][1])
    print("content=%s" % ("absent" if len(inner) == 1 else "empty" if not content else "present"))
    print("certificates=%d" % (len(children(signed[3][1])) if signed[3][0] == 0xa0 else 0))
    signer_info = children(signed[-1][1])[0][1]
    print("digest=%s" % next((n for n, d in DIGEST.items() if oid(d) == children(children(signer_info)[2][1])[0][2]), "?"))
    show_attributes(signer_info)
    if content:
        bag = decrypt(a, content)
        listed = children(children(inside(bag, 1, 0))[3][1])
        print("issued=%d" % len(listed))
        if a.out:
            open(a.out, "wb").write(openssl("x509", "-inform", "DER", data=listed[0][2]))


def main():
    p = argparse.ArgumentParser()
    sub = p.add_subparsers(dest="command", required=True)
    c = sub.add_parser("csr")
    c.add_argument("--key", required=True)
    c.add_argument("--cn", required=True)
    c.add_argument("--challenge")
    c.add_argument("--string", choices=STRINGS, default="printable")
    c.add_argument("--san")
    c.add_argument("--friendly-name")
    c.add_argument("--sorted", action="store_true")
    c = sub.add_parser("signer")
    c.add_argument("--key", required=True)
    c.add_argument("--cn", required=True)
    c.add_argument("--serial-octets", type=int, default=16)
    c.add_argument("--days", type=int, default=6)
    c.add_argument("--v1", action="store_true")
    c = sub.add_parser("poll")
    c.add_argument("--issuer", required=True)
    c.add_argument("--subject", required=True)
    c = sub.add_parser("make")
    for option in ("--key", "--signer", "--content", "--ra", "--id"):
        c.add_argument(option, required=True)
    c.add_argument("--type", default="19")
    c.add_argument("--string", choices=STRINGS, default="printable")
    c.add_argument("--nonce", default=os.urandom(16).hex())
    c.add_argument("--cipher", default="aes-128-cbc")
    c.add_argument("--digest", choices=DIGEST, default="sha256")
    c.add_argument("--constructed", action="store_true")
    c.add_argument("--no-parameters", action="store_true")
    c.add_argument("--clear", action="store_true")
    c = sub.add_parser("open")
    c.add_argument("--key")
    c.add_argument("--password")
    c.add_argument("--ra", required=True)
    c.add_argument("--out")
    c.add_argument("reply")
    a = p.parse_args()
    if a.command == "open":
        show(a)
    else:
        sys.stdout.buffer.write({"csr": csr, "signer": signer, "poll": poll, "make": make}[a.command](a))


main()
