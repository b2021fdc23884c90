# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2154 # variables of run-libvirt
#
# The bed of run-libvirt: daemons, domains, a guest's console, and TAP.  Sourced
# by it; uses $build and $work.

number=0
failures=0
out=$work/out
limit_s=180 # for a guest to come up; emulated, on a busy machine

say_case() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		failures=$((failures + 1))
		sed 's/^/# /' "$out" 2>/dev/null || true
	fi
}

# skip_case WHAT WHY
skip_case() {
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

# check WHAT COMMAND...: a case that holds if the command succeeds.
check() {
	local what=$1 rc=0
	shift
	"$@" >"$out" 2>&1 || rc=$?
	say_case "$rc" "$what"
}

# Fails, and says that: fails_with TEXT COMMAND...
fails_with() {
	local text=$1
	shift
	! "$@" >"$work/said" 2>&1 || {
		echo "succeeded: $*"
		return 1
	}
	cat "$work/said"
	grep -qF -- "$text" "$work/said"
}

# Succeeds, and says that.
says() {
	local text=$1
	shift
	"$@" >"$work/said" 2>&1 || {
		cat "$work/said"
		return 1
	}
	cat "$work/said"
	grep -qF -- "$text" "$work/said"
}

same() {
	[ "$1" = "$2" ] || {
		echo "'$1' is not '$2'"
		return 1
	}
}

# Until a command succeeds, at most SECONDS.
eventually() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.2
	done
}

section() { "$build/bin/vmsect" "$@"; }
attach() { section attach --domain "$@"; }
detach() { section detach --domain "$@"; }
host() { "$build/tests/section-io" "$@"; }

bed_start() {
	cp "$build/kernels/cloud/vmlinuz" "$build/tests/domain.cpio" "$work"
	virtlogd -d
	LIBVIRT_LOG_OUTPUTS=3:file:$work/libvirtd.log libvirtd -d
	export VMSECT_SOCKET=$work/broker.sock
	"$build/bin/vmsectd" --foreground --socket "$VMSECT_SOCKET" 2>"$work/broker.log" &
	eventually "$limit_s" virsh version || {
		virsh version || head -n 20 "$work/libvirtd.log"
		echo "Bail out! libvirtd does not answer"
		exit 1
	}
	eventually 30 section ls || {
		echo "Bail out! the broker does not answer"
		exit 1
	}
}

bed_end() {
	check "no domain is left" same "$(virsh list --all --name | tr -d '\n')" ""
	echo "1..$number"
	[ "$failures" = 0 ]
}

# define NAME MACHINE [CONTROLLERS [MEMORY]]: XML of a domain.
domain_define() {
	cat >"$work/$1.xml" <<-END
		<domain type='${LIBVIRT_DOMAIN_TYPE:-qemu}'>
		  <name>$1</name>
		  ${4:-}
		  <memory unit='MiB'>192</memory>
		  <vcpu>1</vcpu>
		  <os>
		    <type arch='x86_64' machine='$2'>hvm</type>
		    <kernel>$work/vmlinuz</kernel>
		    <initrd>$work/domain.cpio</initrd>
		    <cmdline>console=ttyS0 panic=-1 mitigations=off tsc=reliable quiet</cmdline>
		  </os>
		  <features><acpi/></features>
		  <cpu mode='maximum'>${4:+<numa><cell id='0' cpus='0' memory='192' unit='MiB'/></numa>}</cpu>
		  <devices>
		    <emulator>/usr/bin/qemu-system-x86_64</emulator>
		    <controller type='usb' model='none'/>
		    ${3:-}
		    <serial type='pty'/>
		    <memballoon model='none'/>
		  </devices>
		</domain>
	END
	virsh define "$work/$1.xml"
}

# Starts it, and waits for its guest, whose console is descriptor 3 from then on.
domain_start() {
	local tty
	virsh start "$1" || return 1
	tty=$(virsh ttyconsole "$1")
	exec 3<>"$tty"
	stty raw -echo <&3
	answer_read "$limit_s"
	virsh dumpxml "$1" >"$work/$1.before"
}

domain_end() {
	exec 3>&-
	virsh destroy "$1" && virsh undefine "$1"
}

# The next answer of the guest, without its "= ".
answer_read() {
	local line
	while IFS= read -r -t "$1" line <&3; do
		line=${line%$'\r'}
		case $line in
		"= "*)
			echo "${line#= }"
			return 0
			;;
		esac
	done
	echo "the guest does not answer"
	return 1
}

# What vmsect-bar says in the guest: "STATUS OUTPUT".
guest() {
	echo "$*" >&3
	answer_read 60 | sed 's/ *$//'
}

# A VM of ours with a section, driven through its serial port: ours COMMAND... prints
# the flat guest's answer.
ours_start() {
	mkfifo "$work/ours.in" "$work/ours.out"
	"$build/bin/vmsect-vmm" --name ours --memory 64M --window 1G --serial stdio \
		--kernel "$build/kvm/agent.elf" --section "$1" \
		<"$work/ours.in" >"$work/ours.out" 2>"$work/ours.log" &
	ours_pid=$!
	exec 4>"$work/ours.in" 5<"$work/ours.out"
	ours_answer | grep -q 'agent ready' || {
		cat "$work/ours.log"
		return 1
	}
}

ours_answer() {
	local line
	IFS= read -r -t 60 line <&5 || return 1
	echo "${line%$'\r'}"
}

ours() {
	echo "$*" >&4
	ours_answer
}

ours_end() {
	echo poweroff >&4
	exec 4>&- 5<&-
	wait "$ours_pid"
}

xml_is_as_before() { diff "$work/$1.before" <(virsh dumpxml "$1"); }
is_tainted() { virsh dominfo "$1" | grep -q tainted; }
