# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# kill -9 of the broker, and a new one: the guests notice nothing, come back by
# themselves, and the lists are as before.  kill -9 of one VMM: the other guest
# works on, and the views are gone from the list within two seconds.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

broker_start
section_create memory --size 2M --mode 0640
section_create other --size 1M
guest_start one --section memory:rw --section other:rw
guest_start two --section memory:ro --section other:rw
guest_ready one
guest_ready two
guest_write one memory 0 'before' || not_ok "one writes"
lists_now() {
	vmsect ls -J -o NAME,SIZE,BACKING,PROT,MODE,HANDLES,VIEWS,ID
	vmsect views -J -o SECTION,PEER,MODE,OFFSET,LENGTH,ID,PEER-ID
}
lists_now >"$story_dir/before"

broker_kill
guest_write one memory 4096 'between' || not_ok "one writes without a broker"
check "two reads it" prints between guest_read two memory 4096 7
broker_start
vms_are_back() {
	lists_now >"$story_dir/after" 2>&1
	cmp -s "$story_dir/before" "$story_dir/after"
}
check "sections, views and VMs are as before" wait_until 20 vms_are_back
check "no byte is lost" prints before guest_read two memory 0 6
two_asks() { guest_do two vmsect-tool info memory >/dev/null; }
check "the device answers requests again" wait_until 20 two_asks
check "rights are what they were" refuses 'Permission denied' guest_write two memory 0 no
check "and can be taken back as before" vmsect revoke memory vm:two
two_is_refused() { refuses 'Permission denied' guest_read two memory 0 6; }
check "two has lost it" wait_until 10 two_is_refused
check "one has not" prints before guest_read one memory 0 6

guest_write two other 0 'two was here' || not_ok "two writes to the other"
guest_kill two
only_one() {
	[ "$(views_now)" = "$(printf 'memory one rw 2097152\nother one rw 1048576')" ] &&
		[ "$(vmsect vms -n -r -o NAME)" = one ]
}
check "views and vms forget one that was killed" wait_until 2 only_one
check "one still reads what it wrote" prints 'two was here' guest_read one other 0 12
guest_write one other 0 'one goes on ' || not_ok "one writes to the other"
guest_stop one
story_end
