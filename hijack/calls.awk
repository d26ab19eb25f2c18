# SPDX-License-Identifier: GPL-2.0-only
#
# Make the table of calls from calls.tbl, in lines of CALL(NUMBER, WHOSE, HANDLER):
#
#	awk -f calls.awk syscall_64.tbl calls.tbl
#
# The first is the kernel's.  Each call of it has to be in the second, once.

function bad(text)
{
	print FILENAME ":" FNR ": " text > "/dev/stderr"
	failed = 1
}

/^[ \t]*(#|$)/ { next }

FILENAME == ARGV[1] {
	if ($2 == "common" || $2 == "64") {
		number[$3] = $1
		if ($1 > last)
			last = $1
	}
	next
}

/^[a-z]/ {
	whose = $1
	handler = $2
	sub(/:$/, "", handler)
	if ($1 ~ /:$/) {
		sub(/:$/, "", whose)
		handler = ""
	}
	if (whose !~ /^(host|library|descriptor|path|either|here|refused)$/)
		bad("no such side: " whose)
	if ((whose == "host") != (handler == ""))
		bad(whose (handler == "" ? " has no handler" : " has a handler"))
	if ($0 !~ /: ./)
		bad("no reason")
	next
}

{
	for (i = 1; i <= NF; i++) {
		if (!($i in number))
			bad("no such call: " $i)
		else if ($i in known)
			bad($i " is here twice")
		known[$i] = 1
		if (handler != "" && $i in number) {
			print "CALL(" number[$i] ", " whose ", " handler ") /* " $i " */"
			has[number[$i]] = 1
		}
	}
}

END {
	for (name in number)
		if (!(name in known)) {
			print ARGV[2] ": no line for " name \
				", number " number[name] > "/dev/stderr"
			failed = 1
		}
	# The table is as long, even if the last one is simply the host's.
	if (!(last in has))
		print "CALL(" last ", host, NULL)"
	exit failed
}
