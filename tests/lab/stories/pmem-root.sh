# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Two VMs whose root is the file system on one copy-on-write section, mounted with
# DAX and written to: each has its own changes, both have the same pages of all
# else, and the file stays as it is.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

# The root has what the guests' initramfs has, but for modules: they are loaded by then.
make_root() {
	mkdir "$story_dir/root"
	(cd "$story_dir/root" && cpio -i -d 2>/dev/null <"$LAB_GUESTS/${LAB_FLAVOUR:-cloud}.cpio")
	rm -rf "$story_dir/root/lib/modules"
	: >"$story_dir/root/modules"
	echo 'the root of all' >"$story_dir/root/name"
	truncate -s 32M "$file"
	mkfs.ext4 -q -b 4096 -F -d "$story_dir/root" "$file"
	rm -rf "$story_dir/root"
}
file=$(data_file root)
check "there is a root file system" make_root
sum=$(sha256sum <"$file")
broker_start
section_create root --file "$file"
has_device() { guest_do "$1" '[ -b /dev/pmem0 ]'; }
for name in one two; do
	guest_start $name --section root:cow,as=pmem
	guest_ready $name
	check "$name finds it" wait_until 20 has_device $name
	guest_say $name 'root /dev/pmem0'
	wait_until "$guest_boot_limit" guest_has_frames $name ready 2
	check "$name has it as its root" guest_do $name 'grep "^/dev/pmem0 / .*dax=always" /proc/mounts'
	check "$name reads it" prints 'the root of all' guest_do $name cat /name
	check "$name writes to it" guest_do $name \
		"echo $name >/tmp/name && dd if=/tmp/name of=/name conv=fsync"
done
for name in one two; do
	check "$name has its own" prints $name guest_do $name cat /name
done
check "the file is as it was" prints "$sum" sha256sum <"$file"
copied() { vmsect views -r -n -o PEER,PRIVATE | grep -q "^$1 [1-9]"; }
check "each has pages of its own" wait_until 10 copied one
check "and the other too" wait_until 10 copied two
guest_stop one
guest_stop two
check "and so it is in the end" prints "$sum" sha256sum <"$file"
story_end
