# SPDX-License-Identifier: GPL-2.0-or-later
# The lab with a debug kernel in its guests (configs/kernel/debug.config): KASAN,
# lockdep, kmemleak and others look at the driver while its stories run.
#
# make lab-debug           builds the kernel when it is not there yet, which takes
#                          a while; needs scripts/install-deps debug
# VMSECT_CACHE=DIR         where built kernels stay (default: below $(B))
# LAB_DEBUG_STORIES=NAMES  which stories; LAB_DEBUG_LIMIT=SECONDS a machine

LAB_DEBUG := $(B)/lab-debug
VMSECT_CACHE ?= $(B)/debug-kernel
LAB_DEBUG_STORIES ?= driver selftest views life notify ring many conformance durable sizes revoke \
	ioerror stress fuzz
LAB_DEBUG_LIMIT ?= 3600
# The kernel is slow, and the lab's machines are.
LAB_DEBUG_SETTINGS := LAB_FLAVOUR=debug LAB_MEMORY=512M LAB_BOOT_LIMIT=300 LAB_STEP_LIMIT=600

DEBUG_KERNEL := $(B)/kernels/debug
DEBUG_CONFIG := configs/kernel/debug.config
DEBUG_MODULE := $(B)/guest/debug/vmsect.ko

# The script knows whether there is something to build; the stamp is of its answer.
.PHONY: debug-kernel
debug-kernel: $(B)/kernels/stamp
	$(Q)scripts/install-deps debug
	$(Q)scripts/debug-kernel $(DEBUG_CONFIG) '$(VMSECT_CACHE)' $(DEBUG_KERNEL)
$(DEBUG_KERNEL).stamp: debug-kernel
	@readlink $(DEBUG_KERNEL) | cmp -s - $@ || readlink $(DEBUG_KERNEL) > $@

$(DEBUG_MODULE): $(GUEST_MODULE_SRCS) $(GUEST_UAPI) guest_driver/module.mk $(DEBUG_KERNEL).stamp
	$(call say,KBUILD,$@)true
	$(call guest_farm,$(@D)/src)
	$(Q)$(call guest_kbuild,$(abspath $(DEBUG_KERNEL))/headers,$(@D)/src)
	$(Q)cp $(@D)/src/vmsect.ko $@

$(LAB_DEBUG)/guests/debug.cpio: $(DEBUG_MODULE) $(GUEST_PROGRAMS) tests/lab/guest-init scripts/mkinitramfs
	@mkdir -p $(@D)
	$(call say,CPIO,$@)scripts/mkinitramfs -o $@ -i tests/lab/guest-init -k $(DEBUG_KERNEL) \
		module=virtio_pci module=$(DEBUG_MODULE) $$(printf 'program=%s ' $(B)/guest/bin/*)

$(LAB_DEBUG)/machine.cpio: $(LAB_MACHINE_NEEDS) $(LAB_DEBUG)/guests/debug.cpio
	$(call lab_machine,$@,$(LAB_DEBUG)/guests)

$(LAB_DEBUG)/data.img: $(DEBUG_KERNEL).stamp $(LAB)/data/kernels.stamp
	@mkdir -p $(@D)/data
	$(Q)cp $(DEBUG_KERNEL)/vmlinuz $(@D)/data/debug.vmlinuz
	$(Q)cp $(LAB)/data/cloud.vmlinuz $(@D)/data/
	@rm -f $@.new && truncate -s 512M $@.new
	$(call say,MKE2FS,$@)mke2fs -q -t ext4 -d $(@D)/data $@.new && mv $@.new $@

# First in plain QEMU, which is quicker to find something: against the software device,
# and on ivshmem devices.  $(call debug_bed,NAME)
define debug_bed
	$(Q)FAKE_LIMIT=1500 IVSHMEM_LIMIT=1500 tests/guest/run-$(1) $(B) $(DEBUG_KERNEL) $(B)/guest/debug \
		> $(LAB_DEBUG)/$(1).tap || { grep '^not ok' $(LAB_DEBUG)/$(1).tap; exit 1; }
endef
$(eval $(call guest_fake,debug,$(abspath $(DEBUG_KERNEL))/headers))
$(B)/guest/debug/vmsect_fake.ko: $(DEBUG_KERNEL).stamp

.PHONY: lab-debug
lab-debug: $(LAB_DEBUG)/machine.cpio $(LAB_DEBUG)/data.img $(B)/guest/debug/vmsect_fake.ko \
		$(GUEST_IVSHMEM_BUILT)
	$(call debug_bed,fake)
	$(call debug_bed,ivshmem)
	$(Q)$(LAB_DEBUG_SETTINGS) scripts/lab -b $(B) -f $(LAB_DEBUG) -o $(B)/results/lab-debug \
		-l $(LAB_DEBUG_LIMIT) $(LAB_DEBUG_STORIES)
