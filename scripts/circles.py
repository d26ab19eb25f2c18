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


def symbols(paths):
    """What each object defines, and what it needs."""
    found = {path: (set(), set()) for path in paths}
    lines = subprocess.run(["nm", "-A", *paths], check=True, text=True,
                           capture_output=True).stdout.splitlines()
    for line in lines:
        path, rest = line.split(":", 1)
        *_, kind, name = rest.split()
        defined, needed = found[path]
        if kind == "U":
            needed.add(name)
        elif kind.isupper():
            defined.add(name)
    return found


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
                known[str(path)] = str(name)
    if not known:
        sys.exit(f"circles.py: no objects in {obj}")
    known = {known[path]: both for path, both in symbols(list(known)).items()}
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


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
