# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Eight threads of one guest map, unmap, protect, move, copy and fork at random
# while a checker looks at what they write, and a second VM, which only reads,
# checks it too.  While they run the owner takes two sections back; programs get
# SIGBUS there and nowhere else.  LAB_STRESS_SECONDS=60 for a long run.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

seconds=${LAB_STRESS_SECONDS:-10}
guest_step_limit=$((guest_step_limit + 2 * seconds + 120))
broker_start
for name in shared first second; do
	section_create $name --size 4M
done
guest_start writer --cpus 2 --section shared:rw --section first:rw --section second:rw -- \
	vmsect-stress -t "$seconds" -g first -g second shared
guest_start reader --section shared:ro -- vmsect-stress -t "$seconds" shared
runs() { grep -q '^# running' "$story_dir/$1/console"; }
check "writer's threads run" wait_until "$guest_boot_limit" runs writer
check "first is taken from it" vmsect revoke first vm:writer
check "reader's checker runs" wait_until "$guest_boot_limit" runs reader
check "second is taken from it" vmsect revoke second vm:writer
guest_expect_tap writer
guest_expect_tap reader
guest_wait writer
guest_wait reader
story_end
