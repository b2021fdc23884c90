/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See vm.h.  Slot ids come from a bitmap, so that a freed one is used again
 * and the number of slots in use is bounded by what KVM offers.
 */
#include "kvm/vm.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "kvm/kvm_sys.h"

#ifndef KVM_X86_QUIRK_SLOT_ZAP_ALL
#define KVM_X86_QUIRK_SLOT_ZAP_ALL (1 << 7)
#endif

#define SLOTS_PER_WORD 64u

static const struct vm_need {
	int capability;
	const char *what;
} vm_needs[] = {
	{ KVM_CAP_USER_MEMORY, "user memory" },
	{ KVM_CAP_READONLY_MEM, "read-only memory slots" },
	{ KVM_CAP_SYNC_MMU, "memory that follows host mappings" },
	{ KVM_CAP_IRQCHIP, "an in-kernel interrupt controller" },
	{ KVM_CAP_IRQ_ROUTING, "interrupt routing" },
	{ KVM_CAP_IRQFD, "irqfd" },
	{ KVM_CAP_IOEVENTFD, "ioeventfd" },
	{ KVM_CAP_IOEVENTFD_ANY_LENGTH, "ioeventfd of any length" },
	{ KVM_CAP_IMMEDIATE_EXIT, "immediate exit" },
	{ KVM_CAP_EXT_CPUID, "CPUID setup" },
	{ KVM_CAP_VCPU_EVENTS, "exception injection" },
	{ KVM_CAP_SET_TSS_ADDR, "a place for the task state segment" },
	{ KVM_CAP_SET_IDENTITY_MAP_ADDR, "a place for the identity map" },
};

static int vm_extension(int fd, int capability)
{
	return kvm_ioctl_value(fd, KVM_CHECK_EXTENSION, (unsigned long)capability);
}

static int vm_open_kvm(int *ret_fd)
{
	AUTO_FD int fd = sys_retry(open("/dev/kvm", O_RDWR | O_CLOEXEC));
	int version;

	if (fd < 0) {
		log_error("cannot open /dev/kvm: %s", strerror(-fd));
		return fd;
	}
	version = kvm_ioctl_value(fd, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION) {
		log_error("/dev/kvm speaks API version %d, not %d", version, KVM_API_VERSION);
		return -ENOTSUP;
	}
	for (size_t i = 0; i < sizeof(vm_needs) / sizeof(vm_needs[0]); i++) {
		if (vm_extension(fd, vm_needs[i].capability) > 0)
			continue;
		log_error("this KVM lacks %s (capability %d)", vm_needs[i].what,
			  vm_needs[i].capability);
		return -ENOTSUP;
	}
	*ret_fd = steal_fd(&fd);
	return 0;
}

static int vm_enable(int vm_fd, uint32_t capability, uint64_t argument)
{
	struct kvm_enable_cap enable = { .cap = capability, .args = { argument } };

	return kvm_ioctl(vm_fd, KVM_ENABLE_CAP, &enable);
}

/* What a KVM may lack: the VM works without it, only slower or coarser. */
static void vm_enable_optional(struct vm *vm)
{
	int quirks = vm_extension(vm->vm_fd, KVM_CAP_DISABLE_QUIRKS2);

	vm->slot_zap_all_off =
		quirks > 0 && (quirks & KVM_X86_QUIRK_SLOT_ZAP_ALL) &&
		vm_enable(vm->vm_fd, KVM_CAP_DISABLE_QUIRKS2, KVM_X86_QUIRK_SLOT_ZAP_ALL) == 0;
	if (!vm->slot_zap_all_off)
		log_debug("this KVM drops all second-level entries when one view is unmapped");
	if (vm_extension(vm->vm_fd, KVM_CAP_EXIT_ON_EMULATION_FAILURE) <= 0 ||
	    vm_enable(vm->vm_fd, KVM_CAP_EXIT_ON_EMULATION_FAILURE, 1) != 0)
		log_debug("this KVM gives user code #UD for stores that it cannot emulate");
}

static int vm_failed(const char *what, int result)
{
	log_error("KVM cannot %s: %s", what, strerror(-result));
	return result;
}

static int vm_setup(struct vm *vm)
{
	uint64_t identity = VM_IDENTITY_GPA;
	int result;

	result = kvm_ioctl(vm->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity);
	if (result < 0)
		return vm_failed("place its identity map", result);
	result = kvm_ioctl_value(vm->vm_fd, KVM_SET_TSS_ADDR, VM_TSS_GPA);
	if (result < 0)
		return vm_failed("place its task state segment", result);
	vm_enable_optional(vm);
	result = kvm_ioctl_value(vm->vm_fd, KVM_CREATE_IRQCHIP, 0);
	if (result < 0)
		return vm_failed("make an interrupt controller", result);
	return 0;
}

