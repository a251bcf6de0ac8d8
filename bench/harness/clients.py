"""Clients for peers that muster-bench does not get on with. They ask ours in the same way."""

import base64
import http.client
import os
import queue
import ssl
import threading

from . import process


class EstClient:
    """simpleenroll with HTTP Basic, base64 in lines, a new TLS connection for each, a few at a time."""

    THREADS = 8

    def __init__(self, bench, port, path, user):
        self.folder = bench.folder(f"est-client-{port}")
        self.cores = bench.cores.client
        self.port = port
        self.path = path
        self.headers = {"Content-Type": "application/pkcs10", "Content-Transfer-Encoding": "base64",
                        "Authorization": "Basic " + base64.b64encode(user.encode()).decode()}
        self.made = 0

    def _csr(self):
        """A key of its own; PEM without its first and last line."""
        said = process.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                            "/dev/null", "-subj", f"/CN=unit-{self.made}.bench.example.com"], folder=self.folder)
        self.made += 1
        return "".join(line + "\n" for line in said.splitlines() if line and not line.startswith("-"))

    def _enroll(self, body, trusting):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=trusting, timeout=60)
        connection.request("POST", self.path, body, self.headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status == 200 and len(base64.b64decode(content)) > 200

    def drive(self, count):
        waiting, good = queue.SimpleQueue(), []
        for _ in range(count):
            waiting.put(self._csr())
        trusting = ssl._create_unverified_context()

        def client():
            while True:
                try:
                    body = waiting.get_nowait()
                except queue.Empty:
                    return
                try:
                    good.append(self._enroll(body, trusting))
                except OSError:
                    good.append(False)

        threads = [threading.Thread(target=client) for _ in range(self.THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if sum(good) != count:
            raise RuntimeError(f"{sum(good)} of {count} answers are certificates")


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
