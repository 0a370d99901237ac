# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# make help: targets by group, then variables, of lines
#
#	target: ... ## group: text
#	#: NAME=value	text
#
# A target without a known group stands under "other".
BEGIN {
	split("start test measure build other", order, " ")
	title["start"] = "Start here"
	title["test"] = "Tests"
	title["measure"] = "Measurements"
	title["build"] = "Build"
	title["other"] = "Other"
}

/^[a-z][a-z-]*:.*## / {
	target = substr($0, 1, index($0, ":") - 1)
	text = substr($0, index($0, "## ") + 3)
	group = "other"
	if (match(text, /^[a-z]+: /) && substr(text, 1, RLENGTH - 2) in title) {
		group = substr(text, 1, RLENGTH - 2)
		text = substr(text, RLENGTH + 1)
	}
	lines[group] = lines[group] sprintf("  make %-15s %s\n", target, text)
}

/^#: / {
	at = index($0, "\t")
	variables = variables sprintf("  %-20s %s\n", substr($0, 4, at - 4), substr($0, at + 1))
}

END {
	for (i = 1; i in order; i++)
		if (order[i] in lines)
			printf "%s\n%s\n", title[order[i]], lines[order[i]]
	printf "Variables\n%s", variables
}
