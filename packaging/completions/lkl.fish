# SPDX-License-Identifier: GPL-2.0-only
#
# Completion for fish.  Verbs and options are those that --help tells.

function __lkl_verbs
	lkl --help 2>/dev/null | string replace -rf '^  ([a-z]+)  +(.*)' '$1\t$2'
end

function __lkl_options
	set -l verb (commandline -opc)[2]
	lkl $verb --help 2>/dev/null | string match -r '^ +-.*' | while read -l line
		set -l text (string sub -s 25 -- $line | string trim)
		for option in (string match -ar -- '(?:^ *|, )(--?[a-zA-Z0-9-]+)' $line | string match -r -- '^-.*')
			printf '%s\t%s\n' $option $text
		end
	end
end

complete -c lkl -n 'test (count (commandline -opc)) -eq 1' -f -a '(__lkl_verbs)'
complete -c lkl -n 'test (count (commandline -opc)) -gt 1; and string match -q -- "-*" (commandline -ct)' -f -a '(__lkl_options)'
