# SPDX-License-Identifier: GPL-2.0-only
"""What the tests of the Python package share."""

import subprocess

import pytest


@pytest.fixture
def ext4(tmp_path):
    """An empty ext4 image."""
    path = tmp_path / "disk.img"
    with open(path, "wb") as image:
        image.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", path], check=True)
    return path


@pytest.fixture
def fsck():
    """Have the host's fsck look at an ext4 image."""
    return lambda path: subprocess.run(["e2fsck", "-fn", path], check=True,
                                       stdout=subprocess.DEVNULL)
