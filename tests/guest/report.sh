# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the consoles of the beds' machines have to say.  Sourced.

splats=$(dirname "${BASH_SOURCE[0]}")/../lab/splats

# The cases on a console, and what to think of its end and its kernel log, which goes
# to a file of its own.  Numbers are dropped: a bed may have several machines.
# cases_of CONSOLE KERNEL_LOG
cases_of() {
	local console=$1 log=$2 cases count
	tr -d '\r' <"$console" | sed -n '/^=== kernel log/,$p' >"$log"
	cases=$(tr -d '\r' <"$console" | sed '/^=== kernel log/,$d')
	count=$(grep -cE '^(not )?ok ' <<<"$cases") || true
	sed -nE 's/^((not )?ok )[0-9]+ /\1/p; /^#/p' <<<"$cases"
	# The last line of a machine that came to its end is the plan.
	grep -qx "1\.\.$count" <<<"$cases" || {
		tail -n 20 <<<"$cases" | sed 's/^/# /'
		echo "not ok - the machine comes to its end"
	}
	if grep -E -f "$splats" "$log" | sed 's/^/# /' | grep .; then
		echo "not ok - a clean kernel log"
	else
		echo "ok - a clean kernel log"
	fi
}

# Numbers what cases_of() and others said on standard input; 1 if anything failed.
number_cases() {
	awk '
	/^(not )?ok / { count++; failed += /^not /; sub(/ok/, "ok " count) }
	{ print }
	END { print "1.." count + 0; exit failed || !count }'
}

# report CONSOLE KERNEL_LOG
report() {
	cases_of "$1" "$2" | number_cases
}
