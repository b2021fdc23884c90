# SPDX-License-Identifier: GPL-2.0-or-later
# Programs that run inside guests: static, so that an initramfs needs no more,
# and never sanitized, as sanitizers do not link statically.  32 in a name: -m32.

GUEST_BIN := $(B)/guest/bin
GUEST_PROGRAMS := $(addprefix $(GUEST_BIN)/vmsect-,selftest tool unbind-test lies-test \
	conformance frames kv ring-test stress bar ioctl-fuzz ivshmem-test ping-test \
	selftest32 ioctl-fuzz32 ivshmem-test32)
GUEST_CFLAGS := -std=gnu17 $(OPT) $(WARN) $(WERROR) $(HARDEN) -U_FORTIFY_SOURCE \
	-D_FORTIFY_SOURCE=3 $(CFLAGS)
GUEST_TAP_SRCS := tests/guest/tap.c
GUEST_RANDOM_SRCS := tests/guest/chance.c tests/guest/guard.c
# What a guest's initramfs is made of.
GUEST_BUILT := $(GUEST_MODULES) $(GUEST_MODULE_NEXT) $(GUEST_PROGRAMS)

$(B)/guest/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPP_COMMON) $(CPP_tests) $(CPPFLAGS) $(GUEST_CFLAGS) -MMD -MP -c $< -o $@

