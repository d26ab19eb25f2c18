#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the folders promise: only host/ and the interception have system call
# instructions, nothing but arch/lkl takes headers from the kernel's tree, the
# host's operations need nothing of the library, the library nothing of what is
# built on it, only folders of a processor have its instructions, and no files need
# each other (posix.sh: nor in what is built by POSIX).

. "$(dirname "$0")/../common/tools.sh"
need python3 nm
cd "$TOP"

sources() {
	find "$@" -name '*.[chS]'
}

# none PATTERN FOLDER...: no source has a line like that
none() {
	local pattern=$1
	shift
	! sources "$@" | xargs grep -nE -- "$pattern" || fail "unexpected: $pattern"
}

# The instruction, not the function of the C library.
syscall='"syscall|^[[:space:]]*syscall[[:space:]]*($|[;/#])'
sources host hijack | xargs grep -qE -- "$syscall" || fail "the pattern finds nothing"
none "$syscall" lib nl tools include
none '#include ["<].*(arch/|build/linux|\.\./kernel/)' lib nl tools host hijack include
none '#include ".*/lib/' host
none '#include ".*/(hijack|tools|nl)/' lib host
none '#include ".*/(run|preload)/' hijack/way hijack/rewrite

# A processor's instructions.
asm='(^|[^a-z_])(asm|__asm__)([[:space:]]+(volatile|goto|inline))*[[:space:]]*\('
rooms='host lib hijack tools nl door include'
# shellcheck disable=SC2086
sources $rooms >"$TMP/sources"
grep '/x86/' "$TMP/sources" | xargs grep -qE -- "$asm" || fail "the pattern finds nothing"
! grep -v '/x86/' "$TMP/sources" | xargs grep -nE -- "$asm" ||
	fail "instructions of the processor"
! grep '[.]S$' "$TMP/sources" | grep -v '/x86/' || fail "assembly of the processor"

# circles FOLDER...
circles() {
	scripts/circles.py "$BIN/../obj" "$@" >>"$TMP/circles" || fail "circles.py"
}
circles nl
circles lib
circles host
circles hijack -hijack/preload
circles hijack -hijack/run
circles tools
# One of the verbs of lkl reads commands, and looks for verbs; one file of nl/ replaces
# functions of libnl that the other calls.
cat >"$TMP/known" <<END
nl/nl nl/ordinary
tools/lkl/prompt tools/lkl/sh tools/lkl/verb_find tools/lkl/verbs
END
diff "$TMP/known" "$TMP/circles" || fail "files need each other"
