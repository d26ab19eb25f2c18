# SPDX-License-Identifier: GPL-2.0-only
"""Build the package with an installed library: pip wheel bindings/python"""

import os
import subprocess
import sys

from setuptools import setup

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lkl_build import builder  # noqa: E402


def pkg_config(option: str, prefix: str) -> list:
    """Return what pkg-config tells of the library, without the letter of the option."""
    words = subprocess.check_output(["pkg-config", option, "lkl"], text=True).split()
    return [word[len(prefix):] for word in words]


setup(
    ext_modules=[
        builder(
            include_dirs=pkg_config("--cflags-only-I", "-I"),
            library_dirs=pkg_config("--libs-only-L", "-L"),
            libraries=pkg_config("--libs-only-l", "-l"),
        ).distutils_extension()
    ]
)
