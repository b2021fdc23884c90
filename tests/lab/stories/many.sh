# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# A thousand views in one guest, and as many handles as there may be; the host
# lists them, and what is closed is given back.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

broker_start
section_create book --size 8M
guest_start one --section book:rw --allow-create
guest_ready one
attached='book one rw 8388608'
views_become() { [ "$(views_now)" = "$1" ]; }

# Up to the device's limit, which is more.
guest_begin one views vmsect-tool views book 2000
check "a thousand views in one guest" wait_until 100 guest_printed one views 'views 1[0-9][0-9][0-9]'
check "one too many is refused" guest_printed one views 'views .*: Disk quota exceeded'
made=$(guest_do one cat /tmp/views | sed -n 's/^views \([0-9]*\):.*/\1/p')
count_of() { views_now | grep -c " $1 "; }
check "the host lists them all" prints $((made + 1)) count_of one
guest_finish one
check "and all are given back" wait_until 150 views_become "$attached"
check "the guest has none that wait" prints 0 \
	guest_do one cat /sys/class/misc/vmsect-ctl0/views_pending

guest_do_tap one vmsect-selftest many
check "in the end there is what there was" wait_until 60 views_become "$attached"
story_end
