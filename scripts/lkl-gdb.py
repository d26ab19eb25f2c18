# SPDX-License-Identifier: GPL-2.0-only
"""
gdb commands for programs that use liblkl: see "help lkl".

How it works: a thread that runs the kernel needs no help, as gdb follows the
call frame information from kernel functions to the application's.  The other
kernel tasks are stacks that no thread runs on.  Their backtraces are made by an
unwinder which, while it is switched on, claims that the innermost frame was
called by what lies on top of such a stack.  Nothing in the program is changed.

Types and lines come from liblkl.so.debug.  gdb finds that for the shared
library; for a program linked statically, this script finds it beside itself and
tells gdb where its sections are in the program.
"""

import os
import struct

import gdb
from gdb.unwinder import Unwinder

HERE = os.path.dirname(os.path.abspath(__file__))

# Letters of ps for the bits of a task's state.
STATES = ((0x400, 'I'), (1, 'S'), (2, 'D'), (4, 'T'), (8, 't'), (0x20, 'Z'), (0x10, 'X'))
# Frames that say no more than that a task sleeps.
SLEEP = {'__switch_to', 'context_switch', '__schedule', '__schedule_loop',
         'schedule', 'schedule_idle', 'schedule_timeout', 'schedule_timeout_interruptible',
         'lkl_fiber_switch', 'lkl_leave'}
# Where the stack of a fiber begins.
BASES = {'lkl_fiber_start', 'lkl_fiber_boot'}

# What mmap() of the kernel returns, from the start of RAM on; asm/layout.h.
UMAP = (0x020000000000, 0x024000000000)

# Sections, with a symbol in each that no application has.
SECTIONS = {'.text': 'lkl_kernel_boot', '.data': 'init_task', '.bss': 'swapper_pg_dir'}


def number(expression):
    return int(gdb.parse_and_eval(expression).cast(gdb.lookup_type('long'))) & (1 << 64) - 1


def elf_places(path):
    """Return addresses of the sections and symbols in SECTIONS."""
    with open(path, 'rb') as f:
        header = f.read(64)
        offset, = struct.unpack_from('<Q', header, 40)
        size, count, names = struct.unpack_from('<HHH', header, 58)
        f.seek(offset)
        table = [struct.unpack('<IIQQQQIIQQ', f.read(size)[:64]) for _ in range(count)]

        def content(section):
            f.seek(section[4])
            return f.read(section[5])

        def name(strings, start):
            return strings[start:strings.index(b'\0', start)].decode()

        strings = content(table[names])
        sections = {name(strings, s[0]): s[3] for s in table}
        symtab = next(s for s in table if s[1] == 2)
        strings = content(table[symtab[6]])
        wanted = set(SECTIONS.values())
        symbols = {name(strings, s[0]): s[4]
                   for s in struct.iter_unpack('<IBBHQQ', content(symtab))
                   if name(strings, s[0]) in wanted}
    return sections, symbols


def have_types():
    try:
        gdb.lookup_type('struct lkl_fiber_frame')
        return True
    except gdb.error:
        return False


def debug_file():
    path = os.path.join(HERE, 'liblkl.so.debug')
    if os.path.exists(path):
        return path
    raise gdb.GdbError('no liblkl.so.debug beside this script; give its path to lkl-symbols')


def load_symbols(path=None):
    if have_types():
        return
    path = path or debug_file()
    try:
        here = {s: number(f"&'{s}'") for s in SECTIONS.values()}
    except gdb.error:
        raise gdb.GdbError('no kernel in this program, or it was stripped') from None
    sections, symbols = elf_places(path)
    places = ' '.join(f'-s {s} {sections[s] + here[sym] - symbols[sym]:#x}'
                      for s, sym in SECTIONS.items())
    gdb.execute('set confirm off')
    gdb.execute(f'add-symbol-file {path} {places}', to_string=True)
    gdb.execute('set confirm on')


def on_stop(event):
    """A static program is where it will stay once it runs."""
    gdb.events.stop.disconnect(on_stop)
    try:
        load_symbols()
    except gdb.GdbError:
        pass


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class FiberUnwinder(Unwinder):
    """Says that the innermost frame was called by .registers, if that is set."""

    def __init__(self):
        super().__init__('lkl-fiber')
        self.registers = None

    def __call__(self, pending):
        if not self.registers or pending.level():
            return None
        registers, self.registers = self.registers, None
        # Frames must lie one above the other.
        frame_id = FrameId(gdb.Value(registers['rsp'] - 16), pending.read_register('rip'))
        info = pending.create_unwind_info(frame_id)
        for name, value in registers.items():
            info.add_saved_register(name, gdb.Value(value).cast(gdb.lookup_type('long')))
        return info


