# SPDX-License-Identifier: GPL-2.0-or-later
# The kvm bed: a flat guest (the agent) and the programs that drive VMs with
# it.  tests/kvm/test_TOPIC.c becomes the program kvm-TOPIC.

KVM_AGENT := $(B)/kvm/agent.elf
KVM_GUEST_SRCS := $(wildcard tests/kvm/guests/*.c) tests/kvm/guests/start.S
KVM_GUEST_OBJS := $(patsubst tests/kvm/guests/%,$(B)/kvm/guest/%.o,$(basename $(KVM_GUEST_SRCS)))
KVM_LIB_SRCS := $(filter-out tests/kvm/test_%.c,$(wildcard tests/kvm/*.c))
KVM_TEST_SRCS := $(wildcard tests/kvm/test_*.c)
KVM_TESTS := $(KVM_TEST_SRCS:tests/kvm/test_%.c=$(B)/tests/kvm-%)
# What the tests run.
KVM_NEEDS := $(KVM_AGENT) $(B)/bin/vmsect-vmm $(B)/bin/vmsectd $(B)/bin/vmsect

# A guest has fixed addresses, no C library, and nothing below its stack.
KVM_GUEST_CPP := -Itests/kvm/guests -Ivmm -Iguest_driver/uapi
KVM_GUEST_CFLAGS := -std=gnu17 $(OPT) $(WARN) $(WERROR) -ffreestanding -fno-pic -fno-pie \
	-mcmodel=small -mno-red-zone -fno-stack-protector -fcf-protection=none \
	-fno-asynchronous-unwind-tables -fno-strict-aliasing

$(B)/kvm/guest/%.o: tests/kvm/guests/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(KVM_GUEST_CPP) $(KVM_GUEST_CFLAGS) -MMD -MP -c $< -o $@
$(B)/kvm/guest/%.o: tests/kvm/guests/%.S tests/kvm/guests/machine.h
	@mkdir -p $(@D)
	$(call say,AS,$<)$(CC) $(KVM_GUEST_CPP) -c $< -o $@

$(KVM_AGENT): $(KVM_GUEST_OBJS) tests/kvm/guests/guest.lds
	$(call say,LD,$@)$(LD) -static -nostdlib --build-id=none --no-warn-rwx-segments \
		-z noexecstack -T tests/kvm/guests/guest.lds $(filter %.o,$^) -o $@

$(KVM_TESTS): $(B)/tests/kvm-%: $(B)/obj/tests/kvm/test_%.o $(call obj,$(KVM_LIB_SRCS)) \
		$(B)/libtest.a $(LIBVMSECT_A) $(BASE_A) | $(KVM_NEEDS)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -pie $(LDFLAGS_ALL) $(filter %.o %.a,$^) -lcmocka -ljansson -o $@
