# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# kill -9 of one VMM leaves the other guest working, and its views are gone from
# the list within a second; kill -9 of the broker leaves the guests working.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

broker_start
section_create shared --size 2M
guest_start one --section shared:rw
guest_start two --section shared:rw
guest_ready one
guest_ready two
guest_write one shared 0 'one was here' || not_ok "one writes"
guest_kill one
one_is_forgotten() {
	[ "$(views_now)" = 'shared two rw 2097152' ]
}
check "views forgets the one that was killed" wait_until 2 one_is_forgotten
check "two still reads what one wrote" prints 'one was here' guest_read two shared 0 12
guest_write two shared 0 'two goes on ' || not_ok "two writes"

broker_kill
check "without the broker two still writes" guest_write two shared 4096 'no broker'
check "and reads" prints 'no broker' guest_read two shared 4096 9
guest_stop two
story_end
