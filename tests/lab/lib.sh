# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# What a lab story can say.  A story is a file in stories/; it sources this
# file first and calls story_end last.  It runs under tests/lab/run-stories,
# which gives LAB_STORY, LAB_OUT, LAB_DATA, LAB_EXTRA and LAB_GUESTS, and
# descriptor 3 for its TAP.  Each story has a folder, a broker and a socket of its
# own, so stories do not meet.  The shell is busybox's, and everything runs as root.
#
#     check WHAT COMMAND...       ok if COMMAND succeeds
#     refuses TEXT COMMAND...     succeeds if COMMAND fails and says TEXT
#     prints TEXT COMMAND...      succeeds if COMMAND succeeds and prints TEXT
#     broker_start                the story's own vmsectd; broker_kill: kill -9 of it
#     section_create NAME ...     vmsect create
#     interop_unpack              the interop bed and what it needs, in a lab machine;
#                 on a host of one's own, which has it, the story ends
#     huge_pages_reserve N        of 2 MiB, until the story ends
#     data_file NAME              prints the path of a file on the data disk
#     guest_start NAME [--flavour=standard|rt|next] [--pvh] [--append=WORD] [--tools]
#                 [vmsect run options] [-- PROGRAM ARGS]
#                             a later option overrides: --memory 512M; --tools:
#                             with fio and stress-ng, which need as much
#     guest_ready NAME            wait until it has booted; else the story ends
#     guest_do NAME COMMAND...    run a command in a guest that has no PROGRAM
#     guest_say NAME LINE         one line to its console
#     guest_read NAME SECTION OFFSET LENGTH, guest_write NAME SECTION OFFSET TEXT,
#     guest_sum NAME SECTION      what vmsect-tool does in the guest, through mmap
#     guest_expect_tap NAME       its program's TAP becomes ours
#     guest_do_tap NAME COMMAND...  the same of one command
#     guest_begin NAME FILE COMMAND...  a command that goes on in the guest, with an
#                 input that does not end; its output goes to /tmp/FILE
#     guest_printed NAME FILE TEXT    it has printed a line that begins so
#     guest_finish NAME   the input of all of them ends
#     guest_stop NAME             power it off from inside, then guest_wait
#     guest_wait NAME [STATUS]    wait for its end; VMM's status, kernel's log
#     guest_kill NAME             kill -9 of its VMM
#     views_are WHAT <<TABLE      vmsect views shows exactly these lines of SECTION
#                 VM MODE LENGTH, as a table and in JSON
#     tell TEXT                   prose for people; tell_output COMMAND... likewise
#     story_end                   the last line of every story
#
# Settings, from the environment of scripts/lab:
#     LAB_FLAVOUR, LAB_MEMORY     the kernel of all guests, whatever a story asks for
#                                 (cloud if it asks for none), and memory (256M)
#     LAB_BOOT_LIMIT, LAB_STEP_LIMIT  seconds for a boot (90), for a step (60)
#     LAB_STRESS_SECONDS, LAB_FUZZ_STEPS, VMSECT_SEED  of stories that have them
# shellcheck disable=SC3040 # busybox has pipefail
set -uo pipefail

lab_dir=$(cd "$(dirname "$0")/.." && pwd)
story_dir=$LAB_OUT/$LAB_STORY
# The story's own folder on the data disk; made when first asked for.
data_dir=$LAB_DATA/$LAB_STORY
export VMSECT_SOCKET="$story_dir/broker.socket"
guest_cmdline="console=ttyS0 mitigations=off quiet tsc=reliable panic=-1 random.trust_cpu=on"
guests=
broker_pid=
huge_pages_before=
# A guest boots in seconds; these are for machines that are busy with others.
guest_boot_limit=${LAB_BOOT_LIMIT:-90}
guest_step_limit=${LAB_STEP_LIMIT:-60}

