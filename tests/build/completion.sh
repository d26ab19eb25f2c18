#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# bash completes commands, options, file system types and files.

. "$(dirname "$0")/../common/tools.sh"

# shellcheck source=/dev/null
. "$TOP/packaging/completions/lkl.bash"
compopt() { :; } # only works while bash completes

# completes "WORDS" WANT: what may stand in place of the last word
completes() {
	local function
	read -ra COMP_WORDS <<<"$1"
	[ "${1% }" = "$1" ] || COMP_WORDS+=("")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMPREPLY=()
	function=$(complete -p "${COMP_WORDS[0]}" | sed 's/.*-F \([^ ]*\) .*/\1/')
	"$function" "${COMP_WORDS[0]}"
	[ "$(printf '%s\n' "${COMPREPLY[@]}" | sort | xargs)" = "$2" ] ||
		fail "'$1' gives '${COMPREPLY[*]}', not '$2'"
}

: >disk.img
completes "cptofs --par" "--partition="
completes "cpfromfs -" "$(cpfromfs --help | grep -oE -- '(^ +|, )--?[a-zA-Z-]+=?' |
	tr -d ' ,' | sort | xargs)"
completes "fs2tar --mt" "--mtime="
completes "tar2fs --syn" "--sync"
completes "fs2tar --syn" ""
completes "cpfromfs --no" "--no-sandbox"
completes "fs2tar --no" "--no-sandbox"
completes "cptofs -t ext" "ext2 ext3 ext4"
completes "cptofs --type = ro" "romfs"
completes "cptofs -i di" "disk.img"
completes "lkl in" "info inspect"
completes "lkl untar -P n" "none"
completes "lkl ls --ti" "--time-style="
completes "lkl c" "cat chmod chown cp"
completes "lkl df -" "--disk= --help --human-readable --inodes --inspect --json --key-file= --lv= --memory= --no-sandbox --options= --partition= --print-type --printk --sector-size= --si --trust-image --type= --version -D -H -K -L -O -P -T -h -i -m -p -t"
completes "lkl info di" "disk.img"
# what would have no effect is not offered
completes "lkl serve --no" ""
for command in "lkl sh" "lkl diff" "lkl mkfs" "lkl fsck" "lkl resize"; do
	completes "$command --no-s" "--no-sandbox"
done
completes "lkl info --p" "--printk"
completes "lkl info -" "--disk= --help --json --key-file= --memory= --no-sandbox --options= --printk --sector-size= --trust-image --version -D -K -O -m -p"
completes "lklfuse disk.img mnt -o ty" "type="
completes "lklfuse disk.img mnt -o ro,part" "ro,part="
completes "lkl-run mktem" "mktemp"
completes "lkl-hijack.sh mktemp di" "disk.img"
