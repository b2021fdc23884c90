# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Sections as persistent memory, with Linux' own driver.  A file system on one is
# mounted with DAX; what a guest has synced is in the file when its VMM is killed,
# and the file system can be repaired by its journal alone.  fio verifies what it
# wrote.  Then the same file read-only, whatever the guest tries; memory that is
# shorter than Linux wants it; and one that is taken away.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

guest_boot_limit=$((2 * guest_boot_limit))
guest_step_limit=$((3 * guest_step_limit))

# 24 MiB and one page: Linux sees 26 MiB.
file_bytes=25169920
file=$(data_file disk)
truncate -s $file_bytes "$file"
check "a file system" mkfs.ext4 -q -b 4096 -F "$file"
broker_start
section_create disk --file "$file"
section_create short --size 1M
guest_start writer --tools --memory 768M --section disk:rw,as=pmem --section short:rw,as=pmem
guest_ready writer
check "the user is told of what is kept nowhere" \
	grep -q 'section disk: the guest sees 2093056 bytes' "$story_dir/writer/vmm.log"

has_device() { guest_do "$1" "[ -b /dev/$2 ]"; }
check "Linux finds both" wait_until 20 has_device writer pmem1
check "rounded up to 2 MiB" prints 27262976 guest_do writer blockdev --getsize64 /dev/pmem0
check "and memory too" prints 2097152 guest_do writer blockdev --getsize64 /dev/pmem1
check "it is mounted" guest_do writer 'mount -t ext4 -o dax /dev/pmem0 /mnt'
check "with DAX" guest_do writer 'grep "^/dev/pmem0 .*dax=always" /proc/mounts'

write_synced() { # GUEST FILE TEXT
	guest_do "$1" "printf '%s' '$3' >/tmp/text && dd if=/tmp/text of=$2 conv=fsync"
}
check "a file is written and synced" write_synced writer /mnt/first 'durable bytes'
check "its bytes are in the host's file" grep -q 'durable bytes' "$file"

# 3;fio-VERSION;JOB;GROUP;ERROR;TOTAL KB READ: what was verified.
fio() { # NAME OPTIONS...
	local name=$1
	shift
	guest_do writer fio --name="$name" --filename=/mnt/fio --size=4M --bs=4k --verify=crc32c \
		--verify_fatal=1 --randseed="${VMSECT_SEED:-1}" --thread --output-format=terse "$@" \
		>"$story_dir/fio.$name" 2>&1
	status=$?
	cat "$story_dir/fio.$name"
	[ $status = 0 ] && grep -qE '^3;fio-[^;]*;[^;]*;0;0;4096;' "$story_dir/fio.$name"
}
check "fio writes through mmap and verifies" fio mapped --rw=randwrite --ioengine=mmap
check "and by calls, with an fsync every 64" fio called --rw=randwrite --ioengine=psync --fsync=64

check "one more file is synced" write_synced writer /mnt/last 'the last words'
guest_do writer 'for i in 1 2 3 4 5 6 7 8; do echo lost >/mnt/lost$i; done'
guest_kill writer
# 1: something was repaired.
repaired() { e2fsck -p "$file" || [ $? = 1 ]; }
check "the journal repairs the file system" repaired
check "which is clean then" e2fsck -f -n "$file"
check "what was synced first is in it" prints 'durable bytes' debugfs -R 'cat first' "$file"
check "and what was synced last" prints 'the last words' debugfs -R 'cat last' "$file"
check "the file is as long as it was" prints $file_bytes stat -c %s "$file"

sum=$(sha256sum <"$file")
guest_start reader --section disk:ro,as=pmem --section short:rw,as=pmem
guest_ready reader
check "Linux finds them once more" wait_until 20 has_device reader pmem1
check "the file system is mounted read-only" guest_do reader 'mount -t ext4 -o ro,dax /dev/pmem0 /mnt'
# Without the echo the answer would not end with a line.
check "and read" prints 'the last words' guest_do reader 'cat /mnt/last; echo'
guest_do reader umount /mnt
guest_do reader 'dd if=/dev/zero of=/dev/pmem0 bs=4096 seek=1 count=1 conv=notrunc,fsync'
check "a guest that writes all the same changes nothing" prints "$sum" sha256sum <"$file"
denied() { [ "$(vmsect views -r -n -b -o SECTION,DENIED | sed -n 's/^disk //p')" != 0 ]; }
check "and is counted" wait_until 10 denied

# Behind the section: memory of this VM alone.
short_dd() { guest_do reader "dd if=/tmp/page of=/dev/pmem1 bs=4096 count=1 conv=notrunc,fsync $*"; }
guest_do reader 'yes "kept nowhere" | head -c 4096 >/tmp/page'
check "the padding takes bytes" short_dd seek=400
guest_do reader 'echo 3 >/proc/sys/vm/drop_caches'
check "and gives them back" guest_do reader \
	'dd if=/dev/pmem1 bs=4096 skip=400 count=1 | cmp - /tmp/page'
short_size() { vmsect ls -r -n -b -o NAME,SIZE | sed -n 's/^short //p'; }
check "but is not the section's" prints 1048576 short_size
check "the section takes bytes too" short_dd seek=3

check "the host takes it away" vmsect revoke short vm:reader
check "then a sync fails" refuses 'Input/output error' short_dd seek=4
check "for good" refuses 'Input/output error' short_dd seek=4
check "and says so" grep -q 'section short, as pmem: it was taken away' "$story_dir/reader/vmm.log"
check "the other goes on" guest_do reader 'mount -t ext4 -o ro,dax /dev/pmem0 /mnt'
story_end
