# SPDX-License-Identifier: GPL-2.0-or-later
# tests/fuzz/fuzz_NAME.c becomes fuzz_NAME.  Fuzzers are built by clang, with
# libFuzzer, ASan and UBSan, whatever the rest is built with.

FUZZ_CC ?= clang
FUZZ_CFLAGS := -std=gnu17 -O1 -g $(WARN) $(WERROR) -fsanitize=fuzzer,address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZ_SRCS := $(wildcard tests/fuzz/fuzz_*.c)
FUZZERS += $(FUZZ_SRCS:tests/fuzz/%.c=$(B)/fuzz/%)
# What a fuzzer needs beside itself, by name.
FUZZ_WITH_proto := host_lib/broker/proto.c host_lib/broker/refusal.c host_lib/base/parse.c
# The broker without its sockets, and what it is made of.
FUZZ_BROKER := $(filter-out $(addprefix host_lib/broker/,$(addsuffix .c,broker broker_request daemon \
	fdstore journal listener main options peer peer_queue restore_start)),\
	$(wildcard host_lib/broker/*.c)) \
	$(addprefix host_lib/base/,event.c fdmsg.c log.c parse.c token_bucket.c)
FUZZ_WITH_journal := $(FUZZ_BROKER)
FUZZ_LIBS_journal := -levent_core -lz
# All that a request is carried out by.
FUZZ_WITH_session := $(wildcard tests/fuzz/session_*.c) $(FUZZ_BROKER)
FUZZ_LIBS_session := -levent_core -lz
# The doorbells and the registry, without sessions.
FUZZ_WITH_doorbell := $(wildcard host_lib/broker/doorbell*.c) \
	$(addprefix host_lib/broker/,$(addsuffix .c,account attachment backing bells commit_map \
	credentials deadline grant hash offer party_ids policy refusal registry registry_expire \
	revoke revoked_handle rights)) $(addprefix host_lib/base/,event.c fdmsg.c log.c parse.c token_bucket.c)
FUZZ_LIBS_doorbell := -levent_core
FUZZ_LOADER := vmm/boot/boot_error.c vmm/boot/memmap.c vmm/mem/guest_mem.c vmm/kvm/vm.c vmm/kvm/vcpu_gate.c \
	host_lib/base/log.c
FUZZ_WITH_pvh := vmm/boot/pvh.c $(FUZZ_LOADER)
FUZZ_WITH_bzimage := vmm/boot/bzimage.c $(FUZZ_LOADER)
FUZZ_WITH_queue := vmm/virtio/queue.c vmm/mem/guest_mem.c vmm/kvm/vm.c vmm/kvm/vcpu_gate.c host_lib/base/log.c
FUZZ_WITH_bus := $(wildcard vmm/bus/*.c vmm/virtio/*.c) vmm/mem/guest_mem.c vmm/kvm/vm.c vmm/kvm/vcpu_gate.c \
	vmm/kvm/irq.c host_lib/base/log.c
FUZZ_LIBS_bus := -levent_core
FUZZ_WITH_ivshmem := $(wildcard vmm/dev/ivshmem*.c vmm/bus/*.c vmm/mem/window*.c host_lib/base/mapping*.c) \
	vmm/kvm/vm.c vmm/kvm/vcpu_gate.c vmm/kvm/irq.c host_lib/base/fdmsg.c host_lib/base/log.c
FUZZ_LIBS_ivshmem := -levent_core
FUZZ_WITH_pmem := $(wildcard vmm/dev/pmem*.c vmm/mem/*.c vmm/bus/*.c vmm/virtio/*.c host_lib/base/*.c) \
	vmm/kvm/vm.c vmm/kvm/vcpu_gate.c vmm/kvm/irq.c
FUZZ_LIBS_pmem := -levent_core -Wl,--wrap=guest_mem_at -Wl,--wrap=guest_mem_read
FUZZ_WITH_ring := $(filter-out %_section.c,$(wildcard guest_driver/lib/vmsect_ring*.c))

# $(call fuzzer,NAME)
define fuzzer
$(B)/fuzz/fuzz_$(1): tests/fuzz/fuzz_$(1).c $(FUZZ_WITH_$(1))
	@mkdir -p $$(@D)
	$$(call say,FUZZ,$$@)$$(FUZZ_CC) $$(CPP_COMMON) $$(CPP_tests) $$(FUZZ_CFLAGS) $$^ $(FUZZ_LIBS_$(1)) -o $$@
endef
$(foreach name,$(FUZZ_SRCS:tests/fuzz/fuzz_%.c=%),$(eval $(call fuzzer,$(name))))
