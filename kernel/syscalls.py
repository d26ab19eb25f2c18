# SPDX-License-Identifier: GPL-2.0-only
"""
Write <lkl/asm/syscalls.h>: one typed wrapper for every system call.

The numbers and names come from the kernel's table for x86-64, the parameters
from the prototypes in its include/linux/syscalls.h.  Types get the prefixed
names that headers.py gave them.
"""

import os
import re

TABLE = 'arch/x86/entry/syscalls/syscall_64.tbl'
PROTOTYPES = 'include/linux/syscalls.h'

# Some prototypes do not name their parameters; the definitions do.
DEFINITIONS = ('fs/aio.c', 'fs/select.c', 'kernel/fork.c', 'kernel/signal.c', 'net/socket.c')

# Prototypes that no header of the kernel shows, or not as a program sees them.
OWN = {
    'sys_mmap': 'void *addr, size_t length, int prot, int flags, int fd, off_t offset',
    'sys_sendto': 'int fd, const void *buf, size_t len, unsigned int flags, '
                  'const struct sockaddr *addr, int addr_len',
    'sys_bind': 'int fd, const struct sockaddr *addr, int addr_len',
    'sys_connect': 'int fd, const struct sockaddr *addr, int addr_len',
    'sys_setsockopt': 'int fd, int level, int optname, const void *optval, int optlen',
    'sys_mount': 'const char *dev_name, const char *dir_name, const char *type, '
                 'unsigned long flags, const void *data',
    'sys_umount': 'const char *name, int flags',
    'sys_sethostname': 'const char *name, int len',
    'sys_setdomainname': 'const char *name, int len',
    'sys_arch_prctl': 'int option, unsigned long arg2',
    'sys_iopl': 'unsigned int level',
    'sys_modify_ldt': 'int func, void *ptr, unsigned long bytecount',
    'sys_rt_sigreturn': '',
}

# Types internal to the kernel, and what a program calls them.
TYPES = {
    'size_t': 'unsigned long',
    'umode_t': 'unsigned short',
    'qid_t': 'unsigned int',
    'key_serial_t': 'int',
    'uint32_t': 'unsigned int',
    'u32': '__u32',
    'u64': '__u64',
    'rwf_t': '__kernel_rwf_t',
    '__kernel_old_timeval': 'timeval',
    '__kernel_old_itimerval': 'itimerval',
}

# Beyond the types: what callers want beside the calls.
ALSO = (
    'asm/errno.h', 'linux/errno.h', 'linux/fcntl.h', 'linux/stat.h', 'linux/mman.h',
    'linux/net.h', 'linux/poll.h', 'linux/sched.h', 'linux/unistd.h', 'linux/wait.h',
)

# Parameters that are any bytes, though the kernel calls them characters.
BYTES = ('buf', 'buff', 'ubuf', 'optval')

PLAIN = set('void char short int long unsigned signed const'.split())


def read(linux, path):
    with open(os.path.join(linux, path), encoding='utf-8') as f:
        return re.sub(r'/\*.*?\*/', ' ', f.read(), flags=re.DOTALL)


def calls(linux):
    """The names in the table, and the kernel functions behind them."""
    for line in read(linux, TABLE).splitlines():
        field = line.split('#')[0].split()
        if len(field) >= 4 and field[1] in ('common', '64') and field[3] != 'sys_ni_syscall':
            yield field[2], field[3]


def prototypes(linux):
    """Kernel functions, and their parameters as written."""
    text = re.sub(r'\b__user\b', '', read(linux, PROTOTYPES))
    found = dict(re.findall(r'asmlinkage\s+long\s+(sys_\w+)\s*\(([^;]*)\)\s*;', text))
    found.update(OWN)
    return {f: p.split(',') if p.strip() not in ('', 'void') else [] for f, p in found.items()}


def definitions(linux):
    """Names of the parameters of some kernel functions."""
    found = {}
    for path in DEFINITIONS:
        for name, parameters in re.findall(r'SYSCALL_DEFINE\d\((\w+),([^)]*)\)', read(linux, path)):
            found['sys_' + name] = [p.split()[-1].lstrip('*') for p in parameters.split(',')[1::2]]
    return found


