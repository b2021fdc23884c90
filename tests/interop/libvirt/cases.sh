# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2154 # variables of run-libvirt
#
# The cases of run-libvirt.  Sourced by it.

guest_has() { same "$(guest list | awk '{ print $1, $NF }')" "0 $1"; }
guest_has_none() { same "$(guest list)" "0"; }
sum() { sha256sum <"$1"; }

# A guest needs a moment to take a device in.
guest_gets() {
	local end=$((SECONDS + 60))
	until guest_has "$1"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.5
	done
}

# views NAME MODE PROT: the one row of views, of a QEMU of libvirt's user.
views_show() {
	local row
	row=$(section views "$1" -rn -o KIND,MODE,PROT,PEER,LENGTH 2>/dev/null)
	same "$row" "process outside $2 qemu-system-x86 $3"
}

# What is read and written by both sides is the same memory.
shares() {
	local name=$1
	host "$name" write 0x1000 0badcafe00112233 >/dev/null &&
		same "$(guest read 0 0x1000 8)" "0 0badcafe00112233" &&
		same "$(guest write 0 0x2000 feedface)" "0" &&
		same "$(host "$name" read 0x2000 4)" feedface
}

writes_in_vain() {
	local name=$1 before
	before=$(host "$name" read 0x3000 4)
	guest write 0 0x3000 5ca1ab1e
	same "$(guest read 0 0x3000 4)" "0 $before" && same "$(host "$name" read 0x3000 4)" "$before"
}

writes_for_itself() {
	local name=$1 before
	before=$(host "$name" read 0x3000 4)
	guest write 0 0x3000 5ca1ab1e
	same "$(guest read 0 0x3000 4)" "0 5ca1ab1e" && same "$(host "$name" read 0x3000 4)" "$before"
}

# The three modes of one section in a domain that runs.
try_modes() {
	local domain=$1 name=$2 path=/dev/shm/vmsect-$2 before
	check "$domain: rw: is attached" attach "$domain" "$name" --mode rw
	check "$domain: rw: the XML shows it" grep -q "name='ua-vmsect-$name'" <(virsh dumpxml "$domain")
	check "$domain: rw: libvirt does not call it tainted" eval "! is_tainted $domain"
	check "$domain: rw: the guest sees its size" guest_gets 2097152
	check "$domain: rw: host and guest share it" shares "$name"
	check "$domain: rw: views shows the QEMU" views_show "$name" rw-s 2M
	check "$domain: rw: not twice" fails_with "is attached to domain '$domain' already" \
		attach "$domain" "$name" --mode ro
	check "$domain: rw: is detached" detach "$domain" "$name"
	check "$domain: rw: the guest has lost it" guest_has_none
	check "$domain: rw: the XML is what it was" xml_is_as_before "$domain"
	check "$domain: rw: not detached twice" fails_with "is not attached" detach "$domain" "$name"

	check "$domain: ro: is attached, by the monitor, as it says" says "marked as tainted" \
		attach "$domain" "$name" --mode ro
	check "$domain: ro: the guest sees its size" guest_gets 2097152
	check "$domain: ro: it reads what the guest wrote before" same "$(guest read 0 0x2000 4)" \
		"0 feedface"
	before=$(sum "$path")
	check "$domain: ro: a write changes nothing" writes_in_vain "$name"
	check "$domain: ro: not a byte of it" same "$(sum "$path")" "$before"
	check "$domain: ro: views shows the QEMU" views_show "$name" r--s 2M
	check "$domain: ro: is detached" detach "$domain" "$name"

	check "$domain: cow: is attached" says "marked as tainted" attach "$domain" "$name" --mode cow
	check "$domain: cow: the guest sees its size" guest_gets 2097152
	check "$domain: cow: the guest's write is its own" writes_for_itself "$name"
	check "$domain: cow: not a byte reaches the section" same "$(sum "$path")" "$before"
	check "$domain: cow: views shows the QEMU" views_show "$name" rw-p 2M
	check "$domain: cow: is detached" detach "$domain" "$name"
	check "$domain: the XML is what it was" xml_is_as_before "$domain"
	check "$domain: nobody has the section" same "$(section views "$name" -rn 2>/dev/null)" ""
}

