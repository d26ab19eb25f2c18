# SPDX-License-Identifier: GPL-2.0-only
#
# The lines of lkl-hijack(1) about programs that do not work, from
# tests/hijack/hijack-matrix.tbl.

/^[a-z]/ { name = $1 }

/^\tfails / {
	way = $2
	wire = $3
	sub(/:$/, "", wire)
	text = $0
	sub(/^[^:]*: /, "", text)
	where = ""
	if (way != "*")
		where = where " under *" way "*"
	if (wire != "*")
		where = where (wire == "lo" ? " in a child" : " with the kernel in its own process")
	print "- *" name "*" where ": " text
	n++
}

END {
	if (!n)
		print "None of those that the tests run."
}
