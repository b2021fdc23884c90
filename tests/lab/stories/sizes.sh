# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Sizes that change while guests have sections mapped.  Memory that was made to
# grow does so, read-write in one VM and copy-on-write in another; a program that
# has mapped past the end gets SIGBUS there before, and the new pages after.  A
# data file is cut behind a guest's back: the program that touches what has gone
# gets SIGBUS, all else goes on, and when the file is whole again, opening the
# section once more shows it.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

file=$(data_file cut)
head -c 4194304 /dev/zero >"$file"
printf 'head' | dd of="$file" bs=1 conv=notrunc 2>/dev/null
printf 'tail' | dd of="$file" bs=1 seek=4190208 conv=notrunc 2>/dev/null
broker_start
section_create book --size 1M --max-size 8M
section_create fixed --size 1M
section_create cut --file "$file"
guest_start writer --section book:rw --section fixed:rw --section cut:rw
guest_start copier --section book:cow
guest_ready writer
guest_ready copier
length_is() { guest_do "$1" vmsect-tool info "$2" | grep -q " size=$3 length=$3 "; }
check "writer has 1 MiB of it" length_is writer book 1048576
guest_do writer 'vmsect-tool wait-past book 3145000 60 >/tmp/past 2>&1 &' || not_ok "writer waits"
past_says() { guest_do writer cat /tmp/past | grep -q "^$1"; }
check "a mapping reaches past the end, the memory does not" wait_until 10 past_says waiting

check "the host extends it" vmsect extend book 3M
check "writer has 3 MiB" wait_until 10 length_is writer book 3145728
check "copier too" wait_until 10 length_is copier book 3145728
check "and the mapping made before, which has zeros there" wait_until 10 past_says 'there 00'
guest_write writer book 3145000 'on the last page' || not_ok "writer writes there"
check "copier reads it" prints 'on the last page' guest_read copier book 3145000 16
guest_write copier book 3145000 'of my own copy..' || not_ok "copier writes there"
check "that is its own" prints 'on the last page' guest_read writer book 3145000 16
# The broker's descriptor of the section's memory, which has its full size from the start.
host_reads() {
	local fd
	for fd in /proc/"$broker_pid"/fd/*; do
		[ "$(stat -L -c %s "$fd")" = 8388608 ] || continue
		dd if="$fd" bs=1 skip="$1" count="$2" 2>/dev/null
		return
	done
	return 1
}
check "the host too" prints 'on the last page' host_reads 3145000 16
views_are "the host shows the views as they are" <<TABLE
book writer rw 3145728
cut writer rw 4194304
fixed writer rw 1048576
book copier cow 3145728
TABLE

check "to the maximum" vmsect extend book 8M
check "writer follows" wait_until 10 length_is writer book 8388608
check "and no further" refuses 'book' vmsect extend book 9M
check "what was not made for it does not grow" refuses 'fixed' vmsect extend fixed 2M
check "and is as it was" length_is writer fixed 1048576

check "writer reads the tail of the file" prints tail guest_read writer cut 4190208 4
guest_begin writer events vmsect-tool events cut 1 120
check "a program listens" wait_until 10 guest_printed writer events listening
truncate -s 2097152 "$file"
probe_is() { [ "$(guest_do writer vmsect-tool probe cut "$1")" = "$2" ]; }
check "a program that touches the tail gets SIGBUS" wait_until 20 probe_is 4190208 lost
check "a program that reads it gets EIO" prints 'Input/output error' \
	guest_do writer vmsect-tool pread cut 4190208
check "one that listens hears of it" wait_until 10 guest_printed writer events page-error
check "the head is there" prints head guest_read writer cut 0 4
errors_counted() { [ "$(guest_do writer cat /sys/class/vmsect/cut/page_errors)" -ge 1 ]; }
check "the driver has heard of it" errors_counted
guest_write writer cut 4 'ing' || not_ok "writer writes to what is left"
check "and it reaches the file" prints heading head -c 7 "$file"

truncate -s 4194304 "$file"
printf 'back' | dd of="$file" bs=1 seek=4190208 conv=notrunc 2>/dev/null
check "with the file whole again the tail is there" wait_until 20 probe_is 4190208 62
check "with what the file has" prints back guest_read writer cut 4190208 4
story_end