# Who owns a file can write it, so the QEMU gets it through its group.
try_export() {
	local domain=$1 path=/dev/shm/vmsect-readers
	section create readers --size 1M --exportable
	check "$domain: ro: is exported, which is said" says "is exported as $path" \
		attach "$domain" readers --mode ro
	check "$domain: ro: the QEMU may read the path, no more" same \
		"$(stat -c '%u %G %a' $path)" "0 libvirt-qemu 640"
	check "$domain: ro: the guest sees its size" guest_gets 1048576
	check "$domain: ro: is detached" detach "$domain" readers
	check "$domain: rw: is attached after that" attach "$domain" readers --mode rw
	check "$domain: rw: the QEMU may write it too" same "$(stat -c '%u %a' $path)" "0 660"
	check "$domain: rw: the guest sees its size" guest_gets 1048576
	check "$domain: rw: host and guest share it" shares readers
	check "$domain: rw: is detached" detach "$domain" readers
	section unexport readers
	check "$domain: the path is gone with unexport" test ! -e $path
}

# The broker's watch is a native peer; the guest rings it through its register.
try_doorbell() {
	local domain=$1 peer own
	section create bell --size 1M --exportable
	check "$domain: doorbell: the broker lets in who has rights only" fails_with "vmsect grant" \
		attach "$domain" bell --mode rw --device doorbell --vectors 2
	check "$domain: doorbell: the XML is what it was" xml_is_as_before "$domain"
	section grant bell uid:libvirt-qemu qrwn
	check "$domain: doorbell: is attached" \
		attach "$domain" bell --mode rw --device doorbell --vectors 2
	check "$domain: doorbell: the guest sees its size" guest_gets 1048576
	check "$domain: doorbell: host and guest share it" shares bell
	"$build/bin/vmsect" watch bell >"$work/watch" &
	watcher=$!
	check "$domain: doorbell: a process joins" eventually 20 eval \
		"section show bell -J | jq -e '.peers[] | select(.pid == $watcher)'"
	peer=$(section show bell -J | jq ".peers[] | select(.pid == $watcher) | .id")
	own=$(guest reg 0 8 | cut -d' ' -f 2)
	guest reg 0 12 "$((peer << 16 | 1))" >"$out"
	check "$domain: doorbell: and is rung by the guest" eventually 20 \
		grep -qx "notified peer=$((own)) value=1 count=1" "$work/watch"
	kill "$watcher"
	check "$domain: doorbell: is not detached, which would kill the QEMU" \
		fails_with "QEMU dies" detach "$domain" bell
	check "$domain: doorbell: the domain runs on" same \
		"$(virsh domstate "$domain" | head -n 1)" running
}

# A data file keeps its owner and mode; the advice that is given is good.
try_data_file() {
	local domain=$1 advice
	truncate -s 1M /dev/shm/data
	chmod 600 /dev/shm/data
	section create data --file /dev/shm/data
	check "$domain: a file that the QEMU may not open is refused" \
		fails_with "'setfacl -m u:" attach "$domain" data --mode rw
	advice=$(sed -n "s/.*'\(setfacl [^']*\)'.*/\1/p" "$work/said")
	check "$domain: the advice can be followed" bash -c "$advice"
	check "$domain: and helps" attach "$domain" data --mode rw
	check "$domain: the guest sees its size" guest_gets 1048576
	check "$domain: host and guest share it" shares data
	check "$domain: its owner is who it was" same "$(stat -c %u /dev/shm/data)" 0
	check "$domain: is detached" detach "$domain" data
}

