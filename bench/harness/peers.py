"""Other servers of the same protocols, where they are installed: each on the same core as ours, asked by the same client."""

import json
import os
import shutil

from . import process
from .clients import CmpClient
from .contender import Contender, by_tool


class Peer:
    """`drive` as of a Contender; `remark` says how it differs from ours. `judged`: it does what ours does, so that ours must
    be faster."""

    def __init__(self, name, server, drive, remark, judged=True):
        self.judged = judged
        self.name = name
        self.server = server
        self.contender = Contender(name, server.pid, drive)
        self.remark = remark

    def stop(self):
        self.server.stop()


def scepserver(bench):
    """The server of Debian's package scep: Go, RSA CA that is its own RA, records in a file database."""
    if shutil.which("scepserver") is None:
        return None
    folder = bench.folder("scepserver")
    (port,) = process.free_ports(1)
    process.run(["scepserver", "ca", "-init", "-depot", "depot", "-keySize", "2048", "-key-password", "bench"], folder=folder)
    server = process.Server(["scepserver", "-depot", "depot", "-capass", "bench", "-port", port, "-challenge", "bench-secret",
                             "-allowrenew", "0"], port, folder, "scepserver.log", bench.cores.server,
                            environment={"GOMAXPROCS": "1"})
    depot = os.path.join(folder, "depot")
    return Peer("scepserver", server,
                by_tool(bench, server.pid, ["scep", "--target", f"http://127.0.0.1:{port}/scep", "--pool", scep_pool(bench)],
                        issued=lambda: sum(name.endswith(".pem") for name in os.listdir(depot)) - 1),
                "one challenge for all devices, no registrations; its CA key is RSA-2048, ours P-256. Two of its answers may have the "
                "same serial number, which the client does not count: counted is what it issued")


def scep_pool(bench):
    """RSA keys of devices: they take long to make."""
    return 4 if bench.quick else 32


def estserver(bench):
    """The example server of libest."""
    if shutil.which("estserver") is None:
        return None
    folder = bench.folder("estserver")
    (port,) = process.free_ports(1)
    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
    process.run(["openssl", "req", "-x509", *ec, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=estserver CA"], folder=folder)
    process.run(["openssl", "req", "-x509", *ec, "-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "tls.key", "-out", "tls.pem",
                 "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-addext",
                 "basicConstraints=critical,CA:FALSE"], folder=folder)
    for name, content in (("index.txt", ""), ("serial", "01\n"), ("index.txt.attr", "unique_subject = no\n"),
                          ("estExampleCA.cnf", ESTSERVER_CA)):
        with open(os.path.join(folder, name), "w") as out:
            out.write(content)
    os.makedirs(os.path.join(folder, "new"))
    server = process.Server(["estserver", "-c", "tls.pem", "-k", "tls.key", "-r", "bench", "-p", port], port, folder,
                            "estserver.log", bench.cores.server,
                            environment={"EST_TRUSTED_CERTS": "ca.pem", "EST_CACERTS_RESP": "ca.pem",
                                         "EST_OPENSSL_CACONFIG": "estExampleCA.cnf"})
    return Peer("estserver (libest)", server,
                by_tool(bench, server.pid, ["est", "--target", f"https://127.0.0.1:{port}/.well-known/est/simpleenroll", "--trust",
                                            os.path.join(folder, "ca.pem"), "--user", "estuser:estpwd", "--new"]),
                "one user for all devices, a CA in the same process; a connection for each")


ESTSERVER_CA = """\
[ ca ]
default_ca = all
[ all ]
dir = .
certs = .
database = index.txt
new_certs_dir = new
certificate = ca.pem
private_key = ca.key
serial = serial
default_md = sha256
default_days = 365
unique_subject = no
policy = any
copy_extensions = copy
x509_extensions = device
[ any ]
countryName = optional
organizationName = optional
commonName = supplied
[ device ]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
"""


def pebble(bench):
    """The test CA of ACME's client developers: Go, all in memory."""
    if shutil.which("pebble") is None:
        return None
    folder = bench.folder("pebble")
    port, control, unused_http, unused_tls = process.free_ports(4)
    process.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                 "-keyout", "tls.key", "-out", "tls.pem", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
                folder=folder)
    with open(os.path.join(folder, "pebble.json"), "w") as out:
        json.dump({"pebble": {"listenAddress": f"127.0.0.1:{port}", "managementListenAddress": f"127.0.0.1:{control}",
                              "certificate": "tls.pem", "privateKey": "tls.key", "httpPort": unused_http,
                              "tlsPort": unused_tls}}, out)
    server = process.Server(["pebble", "-config", "pebble.json"], f"https://127.0.0.1:{port}/dir", folder, "pebble.log",
                            bench.cores.server,
                            environment={"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_VA_ALWAYS_VALID": "1",
                                         "GOMAXPROCS": "1"})
    return Peer("pebble", server, by_tool(bench, server.pid, ["acme", "--target", f"https://127.0.0.1:{port}/dir"]),
                "keeps all in memory; each order has an authorization and a challenge more, which it takes without looking")


def openssl_cmp(bench):
    """`openssl cmp -port`: the mock CA of OpenSSL, which answers each request with one and the same certificate."""
    folder = bench.folder("openssl-cmp")
    (port,) = process.free_ports(1)
    client = CmpClient(bench, port, "pkix/", "bench")
    made = ["openssl", "req", "-x509", "-nodes", "-days", "30"]
    process.run([*made, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", "server.key", "-out", "server.pem", "-subj",
                 "/CN=server"], folder=folder)
    process.run([*made, "-key", client.key, "-out", "issued.pem", "-subj", "/CN=device"], folder=folder)
    server = process.Server(["openssl", "cmp", "-port", port, "-srv_ref", "bench", "-srv_secret", "pass:bench-secret",
                             "-srv_cert", "server.pem", "-srv_key", "server.key", "-rsp_cert", "issued.pem", "-grant_implicitconf",
                             "-mac", "hmacWithSHA256"], b"ACCEPT ", folder, "cmp.log", bench.cores.server)
    return Peer("openssl cmp -port", server, client.drive,
                "a mock: it makes no certificate (each answer is the same one) and keeps nothing; one client of OpenSSL, "
                "implicit confirmation, for both", judged=False)
