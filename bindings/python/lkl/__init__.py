# SPDX-License-Identifier: GPL-2.0-only
"""Linux as a library.

    import lkl

    with lkl.image("disk.img") as fs:
        print(fs.open("/etc/os-release").read())
        for top, dirs, files in fs.walk("/usr/share"):
            ...
        lkl.copy_out(fs, "/etc", "etc")

A kernel boots when the first function needs it, and halts at the end of the program.
boot() boots one with another command line, or with a network; lkl.socket has its
sockets.
"""

from .copy import copy_in, copy_out
from .disk import Disk, Image, Mount, image
from .file import FileIO
from .filesystem import DirEntry, FileSystem
from .kernel import boot, halt, log, running

__all__ = [
    "DirEntry", "Disk", "FileIO", "FileSystem", "Image", "Mount", "boot", "copy_in",
    "copy_out", "halt", "image", "log", "running",
]