tap() {
	echo "$*"
	echo "$*" >&3
}
ok() { tap "ok - $LAB_STORY: $*"; }
not_ok() { tap "not ok - $LAB_STORY: $*"; }
skip() { tap "ok - $LAB_STORY: $1 # SKIP $2"; }
# Prose, for the log and for whoever watches.
tell() {
	echo "$*"
	printf '| %s\n' "$*" >&4
}
# The same for the output of a command.
tell_output() {
	"$@" 2>&1 | while IFS= read -r line; do
		tell "    $line"
	done
}

check() {
	local what=$1
	shift
	if "$@"; then
		ok "$what"
	else
		echo "failed: $*"
		not_ok "$what"
	fi
}

refuses() {
	local text=$1 got status=0
	shift
	got=$("$@" 2>&1) || status=$?
	echo "$got"
	case $status,$got in
	0,* | 12[4-7],*) return 1 ;;
	*,*"$text"*) return 0 ;;
	*) return 1 ;;
	esac
}

prints() {
	local expected=$1 got
	shift
	got=$("$@") || {
		echo "status $?, printed: $got"
		return 1
	}
	[ "$got" = "$expected" ] || {
		echo "expected: $expected"
		echo "printed:  $got"
		return 1
	}
}

uptime_seconds() {
	local up rest
	read -r up rest </proc/uptime
	echo "${up%.*}"
}

# Waits until a command succeeds, at most so many seconds.
wait_until() {
	local deadline=$(($(uptime_seconds) + $1))
	shift
	until "$@"; do
		[ "$(uptime_seconds)" -lt "$deadline" ] || return 1
		sleep 0.1
	done
}

broker_start() {
	rm -f "$story_dir/vmsectd.log"
	vmsectd --foreground --verbose --socket "$VMSECT_SOCKET" 2>"$story_dir/vmsectd.log" 3>&- 4>&- &
	broker_pid=$!
	# Its socket is there a moment before it listens.
	wait_until 20 grep -qs 'is ready' "$story_dir/vmsectd.log" || not_ok "vmsectd starts"
}

broker_kill() {
	kill -9 "$broker_pid"
	wait "$broker_pid" 2>/dev/null
	broker_pid=
}

section_create() {
	vmsect create "$@" || not_ok "vmsect create $*"
}

# In a machine that is thrown away the archive can have its places in /.
interop_unpack() {
	if [ -z "${LAB_IN_MACHINE:-}" ]; then
		skip "the interop bed" "make interop runs it on this host"
		story_end
		exit
	fi
	(cd / && cpio -idu <"$LAB_EXTRA/interop.cpio") 2>/dev/null || {
		not_ok "the interop bed is on the extra disk"
		story_end
		exit
	}
}

# Room for huge pages of 2 MiB, given back when the story ends.
huge_pages_reserve() {
	local pool=/proc/sys/vm/nr_hugepages
	huge_pages_before=$(cat $pool)
	echo $((huge_pages_before + $1)) >$pool
}

# A file on the real file system.
data_file() {
	mkdir -p "$data_dir"
	echo "$data_dir/$1"
}

