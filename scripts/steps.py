#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Run `make check` or `make demo` step by step, and say how long it will take.

Usage: steps.py check|demo

How it works: each step is a command that prints a line for each thing it does.
The lines go to a log, and their number tells how far the step is: the log of
the last complete run, or a guess at the first time, says how many there will
be.  Of the tests and the demo, which are what the user wants to see, the lines
are shown, too.  A step that has nothing left to do is over at once.  An
interrupted run goes on where it was when started again.

What is for Windows takes minutes to build.  It is begun beside the tests, which
leave much of the processors' time, and finished after them.
"""

import collections
import os
import re
import shutil
import subprocess
import sys
import time

BUILD = os.environ.get('BUILD', 'build')
JOBS = len(os.sched_getaffinity(0))

# Title, command, and for a first run: lines it prints, seconds it takes on one
# processor, and whether more of them help.
Step = collections.namedtuple('Step', 'title command lines seconds parallel')
STEPS = (
    Step('packages', ['make', 'deps'], 300, 60, False),
    Step('kernel', ['make', f'-j{JOBS}', '-C', 'kernel'], 2100, 1000, True),
    Step('library', ['make', f'-j{JOBS}', 'all', 'tests'], 150, 60, True),
)
# What tests/run ends with.
TESTS_OF = re.compile(r'(\d+) (passed|failed|skipped)')
TESTS = re.compile(f'{TESTS_OF.pattern}, {TESTS_OF.pattern}')
FOR_WINDOWS = ['make', f'-j{JOBS}', 'HOST=windows', f'BUILD={BUILD}/windows']
# Only what no other program wants.
BESIDE = ['chrt', '--idle', '0']
TESTED_HERE = sorted(entry.name for entry in os.scandir('tests') if entry.is_dir()
                     and entry.name not in ('common', 'nightly', 'windows'))
LOUD = {
    'check': Step('tests', ['tests/run', *TESTED_HERE], 240, 1200, False),
    'demo': Step('demo', ['demo/run'], 30, 60, False),
}
AFTER = {
    'check': (
        Step('for Windows', FOR_WINDOWS, 1400, 60, True),
        Step('tests for Windows', ['tests/run', 'windows'], 5, 120, False),
    ),
    'demo': (),
}


def seconds(step):
    return step.seconds / (JOBS if step.parallel else 1)


def left(seconds):
    if seconds < 60:
        return 'less than a minute left'
    return f'about {round(seconds / 60)} min left'


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

    def line(self, text, below):
        """A line that stays, above the one that changes."""
        self.end()
        print(text, end='', flush=True)
        if self.terminal:
            self.show(below, now=True)


def count(path):
    try:
        with open(path, 'rb') as f:
            return sum(1 for _ in f)
    except OSError:
        return 0


def run(step, head, later, display, loud):
    """
    Run one step, which is followed by so many seconds of later ones.

    Returns its exit status, and how many tests have passed, failed and been skipped.
    """
    log = f'{BUILD}/log/{step.title}'
    first = not os.path.exists(log)
    lines = step.lines if first else max(count(log), 1)
    start, done = time.monotonic(), 0
    tests = collections.Counter()

    with open(log + '.new', 'w') as out, \
            subprocess.Popen(step.command, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True,
                             errors='replace') as process:
        display.show(f'{head}: {left(seconds(step) + later)}' if first else head,
                     now=True)
        for line in process.stdout:
            out.write(line)
            done += 1
            if TESTS.match(line):
                tests.update({what: int(n) for n, what in TESTS_OF.findall(line)})
            spent = time.monotonic() - start
            rate = seconds(step) / lines if spent < 10 else spent / done
            text = f'{head}: {left(max(lines - done, 0) * rate + later)}'
            if loud:
                display.line(line, text)
            else:
                display.show(f'{text}: {line.strip()}')
    display.end()
    # A run that found most of it done says nothing about a whole one.
    if not process.returncode and done > lines / 2:
        os.rename(log + '.new', log)
    return process.returncode, tests


def begin(step):
    """Begin to run a step, which says nothing yet, beside others."""
    with open(f'{BUILD}/log/{step.title}.begun', 'w') as log:
        return subprocess.Popen(BESIDE + step.command, stdout=log,
                                stderr=subprocess.STDOUT)


def main(goal):
    steps = STEPS + (LOUD[goal],) + AFTER[goal]
    display = Display()
    beside = None
    total = collections.Counter()

    os.makedirs(f'{BUILD}/log', exist_ok=True)
    for number, step in enumerate(steps):
        head = f'[{number + 1}/{len(steps)}] {step.title}'
        later = sum(seconds(s) for s in steps[number + 1:]
                    if not os.path.exists(f'{BUILD}/log/{s.title}'))
        loud = step.command[0] != 'make'
        try:
            if step is LOUD[goal] and AFTER[goal]:
                beside = begin(AFTER[goal][0])
            elif beside and step is AFTER[goal][0]:
                display.show(f'{head}: goes on', now=True)
                beside.wait()
            status, tests = run(step, head, later, display, loud)
        except KeyboardInterrupt:
            display.end()
            print(f'{head} interrupted; `make {goal}` goes on from here',
                  file=sys.stderr)
            return 130
        total.update(tests)
        if not status:
            continue
        if beside:
            beside.terminate()
        log = f'{BUILD}/log/{step.title}.new'
        if not loud:
            with open(log) as f:
                sys.stderr.writelines(f.readlines()[-40:])
        print(f'{head} failed; all of its output is in {log}', file=sys.stderr)
        return 1
    if total:
        print(', '.join(f'{n} {what}' for what, n in total.items()))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
