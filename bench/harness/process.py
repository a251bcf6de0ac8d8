"""Processes that a case starts, on cores of its choice, and the CPU time that they use."""

import os
import socket
import ssl
import subprocess
import time
import urllib.request


class Cores:
    """Servers run on the first core that we may use, clients on the others; with one core, all on it."""

    def __init__(self):
        self.all = sorted(os.sched_getaffinity(0))
        self.server = self.all[:1]
        self.client = self.all[1:] or self.all


def on_cores(cores, command):
    return ["taskset", "-c", ",".join(map(str, cores)), *map(str, command)]


def free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def cpu_seconds(pid):
    """User and system time of a process with all its threads, ended ones too (the clock of clock_getcpuclockid)."""
    return time.clock_gettime((~pid << 3) | 2)


def memory_kib(pid, field="Rss"):
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        for line in rollup:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise RuntimeError(f"the memory of process {pid} cannot be seen")


class Server:
    """One that runs until stop(). `ready` is an address that answers once it is up, or a port, or what its log then says (for one
    that a connection without a request confuses)."""

    def __init__(self, command, ready, folder, log, cores, environment=None, patience=60):
        self.log = os.path.join(folder, log)
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                on_cores(cores, command), cwd=folder, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                env={**os.environ, **(environment or {})})
        self.pid = self.process.pid  # taskset becomes the command: the same process
        self.started_s = self._wait(ready, patience)

    def _wait(self, ready, patience):
        begun = time.monotonic()
        while not (self._says(ready) if isinstance(ready, bytes) else answers(ready)):
            if self.process.poll() is not None or time.monotonic() - begun > patience:
                self.stop()
                with open(self.log, errors="replace") as log:
                    raise RuntimeError(f"{self.process.args[3]} does not start: {log.read()[-600:]}")
            time.sleep(0.002)
        return time.monotonic() - begun

    def _says(self, text):
        with open(self.log, "rb") as log:
            return text in log.read()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def answers(ready):
    """Whether a port takes connections, or an address answers with anything but a failure of the server."""
    if isinstance(ready, int):
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", ready)) == 0
    try:
        trusting = ssl._create_unverified_context()
        with urllib.request.urlopen(ready, timeout=5, context=trusting) as response:
            return response.status < 500
    except OSError:
        return False


def run_both(command, folder=None, environment=None, check=True, timeout=3600):
    """What it says, and what it complains of. A failure shows the latter."""
    done = subprocess.run([str(word) for word in command], cwd=folder, capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL)
    complaint = " ".join((done.stderr or done.stdout).split())
    if check and done.returncode != 0:
        program = next(os.path.basename(str(word)) for word in command[3 if command[0] == "taskset" else 0:])
        raise RuntimeError(f"{program}: status {done.returncode}: {complaint[-250:]}")
    return done.stdout, complaint


def run(command, **more):
    return run_both(command, **more)[0]
