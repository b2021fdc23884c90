# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Views that programs make: two guests share a section that neither was given,
# and parts of one that both were, in all three modes; closing gives them back, and
# the host's list always agrees.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

# Protections, as vmsect_ioctl.h numbers them.
ro=2 rw=3 wc=4

broker_start
section_create book --size 8M
section_create loose --size 64K
guest_start one --section book:rw
guest_start two --section book:rw --allow-create=1M
guest_ready one
guest_ready two
attached=$(printf 'book one rw 8388608\nbook two rw 8388608\n')
views_become() { [ "$(views_now)" = "$1" ]; }
hex() { printf '%s' "$1" | busybox xxd -p; }

guest_write one loose 100 'by name' || not_ok "one writes to loose"
check "a section is opened by its name" prints 'by name' guest_read two loose 100 7
check "when it is closed its views are gone" wait_until 10 views_become "$attached"

guest_begin one shared vmsect-tool view-write book $rw 4096 "$(hex shared)"
check "one writes through a further view" wait_until 10 guest_printed one shared "$(hex shared)"
check "two reads it" prints shared guest_read two book 4096 6
guest_begin two copy vmsect-tool view-write book $wc 4096 "$(hex copied)"
check "two writes to a writecopy view of it" wait_until 10 guest_printed two copy "$(hex copied)"
check "its other view does not show that" prints shared guest_read two book 4096 6
check "nor does one's" prints shared guest_read one book 4096 6
check "a readonly view is not written" refuses 'Permission denied' \
	guest_do one vmsect-tool view-write book $ro 4096 00
check "the host lists the views" views_become "$(
	printf '%s\n' "$attached" 'book one rw 4096' 'book two cow 4096' | sort
)"
private_of() { vmsect views book -r -n -b -o PEER,MODE,PRIVATE | sed -n "s/^$1 cow //p"; }
one_private() { [ "$(private_of two)" = 1 ]; }
check "and the page that is two's own" wait_until 10 one_private
guest_finish one
guest_finish two
check "closed views are given back" wait_until 10 views_become "$attached"
check "what was written to the section is there" prints shared guest_read two book 4096 6

guest_do_tap two vmsect-selftest budget
check "in the end there is what there was" wait_until 60 views_become "$attached"
story_end
