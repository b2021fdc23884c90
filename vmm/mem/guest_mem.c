/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See guest_mem.h.  Each region is one anonymous mapping at a 2 MiB boundary,
 * so that huge pages work on both levels; untouched RAM costs nothing.
 */
#include "mem/guest_mem.h"

#include <string.h>
#include <sys/mman.h>

#include "base/sys.h"
#include "kvm/vm.h"
#include "mem/layout.h"

#define RAM_UNIT UINT64_C(0x200000)

static void *ram_map(uint64_t bytes)
{
	uint64_t reserved = bytes + RAM_UNIT;
	uint8_t *start = mmap(NULL, reserved, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t lead;

	if (start == MAP_FAILED)
		return NULL;
	lead = -(uintptr_t)start & (RAM_UNIT - 1);
	if (lead)
		(void)munmap(start, lead);
	(void)munmap(start + lead + bytes, RAM_UNIT - lead);
	/* Only speed hangs on these two: the first may be off, the second not built in. */
	(void)madvise(start + lead, bytes, MADV_HUGEPAGE);
	(void)madvise(start + lead, bytes, MADV_DONTDUMP);
	return start + lead;
}

static int region_init(struct guest_mem_region *region, struct vm *vm, uint64_t gpa, uint64_t bytes)
{
	struct vm_slot ram = { .gpa = gpa, .bytes = bytes };
	uint32_t slot = 0;
	int result;

	if (bytes == 0)
		return 0;
	ram.hva = ram_map(bytes);
	if (!ram.hva)
		return -ENOMEM;
	result = vm ? vm_slot_add(vm, &ram, &slot) : 0;
	if (result < 0) {
		(void)munmap(ram.hva, bytes);
		return result;
	}
	*region = (struct guest_mem_region){
		.gpa = gpa, .bytes = bytes, .hva = ram.hva, .slot = slot
	};
	return 0;
}

static void region_deinit(struct guest_mem_region *region, struct vm *vm)
{
	if (region->bytes == 0)
		return;
	if (vm)
		vm_slot_del(vm, region->slot);
	(void)munmap(region->hva, region->bytes);
	*region = (struct guest_mem_region){ 0 };
}

int guest_mem_init(struct guest_mem *mem, struct vm *vm, uint64_t bytes)
{
	uint64_t low = bytes < LAYOUT_LOW_RAM_END ? bytes : LAYOUT_LOW_RAM_END;
	int result;

	*mem = (struct guest_mem){ .vm = vm };
	if (bytes == 0 || bytes % RAM_UNIT ||
	    bytes - low > LAYOUT_HIGH_RAM_END - LAYOUT_HIGH_RAM_START)
		return -EINVAL;
	result = region_init(&mem->region[0], vm, 0, low);
	if (result == 0)
		result = region_init(&mem->region[1], vm, LAYOUT_HIGH_RAM_START, bytes - low);
	if (result < 0)
		guest_mem_deinit(mem);
	return result;
}

void guest_mem_deinit(struct guest_mem *mem)
{
	for (int i = GUEST_MEM_REGIONS; i-- > 0;)
		region_deinit(&mem->region[i], mem->vm);
	mem->vm = NULL;
}

void *guest_mem_at(const struct guest_mem *mem, uint64_t gpa, uint64_t bytes)
{
	for (int i = 0; i < GUEST_MEM_REGIONS; i++) {
		const struct guest_mem_region *region = &mem->region[i];
		uint64_t offset = gpa - region->gpa;

		/* No sum here can wrap: each side is smaller than the region. */
		if (gpa >= region->gpa && offset < region->bytes && bytes > 0 &&
		    bytes <= region->bytes - offset)
			return region->hva + offset;
	}
	return NULL;
}

bool guest_mem_has(const struct guest_mem *mem, uint64_t gpa, uint64_t bytes)
{
	return guest_mem_at(mem, gpa, bytes) != NULL;
}

bool guest_mem_read(const struct guest_mem *mem, uint64_t gpa, void *to, size_t bytes)
{
	const void *from = guest_mem_at(mem, gpa, bytes);

	if (!from)
		return false;
	memcpy(to, from, bytes);
	return true;
}

bool guest_mem_write(const struct guest_mem *mem, uint64_t gpa, const void *from, size_t bytes)
{
	void *to = guest_mem_at(mem, gpa, bytes);

	if (!to)
		return false;
	memcpy(to, from, bytes);
	return true;
}
