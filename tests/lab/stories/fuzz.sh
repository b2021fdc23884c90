# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Random calls on everything that the driver offers, by a program of 64 bits in
# one guest and of 32 bits in another: nothing hangs, the kernels have nothing to
# say, and a section beside those that were played with is as it was.  Each
# program prints its seed; VMSECT_SEED repeats it, LAB_FUZZ_STEPS makes it longer.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

steps=${LAB_FUZZ_STEPS:-1000}
guest_step_limit=$((guest_step_limit + steps / 10))
file=$(data_file data)
head -c 2097152 /dev/zero >"$file"
broker_start
section_create data --file "$file"
for bits in 64 32; do
	section_create keep$bits --size 1M
	section_create memory$bits --size 2M --max-size 4M
	section_create copied$bits --size 2M
done
start() {
	guest_start "guest$1" --allow-create=16M --section "keep$1:rw" --section "memory$1:rw" \
		--section "copied$1:cow" --section data:rw -- \
		"$2" -n "$steps" "keep$1" "memory$1" "copied$1" data
}
start 64 vmsect-ioctl-fuzz
start 32 vmsect-ioctl-fuzz32
for bits in 64 32; do
	guest_expect_tap guest$bits
	guest_wait guest$bits
done
story_end
