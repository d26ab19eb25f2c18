# SPDX-License-Identifier: GPL-2.0-only
"""Images for fsspec."""

import fsspec
import lkl
import pytest
from lkl.fsspec import LklFileSystem


@pytest.fixture
def image(ext4):
    """An image with some files."""
    with lkl.image(ext4, readonly=False) as fs:
        fs.makedirs("/dir/sub")
        for name in ("/a.csv", "/dir/b.csv", "/dir/sub/c.txt"):
            with fs.open(name, "w") as file:
                file.write("text of %s\n" % name)
        fs.symlink("a.csv", "/link")
    yield ext4
    for instance in list(LklFileSystem._cache.values()):
        instance.close()


def test_url(image):
    """A file of an image opens by its URL."""
    with fsspec.open("lkl://%s!/dir/b.csv" % image, "rt") as file:
        assert file.read() == "text of /dir/b.csv\n"
    files = fsspec.open_files("lkl://%s!/*/*.csv" % image)
    assert [file.path for file in files] == ["/dir/b.csv"]


def test_tree(image):
    """Lists, glob, find, and info."""
    fs = fsspec.filesystem("lkl", image=str(image))
    assert fs.ls("/", detail=False) == ["/a.csv", "/dir", "/link", "/lost+found"]
    assert fs.find("/dir") == ["/dir/b.csv", "/dir/sub/c.txt"]
    assert fs.glob("/d*/*.csv") == ["/dir/b.csv"]
    assert fs.info("/link")["destination"] == "a.csv"
    assert fs.info("/dir")["type"] == "directory"
    assert fs.cat("/link") == b"text of /a.csv\n"
    with pytest.raises(FileNotFoundError):
        fs.info("/none")


def test_changes(image, tmp_path):
    """put, get, cp, mv, rm."""
    fs = fsspec.filesystem("lkl", image=str(image), readonly=False)
    (tmp_path / "new").write_text("new")
    fs.put(str(tmp_path / "new"), "/dir/new")
    fs.cp("/dir", "/copy", recursive=True)
    fs.mv("/dir/new", "/moved")
    fs.rm("/dir", recursive=True)
    fs.get("/copy", str(tmp_path / "out"), recursive=True)
    assert (tmp_path / "out" / "new").read_text() == "new"
    assert fs.find("/") == ["/a.csv", "/copy/b.csv", "/copy/new", "/copy/sub/c.txt",
                            "/link", "/moved"]


def test_halt(ext4):
    """What fsspec remembers of an image is opened again after a halt."""
    with lkl.image(ext4, readonly=False) as fs, fs.open("/f", "w") as file:
        file.write("text")
    url = "lkl://%s!/f" % ext4
    for _ in range(2):
        with fsspec.open(url, "rt") as file:
            assert file.read() == "text"
        lkl.halt()
    fs = fsspec.filesystem("lkl", image=str(ext4))
    fs.close()
    with pytest.raises(ValueError):
        fs.cat("/f")
