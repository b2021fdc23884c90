# SPDX-License-Identifier: GPL-2.0-or-later
# The interop bed: sections in QEMU and libvirt, both from Debian's packages and
# real.  tests/interop/test_TOPIC.c becomes the program interop-TOPIC, which drives
# flat guests (tests/kvm) in QEMU and, where there is KVM, in vmsect-vmm; scripts
# beside it speak TAP as well.

INTEROP_LIB_SRCS := $(filter-out tests/interop/test_%.c,$(wildcard tests/interop/*.c)) \
	$(filter-out tests/kvm/test_%.c,$(wildcard tests/kvm/*.c))
INTEROP_TEST_SRCS := $(wildcard tests/interop/test_*.c)
INTEROP_TESTS := $(INTEROP_TEST_SRCS:tests/interop/test_%.c=$(B)/tests/interop-%)
INTEROP_SCRIPTS := $(wildcard tests/interop/run-*)

$(INTEROP_TESTS): $(B)/tests/interop-%: $(B)/obj/tests/interop/test_%.o $(call obj,$(INTEROP_LIB_SRCS)) \
		$(B)/libtest.a $(LIBVMSECT_A) $(BASE_A)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -pie $(LDFLAGS_ALL) $(filter %.o %.a,$^) -lcmocka -ljansson -o $@

# run-libvirt: a libvirtd of its own, stock guests with no driver, a host process.
INTEROP_DOMAIN := $(B)/tests/domain.cpio
INTEROP_LIBVIRT := $(B)/tests/section-io $(INTEROP_DOMAIN)
$(eval $(call program,$(B)/tests/section-io,$(call obj,tests/interop/libvirt/section_io.c) \
	$(LIBVMSECT_A) $(BASE_A)))
interop: $(INTEROP_LIBVIRT) $(B)/bin/vmsectd $(B)/bin/vmsect $(if $(LIBVIRT_LIBS),$(B)/bin/vmsect-libvirt) \
	$(B)/kernels/stamp

$(INTEROP_DOMAIN): tests/interop/libvirt/init $(B)/guest/bin/vmsect-bar $(B)/kernels/stamp scripts/mkinitramfs
	@mkdir -p $(@D)
	$(call say,CPIO,$@)scripts/mkinitramfs -o $@ -i $< -k $(B)/kernels/cloud program=$(B)/guest/bin/vmsect-bar
