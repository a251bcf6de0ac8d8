#!/usr/bin/env python3
"""Writes docs/conformance.md: which rows of the standards have a test, and whether it passes.

Rows are named in the tests' function names: scep_41_..., est_26_..., csr_94_..., several as csr_84_85_....
  conformance.py BUILD    runs every unit, conformance, fault and simulation test of that build and writes the list
  conformance.py --check  fails when the committed list names a row that no test names, or lacks one that a test names
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(ROOT, "docs", "conformance.md")
STANDARDS = {
    "scep": "SCEP (RFC 8894)",
    "est": "EST (RFC 7030, 8951, 9908)",
    "cmp": "CMP (RFC 9810, 9811, 9483, TS 33.310)",
    "cmp": "CMP (RFC 9810, 9811, 9483, 4211, 9481)",
    "acme": "ACME (RFC 8555, 8737, 8738, 8739, 9444, 9773, 8659, 8657)",
    "csr": "Requests, names and preregistration (RFC 2986, 5280 and this project's rules)",
}
TEST = re.compile(r"\[\s+(OK|FAILED|SKIPPED)\s+\]\s+((scep|est|cmp|acme|csr)_\d[a-z0-9_]*)")
FUNCTION = re.compile(r"static void ((scep|est|cmp|acme|csr)_\d[a-z0-9_]*)\s*\(void \*\*state\)")
NAME = re.compile(r"^(scep|est|cmp|acme|csr)((?:_\d+)+)_(.*)$")


def rows_of(function):
    match = NAME.match(function)
    if not match:
        return None, [], ""
    return match.group(1), [int(n) for n in match.group(2).strip("_").split("_")], match.group(3).replace("_", " ")


def functions():
    for folder, _, files in os.walk(os.path.join(ROOT, "tests")):
        for name in sorted(files):
            if name.endswith(".c"):
                text = open(os.path.join(folder, name), encoding="utf-8").read()
                path = os.path.relpath(os.path.join(folder, name), ROOT)
                for match in FUNCTION.finditer(text):
                    yield path, match.group(1)


def results(build):
    outcome = {}
    programs = os.path.join(build, "tests")
    for name in sorted(os.listdir(programs)):
        path = os.path.join(programs, name)
        if re.match(r"(unit|conformance|fault|simulation)-", name) and os.access(path, os.X_OK) and os.path.isfile(path):
            run = subprocess.run([path], cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=600)
            for result, function, _ in TEST.findall(run.stdout + run.stderr):
                outcome[function] = result
    return outcome


def table():
    rows = {}
    for path, function in functions():
        standard, numbers, words = rows_of(function)
        for number in numbers:
            rows.setdefault((standard, number), []).append((words, path, function))
    return rows


def write(build):
    outcome, rows = results(build), table()
    failed = 0
    lines = ["# Conformance", "",
             "Which rows of the checklists have a test here, by the test's own name; made by `tests/tools/conformance.py build`.",
             "A row is a numbered statement about one standard: what is given, what is expected."]
    for standard, title in STANDARDS.items():
        mine = sorted(number for (name, number) in rows if name == standard)
        lines += ["", f"## {title}", "", f"{len(mine)} rows.", "", "| row | what holds | where | result |", "| --- | --- | --- | --- |"]
        for number in mine:
            for words, path, function in rows[(standard, number)]:
                result = {"OK": "passes", "FAILED": "fails", "SKIPPED": "skipped"}.get(outcome.get(function), "not run")
                failed += result != "passes"
                lines.append(f"| {standard.upper()}-{number} | {words} | `{path}` | {result} |")
    open(PAGE, "w", encoding="utf-8").write("\n".join(lines) + "\n")
    print(f"{len(rows)} rows, {failed} entries that do not pass")
    return 1 if failed else 0


def check():
    listed = set(re.findall(r"^\| ((?:SCEP|EST|CMP|ACME|CSR)-\d+) \|", open(PAGE, encoding="utf-8").read(), re.M))
    tested = {f"{standard.upper()}-{number}" for standard, number in table()}
    for row in sorted(tested - listed):
        print(f"{row} has a test and is not in docs/conformance.md")
    for row in sorted(listed - tested):
        print(f"{row} is in docs/conformance.md and has no test")
    return 1 if tested != listed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(check() if sys.argv[1] == "--check" else write(sys.argv[1]))
