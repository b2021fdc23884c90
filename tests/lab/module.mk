# SPDX-License-Identifier: GPL-2.0-or-later
# The lab: unpacked Debian kernels, a data disk, the initramfs of the machine
# and of each flavour of guest.  The kernels and the disk are made once.

LAB := $(B)/lab
LAB_FLAVOURS := cloud standard rt next
LAB_STORIES ?= all
LAB_PROGRAMS := $(B)/bin/vmsectd $(B)/bin/vmsect $(B)/bin/vmsect-vmm
LAB_SCRIPTS := tests/lab/lib.sh tests/lab/run-stories tests/lab/splats tests/lab/stories

$(B)/kernels/stamp: scripts/fetch-kernels $(GUEST_HEADERS)/$(GUEST_NEXT).stamp
	$(call say,KERNELS,$(@D))scripts/fetch-kernels $(@D) $(GUEST_HEADERS)/$(GUEST_NEXT) && touch $@

# 256 MiB of real data, with the checksum that an independent program says.
$(LAB)/data/data.bin.xxh3:
	@mkdir -p $(@D)
	$(call say,DATA,$(@D)/data.bin)(while cat /usr/bin/* /usr/lib/x86_64-linux-gnu/*.so.*; \
		do :; done 2>/dev/null || :) | head -c 268435456 > $(@D)/data.bin
	@xxhsum -H3 $(@D)/data.bin | sed 's/.*= *//' > $@.new && mv $@.new $@

# What changes seldom is on the disk: the data and the guests' kernels.
$(LAB)/data/kernels.stamp: $(B)/kernels/stamp scripts/extract-vmlinux
	@mkdir -p $(@D)
	$(Q)$(foreach f,$(LAB_FLAVOURS),cp $(B)/kernels/$f/vmlinuz $(@D)/$f.vmlinuz &&) :
	$(Q)scripts/extract-vmlinux $(B)/kernels/standard/vmlinuz $(@D)/standard.vmlinux
	@touch $@

# Debian's fio and stress-ng, for guests of the story that wants them (--tools).
LAB_TOOLS := fio stress-ng
$(LAB)/tools.stamp: scripts/fetch-tools tests/lab/module.mk
	@mkdir -p $(@D)
	$(call say,TOOLS,$(LAB_TOOLS))scripts/fetch-tools $(LAB)/tools $(LAB_TOOLS) && touch $@
$(LAB)/extra/tools.cpio: $(LAB)/tools.stamp scripts/mkinitramfs $(GUEST_REDIRECT)
	@mkdir -p $(@D)
	$(call say,CPIO,$@)scripts/mkinitramfs -o $@ -r $(LAB)/tools \
		$(LAB_TOOLS:%=program=$(LAB)/tools/usr/bin/%) file=$(GUEST_REDIRECT):lib/$(notdir $(GUEST_REDIRECT))

# Debian's QEMU and libvirt and the interop bed, for the machine itself: there its
# tests have KVM.  QEMU looks for its firmware beside the folder that it is in, /bin.
QEMU_FIRMWARE := /usr/share/seabios/bios-256k.bin $(addprefix /usr/share/qemu/,kvmvapic.bin linuxboot_dma.bin pvh.bin)
LIBVIRT_PROGRAMS := $(addprefix /usr/sbin/,libvirtd virtlogd) \
	$(addprefix /usr/bin/,virsh bash setfacl stat qemu-system-x86_64)
LIBVIRT_PLUGINS := $(addprefix /usr/lib/x86_64-linux-gnu/,libvirt/connection-driver/libvirt_driver_qemu.so \
	qemu/accel-tcg-x86_64.so)
LIBVIRT_BED := run-libvirt libvirt/bed.sh libvirt/cases.sh
$(LAB)/extra/interop.cpio: $(INTEROP_TESTS) $(INTEROP_LIBVIRT) $(KVM_AGENT) scripts/mkinitramfs \
		$(LIBVIRT_BED:%=tests/interop/%) $(B)/bin/vmsect-libvirt
	@mkdir -p $(@D)
	$(call say,CPIO,$@)scripts/mkinitramfs -o $@ $(LIBVIRT_PROGRAMS:%=program=%) \
		$(INTEROP_TESTS:%=program=%) file=$(KVM_AGENT):kvm/$(notdir $(KVM_AGENT)) \
		$(foreach f,$(QEMU_FIRMWARE),file=$f:$(f:/usr/%=%)) \
		$(LIBVIRT_PLUGINS:%=plugin=%) file=/usr/share/libvirt/cpu_map:usr/share/libvirt/cpu_map \
		file=/etc/libvirt/qemu.conf:etc/libvirt/qemu.conf program=$(B)/bin/vmsect-libvirt \
		$(foreach f,$(INTEROP_LIBVIRT),file=$f:tests/$(notdir $f)) \
		$(foreach f,$(LIBVIRT_BED),file=tests/interop/$f:interop/$f)

# A disk for what only some stories want: these two.
$(LAB)/extra.img: $(LAB)/extra/tools.cpio $(LAB)/extra/interop.cpio
	@rm -f $@.new && truncate -s 512M $@.new
	$(call say,MKE2FS,$@)mke2fs -q -t ext4 -d $(@D)/extra $@.new && mv $@.new $@

$(LAB)/data.img: $(LAB)/data/data.bin.xxh3 $(LAB)/data/kernels.stamp
	@rm -f $@.new && truncate -s 1G $@.new
	$(call say,MKE2FS,$@)mke2fs -q -t ext4 -d $(LAB)/data $@.new && mv $@.new $@

# $(call lab_machine,CPIO,FOLDER OF THE GUESTS' INITRAMFS)
LAB_MACHINE_NEEDS := $(B)/kernels/stamp tests/lab/machine-init $(LAB_SCRIPTS) \
	$(wildcard tests/lab/stories/*.sh) scripts/mkinitramfs $(LAB_PROGRAMS)
define lab_machine
	$(call say,CPIO,$(1))scripts/mkinitramfs -o $(1) -i tests/lab/machine-init -k $(B)/kernels/cloud \
		module=virtio_pci module=virtio_blk module=kvm-amd module=null_blk \
		$(LAB_PROGRAMS:%=program=%) program=/usr/bin/jq \
		program=/sbin/mkfs.ext4 program=/sbin/e2fsck program=/sbin/debugfs $(foreach f,$(LAB_SCRIPTS),file=$f:lab/$(notdir $f)) \
		file=$(2):guests
endef
$(LAB)/machine.cpio: $(LAB_MACHINE_NEEDS) $(LAB_FLAVOURS:%=$(LAB)/guests/%.cpio)
	$(call lab_machine,$@,$(LAB)/guests)

# Drivers for what sections can be shown as.
LAB_MODULES := uio_pci_generic virtio_pmem nd_pmem

# vmsect.ko is made for each release by guest_driver/module.mk.
lab_module = $(if $(filter next,$(1)),$(GUEST_MODULE_NEXT),$(B)/guest/$$(readlink $(B)/kernels/$(1))/vmsect.ko)
$(LAB)/guests/%.cpio: $(B)/kernels/stamp tests/lab/guest-init scripts/mkinitramfs $(GUEST_BUILT)
	@mkdir -p $(@D)
	$(call say,CPIO,$@)scripts/mkinitramfs -o $@ -i tests/lab/guest-init -k $(B)/kernels/$* \
		module=virtio_pci module=brd $(LAB_MODULES:%=module=%) module=$(call lab_module,$*) \
		$$(printf 'program=%s ' $(B)/guest/bin/*)

lab-files: $(LAB)/machine.cpio $(LAB)/data.img

lab: lab-files $(LAB)/extra.img
	$(Q)scripts/lab $(LAB_FLAGS) -b $(B) -o $(B)/results/lab $(LAB_STORIES)

include tests/lab/debug.mk
