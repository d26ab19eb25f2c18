#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Make an OCI image layout of random layers, and list what it must unpack to.

usage: mkoci.py SEED LAYOUT LIST

A model, a dictionary of paths, has each layer applied as the image
specification tells.  LIST gets a line for each path: type, permissions, owner,
and size or target.  Layers are gzip'd or not, in turn.
"""
import gzip
import hashlib
import io
import json
import os
import random
import sys
import tarfile


class Model:
    """The tree, by path without a slash at its start."""

    def __init__(self):
        self.files = {"": ("d", 0o755, 0, 0, "")}

    def remove(self, path, itself=True):
        for p in list(self.files):
            if (itself and p == path) or p.startswith(path + "/" if path else ""):
                if p:
                    del self.files[p]

    def put(self, path, what):
        old = self.files.get(path)
        if old and not (old[0] == "d" and what[0] == "d"):
            self.remove(path)
        self.files[path] = what

    def dirs(self):
        return sorted(p for p, w in self.files.items() if w[0] == "d")


class Layer:
    def __init__(self, rng):
        self.rng = rng
        self.buf = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.buf, mode="w", format=tarfile.PAX_FORMAT)

    def add(self, path, what):
        kind, mode, uid, gid, more = what
        info = tarfile.TarInfo(("./" if self.rng.random() < 0.3 else "") + path)
        info.mode, info.uid, info.gid = mode, uid, gid
        info.mtime = self.rng.randrange(10**9)
        if kind == "d":
            info.type = tarfile.DIRTYPE
            self.tar.addfile(info)
        elif kind == "l":
            info.type, info.linkname = tarfile.SYMTYPE, more
            self.tar.addfile(info)
        else:
            info.size = int(more)
            self.tar.addfile(info, io.BytesIO(self.rng.randbytes(info.size)))

    def marker(self, path):
        self.tar.addfile(tarfile.TarInfo(path))


def random_layer(rng, model):
    """Entries and markers in any order that has directories before their content."""
    layer = Layer(rng)
    before = dict(model.files)
    gone = []
    # what the layers below have is taken away first, wherever the marker stands
    for path in rng.sample(sorted(before), min(len(before), rng.randrange(5))):
        if path and path in model.files:
            model.remove(path)
            gone.append(os.path.join(os.path.dirname(path), ".wh." + os.path.basename(path)))
    for path in rng.sample(model.dirs(), min(len(model.dirs()), rng.randrange(2))):
        if path:
            model.remove(path, itself=False)
            gone.append(path + "/.wh..wh..opq")
    rng.shuffle(gone)
    for number in range(rng.randrange(5, 25)):
        if gone and rng.random() < 0.3:
            layer.marker(gone.pop())
        old = rng.random() < 0.3 and sorted(p for p in before if p)
        if old:
            path = rng.choice(old)
            parent = model.files.get(os.path.dirname(path))
            if not parent or parent[0] != "d":
                continue
        else:
            path = os.path.join(rng.choice(model.dirs()), f"n{rng.randrange(40)}")
        # one entry for each path in a layer
        if path in layer.tar.getnames() or "./" + path in layer.tar.getnames():
            continue
        if any(n.lstrip("./").startswith(path + "/") for n in layer.tar.getnames()):
            continue
        kind = rng.choice("ddffl")
        more = {"d": "", "f": str(rng.randrange(20000)), "l": f"to{number}"}[kind]
        mode = 0o777 if kind == "l" else rng.choice([0o755, 0o700, 0o4711, 0o640])
        what = (kind, mode, rng.randrange(3000), rng.randrange(3000), more)
        model.put(path, what)
        layer.add(path, what)
    for path in gone:
        layer.marker(path)
    layer.tar.close()
    return layer.buf.getvalue()


def blob(layout, data):
    digest = hashlib.sha256(data).hexdigest()
    with open(f"{layout}/blobs/sha256/{digest}", "wb") as f:
        f.write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}


def main():
    seed, layout, names = sys.argv[1:]
    rng = random.Random(int(seed))
    model = Model()
    os.makedirs(f"{layout}/blobs/sha256")
    layers = []
    for number in range(rng.randrange(2, 7)):
        data = random_layer(rng, model)
        kind = "application/vnd.oci.image.layer.v1.tar"
        if number % 2:
            data, kind = gzip.compress(data, mtime=0), kind + "+gzip"
        layers.append({"mediaType": kind, **blob(layout, data)})
    config = blob(layout, b'{"architecture":"amd64","os":"linux"}')
    manifest = blob(layout, json.dumps({
        "schemaVersion": 2,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
        "layers": layers,
    }).encode())
    manifest.update({"mediaType": "application/vnd.oci.image.manifest.v1+json",
                     "annotations": {"org.opencontainers.image.ref.name": "latest"}})
    with open(f"{layout}/index.json", "w", encoding="ascii") as f:
        json.dump({"schemaVersion": 2, "manifests": [manifest]}, f)
    with open(f"{layout}/oci-layout", "w", encoding="ascii") as f:
        f.write('{"imageLayoutVersion": "1.0.0"}')
    with open(names, "w", encoding="ascii") as f:
        for path, (kind, mode, uid, gid, more) in sorted(model.files.items()):
            if path:
                f.write(f"/{path} {kind} {mode:o} {uid}:{gid} {more}\n")


main()
