#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Print circles of files: sets of objects each of which needs all others of its
set, directly or by way of others, as the symbols that nm knows tell.

circles.py OBJ FOLDER...: the objects in folders of OBJ that have a source,
but not those in folders after a dash: one program has run/, another preload/.
"""
import pathlib
import subprocess
import sys


def symbols(path):
    """What an object defines, and what it needs."""
    defined, needed = set(), set()
    lines = subprocess.run(["nm", path], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    for line in lines:
        *_, kind, name = line.split()
        if kind == "U":
            needed.add(name)
        elif kind.isupper():
            defined.add(name)
    return defined, needed


def reachable(graph, start):
    seen, todo = set(), [start]
    while todo:
        for other in graph[todo.pop()] - seen:
            seen.add(other)
            todo.append(other)
    return seen


def main(obj, folders):
    known = {}
    without = [pathlib.Path(f[1:]) for f in folders if f.startswith("-")]
    for folder in folders:
        for path in pathlib.Path(obj, folder).rglob("*.o"):
            name = path.relative_to(obj).with_suffix("")
            if any(folder in name.parents for folder in without):
                continue
            if any(name.with_suffix(end).exists() for end in (".c", ".S")):
                known[str(name)] = symbols(path)
    home = {symbol: name for name, (defined, _) in known.items()
            for symbol in defined}
    graph = {name: {home[s] for s in needed if s in home} - {name}
             for name, (_, needed) in known.items()}
    after = {name: reachable(graph, name) for name in graph}
    circles = {tuple(sorted(other for other in after[name]
                            if name in after[other]))
               for name in graph if name in after[name]}
    for circle in sorted(circles):
        print(*circle)
    if not known:
        sys.exit(f"circles.py: no objects in {obj}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
