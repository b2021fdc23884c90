# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Other people's programs on a section, Debian's fio and stress-ng: fio's mmap
# engine writes every block and verifies it by its checksum; stress-ng's mmap
# workers map and unmap a file, which tests/guest/redirect makes the section, and
# check what they read; stress-ng's dev worker does to a node what can be done to
# any device.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

guest_boot_limit=$((2 * guest_boot_limit))
guest_step_limit=$((3 * guest_step_limit))
broker_start
section_create work --size 4M
section_create more --size 4M
section_create seen --size 1M
guest_start tools --tools --memory 768M --section work:rw --section more:rw --section seen:ro
guest_ready tools

# A node is no regular file, so fio wants to be told of its size.
fio() {
	guest_do tools fio --name="$1" --ioengine=mmap --filename=/dev/vmsect/work \
		--allow_file_create=0 --size=2M --bs=4k --rw="$1" --verify=crc32c --verify_fatal=1 \
		--randseed="${VMSECT_SEED:-1}" --thread --output-format=terse >"$story_dir/fio.$1" 2>&1
	status=$?
	cat "$story_dir/fio.$1"
	# 3;fio-VERSION;JOB;GROUP;ERROR;TOTAL KB READ: what was verified.
	[ $status = 0 ] && grep -qE '^3;fio-[^;]*;[^;]*;0;0;2048;' "$story_dir/fio.$1"
}
check "fio writes in order and verifies" fio write
check "and at random" fio randwrite

# stress-ng extends its file by a write.
can_write() { guest_do tools 'echo x >/dev/vmsect/work' >/dev/null; }
# Two at a time, each with a section of its own, as it would have a file.
mmap_worker() {
	echo "env LD_PRELOAD=/lib/libredirect.so REDIRECT_FROM=stress-ng-mmap REDIRECT_TO=/dev/vmsect/$1" \
		"stress-ng --temp-path /tmp --mmap 1 --mmap-bytes 1M --mmap-file --mmap-ops 10 --verify"
}
mmap_workers() {
	guest_do tools "$(mmap_worker more) & $(mmap_worker work) && wait \$!"
}
if can_write; then
	check "stress-ng's mmap workers" mmap_workers
else
	skip "stress-ng's mmap workers" "the driver has no write"
fi
dev_worker() {
	guest_do tools stress-ng --temp-path /tmp --dev 1 --dev-file "/dev/vmsect/$1" --dev-ops 10 \
		--timeout 8
}
for node in ctl seen work; do
	check "stress-ng's dev worker on $node" dev_worker $node
done
check "the section works as before" guest_write tools work 0 'as before'
check "and is read" prints 'as before' guest_read tools work 0 9
story_end