class Parameter:
    """One parameter: its type with prefixed names, and its own name."""

    def __init__(self, text, name, names):
        words = re.findall(r'\w+|\*', text)
        self.name = name
        is_type = words[-1] in PLAIN or words[-1] == '*' or words[-1].endswith('_t') or \
            words[-1] in names.plain or words[-2:-1] and words[-2] in ('struct', 'union', 'enum')
        if len(words) > 1 and not is_type:
            self.name = words.pop()
        if self.name in BYTES:
            words = ['void' if w == 'char' else w for w in words]
        if self.name == 'new':
            self.name = 'new_'
        self.used = []
        self.type = self.spell(words, names)

    def spell(self, words, names):
        out = last = ''
        for word in words:
            word = TYPES.get(word, word)
            tag = last in ('struct', 'union', 'enum')
            if tag or word in names.plain:
                self.used.append(((last + ' ') if tag else '', word))
                shown = names.prefix(word)
            else:
                shown = word
            out += shown if last == '*' else ' ' + shown
            last = word
        return out.strip()

    def declaration(self):
        return self.type + ('' if self.type.endswith('*') else ' ') + self.name


def fold(head, items, tail, indent):
    """head, the items with commas between them, and tail, in lines of 80."""
    lines = [head]
    for i, item in enumerate(items):
        item += ',' if i + 1 < len(items) else tail
        longer = lines[-1] + (' ' if lines[-1][-1] in ',{' else '') + item
        if i and len(longer.expandtabs()) > 80:
            lines.append(indent + item)
        else:
            lines[-1] = longer
    return '\n'.join(lines)


def wrapper(name, parameters):
    head = f'static inline long lkl_sys_{name}('
    indent = '\t' * (len(head) // 8) + ' ' * (len(head) % 8)
    head = fold(head, [p.declaration() for p in parameters] or ['void'], ')', indent)
    body = fold('\tlong params[6] = {', [f'(long){p.name}' for p in parameters] or ['0'],
                ' };', '\t\t')
    return (f'{head}\n{{\n{body}\n\n'
            f'\treturn lkl_syscall(__lkl__NR_{name}, params);\n}}\n')


def home(headers, names, kind, word):
    """The header to include for a type, if any has it."""
    path = names.tags.get(word) if kind else names.where.get(word)
    if path and path.startswith('asm-generic/'):
        path = 'asm' + path[len('asm-generic'):]
        if path not in headers:
            path = 'linux/types.h'
    return path


def generate(linux, headers, names):
    """The text of <lkl/asm/syscalls.h>."""
    known, named = prototypes(linux), definitions(linux)
    wrappers, includes, incomplete = [], set(ALSO), set()
    for name, function in calls(linux):
        texts = known[function]
        parameters = [Parameter(text, alias, names) for text, alias
                      in zip(texts, named.get(function, texts))]
        wrappers.append(wrapper(name, parameters))
        for kind, word in (use for p in parameters for use in p.used):
            path = home(headers, names, kind, word)
            if path:
                includes.add(path)
            else:
                incomplete.add(kind + names.prefix(word))
    lines = [f'#include <lkl/{path}>' for path in sorted(includes)]
    forward = [f'{kind};' for kind in sorted(incomplete)]
    return TEMPLATE.format(includes='\n'.join(lines), forward='\n'.join(forward),
                           wrappers='\n'.join(wrappers))


TEMPLATE = '''\
/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* One function for each system call of the library's kernel; generated. */
#ifndef _LKL_ASM_SYSCALLS_H
#define _LKL_ASM_SYSCALLS_H

{includes}

{forward}

#ifdef __cplusplus
extern "C" {{
#endif

/**
 * lkl_syscall - call the kernel
 * @no: number of the system call, __lkl__NR_*
 * @params: its six parameters
 *
 * May be called from any host thread.
 *
 * Return: what the call returns: negative is -LKL_Exxx.
 */
__attribute__((visibility("default"))) long lkl_syscall(long no, long *params);

{wrappers}
#ifdef __cplusplus
}}
#endif

#endif /* _LKL_ASM_SYSCALLS_H */
'''
