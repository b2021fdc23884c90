# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Debian's standard kernel, by the 64-bit boot protocol and by PVH, and two vCPUs.
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
story_end
