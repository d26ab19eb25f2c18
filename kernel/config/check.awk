# SPDX-License-Identifier: GPL-2.0-only
# awk -f check.awk .config requested: name the options that did not come true.

FNR == 1 { file++ }
file == 1 && /^CONFIG_/ { split($0, part, "="); set[part[1]] = $0 }
file == 2 && /^CONFIG_/ {
	split($0, part, "=")
	if (!(part[1] in set))
		wrong[$0] = "nothing"
	else if (set[part[1]] != $0)
		wrong[$0] = set[part[1]]
}
file == 2 && /^# CONFIG_.* is not set$/ && $2 in set { wrong[$0] = set[$2] }

END {
	for (asked in wrong) {
		printf "kernel configuration: asked for %s, got %s\n", asked, wrong[asked] > "/dev/stderr"
		failed = 1
	}
	exit failed
}