unwinder = FiberUnwinder()
gdb.unwinder.register_unwinder(None, unwinder, replace=True)


def tasks():
    """All tasks, the idle one first."""
    kind = gdb.lookup_type('struct task_struct')
    init = gdb.Value(number("&'init_task'")).cast(kind.pointer()).dereference()
    yield init
    offset = next(f.bitpos for f in kind.fields() if f.name == 'tasks') // 8
    thread = next(f.bitpos for f in kind.fields() if f.name == 'thread_node') // 8

    def container(node, offset):
        address = int(node) - offset
        return gdb.Value(address).cast(kind.pointer()).dereference()

    node = init['tasks']['next']
    while int(node) != int(init['tasks'].address):
        leader = container(node, offset)
        head = leader['signal']['thread_head']
        member = head['next']
        while int(member) != int(head.address):
            yield container(member, thread)
            member = member['next']
        node = leader['tasks']['next']


def stack_size():
    return gdb.lookup_type('union thread_union').sizeof


def cpu_of(task):
    """The virtual CPU whose last task this is, or None."""
    cpus = gdb.parse_and_eval("'lkl_vcpus'")
    for i in range(cpus.type.range()[1] + 1):
        if int(cpus[i]['task']) == int(task.address):
            return cpus[i]
    return None


def running_frames(task):
    """Frames of the host thread that runs a task now, or None."""
    cpu = cpu_of(task)
    if cpu is None or not int(cpu['word']) & (2 | 8):
        return None
    start = int(task['stack'])
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        frame = gdb.newest_frame()
        found = []
        while frame:
            found.append(frame)
            if start <= int(frame.read_register('rsp')) < start + stack_size():
                while frame.older() and frame.name() not in BASES:
                    frame = frame.older()
                    found.append(frame)
                return found
            frame = frame.older()
    return None


def sleeping_frames(task):
    frame = task['thread']['sp'].cast(gdb.lookup_type('struct lkl_fiber_frame').pointer())
    if frame['ip'] in (gdb.parse_and_eval('(void *)&lkl_fiber_start'),
                       gdb.parse_and_eval('(void *)&lkl_fiber_boot')):
        return []
    # No frame has saved r15, which names the virtual CPU; any one will do here.
    unwinder.registers = {'rip': int(frame['ip']), 'rbp': int(frame['bp']),
                          'rsp': int(frame) + 16,
                          'r15': int(gdb.parse_and_eval("&'lkl_vcpus'"))}
    gdb.invalidate_cached_frames()
    found = []
    frame = gdb.newest_frame().older()
    while frame:
        found.append(frame)
        if frame.name() in BASES:
            break
        frame = frame.older()
    return found


def with_frames(task, use):
    """Return use(frames) for the backtrace of a task."""
    selected = gdb.selected_thread()
    try:
        frames = running_frames(task)
        if frames is None:
            selected.switch()
            frames = sleeping_frames(task)
        return use(frames)
    finally:
        unwinder.registers = None
        gdb.invalidate_cached_frames()
        selected.switch()


def place(frame):
    line = frame.find_sal()
    if line.symtab:
        return f'{line.symtab.filename}:{line.line}'
    return ''


def print_frames(frames):
    for number_, frame in enumerate(frames):
        where = place(frame)
        print(f'#{number_:<3}{frame.name() or "??"} ()' + (f' at {where}' if where else ''))


def wait_place(frames):
    for frame in frames:
        if frame.name() not in SLEEP:
            return f'{frame.name()}  {place(frame)}'
    return 'not started'


def where(task):
    if task['thread']['in_user']:
        return 'in the application'
    return with_frames(task, wait_place)


class Lkl(gdb.Command):
    """The kernel of liblkl: its tasks and their stacks, its messages."""

    def __init__(self):
        super().__init__('lkl', gdb.COMMAND_STACK, prefix=True)


