# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Three guests have the same sections, one each read-only, read-write and
# copy-on-write: a real file, memory, and huge pages.  Plain programs with open
# and mmap see what the mode says, and the file has exactly what the rw guest
# wrote.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

file=$(data_file greeting)
{
	printf 'written by the host'
	head -c 4194285 /dev/zero
} >"$file"
cp "$file" "$story_dir/expected"

broker_start
section_create file --file "$file"
section_create memory --size 4M
huge_pages_reserve 6
section_create huge --size 4M --hugetlb
for mode in ro rw cow; do
	guest_start "$mode" --section "file:$mode" --section "memory:$mode" \
		--section "huge:$mode"
done
for mode in ro rw cow; do
	guest_ready "$mode"
done

sections_now() {
	vmsect ls -r -n -b -o NAME,SIZE,BACKING,VIEWS | sort
}
check "ls shows the three sections" prints \
	"$(printf 'file 4194304 file 3\nhuge 4194304 hugetlb 3\nmemory 4194304 shmem 3')" sections_now
# The size, the file and the views of one section, out of show's JSON.
shown() {
	vmsect show -J "$1" | jq -r '.sections[] as $s |
		(.views | sort_by(.peer)[] | "\($s.path) \($s.size) \(.peer) \(.mode)")'
}
check "show shows one section, and who has it" prints \
	"$(for mode in cow ro rw; do echo "$file 4194304 $mode $mode"; done)" shown file
views_are "views shows what the guests were given" <<TABLE
file ro ro 4194304
file rw rw 4194304
file cow cow 4194304
memory ro ro 4194304
memory rw rw 4194304
memory cow cow 4194304
huge ro ro 4194304
huge rw rw 4194304
huge cow cow 4194304
TABLE

for mode in ro rw cow; do
	check "$mode reads what the host wrote" \
		prints 'written by the host' guest_read "$mode" file 0 19
done

for section in file memory huge; do
	# The first byte of the next page of that backing.
	neighbour=8192
	[ $section != huge ] || neighbour=2097152
	guest_write rw $section 4096 'rw was here' || not_ok "rw writes $section"
	check "ro sees it in $section" prints 'rw was here' guest_read ro $section 4096 11
	check "cow sees it in $section before its own write" \
		prints 'rw was here' guest_read cow $section 4096 11

	guest_write cow $section 4096 'cow alone  ' || not_ok "cow writes $section"
	check "cow sees its own write to $section" prints 'cow alone  ' guest_read cow $section 4096 11
	check "ro does not" prints 'rw was here' guest_read ro $section 4096 11
	check "rw does not" prints 'rw was here' guest_read rw $section 4096 11

	guest_write rw $section $neighbour 'next page' || not_ok "rw writes $section again"
	check "the neighbour page of cow's $section is still live" \
		prints 'next page' guest_read cow $section $neighbour 9
	guest_write rw $section 4096 'rw again   ' || not_ok "rw writes $section once more"
	check "cow keeps its page of $section" prints 'cow alone  ' guest_read cow $section 4096 11

	check "and ro still sees what rw wrote there" prints 'next page' guest_read ro $section $neighbour 9
	check "ro cannot write $section" refuses 'Permission denied' guest_write ro $section 0 'no'
	check "$section has not changed by that" prints 'rw again   ' guest_read ro $section 4096 11
done

# Reading all of it, in order, takes two entries of 2 MiB.
huge_entries() { guest_do "$1" cat /sys/class/vmsect/huge/huge_faults; }
for mode in ro rw cow; do
	before=$(huge_entries $mode)
	guest_sum $mode huge >/dev/null || not_ok "$mode reads huge"
	check "$mode maps huge pages as such" prints $((before + 2)) huge_entries $mode
done

printf 'rw again   ' | dd of="$story_dir/expected" bs=1 seek=4096 conv=notrunc 2>/dev/null
printf 'next page' | dd of="$story_dir/expected" bs=1 seek=8192 conv=notrunc 2>/dev/null
check "the file has exactly what rw wrote" cmp "$file" "$story_dir/expected"
for mode in ro rw cow; do
	guest_stop "$mode"
done
check "with the guests gone there are no views" prints '' views_now
check "the file is the same afterwards" cmp "$file" "$story_dir/expected"
story_end
