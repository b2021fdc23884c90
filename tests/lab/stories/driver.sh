# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# The guest driver: unload and load again, refused while a program has a section
# mapped, and the device taken from the driver while a program has it mapped.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

broker_start
section_create taken --size 4M
section_create own --size 4M
guest_start unbind --section taken:rw -- vmsect-unbind-test taken
guest_start unload --section own:rw

guest_ready unload
guest_do_tap unload vmsect-selftest refusal
check "the driver unloads" guest_do unload rmmod vmsect
check "its nodes are gone" guest_do unload test ! -e /dev/vmsect/own
check "it loads again" guest_do unload insmod /lib/modules/vmsect.ko
guest_write unload own 0 'after reload' || not_ok "the section is usable again"
check "and finds the section" prints 'after reload' guest_read unload own 0 12
guest_do unload "(sleep 1000 | vmsect-tool hold own >/tmp/hold 2>&1) & until grep -q holding /tmp/hold; do sleep 0.1; done"
check "it does not unload while mapped" \
	refuses 'temporarily unavailable' guest_do unload rmmod vmsect
guest_do unload 'killall sleep; until grep -q held /tmp/hold; do sleep 0.1; done'
check "it unloads when nothing is mapped any more" guest_do unload rmmod vmsect
guest_stop unload

guest_expect_tap unbind
guest_wait unbind
story_end
