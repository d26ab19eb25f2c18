# SPDX-License-Identifier: GPL-2.0-only
"""
gdb on a program under lkl-run: its symbols, and those of lkl-run.

How it works: what the host executes is lkl-run, but the auxiliary vector is that
of the program that it loads, so that core files are the program's.  gdb finds
the place of neither by that.  So here all ELF files that are in memory are
looked for, and those told to gdb that it does not know: the program, its
libraries, lkl-run.  That happens at each stop, and as soon as the program or a
library of it has been loaded.
"""

import os
import re
import struct

import gdb

PT_LOAD = 1
PAGE = 4096


def quietly(command):
    confirm = gdb.parameter('confirm')
    gdb.execute('set confirm off')
    try:
        return gdb.execute(command, to_string=True)
    finally:
        gdb.execute(f'set confirm {"on" if confirm else "off"}')


def mapped_files():
    """Yield where each file begins in memory, and its name."""
    try:
        text = quietly('info proc mappings')
    except gdb.error:
        return
    # start, end, size, offset, perhaps permissions, file
    for found in re.finditer(r'^\s*0x(\w+)\s+0x\w+\s+0x\w+\s+0x0\s.*?(/\S.*)$', text, re.M):
        yield int(found[1], 16), found[2].strip()


def place_of(start):
    """How far from its own addresses an ELF file is, and where it starts."""
    inferior = gdb.selected_inferior()
    try:
        head = bytes(inferior.read_memory(start, 64))
        if head[:5] != b'\x7fELF\2':
            return None
        entry, offset = struct.unpack_from('<QQ', head, 24)
        size, count = struct.unpack_from('<HH', head, 54)
        table = bytes(inferior.read_memory(start + offset, size * count))
    except gdb.MemoryError:
        return None
    for header in range(0, size * count, size):
        kind, _, at, address = struct.unpack_from('<IIQQ', table, header)
        if kind == PT_LOAD and at < PAGE:
            bias = start - (address - at & -PAGE)
            return bias, bias + entry
    return None


class Loading(gdb.Breakpoint):
    """Where files have just been loaded."""

    def __init__(self, function):
        super().__init__(function, internal=True)
        self.silent = True

    def stop(self):
        refresh()
        return False


known = set()
breakpoints = []


def refresh(_=None):
    """Tell gdb of files that have been loaded since the last time."""
    if not gdb.selected_thread():
        return
    main = gdb.current_progspace().filename
    # First what gdb believes to be where others are.
    for start, path in sorted(mapped_files(), key=lambda place: place[1] != main):
        if (start, path) in known or not os.path.isfile(path):
            continue
        known.add((start, path))
        place = place_of(start)
        if not place:
            continue
        bias, entry = place
        if gdb.solib_name(entry) or \
                not quietly(f'info symbol {entry:#x}').startswith('No symbol'):
            continue
        command = 'symbol-file' if path == main else 'add-symbol-file'
        quietly(f'{command} -o {bias:#x} {path}')
    watch()


def watch():
    """Notice what is loaded by lkl-run, and by the program's dynamic linker."""
    if not breakpoints:
        breakpoints.extend(Loading(f) for f in ('run_first_thread', '_dl_debug_state'))


gdb.events.stop.connect(refresh)
# To have attached, or to have a core, is no event.
gdb.events.before_prompt.connect(refresh)
gdb.events.exited.connect(lambda _: known.clear())
# The host traps system calls.
quietly('handle SIGSYS nostop noprint pass')
if not gdb.selected_inferior().pid:
    watch()
elif not gdb.current_objfile():
    refresh()
