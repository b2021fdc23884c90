# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# The tests of the interop bed that need VMs of ours, on this machine's KVM: one
# guest image under QEMU and under vmsect-vmm, which share a section and ring each
# other (tests/interop).
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

interop_unpack
export VMSECT_BIN_DIR=/bin CMOCKA_MESSAGE_OUTPUT=TAP
# run TOPIC [TESTS]
run() {
	local name=$1
	shift
	mkdir -p "$story_dir/$name"
	"interop-$name" "$@" >"$story_dir/$name/output" 2>&1
	cat "$story_dir/$name/output"
	tap_take "$name" <"$story_dir/$name/output"
}
run ivshmem
run doorbell 'test_ours*'
story_end
