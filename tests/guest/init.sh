# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# What /init of the beds' machines begins with: the file systems, and words to say in
# TAP what came out.  Sourced; the console carries it.
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
dmesg -n 1

number=0
ok() {
	number=$((number + 1))
	echo "ok $number - $*"
}
not_ok() {
	number=$((number + 1))
	echo "not ok $number - $*"
}
skip() { ok "$1 # SKIP $2"; }
check() {
	local what=$1
	shift
	if "$@"; then ok "$what"; else not_ok "$what"; fi
}
fails() { ! "$@" 2>/dev/null; }
prints() {
	local expected=$1
	shift
	[ "$("$@" | tr '\n' ' ')" = "$expected" ]
}
# Runs a program that speaks TAP; its cases become ours.
tap() {
	local line
	"$@" >/tap
	while read -r line; do
		case $line in
		"ok "*) ok "$1: ${line#* - }" ;;
		"not ok "*) not_ok "$1: ${line#* - }" ;;
		"#"*) echo "$line" ;;
		Bail*) not_ok "$1: $line" ;;
		esac
	done </tap
}
# Until a command succeeds, at most ten seconds.
eventually() {
	local tries=0
	until "$@" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		sleep 0.1
	done
}
reads() { [ "$(cat "$2")" = "$1" ]; }

# The plan, and what the kernel said, also what a script has taken out of its log to
# /dmesg; the bed looks at both.
end() {
	echo "1..$number"
	echo "=== kernel log"
	[ ! -e /dmesg ] || cat /dmesg
	dmesg
	poweroff -f
}
