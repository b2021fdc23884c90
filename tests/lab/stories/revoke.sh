# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# The owner takes a section back from one VM by its name.  A program of it that
# reads all the time gets SIGBUS within a second, others hear of it by poll and
# by an event, a page that its kernel has pinned holds up nobody but itself, its
# other section goes on, and the VM that was not meant notices nothing.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

broker_start
section_create secret --size 2M
section_create other --size 2M
guest_start bad --section secret:rw --section other:rw
guest_start good --section secret:rw
guest_ready bad
guest_ready good
guest_write good secret 0 'the secret' || not_ok "good writes"
check "bad reads it" prints 'the secret' guest_read bad secret 0 10
guest_begin bad watch vmsect-tool watch secret 0 120
guest_begin bad events vmsect-tool events secret 100 120
guest_begin bad poll vmsect-tool poll secret 120
guest_begin bad pin vmsect-tool pin secret
check "a program of bad reads it all the time" wait_until 20 guest_printed bad watch watching
check "others listen" wait_until 20 guest_printed bad events listening
check "and poll" wait_until 20 guest_printed bad poll polling
check "and have a page pinned" wait_until 20 guest_printed bad pin pinned

check "grants are listed" prints '' vmsect grants secret -n -r
check "revoke waits until the view has gone" vmsect revoke secret vm:bad
views_now >"$story_dir/views"
check "views does not show it any more" prints \
	"$(printf 'other bad rw 2097152\nsecret good rw 2097152')" cat "$story_dir/views"
check "the entry is listed" prints 'vm:bad@0 none' vmsect grants secret -n -r
check "the program has got SIGBUS" wait_until 10 guest_printed bad watch lost
check "one has heard of it" wait_until 10 guest_printed bad events revoked
check "poll has said it, read and mmap are refused, of section and view" \
	wait_until 10 prints "$(
		cat <<-'END'
			polling
			section: pread: Permission denied
			section: mmap: Permission denied
			view: pread: Permission denied
			view: mmap: Permission denied
		END
	)" guest_do bad cat /tmp/poll
guest_finish bad
check "the pinned page is let go" wait_until 10 guest_printed bad pin released
check "and so does a new one, at open" refuses 'Permission denied' guest_read bad secret 0 10
check "bad's driver knows it" prints 1 guest_do bad cat /sys/class/vmsect/secret/revoked
guest_write bad other 0 'goes on' || not_ok "bad writes to its other section"
check "bad's other section works" prints 'goes on' guest_read bad other 0 7
check "good still reads the secret" prints 'the secret' guest_read good secret 0 10
story_end
