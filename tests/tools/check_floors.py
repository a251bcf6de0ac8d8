#!/usr/bin/env python3
"""Fails when an #include points up or sideways between the floors of the house.

The floors are those of docs/architecture.md. A room may include itself and rooms of lower floors; a protocol's folder is a
room of its own. Public headers of a room are all but *_internal.h, which nobody else may include.
"""
import os
import re
import sys

FLOORS = [
    ["lib/base"],
    ["lib/keys"],
    ["lib/http", "lib/pki", "lib/jose", "lib/cbor", "lib/dns"],
    ["lib/net"],
    ["model"],
    ["registry", "ca"],
    ["jobs"],
    ["enroll", "officer"],
    ["proto/scep", "proto/est", "proto/cmp", "proto/acme", "admin"],
    ["config"],
    ["gateway", "cli", "bench"],
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def room_of(path):
    folder = os.path.dirname(path)
    return folder if folder in FLOOR else None


def sources(root):
    for folder, inner, files in os.walk(root):
        inner[:] = sorted(name for name in inner if not re.match(r"build|var$|tests$|\.", name))
        for name in sorted(files):
            if name.endswith((".c", ".h")):
                yield os.path.relpath(os.path.join(folder, name), root)


def faults(root):
    found = []
    for path in sources(root):
        room = room_of(path)
        if room is None:
            found.append(f"{path}: stands in no room")
            continue
        text = open(os.path.join(root, path), encoding="utf-8").read()
        for included in INCLUDE.findall(text):
            target = room_of(included)
            if target is None:
                found.append(f"{path}: includes \"{included}\", which is not written from the root or is in no room")
            elif target != room and FLOOR[target] >= FLOOR[room]:
                found.append(f"{path}: includes \"{included}\" ({'up' if FLOOR[target] > FLOOR[room] else 'sideways'})")
            elif target != room and included.endswith("_internal.h"):
                found.append(f"{path}: includes \"{included}\", which is private to {target}")
    return found


def main():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    found = faults(sys.argv[1] if len(sys.argv) > 1 else root)
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
