# SPDX-License-Identifier: GPL-2.0-only
"""Files in images for fsspec: lkl://disk.img!/path.

    fsspec.open("lkl://disk.qcow2!/var/log/messages", "rt")
    pandas.read_csv("lkl://disk.img!/data.csv", storage_options={"part": 2})

What stands before the "!" is the image's path; storage options are those of
lkl.image(), and "image", an object that is the disk.
"""

import os
import stat
from datetime import datetime, timezone
from functools import partial
from typing import Any, Dict, List, Tuple

from fsspec.spec import AbstractFileSystem

from .disk import Image
from .disk import image as open_image

_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}


def _split(url: str) -> Tuple[str, str]:
    if url.startswith("lkl://"):
        url = url[len("lkl://"):]
        name, mark, path = url.partition("!")
        if not mark:
            return name, "/"
        return name, path
    return "", url


class LklFileSystem(AbstractFileSystem):
    """The file system of an image."""

    protocol = "lkl"
    root_marker = "/"

    def __init__(self, image: Any = "", readonly: bool = True, **kwargs: Any):
        super().__init__(image=image, readonly=readonly, **kwargs)
        if image == "":
            raise ValueError("no image is named: lkl://IMAGE!/PATH")
        own = {name: kwargs[name] for name in ("part", "fstype", "options", "sector_size")
               if name in kwargs}
        self._open_image = partial(open_image, image, readonly=readonly, **own)
        self._ended = False
        self._fs = self._open_image()

    @property
    def fs(self) -> Image:
        """The file system; fsspec keeps this object when the kernel halts."""
        if self._fs.closed and not self._ended:
            self._fs = self._open_image()
        return self._fs

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(one) for one in path]
        path = _split(os.fspath(path))[1].rstrip("/")
        return path if path.startswith("/") else "/" + path

    @staticmethod
    def _get_kwargs_from_urls(path: str) -> Dict[str, Any]:
        name = _split(path)[0]
        return {"image": name} if name else {}

    def unstrip_protocol(self, name: str) -> str:
        """Return the URL of a path."""
        return "lkl://%s!%s" % (self.storage_options.get("image", ""),
                                self._strip_protocol(name))

    def _info(self, path: str) -> Dict[str, Any]:
        st = self.fs.lstat(path)
        kind = _KINDS.get(stat.S_IFMT(st.st_mode), "other")
        found = {
            "name": path, "size": st.st_size, "type": kind, "islink": kind == "link",
            "mode": st.st_mode, "uid": st.st_uid, "gid": st.st_gid, "ino": st.st_ino,
            "nlink": st.st_nlink, "mtime": st.st_mtime, "created": st.st_ctime,
        }
        if kind == "link":
            found["destination"] = self.fs.readlink(path)
            try:
                target = self.fs.stat(path)
            except OSError:
                return found
            found["size"] = target.st_size
            found["type"] = _KINDS.get(stat.S_IFMT(target.st_mode), "other")
        return found

    def info(self, path: str, **kwargs: Any) -> Dict[str, Any]:
        """Return what is known of a file."""
        return self._info(self._strip_protocol(path))

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> List[Any]:
        """List a directory, or a file."""
        path = self._strip_protocol(path)
        if self.fs.isdir(path):
            names = [os.path.join(path, name) for name in sorted(self.fs.listdir(path))]
        else:
            names = [path]
        infos = [self._info(name) for name in names]
        return list(infos) if detail else names

    def created(self, path: str) -> datetime:
        """Return when the inode changed last; Linux tells no time of creation."""
        return datetime.fromtimestamp(self.info(path)["created"], timezone.utc)

    def modified(self, path: str) -> datetime:
        """Return when the file was modified."""
        return datetime.fromtimestamp(self.info(path)["mtime"], timezone.utc)

    def _open(self, path: str, mode: str = "rb", block_size: Any = None,
              autocommit: bool = True, cache_options: Any = None, **kwargs: Any) -> Any:
        return self.fs.open(self._strip_protocol(path), mode)

    def mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        """Make a directory."""
        path = self._strip_protocol(path)
        if create_parents:
            self.fs.makedirs(path)
        else:
            self.fs.mkdir(path)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Make a directory and those above it."""
        self.fs.makedirs(self._strip_protocol(path), exist_ok=exist_ok)

    def rmdir(self, path: str) -> None:
        """Remove an empty directory."""
        self.fs.rmdir(self._strip_protocol(path))

    def rm_file(self, path: str) -> None:
        """Remove a file, or an empty directory, which rm(recursive=True) leaves."""
        path = self._strip_protocol(path)
        if self.fs.isdir(path) and not self.fs.islink(path):
            self.fs.rmdir(path)
        else:
            self.fs.remove(path)

    _rm = rm_file

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        """Copy a file within the image."""
        if self.isdir(path1):
            self.makedirs(path2, exist_ok=True)
            return
        with self._open(path1) as src, self._open(path2, "wb") as dst:
            while True:
                data = src.read(1 << 20)
                if not data:
                    break
                dst.write(data)

    def mv(self, path1: str, path2: str, recursive: Any = False, maxdepth: Any = None,
           **kwargs: Any) -> None:
        """Rename a file or a directory."""
        self.fs.rename(self._strip_protocol(path1), self._strip_protocol(path2))

    def chmod(self, path: str, mode: int) -> None:
        """Change the mode."""
        self.fs.chmod(self._strip_protocol(path), mode)

    def close(self) -> None:
        """Unmount the image, and forget this instance."""
        self._ended = True
        self._fs.close()
        self.clear_instance_cache()
