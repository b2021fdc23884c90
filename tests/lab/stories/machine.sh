# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# The host itself: without these the other stories would show nothing.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

check "the host has /dev/kvm" test -c /dev/kvm
check "nested paging is on" grep -qE '^[Y1]' \
	/sys/module/kvm_amd/parameters/npt /sys/module/kvm_intel/parameters/ept
check "the data file is there" test -s "$LAB_DATA/data.bin"
story_end
