# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# What a guest's device goes through: suspend and resume, with mappings, views
# and handles in use, which keep what they have; and its removal from the PCI bus
# while it is mapped, after which a rescan finds it again.  Debian's standard
# kernel, which can try suspend without a way to wake up (pm_test).
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

broker_start
section_create book --size 4M
guest_start sleeper --flavour=standard --section book:rw --allow-create
guest_ready sleeper
hex() { printf '%s' "$1" | busybox xxd -p; }

guest_write sleeper book 0 'before' || not_ok "sleeper writes"
guest_begin sleeper hold vmsect-tool hold book
guest_begin sleeper copy vmsect-tool view-write book 4 4096 "$(hex mine)"
guest_begin sleeper events vmsect-tool events book 0 600
check "a program has it mapped" wait_until 20 guest_printed sleeper hold "holding $(hex b)"
check "another has a writecopy view" wait_until 20 guest_printed sleeper copy "$(hex mine)"
check "a third listens" wait_until 20 guest_printed sleeper events listening
views_now >"$story_dir/before"

suspend() { guest_do sleeper 'echo devices >/sys/power/pm_test && echo freeze >/sys/power/state'; }
for round in 1 2 3; do
	check "suspend and resume, round $round" suspend
	check "the bytes are there" prints before guest_read sleeper book 0 6
	views_now >"$story_dir/after"
	check "the views are as before" cmp "$story_dir/before" "$story_dir/after"
	guest_write sleeper book 8192 "round $round" || not_ok "sleeper writes in round $round"
done
check "it can make further views" guest_do sleeper \
	"vmsect-tool view-write book 3 12288 $(hex after) </dev/null"
check "hibernation is refused" refuses '' guest_do sleeper \
	'echo platform >/sys/power/disk; echo devices >/sys/power/pm_test; echo disk >/sys/power/state'
check "and nothing was lost by that" prints before guest_read sleeper book 0 6
guest_finish sleeper
check "the mapping was there all the time" wait_until 10 guest_printed sleeper hold "held $(hex b)"

device() { guest_do sleeper 'basename $(dirname $(readlink -f /sys/bus/virtio/drivers/vmsect/virtio*))'; }
address=$(device)
guest_begin sleeper watch vmsect-tool watch book 0 120
check "a program reads it all the time" wait_until 20 guest_printed sleeper watch watching
guest_begin sleeper gone vmsect-tool events book 0 600
check "another listens" wait_until 20 guest_printed sleeper gone listening
check "the device is removed" guest_do sleeper "echo 1 >/sys/bus/pci/devices/$address/remove"
check "the program gets SIGBUS" wait_until 20 guest_printed sleeper watch lost
check "the listener hears that it has gone" wait_until 20 guest_printed sleeper gone gone
check "and ends" wait_until 20 guest_printed sleeper gone end
check "there is no node" guest_do sleeper test ! -e /dev/vmsect/book
check "a rescan finds the device" guest_do sleeper 'echo 1 >/sys/bus/pci/rescan'
check "and the section" prints before guest_read sleeper book 0 6
guest_write sleeper book 0 'again ' || not_ok "sleeper writes again"
check "which works" prints again guest_read sleeper book 0 5
story_end