guest_obj = $(patsubst %.c,$(B)/guest/obj/%.o,$(1) $(wildcard guest_driver/lib/*.c))

# $(call guest_program,NAME,SOURCES)
define guest_program
$(GUEST_BIN)/vmsect-$(1): $(call guest_obj,$(2))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)$$(CC) -static $$(OPT) $$^ -o $$@
endef

# The same as 32-bit programs, of which the driver has to understand every ioctl.
$(B)/guest/obj32/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC32,$<)$(CC) -m32 -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 $(CPP_COMMON) $(CPP_tests) \
		$(CPPFLAGS) $(GUEST_CFLAGS) -MMD -MP -c $< -o $@

# $(call guest_program32,NAME,SOURCES)
define guest_program32
$(GUEST_BIN)/vmsect-$(1)32: $(patsubst %.c,$(B)/guest/obj32/%.o,$(2) $(wildcard guest_driver/lib/*.c))
	@mkdir -p $$(@D)
	$$(call say,LD32,$$@)$$(CC) -m32 -static $$(OPT) $$^ -o $$@
endef

GUEST_SELFTEST_SRCS := $(wildcard tests/guest/selftest*.c) $(GUEST_TAP_SRCS)
GUEST_FUZZ_SRCS := tests/guest/ioctl_fuzz.c $(wildcard tests/guest/fuzz_*.c) $(GUEST_RANDOM_SRCS)
$(eval $(call guest_program,selftest,$(GUEST_SELFTEST_SRCS)))
$(eval $(call guest_program32,selftest,$(GUEST_SELFTEST_SRCS)))
$(eval $(call guest_program,tool,$(wildcard tests/guest/tool*.c)))
$(eval $(call guest_program,conformance,tests/guest/conformance_guest.c $(GUEST_TAP_SRCS)))
$(eval $(call guest_program,lies-test,tests/guest/lies_test.c tests/guest/lies_events.c \
	tests/guest/selftest_subject.c $(GUEST_TAP_SRCS)))
$(eval $(call guest_program,unbind-test,tests/guest/unbind_test.c $(GUEST_TAP_SRCS)))
$(eval $(call guest_program,bar,tests/guest/bar_tool.c))
GUEST_IVSHMEM_SRCS := $(wildcard tests/guest/ivshmem_*.c) tests/guest/selftest_subject.c \
	$(GUEST_TAP_SRCS)
$(eval $(call guest_program,ivshmem-test,$(GUEST_IVSHMEM_SRCS)))
$(eval $(call guest_program32,ivshmem-test,$(GUEST_IVSHMEM_SRCS)))
$(eval $(call guest_program,ring-test,tests/guest/ring_test.c))
$(eval $(call guest_program,ping-test,tests/guest/ping_test.c))
$(eval $(call guest_program,frames,$(addprefix guest_driver/examples/,frames_main.c frames.c example_section.c)))
$(eval $(call guest_program,kv,$(addprefix guest_driver/examples/,kv_main.c kv_table.c example_section.c)))
$(eval $(call guest_program,stress,$(wildcard tests/guest/stress*.c) $(GUEST_RANDOM_SRCS)))
$(eval $(call guest_program,ioctl-fuzz,$(GUEST_FUZZ_SRCS)))
$(eval $(call guest_program32,ioctl-fuzz,$(GUEST_FUZZ_SRCS)))

# For programs that are not static and name their files themselves.
GUEST_REDIRECT := $(B)/guest/libredirect.so
$(GUEST_REDIRECT): tests/guest/redirect/redirect.c
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CPP_COMMON) $(GUEST_CFLAGS) -fPIC -shared $< -o $@

guest: $(GUEST_PROGRAMS) $(GUEST_REDIRECT)

# Minutes for each kernel on a slow machine.
guest-kernels:
	$(Q)B='$(B)' GUEST_KERNELS='$(GUEST_KERNELS)' \
		scripts/run-tests -t 3600 -o $(B)/results/$@ tests/guest/kernel-builds
.PHONY: guest-kernels

# The driver against a section device in software, which needs no VMM and can
# misbehave: tests/guest/fake_device.
GUEST_FAKE_SRCS := $(addprefix tests/guest/fake_device/,Kbuild fake.h requests.c transport.c ivshmem_fake.c)

# $(call guest_fake,RELEASE,KDIR)
define guest_fake
$(B)/guest/$(1)/vmsect_fake.ko: $(GUEST_FAKE_SRCS) $(GUEST_UAPI) tests/guest/module.mk
	$$(call say,KBUILD,$$@)true
	@mkdir -p $(B)/guest/$(1)/fake
	$$(Q)ln -sfn $(abspath $(GUEST_FAKE_SRCS) guest_driver/uapi) $(B)/guest/$(1)/fake/
	$$(Q)$(call guest_kbuild,$(2),$(B)/guest/$(1)/fake)
	$$(Q)cp $(B)/guest/$(1)/fake/*.ko $(B)/guest/$(1)/
# Made with it.
$(B)/guest/$(1)/ivshmem_fake.ko: $(B)/guest/$(1)/vmsect_fake.ko
.PHONY: guest-fake-$(1)
guest-fake-$(1): $(B)/guest/$(1)/vmsect.ko $(B)/guest/$(1)/vmsect_fake.ko $(GUEST_PROGRAMS) \
		$(B)/kernels/stamp
	$$(Q)tests/guest/run-fake $(B) $(B)/kernels/$(1) $(B)/guest/$(1)
endef
$(foreach d,$(GUEST_KDIRS),$(eval $(call guest_fake,$(call guest_release,$(d)),$(d))))

# The bed has the cloud kernel; guest-fake-RELEASE is for the others.
GUEST_FAKE_RELEASE := $(call guest_release,$(lastword $(filter %-cloud-amd64,$(GUEST_KDIRS))))
guest-fake: $(B)/guest/$(GUEST_FAKE_RELEASE)/vmsect.ko $(B)/guest/$(GUEST_FAKE_RELEASE)/vmsect_fake.ko \
		$(GUEST_PROGRAMS) $(B)/kernels/stamp
	$(Q)B='$(B)' scripts/run-tests -t 300 -o $(B)/results/$@ tests/guest/run-fake
.PHONY: guest-fake

# The driver on ivshmem devices of QEMU's own, with a server of their protocol.
IVSHMEM_SERVER := $(B)/guest/ivshmem-server
$(eval $(call program,$(IVSHMEM_SERVER),$(call obj,tests/guest/ivshmem/server.c),))

# What a kernel needs beside what all of them share.
guest_ivshmem_modules = $(addprefix $(B)/guest/$(1)/,vmsect.ko vmsect_fake.ko ivshmem_fake.ko)
GUEST_IVSHMEM_BUILT := $(GUEST_PROGRAMS) $(IVSHMEM_SERVER) $(B)/kernels/stamp

# $(call guest_ivshmem,RELEASE)
define guest_ivshmem
.PHONY: guest-ivshmem-$(1)
guest-ivshmem-$(1): $(call guest_ivshmem_modules,$(1)) $(GUEST_IVSHMEM_BUILT)
	$$(Q)tests/guest/run-ivshmem $(B) $(B)/kernels/$(1) $(B)/guest/$(1)
endef
$(foreach d,$(GUEST_KDIRS),$(eval $(call guest_ivshmem,$(call guest_release,$(d)))))

guest-ivshmem: $(call guest_ivshmem_modules,$(GUEST_FAKE_RELEASE)) $(GUEST_IVSHMEM_BUILT)
	$(Q)B='$(B)' scripts/run-tests -t 900 -o $(B)/results/$@ tests/guest/run-ivshmem
.PHONY: guest-ivshmem
