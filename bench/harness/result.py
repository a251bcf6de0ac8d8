"""What a case gives: rows of the table, each with its targets; and how rounds become one."""

from dataclasses import dataclass, field
from statistics import median, quantiles


@dataclass
class Row:
    measure: str
    value: float | None  # None: could not be measured; `note` says why
    low: float | None = None
    high: float | None = None
    least: float | None = None  # the target, and what is aimed at beyond it
    aim: float | None = None
    at_most: bool = False  # smaller is better
    unit: str = ""
    note: str = ""
    optional: bool = False  # a peer that may be absent

    def meets(self, target):
        return self.value is not None and (self.value <= target if self.at_most else self.value >= target)

    @property
    def verdict(self):
        if self.value is None:
            return "not measured"
        if self.least is None:
            return ""
        if not self.meets(self.least):
            return "**missed**"
        return "met, aim too" if self.aim is not None and self.meets(self.aim) else "met"


@dataclass
class Outcome:
    """Of one case: rows, commands as they were run (the first time), and what else there is to say."""
    rows: list[Row] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def spread(values):
    """Median and quartiles."""
    values = sorted(values)
    if len(values) < 2:
        return (values[0],) * 3
    low, _, high = quantiles(values, n=4, method="inclusive")
    return median(values), low, high


def row_of(measure, values, **more):
    value, low, high = spread(values)
    return Row(measure, value, low, high, **more)


def row_of_tool(measure, figure, **more):
    """From a {"median", "low", "high"} of muster-bench."""
    return Row(measure, figure["median"], figure["low"], figure["high"], **more)


def ratios(above, below):
    """Round by round."""
    return [a / b for a, b in zip(above, below)]
