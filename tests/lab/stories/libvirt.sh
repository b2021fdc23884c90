# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# A domain of Debian's libvirtd and a VM of ours with one section, in this machine,
# which has KVM for both: the case `beside` of tests/interop/run-libvirt.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

interop_unpack
mkdir -p /usr/bin /var /kernels/cloud "$story_dir/libvirt"
ln -s /run /var/run
ln -s /usr/lib/x86_64-linux-gnu/qemu /lib/x86_64-linux-gnu/ # QEMU's place is beside its own
ln -s /bin/* /usr/bin/
ln -s "$LAB_DATA/cloud.vmlinuz" /kernels/cloud/vmlinuz
echo 'libvirt-qemu:x:64055:101:libvirt:/var/lib/libvirt:/bin/false' >>/etc/passwd
echo 'libvirt-qemu:x:64055:' >>/etc/group
echo 00112233445566778899aabbccddeeff >/etc/machine-id
mount -t devpts devpts /dev/pts
chown root:kvm /dev/kvm
chmod 660 /dev/kvm

B=/ LIBVIRT_CASES=beside LIBVIRT_DOMAIN_TYPE=kvm bash /interop/run-libvirt --inside \
	>"$story_dir/libvirt/output" 2>&1
cat "$story_dir/libvirt/output"
tap_take libvirt <"$story_dir/libvirt/output"
story_end