# A guest that does not answer, since it stands still.
try_stubborn() {
	local domain=$1
	check "$domain: is attached" attach "$domain" board --mode rw
	check "$domain: the guest sees it" guest_gets 2097152
	virsh suspend "$domain" >/dev/null
	check "$domain: a guest that stands still does not let go" \
		fails_with "has not let go of the device in 2 s" detach "$domain" board --timeout 2
	virsh resume "$domain" >/dev/null
	check "$domain: it does when it runs" eventually 90 eval \
		"detach $domain board || fails_with 'is not attached' detach $domain board"
	check "$domain: the XML is what it was" xml_is_as_before "$domain"
}

try_refused() {
	local domain=$1
	section create odd --size 12K --exportable
	section create plain --size 1M
	section create sealed --size 1M --exportable --protection ro
	check "a size that would kill the QEMU is refused" \
		fails_with "needs a power of two" attach "$domain" odd --mode rw
	check "what was exported for it is taken back" test ! -e /dev/shm/vmsect-odd
	check "memory without a path is refused" fails_with "--exportable" \
		attach "$domain" plain --mode rw
	check "a readonly section is not attached to be written" \
		fails_with "cannot be written" attach "$domain" sealed --mode rw
	if virsh version | grep -q 'hypervisor: QEMU [1-7]\.'; then
		check "nor to a QEMU that opens it for writing to copy" \
			fails_with "opens what it copies from for writing" \
			attach "$domain" sealed --mode cow
	fi
	check "there is no such section" fails_with "vmsect ls" attach "$domain" none --mode rw
	check "there is no such domain" fails_with "there is no domain 'none'" \
		attach none board --mode rw
	check "devices that need maxMemory" fails_with "<maxMemory" \
		attach "$domain" board --mode rw --device pmem
	check "an NVDIMM needs a machine with such" fails_with "NVDIMM" \
		attach "$domain" board --mode rw --device nvdimm
	check "domains of others than QEMU" fails_with "are not QEMU's" \
		attach test board --mode rw --connect test:///default
	check "nothing of it is left in the domain" xml_is_as_before "$domain"
	check "which runs" same "$(virsh domstate "$domain" | head -n 1)" running
}

# A file under a /dev that the QEMU does not see: it would make one of its own.
try_unseen() {
	local domain=$1 folder=/dev/vmsect-interop-$$
	mkdir "$folder"
	truncate -s 1M "$folder/unseen"
	section create unseen --file "$folder/unseen"
	check "a path that the QEMU does not see is refused" fails_with "has a /dev of its own" \
		attach "$domain" unseen --mode rw
	section rm unseen
	rm -r "$folder"
}

run_pc() {
	domain_define pc pc "" >"$out"
	check "pc: starts" domain_start pc
	section create board --size 2M --exportable
	try_modes pc board
	try_export pc
	try_refused pc
	try_unseen pc
	check "pc: is ended" domain_end pc
}

run_q35() {
	local ports="<controller type='pci' model='pcie-root'/>
		<controller type='pci' model='pcie-root-port'/>
		<controller type='pci' model='pcie-root-port'/>"
	domain_define q35 q35 "$ports" >"$out"
	check "q35 is not running yet" fails_with "is not running" attach q35 board --mode rw
	check "q35: starts" domain_start q35
	try_modes q35 board
	try_data_file q35
	try_stubborn q35
	check "q35: one port" attach q35 board --mode rw
	check "q35: another port" attach q35 data --mode ro
	section create third --size 1M --exportable
	check "q35: no third port" fails_with "no free PCI slot" attach q35 third --mode cow
	check "q35: is ended" domain_end q35
}

