# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Debian's standard kernel, by the 64-bit boot protocol and by PVH, and two vCPUs;
# the driver's selftest on its PREEMPT_RT kernel and on the next series.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

broker_start
section_create note --size 1M
guest_start writer --flavour=standard --pvh --section note:rw
guest_start reader --flavour=standard --cpus 2 --section note:ro
guest_ready writer
guest_write writer note 0 'from a PVH guest' || not_ok "the PVH guest writes"
guest_ready reader
check "the bzImage guest has two vCPUs" prints 2 guest_do reader nproc
check "it reads what the PVH guest wrote" prints 'from a PVH guest' guest_read reader note 0 16
guest_stop writer
guest_stop reader

for mode in ro rw cow; do
	section_create $mode --size 4M
done
guest_start rt --flavour=rt --section ro:ro --section rw:rw --section cow:cow --allow-create
guest_ready rt
check "the rt guest's kernel is PREEMPT_RT" prints 1 guest_do rt cat /sys/kernel/realtime
guest_step_limit=480
guest_do_tap rt vmsect-selftest
guest_stop rt
guest_start next --flavour=next --section ro:ro --section rw:rw --section cow:cow --allow-create
guest_ready next
check "the next guest's kernel is of a later series" \
	guest_do next '! uname -r | grep -q "^6\.1\."'
guest_do_tap next vmsect-selftest
story_end
