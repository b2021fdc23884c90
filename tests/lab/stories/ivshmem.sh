# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Sections as ivshmem devices, by what every Linux has (sysfs's resource2,
# uio_pci_generic) and by our driver.  All three modes of one section at once,
# beside a native guest: a store to a read-only one has no effect, a copy-on-write
# one keeps its own, and one that is revoked leaves.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

file=$(data_file data)
head -c 3145728 /dev/zero >"$file"
printf 'hello' | dd of="$file" bs=1 seek=4096 conv=notrunc 2>/dev/null
broker_start
section_create data --file "$file"
section_create small --size 64K
guest_start plain --section data:rw,as=ivshmem --section small:rw,as=ivshmem
guest_start limited --section data:ro,as=ivshmem
guest_start native --section data:rw
guest_start copier --section data:cow,as=ivshmem
for name in plain limited native copier; do
	guest_ready $name
done
# Our own driver has taken them; its mappings are cached, so sysfs has none meanwhile.
node=ivshmem-0000:00:02.0
check "our driver reads it" prints hello guest_read plain $node 4096 5
guest_write plain $node 16384 'by the driver' || not_ok "our driver writes"
check "what it writes the others have" prints 'by the driver' guest_read native data 16384 13
check "but not what one may not" guest_write limited $node 16384 'XXXXXXXXXXXXX'
check "which is as it was" prints 'by the driver' guest_read native data 16384 13
let_go() {
	guest_do "$1" "for d in /sys/bus/pci/drivers/vmsect-ivshmem/0*; do" \
		"echo \${d##*/} >/sys/bus/pci/drivers/vmsect-ivshmem/unbind || exit 1; done"
}
for name in plain limited copier; do
	check "the driver lets $name's go" let_go $name
done
hex() { printf '%s' "$1" | busybox xxd -p | tr -d '\n'; }
bar() {
	local name=$1
	shift
	guest_do "$name" vmsect-bar "$@"
}
bar_sizes() { bar "$1" list | sed 's/^[^ ]* //'; }
check "two devices, as the specification says" prints "0x01 256 0 4194304
0x01 256 0 65536" bar_sizes plain
check "no interrupts, no id" prints 0 bar plain reg 0 8
check "the section is there" prints "$(hex hello)" bar plain read 0 4096 5
check "behind it is a hole" prints ffffffff bar plain read 0 3145728 4
check "a store into the hole is none" bar plain write 0 3145728 00
check "and reads ones" prints ff bar plain read 0 3145728 1

check "what one writes" bar plain write 0 8192 "$(hex 'from plain')"
check "a native guest reads" prints 'from plain' guest_read native data 8192 10
check "and one that may not write" prints "$(hex 'from plain')" bar limited read 0 8192 10
check "the file has it" prints 'from plain' dd if="$file" bs=1 skip=8192 count=10
check "a store that is not allowed" bar limited write 0 8192 "$(hex XXXX)"
check "has no effect" prints "$(hex 'from plain')" bar limited read 0 8192 10
denied() { [ "$(vmsect views -r -n -b -o PEER,DENIED | awk '$1 == "limited" { print $2 }')" -ge 5 ]; }
check "and is counted" wait_until 10 denied
check "a copy" bar copier write 0 8192 "$(hex 'from copier')"
check "is the copier's" prints "$(hex 'from copier')" bar copier read 0 8192 11
check "and nobody else's" prints 'from plain' guest_read native data 8192 10
guest_write native data 12288 'from native' || not_ok "native writes"
check "a native guest's bytes arrive" prints "$(hex 'from native')" bar plain read 0 12288 11
views_are "the host shows them all" <<TABLE
data copier cow 3145728
data limited ro 3145728
data native rw 3145728
data plain rw 3145728
small plain rw 65536
TABLE


# A line of the guest's shell.
to_uio() {
	guest_do plain "cd /sys/bus/pci/devices; for d in *; do" \
		"[ \$(cat \$d/device) = 0x1110 ] || continue;" \
		"[ ! -e \$d/driver ] || echo \$d >\$d/driver/unbind;" \
		"echo uio_pci_generic >\$d/driver_override;" \
		"echo \$d >/sys/bus/pci/drivers/uio_pci_generic/bind || exit 1; done"
}
check "uio_pci_generic takes both" to_uio
check "a program can open them" guest_do plain 'exec 3<>/dev/uio0 4<>/dev/uio1'
check "and the section is as it was" prints "$(hex hello)" bar plain read 0 4096 5

check "the host takes it from one" vmsect revoke data vm:plain
devices_are() { [ "$(guest_do "$1" vmsect-bar list | wc -l)" = "$2" ]; }
check "which gives the device up" wait_until 20 devices_are plain 1
check "its other device goes on" bar plain write 0 0 "$(hex on)"
check "and the native guest too" prints 'from native' guest_read native data 12288 11
eject() { guest_do copier "echo 0 >/sys/bus/pci/slots/2/power"; }
check "a guest can do so by itself" eject
check "and has none then" wait_until 20 devices_are copier 0
views_left() { [ "$(vmsect views -r -n -o PEER | sort | tr '\n' ' ')" = "limited native plain " ]; }
check "the host lists what is left" wait_until 10 views_left
story_end
