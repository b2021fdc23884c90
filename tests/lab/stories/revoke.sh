# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# The owner takes a section back from one VM by its name.  A program of it that
# reads all the time gets SIGBUS within a second, its kernel and its other
# section go on, and the VM that was not meant notices nothing.
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
guest_do bad 'vmsect-tool watch secret 0 120 >/tmp/watch 2>&1 &' || not_ok "bad watches"
watch_says() { guest_do bad cat /tmp/watch; }
watching() { [ "$(watch_says)" = watching ]; }
check "a program of bad reads it all the time" wait_until 20 watching

check "grants are listed" prints '' vmsect grants secret -n -r
check "revoke waits until the view has gone" vmsect revoke secret vm:bad
views_now >"$story_dir/views"
check "views does not show it any more" prints \
	"$(printf 'other bad rw 2097152\nsecret good rw 2097152')" cat "$story_dir/views"
check "the entry is listed" prints 'vm:bad@0 none' vmsect grants secret -n -r
watch_has_lost() { watch_says | grep -q '^lost'; }
check "the program has got SIGBUS" wait_until 10 watch_has_lost
check "and so does a new one, at open" refuses 'Permission denied' guest_read bad secret 0 10
check "bad's driver knows it" prints 1 guest_do bad cat /sys/class/vmsect/secret/revoked
guest_write bad other 0 'goes on' || not_ok "bad writes to its other section"
check "bad's other section works" prints 'goes on' guest_read bad other 0 7
check "good still reads the secret" prints 'the secret' guest_read good secret 0 10
story_end
