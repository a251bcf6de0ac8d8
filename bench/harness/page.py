"""The page: the machine, the versions, what was run, and the table."""

import datetime
import os
import platform
import re
import time

from . import process


def first_line(command, pattern=r".+"):
    """Of what a program says about itself; none when it is not there."""
    try:
        said = process.run(command, check=False)
    except OSError:
        return None
    found = re.search(pattern, said)
    return found.group(0).strip() if found else None


def package_version(name):
    return first_line(["dpkg-query", "-W", "-f", "${Version}", name], r"\S+")


class Machine:
    """What the figures were measured on."""

    def __init__(self, bench):
        with open("/proc/cpuinfo") as info:
            cpu = info.read()
        self.cpu = re.search(r"model name\s*: (.*)", cpu).group(1)
        self.family = "family {}, model {}".format(*(re.search(rf"{key}\s*: (\d+)", cpu).group(1) for key in ("cpu family", "model\t")))
        self.ifma = "avx512ifma" in cpu
        self.cores = len(bench.cores.all)
        self.memory_gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
        self.system = next((line.split("=", 1)[1].strip().strip('"') for line in open("/etc/os-release")
                            if line.startswith("PRETTY_NAME=")), platform.system())
        self.kernel = platform.release()
        self.openssl = first_line(["openssl", "version"], r"OpenSSL \S+")
        self.filesystem = first_line(["findmnt", "-n", "-o", "FSTYPE", "-T", bench.work])
        self.sync_us = fdatasync_us(bench.work)
        self.muster = first_line([bench.program("gateway/musterd"), "--version"]) or "muster"
        self.load = os.getloadavg()[0]
        self.versions = {name: version for name, version in (
            ("lmdb", package_version("liblmdb0")), ("libevent", package_version("libevent-core-2.1-7")),
            ("scepserver", package_version("scep")), ("pebble", package_version("pebble"))) if version}
        self.quick = bench.quick

    def lines(self):
        yield f"- CPU: {self.cpu} ({self.family}{', with AVX-512 IFMA, which makes RSA-2048 cheap' if self.ifma else ''}), " \
              f"{self.cores} cores, {self.memory_gib:.0f} GiB of memory"
        yield f"- {self.system}, Linux {self.kernel}, {self.openssl}"
        yield f"- Disk: {self.filesystem}; one write of 4 KiB with fdatasync takes {self.sync_us:.0f} µs in the median"
        yield "- Versions: " + ", ".join(f"{name} {version}" for name, version in self.versions.items())
        yield f"- Load average when it began: {self.load:.1f}"


def fdatasync_us(folder, times=200):
    """Appending a page and waiting for the disk: what no durable commit can be faster than."""
    path = os.path.join(folder, "fdatasync")
    took = []
    fd = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        for _ in range(times):
            begun = time.perf_counter()
            os.write(fd, b"\0" * 4096)
            os.fdatasync(fd)
            took.append(time.perf_counter() - begun)
    finally:
        os.close(fd)
        os.unlink(path)
    return sorted(took)[times // 2] * 1e6


def number(value):
    if value is None:
        return "–"
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}" if abs(value) < 0.01 else f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def with_unit(value, unit):
    return number(value) + (f" {unit}" if unit and value is not None else "")


def target_of(row):
    if row.least is None:
        return ""
    sign = "≤" if row.at_most else "≥"
    return f"{sign} {with_unit(row.least, row.unit)}" + (f" / {number(row.aim)}" if row.aim is not None else "")


def spread_of(row):
    return f"{number(row.low)} – {number(row.high)}" if row.low is not None and row.low != row.high else ""


def line_of(row):
    """For the terminal."""
    return f"{row.measure}: {with_unit(row.value, row.unit)} [{spread_of(row)}] {target_of(row)} {row.verdict} {row.note}".rstrip()


INTRODUCTION = """\
# Benchmarks

Written by `bench/run`; repeat it with that command. Whatever can be a ratio is one, of two things measured in the same minutes
on the same core, for absolute figures say little about another machine. A figure is the median of rounds; what is compared
runs in rounds that alternate. *Spread* is the quartiles of the rounds.

**Cryptography alone ÷ CPU of the daemon** is the part of the daemon's CPU (user and system, all threads: TLS, HTTP, matching,
the durable record) that an enrollment's public-key operations and key derivations, with those of the handshakes that were made,
would take by themselves, timed in the same run on the same core. 1 would be a gateway that costs nothing. Enrollments come from 64 clients, each of whom waits for its answer; every
answer is verified (key, name, serial number), every commit is synced to disk before its answer leaves.

The target is what must be reached at least; behind the slash stands what is aimed at.
"""


def write(path, machine, outcomes):
    with open(path, "w") as out:
        out.write(INTRODUCTION)
        out.write("\n## Machine\n\n" + "\n".join(machine.lines()) + "\n")
        out.write(f"- Measured on {datetime.date.today().isoformat()}\n")
        out.write("\n## Results\n\n| measure | target (at least / aim) | measured | spread | met? | |\n| --- | --- | --- | --- | --- | --- |\n")
        for outcome in outcomes.values():
            for row in outcome.rows:
                cells = (row.measure, target_of(row), with_unit(row.value, row.unit), spread_of(row), row.verdict, row.note)
                out.write("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n")
        remarks = [remark for outcome in outcomes.values() for remark in outcome.remarks]
        if remarks:
            out.write("\n## Remarks\n\n" + "".join(f"- {remark}\n" for remark in remarks))
        out.write("\n## Commands\n\nWhat the cases ran, each for a round; `bench/harness/` has the rest.\n\n```\n")
        for name, outcome in outcomes.items():
            out.writelines(f"{command}\n" for command in outcome.commands)
        out.write("```\n")
