#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Run `make check` or `make demo` step by step, and say how long it will take.

Usage: steps.py check|demo

How it works: each step is a command that prints a line for each thing it does.
The lines go to a log, and their number tells how far the step is: the log of
the last complete run, or a guess at the first time, says how many there will
be.  A step that has nothing left to do is over at once.  An interrupted run
goes on where it was when started again.
"""

import os
import shutil
import subprocess
import sys
import time

BUILD = os.environ.get('BUILD', 'build')
JOBS = len(os.sched_getaffinity(0))

# Title, command, lines it prints when it does everything, seconds for that on
# one processor.
STEPS = (
    ('packages', ['make', 'deps'], 300, 60),
    ('kernel', ['make', f'-j{JOBS}', '-C', 'kernel'], 2100, 1000),
    ('library', ['make', f'-j{JOBS}', 'all', 'tests'], 40, 20),
)
LAST = {
    'check': ('tests', ['tests/run']),
    'demo': ('demo', ['demo/run']),
}


def duration(seconds):
    if seconds < 60:
        return 'less than a minute'
    return f'{round(seconds / 60)} min'


class Display:
    """One changing line on a terminal, else a line now and then."""

    def __init__(self):
        self.terminal = sys.stdout.isatty()
        self.shown = 0

    def show(self, text, now=False):
        pause = 0.2 if self.terminal else 30
        if not now and time.monotonic() - self.shown < pause:
            return
        self.shown = time.monotonic()
        if self.terminal:
            width = shutil.get_terminal_size().columns
            print('\r\033[K' + text[:width - 1], end='', flush=True)
        else:
            print(text, flush=True)

    def end(self):
        if self.terminal:
            print('\r\033[K', end='', flush=True)


def count(path):
    try:
        with open(path, 'rb') as f:
            return sum(1 for _ in f)
    except OSError:
        return 0


def run(number, steps, display):
    """Run one step of several; exits when it fails."""
    title, command, lines, seconds = steps[number]
    log = f'{BUILD}/log/{title}'
    first = not os.path.exists(log)
    lines = lines if first else max(count(log), 1)
    later = sum(s[3] / JOBS for s in steps[number + 1:]
                if not os.path.exists(f'{BUILD}/log/{s[0]}'))
    head = f'[{number + 1}/{len(steps) + 1}] {title}'
    left = f': about {duration(seconds / JOBS + later)} left' if first else ''
    start, done = time.monotonic(), 0

    with open(log + '.new', 'w') as out, \
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, errors='replace') as process:
        display.show(head + left, now=True)
        for line in process.stdout:
            out.write(line)
            done += 1
            spent = time.monotonic() - start
            rate = seconds / JOBS / lines if spent < 10 else spent / done
            left = duration(max(lines - done, 0) * rate + later)
            display.show(f'{head}: about {left} left: {line.strip()}')
    display.end()
    if process.returncode:
        with open(log + '.new') as f:
            sys.stderr.writelines(f.readlines()[-40:])
        sys.exit(f'{head} failed; all of its output is in {log}.new')
    # A run that found most of it done says nothing about a whole one.
    if done > lines / 2:
        os.rename(log + '.new', log)


def main(goal):
    os.makedirs(f'{BUILD}/log', exist_ok=True)
    display = Display()
    for number in range(len(STEPS)):
        run(number, STEPS, display)
    title, command = LAST[goal]
    print(f'[{len(STEPS) + 1}/{len(STEPS) + 1}] {title}', flush=True)
    sys.exit(subprocess.run(command).returncode)


if __name__ == '__main__':
    main(sys.argv[1])