guest_start() {
	local name=$1 dir=$story_dir/$1 flavour=${LAB_FLAVOUR:-cloud} image=vmlinuz append='' left \
		program='' word initrd=''
	shift
	mkdir -p "$dir"
	mkfifo "$dir/input"
	left=$#
	# Rotate the options to the end; what then stands first is the program.
	while [ "$left" -gt 0 ]; do
		word=$1
		shift
		left=$((left - 1))
		case $word in
		--) break ;;
		--flavour=*) flavour=${LAB_FLAVOUR:-${word#*=}} ;;
		--pvh) image=vmlinux ;;
		--tools) initrd=$(data_file "$name.initrd") ;;
		--append=*) append=" ${word#*=}" ;;
		*) set -- "$@" "$word" ;;
		esac
	done
	[ "$left" = 0 ] || program=" --"
	# Such a word becomes part of the environment of the guest's programs.
	[ -z "${VMSECT_SEED:-}" ] || append="$append VMSECT_SEED=$VMSECT_SEED"
	while [ "$left" -gt 0 ]; do
		program="$program $1"
		shift
		left=$((left - 1))
	done
	# The kernel unpacks two archives as if they were one.
	[ -z "$initrd" ] || cat "$LAB_GUESTS/$flavour.cpio" "$LAB_EXTRA/tools.cpio" >"$initrd"
	vmsect run --name "$name" --memory "${LAB_MEMORY:-256M}" --cpus 1 \
		--kernel "$LAB_DATA/$flavour.$image" --initrd "${initrd:-$LAB_GUESTS/$flavour.cpio}" \
		--cmdline "$guest_cmdline$append$program" --serial stdio "$@" \
		<>"$dir/input" >"$dir/console" 2>"$dir/vmm.log" 3>&- 4>&- &
	echo $! >"$dir/pid"
	guests="$guests $name"
}

guest_pid() { cat "$story_dir/$1/pid"; }
guest_lives() { kill -0 "$(guest_pid "$1")" 2>/dev/null; }
guest_is_gone() { ! guest_lives "$1"; }
# How many frame lines of this kind the console has.
guest_frames() { grep -c "^=== $2" "$story_dir/$1/console"; }

# Succeeds when the guest has that many frames; gives up when it has died.
guest_has_frames() {
	[ "$(guest_frames "$1" "$2")" -ge "$3" ] || guest_is_gone "$1"
}

guest_ready() {
	wait_until "$guest_boot_limit" guest_has_frames "$1" ready 1
	[ "$(guest_frames "$1" ready)" -ge 1 ] && return
	tail -n 30 "$story_dir/$1/console" "$story_dir/$1/vmm.log"
	not_ok "guest $1 boots"
	exit 1
}

# Opened for both, so that a VMM that has died cannot block the writer.
guest_say() {
	local name=$1
	shift
	printf '%s\n' "$*" 1<>"$story_dir/$name/input"
}

# Prints the command's output and returns its status.
guest_do() {
	local name=$1 console=$story_dir/$1/console number
	shift
	number=$(($(guest_frames "$name" begin) + 1))
	guest_say "$name" "$*"
	wait_until "$guest_step_limit" guest_has_frames "$name" end "$number" || {
		echo "guest $name: no answer to: $*" >&2
		return 125
	}
	tr -d '\r' <"$console" | awk -v number="$number" '
		/^=== end/ && count == number { status = $3; ended = 1; exit }
		count == number { print }
		/^=== begin/ { count++ }
		END { exit ended ? status : 125 }'
}

# vmsect-tool reads and writes hexadecimal.
guest_read() {
	local hex
	hex=$(guest_do "$1" vmsect-tool read "$2" "$3" "$4") || {
		echo "$hex"
		return 1
	}
	printf '%s' "$hex" | busybox xxd -r -p
}
guest_write() {
	guest_do "$1" vmsect-tool write "$2" "$3" "$(printf '%s' "$4" | busybox xxd -p | tr -d '\n')"
}
guest_sum() { guest_do "$1" vmsect-tool sum "$2"; }

# Takes cases over, out of what a program has printed.
tap_take() {
	local name=$1 tap=$story_dir/$1/tap planned cases
	tr -d '\r' | grep -E '^(not )?ok [0-9]|^1\.\.[0-9]' >"$tap"
	cases=$(grep -c 'ok ' "$tap")
	planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$tap" | tail -n 1)
	if [ "$cases" = 0 ] || [ "${planned:-$cases}" != "$cases" ]; then
		not_ok "$name: $cases of ${planned:-some} cases reported"
	fi
	sed -nE "s/^((not )?ok) [0-9]+ *-? */\1 - $LAB_STORY: $name: /p" "$tap" | while read -r line; do
		tap "$line"
	done
}

