# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# How a VM ends: power-off and reboot with 0, a triple fault with 3.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

broker_start
section_create note --size 1M
guest_start off --section note:rw
guest_start reboot --section note:rw
guest_start fault --append=reboot=triple
guest_ready off
guest_stop off
guest_ready reboot
guest_say reboot reboot
guest_wait reboot 0
guest_ready fault
guest_say fault reboot
guest_wait fault 3
check "no views are left" prints '' views_now
story_end
