# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# A disk that fails under one section's file.  A program that touches a page
# which cannot be read gets SIGBUS until the disk is whole again.  Flushes fail,
# and go on failing even then, since bytes were lost; so do those of a guest that
# has it as persistent memory and was not the first to ask.  All else goes on.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

sectors=131072
disk=/sys/kernel/config/nullb/failing
disk_folder=$story_dir/disk

# A disk in memory that can be told to fail.
disk_make() {
	mkdir -p "$disk_folder"
	mount -t configfs configfs /sys/kernel/config
	mkdir $disk
	echo 1 >$disk/memory_backed
	echo $((sectors / 2048)) >$disk/size
	echo 1 >$disk/power
	# Kernels before 6.1 call it by its number.
	[ -b /dev/failing ] || ln -s "nullb$(cat $disk/index)" /dev/failing
	mke2fs /dev/failing >/dev/null
	mount -t ext4 /dev/failing "$disk_folder"
}
# All sectors fail (+) or none (-).  The kernel's list of them is in disorder if
# it is told of more than 512 at once.
disk_sectors() {
	local at=0
	while [ "$at" -lt "$sectors" ]; do
		echo "$1$at-$((at + 511))" >$disk/badblocks
		at=$((at + 512))
	done
}
disk_fails() { disk_sectors +; }
disk_is_whole() { disk_sectors -; }
disk_drop() {
	umount "$disk_folder"
	echo 0 >$disk/power
	rmdir $disk
}

check "there is a disk that can fail" disk_make
file=$disk_folder/data
head -c 8388608 /dev/zero >"$file"
printf 'far away' | dd of="$file" bs=1 seek=6291456 conv=notrunc 2>/dev/null
sync
# What is in memory needs no disk.
echo 3 >/proc/sys/vm/drop_caches

broker_start
section_create failing --file "$file"
section_create memory --size 2M
guest_start one --section failing:rw --section memory:rw
guest_start other --section failing:rw,as=pmem
guest_ready one
guest_ready other
# The debug kernel has no driver for it, and need not: it is not ours.
pmem=yes
[ "${LAB_FLAVOUR:-}" != debug ] || pmem=
check_pmem() {
	if [ -n "$pmem" ]; then check "$@"; else skip "$1" "the debug kernel has no virtio_pmem"; fi
}
has_device() { guest_do other '[ -b /dev/pmem0 ]'; }
check_pmem "other finds its device" wait_until 20 has_device
# Without conv=fsync the bytes are in the section when dd has ended, but not synced.
pmem_write() { guest_do other "dd if=/dev/zero of=/dev/pmem0 bs=4096 seek=512 count=1 conv=notrunc$1"; }
guest_write one failing 0 'first' || not_ok "one writes"
check "a whole disk is flushed to" guest_do one vmsect-tool flush failing
check_pmem "from persistent memory too" pmem_write ,fsync

disk_fails
[ -z "$pmem" ] || pmem_write '' || not_ok "other writes"
guest_write one failing 0 'second' || not_ok "one writes again"
check "fsync in the guest fails" refuses 'Input/output error' guest_do one vmsect-tool flush failing
check "and so does a flush on the host" refuses 'Input/output error' vmsect flush failing
io_error() { vmsect ls -r -n -o NAME,IO-ERROR | sed -n 's/^failing //p'; }
check "the list shows it" prints 'Input/output\x20error' io_error
# The load that finds it sees zeros; the guest hears of it then.
check "a page that cannot be read is SIGBUS" prints "$(printf 'watching\nlost')" \
	guest_do one vmsect-tool watch failing 6291456 30
check "a page that was read before is there" prints 'second' guest_read one failing 0 6
guest_write one memory 0 'works' || not_ok "one writes to its other section"
check "its other section works" prints 'works' guest_read one memory 0 5
check "memory is flushed as ever" guest_do one vmsect-tool flush memory

disk_is_whole
check "with the disk whole the page is as it was" prints 'far away' guest_read one failing 6291456 8
guest_write one failing 0 'third ' || not_ok "one writes once more"
check "no later success hides what was lost" refuses 'Input/output error' \
	guest_do one vmsect-tool flush failing
check_pmem "nor what others were told of" refuses 'Input/output error' pmem_write ,fsync
check_pmem "for good" refuses 'Input/output error' pmem_write ,fsync
guest_stop one
guest_stop other
vmsect rm failing
section_create failing --file "$file"
check "a new section starts anew" vmsect flush failing
check "its file has what was written last" prints 'third ' head -c 6 "$file"
vmsect rm failing
check "the disk is let go" disk_drop
story_end
