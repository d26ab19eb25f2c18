# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Completion for bash: one file for all tools, installed under each one's name.
# Options are those that --help tells.

# The words of the list $1 that begin with what is being typed.
_lkl_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}")
	# no space after --option=
	[[ ${COMPREPLY[*]} != *= ]] || compopt -o nospace
}

_lkl_files() {
	compopt -o filenames
	mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
}

# What COMMAND... takes: options, and values of the one before.
_lkl_tool() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}

	# bash makes --option=value three words
	[[ $prev != = ]] || prev=${COMP_WORDS[COMP_CWORD - 2]}
	[[ $cur != = ]] || cur=
	case $prev in
	-t | --type)
		_lkl_words "auto ext2 ext3 ext4 xfs btrfs f2fs vfat exfat ntfs3
			iso9660 udf squashfs erofs minix hfsplus cramfs romfs"
		return
		;;
	-P | --partition)
		_lkl_words "none 1 2 3 4 5 6 7 8"
		return
		;;
	-m | --memory | -L | --lv | -o | --owner | -g | --group | -O | --options)
		return
		;;
	esac
	if [[ $cur == -* ]]; then
		_lkl_words "$("$@" --help 2>/dev/null |
			grep -oE -- '(^ +|, )--?[a-zA-Z0-9-]+=?' | tr -d ' ,')"
	else
		_lkl_files
	fi
}

_lkl() {
	if ((COMP_CWORD == 1)); then
		_lkl_words "$("$1" --help 2>/dev/null |
			sed -n 's/^  \([a-z]*\)  .*/\1/p') --help --version"
	elif [[ ${COMP_WORDS[1]} == run ]]; then
		_lkl_run
	elif [[ ${COMP_WORDS[1]} == fuse ]]; then
		_lkl_fuse
	else
		_lkl_tool "$1" "${COMP_WORDS[1]}"
	fi
}

_lkl_fuse() {
	local cur=${COMP_WORDS[COMP_CWORD]} start=

	if [[ ${COMP_WORDS[*]:COMP_CWORD - 3:3} != *-o* ]]; then
		_lkl_tool lklfuse
		return
	fi
	# the last of a list of options
	[[ $cur != *,* ]] || start=${cur%,*},
	mapfile -t COMPREPLY < <(compgen -P "$start" -W "type= part= disk= lv= passphrase keyfile= ro
		mb= log= lock= opts= uid= gid= uidmap= gidmap= sector_size= nosandbox trust_image allow_other" -- "${cur##*,}")
	compopt -o nospace
}

# A program, and what it works on.
_lkl_run() {
	if ((COMP_CWORD <= 1)) || [[ ${COMP_WORDS[COMP_CWORD - 1]} == run ]]; then
		mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}" |
			sort -u)
	else
		_lkl_files
	fi
}

complete -F _lkl lkl
complete -F _lkl_tool cptofs cpfromfs fs2tar tar2fs
complete -F _lkl_fuse lklfuse
complete -F _lkl_run lkl-run lkl-hijack.sh