# No port at all; and memory devices, which stay.
run_bare() {
	domain_define bare q35 "" "<maxMemory slots='2' unit='MiB'>1024</maxMemory>" >"$out"
	check "bare: starts" domain_start bare
	check "bare: its root bus takes nothing" fails_with "the root bus of q35 takes none" \
		attach bare board --mode rw
	check "bare: is ended" domain_end bare
	domain_define bell pc "" >"$out"
	check "bell: starts" domain_start bell
	try_doorbell bell
	check "bell: is ended" domain_end bell
	check "bell: its QEMU is no peer any more" eventually 20 eval \
		"section show bell -J | jq -e '.peers == []'"
	domain_define memory pc "" "<maxMemory slots='2' unit='MiB'>1024</maxMemory>" >"$out"
	check "memory: starts" domain_start memory
	check "memory: a size that is no power of two as pmem" says "marked as tainted" \
		attach memory odd --mode rw --device pmem
	check "memory: views shows the QEMU" views_show odd rw-s 12K
	check "memory: it cannot be unplugged, which is said" fails_with "cannot be unplugged" \
		detach memory odd --timeout 2
	check "memory: is ended" domain_end memory
	check "memory: and all is gone with it" same "$(section views odd -rn 2>/dev/null)" ""
}

# A domain that has an NVDIMM from its start takes more.
run_dimm() {
	local own="<memory model='nvdimm'><source><path>$work/dimm</path></source>
		<target><size unit='MiB'>64</size><node>0</node></target></memory>"
	truncate -s 64M "$work/dimm"
	section create store --size 64M --exportable
	domain_define dimm pc "$own" "<maxMemory slots='3' unit='MiB'>1024</maxMemory>" >"$out"
	check "dimm: starts" domain_start dimm
	check "dimm: an NVDIMM is attached" says "marked as tainted" \
		attach dimm store --mode rw --device nvdimm
	check "dimm: views shows the QEMU" views_show store rw-s 64M
	check "dimm: the QEMU has both" same "$(virsh qemu-monitor-command dimm --hmp info memory-devices |
		grep -cF 'Memory device [nvdimm]')" 2
	check "dimm: is ended" domain_end dimm
	check "dimm: and all is gone with it" same "$(section views store -rn 2>/dev/null)" ""
}

# One section in a domain, in a VM of ours and in a process, and each hears the others.
three_share() {
	local name=$1
	same "$(ours put 0x4000 0123456789abcdef)" "ok" &&
		same "$(guest read 0 0x4000 8)" "0 0123456789abcdef" &&
		same "$(guest write 0 0x5000 600df00d)" "0" &&
		same "$(ours get 0x5000 4)" "ok bytes=600df00d" &&
		same "$(host "$name" read 0x5000 4)" 600df00d &&
		host "$name" write 0x6000 c001d00d >/dev/null &&
		same "$(ours get 0x6000 4)" "ok bytes=c001d00d" &&
		same "$(guest read 0 0x6000 4)" "0 c001d00d"
}

views_show_both() { same "$(section views "$1" -rn -o KIND,MODE | sort | paste -sd ,)" "process outside,vm rw"; }

run_beside() {
	if [ ! -c /dev/kvm ]; then
		skip_case "beside: a domain and a VM of ours" "no /dev/kvm"
		return
	fi
	domain_define beside pc "" >"$out"
	check "beside: the domain starts" domain_start beside
	section create both --size 1M --exportable
	check "beside: a VM of ours starts with the section" ours_start both:rw
	check "beside: the domain gets it too" attach beside both --mode rw
	check "beside: the guest sees its size" guest_gets 1048576
	check "beside: the domain, the VM and a process share it" three_share both
	check "beside: views shows both" views_show_both both
	check "beside: it is detached" detach beside both
	check "beside: the guest has lost it" guest_has_none
	check "beside: the XML is what it was" xml_is_as_before beside
	check "beside: the VM has it still" same "$(ours get 0x5000 4)" "ok bytes=600df00d"
	check "beside: the VM ends" ours_end
	check "beside: the domain is ended" domain_end beside
}

# LIBVIRT_CASES: only these; pc makes sections that the others use.
run_cases() {
	local group
	for group in ${LIBVIRT_CASES:-pc q35 bare dimm beside}; do
		"run_$group"
	done
}
