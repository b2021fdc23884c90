# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# The guest driver: its selftest with a section in each mode and the right to make
# others (all that vmsect-selftest does), unload and load again, and the device
# taken from the driver while a program has it mapped.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

broker_start
# A section for each guest that writes: they run at the same time.
for name in ro rw cow taken own; do
	section_create $name --size 4M
done
# A data file that ends within a page, and a section that this VM may not open.
head -c 10000 /dev/zero >"$(data_file odd)"
section_create odd --file "$(data_file odd)"
section_create denied --size 4K
vmsect grant denied vm:selftest none || not_ok "vmsect grant"
guest_start selftest --section ro:ro --section rw:rw --section cow:cow --section odd:rw \
	--allow-create -- vmsect-selftest
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

guest_step_limit=240
guest_expect_tap selftest
guest_wait selftest
guest_expect_tap unbind
guest_wait unbind
story_end
