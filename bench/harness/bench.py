"""What every case is given: where the programs are, how long to measure, and muster-bench."""

import json
import os
import re
import shlex
import shutil
import tempfile

from . import process
from .result import Outcome


class Bench:
    def __init__(self, build, directory, quick, rounds=None):
        self.build = os.path.abspath(build)
        self.quick = quick
        self.rounds = rounds or (2 if quick else 7)
        self.cores = process.Cores()
        self.work = tempfile.mkdtemp(prefix="muster-bench-", dir=directory)
        self.outcome = Outcome()
        self.complaint = ""  # of the last tool, on standard error

    def program(self, name):
        return os.path.join(self.build, name)

    def folder(self, name):
        path = os.path.join(self.work, name)
        os.makedirs(path)
        return path

    def begin_case(self):
        self.outcome = Outcome()

    def end_case(self):
        """What the case left on disk goes: the next one may need the room."""
        for name in os.listdir(self.work):
            shutil.rmtree(os.path.join(self.work, name), ignore_errors=True)

    def close(self):
        shutil.rmtree(self.work, ignore_errors=True)

    def say(self, *arguments, cores=None, check=True):
        """muster-bench; what it says and complains of. One command of a kind is kept for the page."""
        command = ["muster-bench", *map(str, arguments)]
        if not any(kept.split()[:2] == command[:2] for kept in self.outcome.commands):
            self.outcome.commands.append(self.readable(command))
        return process.run_both(process.on_cores(cores or self.cores.client, [self.program("bench/muster-bench"), *arguments]),
                                check=check)

    def tool(self, *arguments, cores=None, check=True):
        """The same with --json: its lines."""
        said, self.complaint = self.say(*arguments, "--json", cores=cores, check=check)
        return [json.loads(line) for line in said.splitlines() if line.startswith(("{", "["))]

    def readable(self, command):
        """Without what is of this run alone: ports, process ids, folders, keys."""
        words = iter(command)
        kept = []
        for word in words:
            if word in ("--pid", "--hmac", "--directory"):
                kept += [word, word[2:].upper()]
                next(words, None)
            elif word != "--json":
                kept.append(re.sub(r"(127\.0\.0\.1):\d+", r"\1:PORT", word.replace(self.work + "/", "")))
        return shlex.join(kept)

    def add(self, *rows):
        self.outcome.rows.extend(rows)

    def remark(self, text):
        self.outcome.remarks.append(text)
