"""Who is asked for enrollments in each round, by whatever client does for both sides, and what that costs him."""

from . import process
from .result import row_of


class Contender:
    """`drive(count)` has `count` enrollments made and raises when one fails; it may give what muster-bench told. Its figure of
    CPU leaves out what comes before its interval; `closely` takes ours instead, of finer ticks."""

    def __init__(self, name, pid, drive, closely=False):
        self.closely = closely
        self.name = name
        self.pid = pid
        self.drive = drive
        self.cpu_us, self.floor_us, self.per_second = [], [], []

    def measure(self, count, keep=True):
        before = process.cpu_seconds(self.pid)
        try:
            told = self.drive(count) or {}
        except RuntimeError as error:
            raise RuntimeError(f"{self.name}: {error}") from error
        cpu_us = (process.cpu_seconds(self.pid) - before) * 1e6 / told.get("good", count)
        if keep:
            self.cpu_us.append(told["cpu_us"] if told.get("cpu_us", 0) > 0 and not self.closely else cpu_us)
            self.floor_us.append(told.get("floor_us", 0))
            self.per_second.append(told.get("per_second", 0))

    def middle(self, values):
        return row_of("", values).value

    @property
    def cpu(self):
        return self.middle(self.cpu_us)

    @property
    def floor(self):
        return self.middle(self.floor_us)

    @property
    def rate(self):
        return self.middle(self.per_second)


def by_tool(bench, pid, arguments, issued=None):
    """muster-bench, 64 clients. It verifies each answer, and all must be good. Where it cannot, `issued()` counts at the
    server, which may lose a few."""
    def drive(count):
        before = issued() if issued else 0
        said = bench.tool(*arguments, "--count", count, "--clients", 8 if bench.quick else 64, "--pid", pid, check=False)
        good = issued() - before if issued else said[-1]["verified"] if said else 0
        if good < (0.9 * count if issued else count):
            raise RuntimeError(f"{good} of {count} answers are certificates: {bench.complaint[-200:]}")
        return {**said[-1], "good": good}
    return drive


def alternate(bench, contenders, count, warm_up=1, rounds=None):
    """Rounds that do not count, for all that is done once; then each in turn."""
    for _ in range(warm_up):
        for contender in contenders:
            contender.measure(count if warm_up > 1 else min(count, 128), keep=False)
    for _ in range(rounds or bench.rounds):
        for contender in contenders:
            contender.measure(count)
