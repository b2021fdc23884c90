# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Rules of sections, by their ids in tests/conformance/scenarios, as guest
# programs see them through the driver: those of one VM in a program of its own
# (tests/guest/conformance_guest.c), those of two here.  a and b are the VMs.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

# A data file of two pages.
file_section() {
	local file
	file=$(data_file "$1")
	yes "$1" | head -c 8192 >"$file"
	shift
	section_create "$(basename "$file")" --file "$file" "$@"
}
file_has() { dd if="$(data_file "$1")" bs=1 skip="$2" count="${#3}" 2>/dev/null | grep -qxF "$3"; }
zeros() { [ "$(guest_do "$1" vmsect-tool read "$2" "$3" 4)" = 00000000 ]; }

broker_start
section_create new --size 64K
file_section file
file_section ro --protection ro
file_section cow
section_create odd --size 4090
section_create xr --size 4K --protection rx
section_create xrw --size 4K --protection rwx
for name in memory seen copied live; do
	section_create $name --size 8K
done
guest_start a --section new:rw --section file:rw --section ro:ro --section cow:cow \
	--section odd:ro --section xr:ro --section xrw:rw \
	--section memory:rw --section seen:ro --section copied:ro --section live:rw
guest_start b --section file:rw --section ro:cow --section memory:rw --section seen:rw \
	--section copied:cow --section live:cow
guest_ready a
guest_ready b
cp "$(data_file cow)" "$story_dir/cow"
cp "$(data_file ro)" "$story_dir/ro"

guest_do_tap a vmsect-conformance
private_of() { vmsect views "$1" -r -n -o PEER,PRIVATE | sed -n "s/^$2 //p"; }
one_private() { [ "$(private_of cow a)" = 1 ]; }
check "CW-001 the host counts the one page" wait_until 10 one_private
check "CW-001 the file is as it was" cmp "$story_dir/cow" "$(data_file cow)"

guest_write b file 100 seen || not_ok "b writes to file"
check "BH-002 a second party writes to a file section" prints seen guest_read a file 100 4
check "BH-002 the file has it" file_has file 100 seen

guest_write a memory 0 'to b' || not_ok "a writes to memory"
check "BH-003 one direction, in memory" prints 'to b' guest_read b memory 0 4
guest_write b memory 4096 'to a' || not_ok "b writes to memory"
check "BH-003 and the other" prints 'to a' guest_read a memory 4096 4

check "NM-017 the readonly view is zeros first" zeros a seen 0
guest_write b seen 0 'news' || not_ok "b writes to seen"
check "NM-017 a readonly view sees what another party writes" prints news guest_read a seen 0 4

guest_write b copied 0 'mine' || not_ok "b writes to its copy"
check "NM-018 but not what it writes to a copy" zeros a copied 0
check "NM-018 which it has itself" prints mine guest_read b copied 0 4

guest_write b ro 0 'mine' || not_ok "b writes to its copy of ro"
check "CW-006 copies need read access and no more" prints mine guest_read b ro 0 4
check "CW-006 the file is as it was" cmp "$story_dir/ro" "$(data_file ro)"

guest_write a live 0 'abc' || not_ok "a writes to live"
check "W2-live a page not yet copied is the shared page" prints abc guest_read b live 0 3
guest_write b live 1 'x' || not_ok "b writes to live"
guest_write a live 0 'new' || not_ok "a writes to live again"
check "W2-live one that was copied is not" prints axc guest_read b live 0 3
check "W2-live and nobody else has it" prints new guest_read a live 0 3
guest_write a live 4096 'page' || not_ok "a writes to the next page"
check "W2-live the page beside it still is" prints page guest_read b live 4096 4

cannot_run() {
	refuses "section $1: " vmsect run --name no --memory 64M \
		--kernel "$LAB_DATA/cloud.vmlinuz" --section "$1:$2"
}
check "PM-003 a VM cannot have a readonly section readwrite" cannot_run ro rw
check "PM-035 nor an execute-read section" cannot_run xr rw
story_end
