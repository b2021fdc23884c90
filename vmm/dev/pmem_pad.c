/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See pmem_impl.h.  Anonymous memory, of which only what the guest touches
 * exists.
 */
#include "dev/pmem_impl.h"

#include <errno.h>
#include <sys/mman.h>

#include "kvm/vm.h"

int pmem_pad_init(struct pmem_pad *pad, struct vm *vm, uint64_t gpa, uint64_t bytes)
{
	struct vm_slot slot = { .gpa = gpa, .bytes = bytes };
	uint32_t id = 0;
	int result;

	if (bytes == 0)
		return 0;
	slot.hva = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (slot.hva == MAP_FAILED)
		return -ENOMEM;
	result = vm ? vm_slot_add(vm, &slot, &id) : 0;
	if (result < 0) {
		(void)munmap(slot.hva, bytes);
		return result;
	}
	*pad = (struct pmem_pad){ .bytes = bytes, .hva = slot.hva, .slot = id };
	return 0;
}

void pmem_pad_deinit(struct pmem_pad *pad, struct vm *vm)
{
	if (pad->bytes == 0)
		return;
	if (vm)
		vm_slot_del(vm, pad->slot);
	(void)munmap(pad->hva, pad->bytes);
	*pad = (struct pmem_pad){ 0 };
}
