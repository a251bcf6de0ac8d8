"""A client for a peer that muster-bench does not get on with. It asks ours in the same way."""

import os

from . import process


class CmpClient:
    """`openssl cmp -cmd ir`, again and again, under a password."""

    def __init__(self, bench, port, path, reference, name="unit-0.bench.example.com"):
        self.folder = bench.folder(f"cmp-client-{port}")
        self.cores = bench.cores.client
        self.key = os.path.join(self.folder, "device.key")
        process.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.key])
        self.command = ["openssl", "cmp", "-cmd", "ir", "-server", f"127.0.0.1:{port}", "-path", path, "-ref", reference, "-secret",
                        "pass:bench-secret", "-mac", "hmacWithSHA256", "-newkey", self.key, "-subject", f"/CN={name}", "-sans", name,
                        "-certout", "device.pem", "-implicit_confirm", "-verbosity", "3"]

    def drive(self, count):
        process.run(process.on_cores(self.cores, [*self.command, "-repeat", count]), folder=self.folder)
        if not os.path.exists(os.path.join(self.folder, "device.pem")):
            raise RuntimeError("no certificate came")
