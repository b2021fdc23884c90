# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# What `make demo` shows.  One file; three stock Debian guests that have it
# read-only, read-write and copy-on-write; what each of them and the host sees.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

file=$(data_file greeting.txt)
{
	printf 'Hello from the host.'
	head -c 4076 /dev/zero
} >"$file"

# What one of them sees, and should see.
sees() {
	local who=$1 expected=$2 text
	shift 2
	text=$("$@")
	tell "    $(printf '%-16s' "$who") | $text"
	check "$who sees '$expected'" test "$text" = "$expected"
}

# What the guests ro, rw, cow and the host should see now.
everyone_sees() {
	sees "guest ro" "$1" guest_read ro greeting 0 20
	sees "guest rw" "$2" guest_read rw greeting 0 20
	sees "guest cow" "$3" guest_read cow greeting 0 20
	sees "file on the host" "$4" head -c 20 "$file"
}

tell "A file on the host becomes a section:  vmsect create greeting --file greeting.txt"
broker_start
section_create greeting --file "$file"
tell
tell "Three stock Debian guests start, each with the section in another mode:"
for mode in ro rw cow; do
	tell "    vmsect run --name $mode --section greeting:$mode --kernel vmlinuz ..."
	guest_start "$mode" --section "greeting:$mode"
done
for mode in ro rw cow; do
	guest_ready "$mode" || exit 1
done
tell "All have booted $(guest_do ro uname -sr); in each a program opens /dev/vmsect/greeting and maps it."
hello='Hello from the host.'
everyone_sees "$hello" "$hello" "$hello" "$hello"
tell
tell "Guest rw writes.  It is the same memory, so all see it at once, and the file has it:"
wrote='rw wrote this line. '
guest_write rw greeting 0 "$wrote"
everyone_sees "$wrote" "$wrote" "$wrote" "$wrote"
tell
tell "Guest cow writes.  It gets its own copy of the page; nobody else sees that:"
kept='cow keeps this line.'
guest_write cow greeting 0 "$kept"
everyone_sees "$wrote" "$wrote" "$kept" "$wrote"
tell
tell "Guest ro tries to write, and is refused:"
check "ro is refused" refuses 'Permission denied' guest_write ro greeting 0 'ro was here'
tell "    $(guest_write ro greeting 0 'ro was here')"
everyone_sees "$wrote" "$wrote" "$kept" "$wrote"
tell
tell "What the host knows of it:  vmsect ls; vmsect views"
tell_output vmsect ls
tell_output vmsect views
tell
tell "The guests power off; nothing is left mapped, and the file has what rw wrote."
for mode in ro rw cow; do
	guest_stop "$mode"
done
check "no views are left" prints '' views_now
story_end
