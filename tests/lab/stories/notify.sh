# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Guests that have a section in common hear of each other: who comes and who
# dies, and, where the device offers it, values that they send to one or to all.
# Each notification wakes a program that waits in poll, and of a flood none is lost
# that the host has taken.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

broker_start
section_create bell --size 64K
section_create other --size 64K
guest_start one --section bell:rw --section other:rw
guest_start two --section bell:rw --section other:rw
guest_ready one
guest_ready two
guest_begin one peers vmsect-tool events bell 0 600
check "one listens" wait_until 20 guest_printed one peers listening

guest_start three --section bell:rw
guest_ready three
peer_of() { guest_do "$1" vmsect-tool peer; }
first=$(peer_of one) second=$(peer_of two) third=$(peer_of three)
check "each guest has a number of its own" \
	test "$first" != "$second" -a "$second" != "$third" -a "$first" != "$third"
check "one hears that three has come" wait_until 10 guest_printed one peers "joined peer=$third "
guest_do one cat /tmp/peers

if guest_do one vmsect-tool notify bell 0 1 2>&1 | grep -q 'not supported'; then
	skip "notifications" "the device does not offer them"
else
	# The first event of each is the one meant: what one has sent before is past.
	listen() {
		guest_begin "$1" heard vmsect-tool events bell "$2" 120
		check "$1 listens" wait_until 10 guest_printed "$1" heard listening
	}
	hears() { wait_until 10 guest_printed "$1" heard "notified peer=$2 value=$3 count=1 "; }
	listen two 2
	listen three 1
	guest_do one vmsect-tool notify bell "$second" 42 || not_ok "one notifies two"
	check "two hears what one sends to it" hears two "$first" 42
	guest_do one vmsect-tool notify bell 0 0xfedcba9876543210 || not_ok "one notifies all"
	check "two hears what one sends to all" hears two "$first" 18364758544493064720
	check "three hears that and nothing before" hears three "$first" 18364758544493064720
	check "its program has ended by that" \
		prints "$(printf 'listening\nnotified peer=%s' "$first")" \
		guest_do three "sed 's/ value.*//' /tmp/heard"
	check "who is not there is not found" refuses 'No such device or address' \
		guest_do one vmsect-tool notify bell 99999 1
	check "nor who has not that section" refuses 'No such device or address' \
		guest_do one vmsect-tool notify other "$third" 1

	# As fast as it can: what was taken is heard, together or apart.
	guest_begin two flood vmsect-tool events bell 0 600
	check "two listens to a flood" wait_until 10 guest_printed two flood listening
	flood=$(guest_do one vmsect-tool ring bell "$second" 2000)
	tell "$flood"
	taken=$(echo "$flood" | sed -n 's/^taken \([0-9]*\) .*/\1/p')
	last=$(echo "$flood" | sed -n 's/.* last \([0-9]*\)$/\1/p')
	# A guest of an emulated machine may be slower than the host's limit.
	check "of a flood some are taken, or all" test "${taken:-0}" -gt 0 -a "${taken:-0}" -le 2000
	check "two hears the last that was taken" \
		wait_until 20 guest_do two "grep -q ' value=$last ' /tmp/flood"
	heard_of_flood() {
		guest_do two cat /tmp/flood |
			awk -F '[ =]' '/^notified/ { sum += $7 } END { print sum + 0 }'
	}
	check "none is lost" prints "$taken" heard_of_flood
	guest_do one vmsect-tool ring bell 0 1 >/dev/null
fi

guest_kill three
check "one hears that three was killed" wait_until 10 guest_printed one peers "left peer=$third "
guest_write one bell 0 'goes on' || not_ok "one writes"
check "two goes on with one" prints 'goes on' guest_read two bell 0 7
guest_finish one
guest_finish two
story_end
