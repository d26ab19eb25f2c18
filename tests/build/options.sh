#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A command takes the options that its --help tells, and no others; its manual page and the
# completion have the same ones.

. "$(dirname "$0")/../common/tools.sh"
need python3 scdoc

# shellcheck source=/dev/null
. "$TOP/packaging/completions/lkl.bash"
compopt() { :; } # only works while bash completes

# told COMMAND...: long names in --help, those with an argument with a =
told() {
	"$@" --help | grep -oE -- '^ +(-[A-Za-z0-9](, )?)?(--[a-z0-9-]+=?)?' |
		grep -oE -- '--[a-z0-9-]+=?' | sort
}

# taken COMMAND...: the same, as getopt_long() names them when they are cut short
taken() {
	local letter said
	for letter in a b c d e f g h i j k l m n o p q r s t u v w x y z; do
		said=$("$@" --$letter=x 2>&1 </dev/null || true)
		[[ $said != *unrecognized* ]] || continue
		said+=$("$@" --$letter 2>&1 </dev/null || true)
		grep -oE "possibilities:.*" <<<"$said" | grep -oE -- "--[a-z0-9-]+" || true
		grep -oE "option '--[a-z0-9-]+' (requires|doesn't allow)" <<<"$said" |
			grep -oE -- "--[a-z0-9-]+" || true
	done | sort -u
}

# completed WORDS...: what the completion gives for a long option
completed() {
	local function
	COMP_WORDS=("$@" --)
	COMP_CWORD=$#
	COMPREPLY=()
	function=$(complete -p "$1" | sed 's/.*-F \([^ ]*\) .*/\1/')
	"$function" "$1"
	printf '%s\n' "${COMPREPLY[@]}" | sort
}

commands=$(lkl --help | sed -n 's/^  \([a-z]*\)  .*/\1/p' | grep -vxE 'cp|fuse|run|tar|untar' | sed 's/^/lkl /')
commands+=$'\ncptofs\ncpfromfs\nfs2tar\ntar2fs'
while read -ra command; do
	told "${command[@]}" >told
	[ -s told ] || fail "${command[*]} tells no option"
	taken "${command[@]}" >taken
	sed 's/=$//' told | sort | diff - taken || fail "${command[*]} takes others than it tells"
	completed "${command[@]}" | diff told - || fail "the completion of ${command[*]}"
done <<<"$commands"

# lklfuse takes those that it tells, too
mkdir mnt
for option in $(lklfuse --help | awk -v RS= NR==2 | sed -n 's/^    -o \([a-z_]*=\?\).*/\1/p') none=; do
	lklfuse nothing mnt -o "${option/=/=1:1}" >said 2>&1 || true
	if [ $option = none= ]; then
		grep -q "unknown option" said || { cat said; fail "lklfuse takes anything"; }
	else
		! grep -q "unknown option" said || { cat said; fail "lklfuse does not take $option"; }
	fi
done

# what the pages are made of: an option more or less is an error
for page in "$TOP"/docs/man/*.scd; do
	"$TOP/scripts/manopts.py" "$page" "$BIN" >page || fail "$page"
	scdoc <page >/dev/null || fail "$page"
	! grep -q '^@' page || fail "$page: not all is done"
	grep -q '^@-' "$page" || continue
	name=$(basename "$page")
	grep -v '^@--*[a-z]*' "$page" >"$name" || true
	! "$TOP/scripts/manopts.py" "$name" "$BIN" >page 2>log || fail "$name: an option less"
	grep -q "does not have the option" log || { cat log; fail "$name"; }
	sed '0,/^@-/s/^@-/@--none -/' "$page" >"$name"
	! "$TOP/scripts/manopts.py" "$name" "$BIN" >page 2>log || fail "$name: an option more"
	grep -q "has no option --none" log || { cat log; fail "$name"; }
done
"$TOP/scripts/manopts.py" "$TOP/docs/man/lkl.1.scd" "$BIN" >page
for option in $(lkl ls --help | sed -n 's/^ .*\(--[a-z-]*\)[= ].*/\1/p' | grep -vE 'help|version'); do
	grep -qF -- "*$option*" page || lkl cat --help | grep -q -- "$option" || fail "ls $option"
done