class LklCommand(gdb.Command):
    name = None

    def __init__(self):
        super().__init__(self.name, gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        if not gdb.selected_thread():
            raise gdb.GdbError('The program is not being run.')
        load_symbols()
        self.run(gdb.string_to_argv(argument))


class Tasks(LklCommand):
    """lkl-tasks: list the kernel's tasks, their states, and where they wait.

An asterisk marks the one that runs or was the last to run."""

    name = 'lkl-tasks'

    def run(self, _):
        print('   PID S COMMAND         WHERE')
        for task in tasks():
            bits = int(task['__state']) | int(task['exit_state'])
            state = next((letter for bit, letter in STATES if bits & bit), 'R')
            current = cpu_of(task) is not None
            print(f'{int(task["pid"]):6} {state} {task["comm"].string():15} '
                  f'{"* " if current else ""}{where(task)}')


class Backtrace(LklCommand):
    """lkl-bt PID|all: backtrace of a kernel task, whether it runs or not."""

    name = 'lkl-bt'

    def run(self, argv):
        if len(argv) != 1:
            raise gdb.GdbError('usage: lkl-bt PID|all')
        found = [t for t in tasks() if argv[0] in ('all', str(int(t['pid'])))]
        if not found:
            raise gdb.GdbError(f'no task {argv[0]}')
        for task in found:
            if len(found) > 1:
                print(f'\nTask {int(task["pid"])} "{task["comm"].string()}"')
            with_frames(task, print_frames)


class Dmesg(LklCommand):
    """lkl-dmesg: print the kernel's messages."""

    name = 'lkl-dmesg'

    def run(self, _):
        kind = gdb.lookup_type('struct printk_ringbuffer').pointer().pointer()
        ring = gdb.parse_and_eval("&'prb'").cast(kind).dereference()
        descs, text = ring['desc_ring'], ring['text_data_ring']
        count, size = 1 << int(descs['count_bits']), 1 << int(text['size_bits'])
        mask = (1 << 62) - 1
        current, head = (int(descs[x]['counter']) & mask for x in ('tail_id', 'head_id'))
        while True:
            desc = descs['descs'][current % count]
            # 1 is committed, 2 finalized, of the same identity.
            state = int(desc['state_var']['counter']) & (1 << 64) - 1
            if state >> 62 in (1, 2) and state & mask == current:
                self.record(descs['infos'][current % count], desc['text_blk_lpos'],
                            text['data'], size)
            if current == head:
                break
            current = current + 1 & mask

    @staticmethod
    def record(info, block, data, size):
        begin, end = int(block['begin']), int(block['next'])
        if begin & 1:
            return
        # A block that does not fit at the end is at the start.
        begin = 0 if begin // size != (end - 1) // size else begin % size
        length = int(info['text_len'])
        text = bytes(gdb.selected_inferior().read_memory(int(data) + begin + 8, length)) \
            if length else b''
        time = int(info['ts_nsec'])
        for line in text.decode(errors='replace').split('\n'):
            print(f'[{time // 10**9:5}.{time // 1000 % 10**6:06}] {line}')


class Symbols(gdb.Command):
    """lkl-symbols [FILE]: load the kernel's types and lines for a static program.

FILE is liblkl.so.debug of the same build; by default the one beside the script.
This happens by itself when the program first stops."""

    def __init__(self):
        super().__init__('lkl-symbols', gdb.COMMAND_FILES, gdb.COMPLETE_FILENAME)

    def invoke(self, argument, from_tty):
        load_symbols(*gdb.string_to_argv(argument))


class RealFault(gdb.Function):
    """$lkl_real_fault(): is this SIGSEGV none of those that the kernel handles?"""

    def __init__(self):
        super().__init__('lkl_real_fault')
        self.fixed = {}

    def may_fault(self, ip):
        start, end = (number(f"&'{s}'") for s in ('__start___ex_table', '__stop___ex_table'))
        if start not in self.fixed:
            table = gdb.selected_inferior().read_memory(start, end - start)
            entries = struct.iter_unpack('<ii', table)
            self.fixed = {start: {start + 8 * i + e[0] for i, e in enumerate(entries)}}
        return ip in self.fixed[start]

    def invoke(self):
        try:
            address = number('$_siginfo._sifields._sigfault.si_addr')
            offset = address - number('lkl_ram_base')
            return not UMAP[0] <= offset < UMAP[1] and \
                not self.may_fault(number('$rip'))
        except gdb.error:
            return True


Lkl()
RealFault()
for command in Tasks, Backtrace, Dmesg, Symbols:
    command()
gdb.events.stop.connect(on_stop)
# Faults are a part of how the kernel works; stop at the others.
gdb.execute('handle SIGSEGV nostop noprint pass', to_string=True)
gdb.execute('catch signal SIGSEGV', to_string=True)
gdb.execute('condition $bpnum $lkl_real_fault()', to_string=True)