static int vm_sizes(struct vm *vm)
{
	int run_bytes = kvm_ioctl_value(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	int slots = vm_extension(vm->vm_fd, KVM_CAP_NR_MEMSLOTS);

	if (run_bytes < (int)sizeof(struct kvm_run))
		return vm_failed("tell the size of its run area",
				 run_bytes < 0 ? run_bytes : -EINVAL);
	if (slots <= 0)
		return vm_failed("tell its number of slots", slots < 0 ? slots : -EINVAL);
	vm->vcpu_run_bytes = (uint32_t)run_bytes;
	vm->max_slots = (uint32_t)slots;
	vm->slot_used = calloc((vm->max_slots + SLOTS_PER_WORD - 1) / SLOTS_PER_WORD,
			       sizeof(*vm->slot_used));
	return vm->slot_used ? 0 : -ENOMEM;
}

static int vm_make(struct vm *vm)
{
	int fd, result;

	result = vm_open_kvm(&vm->kvm_fd);
	if (result < 0)
		return result;
	fd = kvm_ioctl_value(vm->kvm_fd, KVM_CREATE_VM, 0);
	if (fd < 0)
		return vm_failed("make a VM", fd);
	vm->vm_fd = fd;
	result = vm_setup(vm);
	return result < 0 ? result : vm_sizes(vm);
}

int vm_init(struct vm *vm)
{
	static const struct vm empty = VM_EMPTY;
	int result;

	*vm = empty;
	result = vcpu_gate_init(&vm->gate);
	if (result < 0)
		return result;
	result = -pthread_mutex_init(&vm->slot_lock, NULL);
	if (result < 0) {
		vcpu_gate_deinit(&vm->gate);
		return result;
	}
	result = vm_make(vm);
	if (result < 0)
		vm_deinit(vm);
	return result;
}

void vm_deinit(struct vm *vm)
{
	/* The empty state has nothing to give back. */
	if (vm->kvm_fd < 0)
		return;
	free(vm->slot_used);
	vm->slot_used = NULL;
	(void)pthread_mutex_destroy(&vm->slot_lock);
	vcpu_gate_deinit(&vm->gate);
	fd_cleanup(&vm->vm_fd);
	fd_cleanup(&vm->kvm_fd);
}

/* Caller has slot_lock. */
static int vm_slot_take(struct vm *vm, uint32_t *ret_slot)
{
	uint32_t words = (vm->max_slots + SLOTS_PER_WORD - 1) / SLOTS_PER_WORD;

	for (uint32_t word = 0; word < words; word++) {
		uint64_t unused = ~vm->slot_used[word];
		uint32_t slot;

		if (unused == 0)
			continue;
		slot = word * SLOTS_PER_WORD + (uint32_t)__builtin_ctzll(unused);
		if (slot >= vm->max_slots)
			break;
		vm->slot_used[word] |= UINT64_C(1) << (slot % SLOTS_PER_WORD);
		*ret_slot = slot;
		return 0;
	}
	return -ENOSPC;
}

static int vm_slot_set(const struct vm *vm, const struct kvm_userspace_memory_region *region)
{
	return sys_retry(ioctl(vm->vm_fd, KVM_SET_USER_MEMORY_REGION, region));
}

int vm_slot_add(struct vm *vm, const struct vm_slot *slot, uint32_t *ret_id)
{
	struct kvm_userspace_memory_region region = {
		.flags = slot->read_only ? KVM_MEM_READONLY : 0,
		.guest_phys_addr = slot->gpa,
		.memory_size = slot->bytes,
		.userspace_addr = (uint64_t)(uintptr_t)slot->hva,
	};
	int result;

	/* A size of zero would mean "delete" to KVM. */
	if (slot->bytes == 0)
		return -EINVAL;
	(void)pthread_mutex_lock(&vm->slot_lock);
	result = vm_slot_take(vm, &region.slot);
	if (result == 0) {
		result = vm_slot_set(vm, &region);
		if (result < 0)
			vm->slot_used[region.slot / SLOTS_PER_WORD] &=
				~(UINT64_C(1) << (region.slot % SLOTS_PER_WORD));
	}
	(void)pthread_mutex_unlock(&vm->slot_lock);
	if (result == 0)
		*ret_id = region.slot;
	return result;
}

void vm_slot_del(struct vm *vm, uint32_t id)
{
	struct kvm_userspace_memory_region region = { .slot = id };
	int result;

	(void)pthread_mutex_lock(&vm->slot_lock);
	result = vm_slot_set(vm, &region);
	/* An id whose slot KVM could not delete is not used again. */
	if (result == 0)
		vm->slot_used[id / SLOTS_PER_WORD] &= ~(UINT64_C(1) << (id % SLOTS_PER_WORD));
	(void)pthread_mutex_unlock(&vm->slot_lock);
	if (result < 0)
		log_error("cannot delete memory slot %u: %s", id, strerror(-result));
}

static int vm_ioeventfd(const struct vm *vm, const struct vm_kick *kick, uint32_t flags)
{
	struct kvm_ioeventfd event = {
		.addr = kick->gpa,
		.len = kick->bytes,
		.datamatch = kick->value,
		.fd = kick->fd,
		.flags = flags | (kick->has_value ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0),
	};

	return kvm_ioctl(vm->vm_fd, KVM_IOEVENTFD, &event);
}

int vm_ioeventfd_add(struct vm *vm, const struct vm_kick *kick)
{
	return vm_ioeventfd(vm, kick, 0);
}

void vm_ioeventfd_del(struct vm *vm, const struct vm_kick *kick)
{
	int result = vm_ioeventfd(vm, kick, KVM_IOEVENTFD_FLAG_DEASSIGN);

	if (result < 0)
		log_error("cannot detach the doorbell at %#lx: %s", (unsigned long)kick->gpa,
			  strerror(-result));
}
