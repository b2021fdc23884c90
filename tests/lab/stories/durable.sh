# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# fsync through the driver, dropping of private pages, and a snapshot: a sealed
# section that is mapped copy-on-write.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

file=$(data_file book)
head -c 2097152 /dev/zero >"$file"
broker_start
section_create book --file "$file"
section_create scratch --size 2M --sealable
guest_start writer --section book:rw --section scratch:rw
guest_start copier --section book:cow --section scratch:cow
guest_ready writer
guest_ready copier

guest_write writer book 0 'a line' || not_ok "writer writes"
check "msync until it is on the disk" guest_do writer vmsect-tool flush book
check "the host can do the same" vmsect flush book
check "the file has it" prints 'a line' head -c 6 "$file"

guest_write copier book 0 'MY LINE' || not_ok "copier writes"
check "copier has its own page" prints 'MY LINE' guest_read copier book 0 7
private_pages() { vmsect views book -r -n -o PEER,PRIVATE | sed -n 's/^copier //p'; }
one_private() { [ "$(private_pages)" = 1 ]; }
check "the host counts it" wait_until 10 one_private
check "reset drops it" guest_do copier vmsect-tool reset book
check "and the section shows through" prints 'a line' guest_read copier book 0 6
check "the file never changed by that" prints 'a line' head -c 6 "$file"

guest_write writer scratch 0 'for ever' || not_ok "writer writes to scratch"
check "what a VM can write is not sealed" refuses 'can' vmsect seal scratch
guest_stop writer
check "when it has gone it is" vmsect seal scratch
check "a snapshot can be read" prints 'for ever' guest_read copier scratch 0 8
guest_write copier scratch 0 'or not  ' || not_ok "copier writes to its copy"
check "and has pages of its own" prints 'or not  ' guest_read copier scratch 0 8
check "nobody opens it to write" refuses 'scratch' vmsect run --name no --memory 64M \
	--kernel "$LAB_DATA/cloud.vmlinuz" --section scratch:rw
story_end
