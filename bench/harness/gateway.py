"""A gateway in a folder of its own: made by `muster init`, configured for measuring, started on cores of a case's choice."""

import os

from . import process

CONFIGURATION = """\
registry: {{ path: registry, map_max: {map_max} }}
workers: {workers}
loops: {loops}
log: {{ format: text, level: {log_level} }}
limits: {{ connections: 30000, per_address: 30000{limits} }}
listeners:
  - {{ name: plain, address: 127.0.0.1, port: {plain}, role: devices, base_url: "http://127.0.0.1:{plain}" }}
  - name: tls
    address: 127.0.0.1
    port: {secure}
    role: devices
    base_url: https://127.0.0.1:{secure}
    tls: {{ certificate: tls.pem, key: tls, client_certificate: optional }}
  - name: administration
    address: 127.0.0.1
    port: {admin}
    role: administration
    base_url: https://127.0.0.1:{admin}
    tls: {{ certificate: tls.pem, key: tls, client_certificate: required }}
keys:
  - {{ name: ca, uri: keys/ca.pem }}
  - {{ name: tls, uri: keys/tls.pem }}
  - {{ name: scep-ra, uri: keys/scep-ra.pem }}
  - {{ name: cmp-ra, uri: keys/cmp-ra.pem }}
secrets_keys: [{{ id: k1, file: keys/secrets.key }}]
cas:
  - {{ name: demo, kind: local, chain: [ca.pem], key: ca, crl: {{ url: ["http://127.0.0.1:{plain}/crl/demo.crl"], validity: 7d, refresh: 1d }} }}
profiles:
  - {{ name: device, validity: 365d, key_usage: [digital_signature, key_encipherment], extended_key_usage: [client_auth] }}
domains: [{{ name: devices }}]
scep_ras: [{{ name: scep-ra, key: scep-ra, certificate: scep-ra.pem }}]
cmp_ras: [{{ name: cmp-ra, key: cmp-ra, certificate: cmp-ra.pem }}]
procedures:
  - {{ name: demo, domain: devices, ca: demo, profile: device, protocols: [scep, est, cmp], scep: {{ ra: scep-ra }}, cmp: {{ ra: cmp-ra }}, est: {{ basic: true, client_certificate: true }} }}
  - {{ name: bound, domain: devices, ca: demo, profile: device, protocols: [acme], acme: {{ accounts_max: 10000, orders_max: 10000 }} }}
default_procedure: demo
"""

NAMES = "unit-*.bench.example.com"


class Gateway:
    """`limits` is more of the configuration's limits, as "head_time: 2s"."""

    def __init__(self, bench, name, workers=1, loops=1, limits="", cores=None, map_max="64GiB", log_level="info"):
        self.bench = bench
        self.cores = cores or bench.cores.server
        self.folder = bench.folder(name)
        self.plain, self.secure, self.admin = process.free_ports(3)
        self.http = f"http://127.0.0.1:{self.plain}"
        self.https = f"https://127.0.0.1:{self.secure}"
        self.server = None
        process.run([bench.program("cli/muster"), "init", "--dir", self.folder, "--domain", "devices", "--procedure", "demo",
                     "--ca-name", "demo", "--http-port", self.plain, "--tls-port", self.secure, "--admin-port", self.admin])
        self.trust = os.path.join(self.folder, "ca.pem")
        self.configuration = os.path.join(self.folder, "muster.yaml")
        with open(self.configuration, "w") as out:
            out.write(CONFIGURATION.format(workers=workers, loops=loops, plain=self.plain, secure=self.secure, admin=self.admin,
                                           map_max=map_max, log_level=log_level, limits=", " + limits if limits else ""))

    def start(self):
        """How long that took, in seconds, until it answers."""
        self.server = process.Server([self.bench.program("gateway/musterd"), "--config", self.configuration],
                                     f"{self.http}/ca/demo.cer", self.folder, "musterd.log", self.cores)
        return self.server.started_s

    def stop(self):
        if self.server is not None:
            self.server.stop()
            self.server = None

    def muster(self, *arguments):
        return process.run([self.bench.program("cli/muster"), *arguments],
                           environment={"MUSTER_CONFIG": self.configuration})

    def register(self, order):
        """One registration for all names of the load, with its default secret."""
        self.muster("register", NAMES, "--procedure", "demo", "--order", order, "--password", "bench-secret")

    def bind_account(self):
        """A pre-authorised registration of ACME; its HMAC key."""
        said = self.muster("register", "bench-site", "--procedure", "bound", "--order", "acme", "--allowed-domains",
                           "bench.example.com", "--pre-authorised")
        return next(line.split(": ", 1)[1] for line in said.splitlines() if line.startswith("HMAC key: "))

    @property
    def pid(self):
        return self.server.pid

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
