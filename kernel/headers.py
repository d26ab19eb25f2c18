#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Make the kernel's UAPI headers includable beside the host's own.

Usage: headers.py LINUX UAPI OURS OUT

  LINUX  the kernel tree
  UAPI   the headers `make headers` exported from it
  OURS   arch/lkl/include/uapi, added to them
  OUT    where the result goes, included as <lkl/...>

How it works: every header is cut into tokens, and all names that any of them
defines are collected: macros, tags, typedefs, enumerators and functions.  Then
each use of such a name gets a prefix that keeps it apart from the host's name
of the same spelling:

  sockaddr          lkl_sockaddr
  O_RDWR            LKL_O_RDWR
  __kernel_timespec __lkl__kernel_timespec
  __BITS_PER_LONG   __LKL__BITS_PER_LONG

The kernel's long is as wide as a pointer, which not every host's is: it becomes
lkl_long_t, and unsigned long lkl_ulong_t (asm/door.h).

Members keep their names, except those that macros of the host's headers, or
keywords of C++, would change behind our back.

A few definitions that user space needs live in internal headers of the kernel:
the tables below name the constants, kernel/uapi/ has the structures.
"""

import os
import re
import sys

import syscalls

# What makes sense without hardware.
FOLDERS = ('linux', 'asm', 'asm-generic', 'mtd')

# These need a folder left out above, or are broken in any user space.
SKIP = {
    'asm/bootparam.h', 'asm/elf.h', 'linux/atm_nicstar.h', 'linux/coda.h',
    'linux/cyclades.h', 'linux/kfd_ioctl.h', 'linux/smc_diag.h',
    'linux/auto_dev-ioctl.h', 'linux/target_core_user.h',
    'linux/vbox_vmmdev_types.h', 'linux/vboxguest.h',
}

# Constants of the user interface that internal headers keep: copied into the
# exported header of the first column from the internal header of the second.
CONSTANTS = (
    ('linux/mount.h', 'include/linux/fs.h', r'MNT_(FORCE|DETACH|EXPIRE)|UMOUNT_NOFOLLOW'),
    ('linux/stat.h', 'include/linux/stat.h', r'UTIME_(NOW|OMIT)'),
    ('linux/socket.h', 'include/linux/socket.h',
     r'(AF|PF|MSG|SOL|SCM)_(?!INTERNAL|CMSG_COMPAT)\w+|SOMAXCONN'),
)

# Names that are not defined by these headers but asked for by them, to learn
# what the host's have defined.  The answer must be: nothing.
UNDEFINED = {
    '__GLIBC__', '_NET_IF_H', '_NETINET_IN_H', '_SYS_XATTR_H', '__USE_MISC',
    '__USE_GNU', '__USE_TIME_BITS64', '__BYTE_ORDER', '_UQUAD_T_',
}

# Members that a macro of the host or a keyword of C++ would change.
MEMBERS = {
    'st_atime', 'st_mtime', 'st_ctime', 'sa_handler', 'sa_sigaction',
    'class', 'private', 'new', 'namespace', 'template', 'delete', 'virtual',
}

# Names made by pasting tokens in arguments, which cannot be seen otherwise.
PASTED = {'TLS_1_2', 'TLS_1_3'}

# What some headers use but do not include.
EXTRA = {
    'asm/ucontext.h': ('asm/signal.h', 'asm/sigcontext.h'),
    'linux/errqueue.h': ('linux/time.h',),
    'linux/netfilter/xt_sctp.h': ('stdbool.h',),
    'linux/sctp.h': ('stdint.h',),
    'linux/usb/audio.h': ('stddef.h',),
}

# What a C++ compiler does not take.
REPLACE = {
    'linux/netfilter/xt_sctp.h': (('_Bool', 'bool'),),
    'linux/virtio_ring.h': (
        ('vr->desc = p;', 'vr->desc = (vring_desc_t *)p;'),
        ('vr->used = (void *)', 'vr->used = (vring_used_t *)'),
    ),
}

# A second name for a member, which programs know by its name with a prefix.  No
# union, in which initializers would lack braces.
ALIASES = {
    'linux/in.h': (('__be32\ts_addr;\n',
                    '__be32\ts_addr;\n#define lkl_s_addr s_addr\n'),),
}

# Headers of the host that are asked for to get names which are now our own.
INSTEAD = {
    'sys/socket.h': 'linux/socket.h',
    'sys/time.h': 'linux/time.h',
    'time.h': 'linux/time.h',
    'sys/types.h': 'linux/types.h',
    'sys/ioctl.h': 'linux/ioctl.h',
    'netinet/in.h': 'linux/in.h',
    'netinet/if_ether.h': 'linux/if_ether.h',
    'endian.h': 'asm/byteorder.h',
}

TOKEN = re.compile(r'''
    (?P<space>   (?: [ \t\f\r] | \\\n )+ | /\*.*?\*/ | //[^\n]* )
  | (?P<line>    \n )
  | (?P<string>  "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )
  | (?P<number>  \.?\d(?:[eEpP][+-]|[\w.])* )
  | (?P<name>    [A-Za-z_]\w* )
  | (?P<other>   \#\# | . )
''', re.VERBOSE | re.DOTALL)

CALL = re.compile(r'\s*#\s*define\s+\w+\(')
TAGGED = ('struct', 'union', 'enum')
KEYWORDS = set('''
    auto bool break case char const continue default do double else enum
    extern float for goto if inline int long register restrict return short
    signed sizeof static struct switch typedef typeof union unsigned void
    volatile while defined __attribute__ __inline__ __volatile__ __asm__
    __extension__ __typeof__ __alignof__ __signed__ __const__ __restrict__
    __inline __signed __const __volatile __restrict __asm __int128 _Static_assert
'''.split())


def tokens(text):
    """Cut text into [kind, text] pairs."""
    return [[m.lastgroup, m.group()] for m in TOKEN.finditer(text)]


def lines(toks):
    """Split tokens into (is_directive, tokens) pieces, blanks included."""
    piece, directive, start = [], False, True
    for tok in toks:
        if start and tok[1] == '#':
            if piece:
                yield False, piece
            piece, directive = [], True
        piece.append(tok)
        if tok[0] == 'line':
            if directive:
                yield True, piece
                piece, directive = [], False
            start = True
        elif tok[0] != 'space':
            start = False
    if piece:
        yield directive, piece


DOOR = '#include <lkl/asm/door.h>\n'


def widen(text):
    """Replace long, where it is not half of long long, by a type of asm/door.h."""
    toks = tokens(text)
    code = [t for t in toks if t[0] not in ('space', 'line')]
    for i, tok in enumerate(code):
        if tok[1] != 'long':
            continue
        before, after = code[i - 1] if i else [None, ''], (code + [[None, '']])[i + 1]
        if 'long' in (before[1], after[1]) or after[1] == 'double':
            continue
        tok[1] = 'lkl_long_t'
        for word in before, after:
            if word[1] == 'unsigned':
                tok[1] = 'lkl_ulong_t'
            if word[1] in ('unsigned', 'signed', 'int'):
                word[1] = None
    out = ''
    for i, tok in enumerate(toks):
        # With a word goes the space behind it.
        if tok[1] is not None and not (i and toks[i - 1][1] is None and tok[0] == 'space'):
            out += tok[1]
    # Behind the licence.
    return out if out == text else re.sub(r'^(/\*[^\n]*\*/\n)?', r'\1' + DOOR, out, count=1)


def solid(toks):
    """The tokens that mean something."""
    return [t for t in toks if t[0] not in ('space', 'line')]


def skip(code, i, opening, closing):
    """Index behind the bracket that closes the one at code[i]."""
    depth = 0
    while i < len(code):
        depth += (code[i][1] == opening) - (code[i][1] == closing)
        i += 1
        if not depth:
            break
    return i


def strip_attributes(code):
    """The tokens without __attribute__((...))."""
    out, i = [], 0
    while i < len(code):
        if code[i][1] in ('__attribute__', '__attribute') and \
           i + 1 < len(code) and code[i + 1][1] == '(':
            i = skip(code, i + 1, '(', ')')
        else:
            out.append(code[i])
            i += 1
    return out


def without(pattern, text, instead=''):
    """Replace what the pattern finds until it finds nothing."""
    found = 1
    while found:
        text, found = re.subn(pattern, instead, text)
    return text


class Names:
    """Every name the headers define, and what becomes of it."""

    def __init__(self):
        self.plain = set(UNDEFINED | PASTED)    # all but the following
        self.calls = set()                      # macros with parameters
        self.tags = {}                          # and the headers they are in
        self.stems = set(PASTED)                # beginnings of pasted names
        self.where = {}                         # headers of the plain names

    def collect(self, path, text):
        code = []
        for directive, piece in lines(tokens(text)):
            raw = ''.join(t[1] for t in piece)
            piece = solid(piece)
            if directive:
                self.directive(path, raw, piece[1:])
            else:
                code += piece
        code = strip_attributes(code)
        self.find_tags(path, code)
        text = ' '.join(t[1] for t in code).replace('extern "C" {', '')
        self.find_typedefs(path, without(r'{[^{}]*}', text))
        self.find_functions(path, without(r'{[^{}]*}', text, ';'))

    def add(self, path, name):
        self.plain.add(name)
        self.where.setdefault(name, path)

    def directive(self, path, raw, code):
        if len(code) < 2 or code[0][1] != 'define':
            return
        parameters = set()
        if CALL.match(raw):
            parameters = {t[1] for t in code[2:skip(code, 2, '(', ')')]}
            self.calls.add(code[1][1])
        else:
            self.add(path, code[1][1])
        for last, this, following in zip(code[1:], code[2:], code[3:]):
            if this[0] == 'name' and following[1] == '##' and \
               last[1] != '##' and this[1] not in parameters:
                self.stems.add(this[1])
        self.find_tags(path, strip_attributes(code[2:]), parameters)

    def find_tags(self, path, code, parameters=()):
        for i, tok in enumerate(code[:-1]):
            if tok[1] not in TAGGED or tok[0] != 'name':
                continue
            i += 1
            if code[i][0] == 'name' and code[i][1] not in parameters:
                tag = code[i][1]
                i += 1
                self.tags.setdefault(tag, None)
                if i < len(code) and code[i][1] == '{' and not self.tags[tag]:
                    self.tags[tag] = path
            if tok[1] == 'enum' and i < len(code) and code[i][1] == '{':
                self.find_enumerators(path, code[i:skip(code, i, '{', '}')])

    def find_enumerators(self, path, code):
        depth, fresh = 0, False
        for tok in code:
            if fresh and tok[0] == 'name':
                self.add(path, tok[1])
            depth += (tok[1] in '({') - (tok[1] in ')}')
            # Behind ')', a call of a macro has made the ones before.
            fresh = depth == 1 and tok[1] in '{,)'

    def find_typedefs(self, path, text):
        # Without what is in brackets, the last word before a comma is it; or
        # the one behind the asterisk in a pointer to a function.
        for declared in re.findall(r'\btypedef ([^;]*) ;', text):
            pointer = re.search(r'\( \* (\w+)', declared)
            if pointer:
                self.add(path, pointer.group(1))
                continue
            declared = without(r'\([^()]*\)|\[[^][]*\]', declared)
            for declarator in declared.split(','):
                self.add(path, re.findall(r'\w+', declarator)[-1])

    def find_functions(self, path, text):
        for statement in text.split(';'):
            found = re.match(r'[\s}]*(?!typedef)\w[\w\s*]*[\s*](\w+) \(', statement)
            if found:
                self.add(path, found.group(1))

    def prefix(self, name):
        """The name that stands for name from now on."""
        if re.match(r'_*lkl_|_*LKL_', name):
            return name
        bare = name.lstrip('_')
        scores = name[:min(2, len(name) - len(bare))]
        for length in range(len(name), 2, -1):
            if name[:length] in self.stems:
                upper = name[:length].isupper()
                break
        else:
            upper = name.isupper()
        word = 'LKL' if upper else 'lkl'
        return scores + word + ('' if scores else '_') + name


class Writer:
    """Rewrites headers with the names of a Names."""

    def __init__(self, names, present):
        self.names = names
        self.present = present

    def include(self, folder, piece):
        text = ''.join(t[1] for t in piece)
        found = re.match(r'(.*?)[<"]([^">]*)[">](.*)', text, re.DOTALL)
        if not found:
            return text
        before, header, after = found.groups()
        if text[len(before)] == '"':
            header = os.path.join(folder, header)
        header = INSTEAD.get(header, header)
        if header in self.present:
            header = 'lkl/' + header
        return f'{before}<{header}>{after}'

    def rewrite(self, path, text):
        out = []
        for directive, piece in lines(tokens(text)):
            word = solid(piece)[1:2]
            if directive and word and word[0][1] == 'include':
                out.append(self.include(os.path.dirname(path), piece))
                continue
            code = solid(piece)
            if directive and len(code) == 4 and code[3][1] in self.names.tags:
                # Another name for a tag
                code[3][1] = self.names.prefix(code[3][1])
            around = zip([[None, '']] + code, code, code[1:] + [[None, '']])
            for kind, tok in piece:
                if kind not in ('space', 'line'):
                    last, _, following = next(around)
                    if kind == 'name' and tok not in KEYWORDS:
                        tok = self.name(directive, last[1], tok, following[1])
                out.append(tok)
        return ''.join(out)

    def name(self, directive, last, name, following):
        names = self.names
        known = name in names.plain or name in names.stems or name in MEMBERS
        if last in TAGGED:
            known = known or name in names.tags
        elif name in names.calls and not known:
            # Without a call, the same word may be a member, or pasted.
            known = name[0] == '_' or following == '(' or \
                directive and last not in ('.', '->')
        return names.prefix(name) if known else name


def constants(linux, header, pattern):
    """The simple constants of a header whose names match the pattern."""
    with open(os.path.join(linux, header)) as f:
        text = f.read()
    found = re.findall(rf'^#\s*define\s+((?:{pattern}))[ \t]+(.+?)[ \t]*(?:$|/\*)',
                       text, re.MULTILINE)
    return ''.join(f'#define {f[0]}\t{f[-1]}\n' for f in found)


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def headers_below(root, folders):
    for folder in folders:
        for where, _, files in os.walk(os.path.join(root, folder)):
            for name in files:
                if name.endswith('.h'):
                    yield os.path.relpath(os.path.join(where, name), root)


def addition(header, texts, text):
    """Put text into a header, unless it has got the same by now."""
    if header not in texts:
        texts[header] = text
    elif not any(s in texts[header] for s in re.findall(r'struct \w+ {', text)):
        end = texts[header].rindex('#endif')
        texts[header] = texts[header][:end] + text + '\n' + texts[header][end:]


def gather(linux, uapi, ours):
    """All headers with the names they have in the kernel."""
    own = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'uapi')
    texts = {h: read(os.path.join(uapi, h)) for h in headers_below(uapi, FOLDERS)
             if h not in SKIP}
    for header in texts:
        for include in EXTRA.get(header, ()):
            texts[header] = f'#include <{include}>\n' + texts[header]
        for old, new in REPLACE.get(header, ()) + ALIASES.get(header, ()):
            texts[header] = texts[header].replace(old, new)
    for header in headers_below(ours, ('asm',)):
        texts.setdefault(header, read(os.path.join(ours, header)))
    for header, internal, pattern in CONSTANTS:
        addition(header, texts, constants(linux, internal, pattern))
    for header in headers_below(own, FOLDERS):
        addition(header, texts, read(os.path.join(own, header)))
    return texts


def main(linux, uapi, ours, out):
    texts = gather(linux, uapi, ours)
    names = Names()
    for header, text in sorted(texts.items()):
        names.collect(header, text)
    writer = Writer(names, texts)
    texts = {h: widen(writer.rewrite(h, text)) for h, text in texts.items()}
    texts['asm/syscalls.h'] = widen(syscalls.generate(linux, texts, names))

    for header in set(headers_below(out, ('',))) - set(texts):
        os.remove(os.path.join(out, header))
    for header, text in texts.items():
        path = os.path.join(out, header)
        # What has not changed keeps its date.
        if os.path.exists(path) and read(path) == text:
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)


if __name__ == '__main__':
    main(*sys.argv[1:])
