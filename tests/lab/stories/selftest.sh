# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# All that vmsect-selftest shows of the driver, in a guest with a section in each
# mode, a data file that ends within a page, a section that it may not open, and
# the right to make others: with Debian's standard kernel, and once more as a 32-bit
# program with the cloud kernel.  flavours has the other kernels.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

broker_start
for name in ro rw cow; do
	section_create $name --size 4M
done
head -c 10000 /dev/zero >"$(data_file odd)"
section_create odd --file "$(data_file odd)"
section_create denied --size 4K
vmsect grant denied vm:selftest none || not_ok "vmsect grant"
vmsect grant denied vm:selftest32 none || not_ok "vmsect grant"
guest_start selftest --flavour=standard --section ro:ro --section rw:rw --section cow:cow --section odd:rw \
	--allow-create -- vmsect-selftest
guest_ready selftest
# Nearly two hundred cases, in a guest of an emulated machine.
guest_step_limit=480
guest_expect_tap selftest
guest_wait selftest
for name in ro rw cow; do
	section_create "${name}32" --size 4M
done
guest_start selftest32 --section ro32:ro --section rw32:rw --section cow32:cow --allow-create -- \
	vmsect-selftest32
guest_ready selftest32
guest_expect_tap selftest32
guest_wait selftest32
story_end