guest_expect_tap() {
	wait_until "$guest_step_limit" guest_has_frames "$1" end 1 || not_ok "$1: its program ends"
	tap_take "$1" <"$story_dir/$1/console"
}

guest_do_tap() {
	guest_do "$@" >"$story_dir/$1/output"
	cat "$story_dir/$1/output"
	tap_take "$1" <"$story_dir/$1/output"
}

# One sleep a guest is the input of all that goes on in it.
guest_begin() {
	local name=$1 file=$2
	shift 2
	guest_do "$name" "[ -p /tmp/held ] || { mkfifo /tmp/held; sleep 10000 >/tmp/held & }"
	guest_do "$name" ": >/tmp/$file; $* </tmp/held >/tmp/$file 2>&1 &" ||
		not_ok "$name begins: $*"
}
guest_printed() { guest_do "$1" "grep -q '^$3' /tmp/$2"; }
guest_finish() { guest_do "$1" 'killall sleep; rm -f /tmp/held'; }

kernel_log_is_clean() {
	! tr -d '\r' <"$1" | grep -E -f "$lab_dir/splats"
}

guest_forget() {
	local other rest=
	for other in $guests; do
		[ "$other" = "$1" ] || rest="$rest $other"
	done
	guests=$rest
}

# Where each thread of a process that hangs is in the kernel.
show_threads() {
	local task
	for task in /proc/"$1"/task/*; do
		echo "thread $(cat "$task/comm"), syscall $(cat "$task/syscall")"
		cat "$task/stack"
	done
}

# The VMM's exit status is as expected, the guest came to its end by itself,
# and its kernel had nothing to complain of.
guest_wait() {
	local name=$1 expected=${2:-0} status=0
	wait_until "$guest_step_limit" guest_is_gone "$name" || {
		not_ok "$name: ends"
		show_threads "$(guest_pid "$name")"
		tail -n 20 "$story_dir/$name/console"
		kill -9 "$(guest_pid "$name")"
	}
	wait "$(guest_pid "$name")" || status=$?
	guest_forget "$name"
	[ "$status" = "$expected" ] || {
		tail -n 20 "$story_dir/$name/vmm.log"
		not_ok "$name: vmsect-vmm ends with $expected, not $status"
	}
	check "$name: a clean kernel log" kernel_log_is_clean "$story_dir/$name/console"
}

guest_stop() {
	guest_say "$1" bye
	guest_wait "$1"
}

guest_kill() {
	kill -9 "$(guest_pid "$1")"
	wait "$(guest_pid "$1")" 2>/dev/null
	guest_forget "$1"
}

# SECTION VM MODE LENGTH of every view, sorted.
views_now() {
	vmsect views -r -n -b -o SECTION,PEER,MODE,LENGTH | sort
}

# The same out of the JSON.
views_now_in_json() {
	vmsect views -J -o SECTION,PEER,MODE,LENGTH |
		jq -r '.views[] | "\(.section) \(.peer) \(.mode) \(.length)"' | sort
}

views_are() {
	local what=$1 expected
	expected=$(sort)
	check "$what" prints "$expected" views_now
	check "$what, in JSON too" prints "$expected" views_now_in_json
}

story_clean_up() {
	local name
	for name in $guests; do
		kill -9 "$(guest_pid "$name")" 2>/dev/null
	done
	[ -z "$broker_pid" ] || kill "$broker_pid" 2>/dev/null
	[ -z "$huge_pages_before" ] || echo "$huge_pages_before" >/proc/sys/vm/nr_hugepages
	rm -rf "$data_dir"
}
trap story_clean_up EXIT

story_end() {
	local name
	for name in $guests; do
		guest_stop "$name"
	done
	[ -z "$broker_pid" ] || check "vmsectd is still there" kill -0 "$broker_pid"
	echo '# end' >&3
}
