/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See cpuid.h.  Bit positions are those of the Intel SDM and the AMD APM. */
#include "kvm/cpuid.h"

#include <string.h>

#include "kvm/kvm_sys.h"
#include "kvm/vm.h"

#define BIT(n) (UINT32_C(1) << (n))

/* Leaf 1. */
#define ECX1_TSC_DEADLINE BIT(24)
#define ECX1_HYPERVISOR BIT(31)
#define EDX1_MTRR BIT(12)
#define EDX1_HTT BIT(28)

/* Leaf 0x80000001. */
#define ECX_AMD_CMP_LEGACY BIT(1)
#define ECX_AMD_TOPOLOGY_EXTENSIONS BIT(22)

/* Leaf 0xB. */
#define LEVEL_THREAD 1u
#define LEVEL_CORE 2u

#define CACHE_LEVEL_SHARED 3u

int cpuid_supported(const struct vm *vm, struct cpuid_table *ret_table, bool *ret_tsc_deadline)
{
	int result;

	memset(ret_table, 0, sizeof(*ret_table));
	ret_table->count = CPUID_LEAVES_MAX;
	result = kvm_ioctl(vm->kvm_fd, KVM_GET_SUPPORTED_CPUID, ret_table);
	if (result < 0)
		return result;
	result = kvm_ioctl_value(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER);
	*ret_tsc_deadline = result > 0;
	return 0;
}

uint32_t cpuid_address_bits(const struct cpuid_table *table)
{
	for (uint32_t i = 0; i < table->count; i++)
		if (table->entries[i].function == 0x80000008)
			return table->entries[i].eax & 0xff;
	return 0;
}

/* The smallest width whose numbers count `cpus`. */
static uint32_t id_bits(uint32_t cpus)
{
	uint32_t bits = 0;

	while ((UINT32_C(1) << bits) < cpus)
		bits++;
	return bits;
}

static void set_if(uint32_t *word, uint32_t bit, bool on)
{
	*word = on ? *word | bit : *word & ~bit;
}

static void field_set(uint32_t *word, uint32_t shift, uint32_t width, uint32_t value)
{
	uint32_t mask = (BIT(width) - 1) << shift;

	*word = (*word & ~mask) | ((value << shift) & mask);
}

static void leaf_1(struct kvm_cpuid_entry2 *entry, const struct cpuid_place *place)
{
	field_set(&entry->ebx, 24, 8, place->index);
	field_set(&entry->ebx, 16, 8, UINT32_C(1) << id_bits(place->cpus));
	set_if(&entry->ecx, ECX1_HYPERVISOR, true);
	set_if(&entry->ecx, ECX1_TSC_DEADLINE, place->tsc_deadline);
	set_if(&entry->edx, EDX1_MTRR, true);
	set_if(&entry->edx, EDX1_HTT, place->cpus > 1);
}

/* Intel: who shares a cache, and how many cores the package has. */
static void leaf_4(struct kvm_cpuid_entry2 *entry, const struct cpuid_place *place)
{
	uint32_t level = (entry->eax >> 5) & 7;
	uint32_t ids = UINT32_C(1) << id_bits(place->cpus);

	if ((entry->eax & 0x1f) == 0)
		return; /* no more caches */
	field_set(&entry->eax, 26, 6, ids - 1);
	field_set(&entry->eax, 14, 12, level >= CACHE_LEVEL_SHARED ? ids - 1 : 0);
}

/* AMD's form of the same. */
static void leaf_8000001d(struct kvm_cpuid_entry2 *entry, const struct cpuid_place *place)
{
	uint32_t level = (entry->eax >> 5) & 7;

	if ((entry->eax & 0x1f) == 0)
		return;
	field_set(&entry->eax, 14, 12, level >= CACHE_LEVEL_SHARED ? place->cpus - 1 : 0);
}

static void leaf_80000001(struct kvm_cpuid_entry2 *entry, const struct cpuid_place *place)
{
	/* The legacy bit exists on AMD only, where topology extensions do. */
	if (entry->ecx & ECX_AMD_TOPOLOGY_EXTENSIONS)
		set_if(&entry->ecx, ECX_AMD_CMP_LEGACY, place->cpus > 1);
}

static void leaf_80000008(struct kvm_cpuid_entry2 *entry, const struct cpuid_place *place)
{
	field_set(&entry->ecx, 0, 8, place->cpus - 1);
	field_set(&entry->ecx, 12, 4, id_bits(place->cpus));
}

static void leaf_8000001e(struct kvm_cpuid_entry2 *entry, const struct cpuid_place *place)
{
	entry->eax = place->index;
	entry->ebx = place->index; /* core id; one thread per core */
	entry->ecx = 0; /* one node */
}

static const struct {
	uint32_t function;
	void (*change)(struct kvm_cpuid_entry2 *entry, const struct cpuid_place *place);
} changes[] = {
	{ 0x1, leaf_1 },
	{ 0x4, leaf_4 },
	{ 0x80000001, leaf_80000001 },
	{ 0x80000008, leaf_80000008 },
	{ 0x8000001d, leaf_8000001d },
	{ 0x8000001e, leaf_8000001e },
};

static void change_entry(struct kvm_cpuid_entry2 *entry, const struct cpuid_place *place)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		if (changes[i].function == entry->function)
			changes[i].change(entry, place);
}

static bool is_topology(uint32_t function)
{
	return function == 0xb || function == 0x1f;
}

/* Leaf 0xB replaces the host's; its twin 0x1F goes, so that they agree. */
static void drop_topology(struct cpuid_table *table)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < table->count; i++)
		if (!is_topology(table->entries[i].function))
			table->entries[kept++] = table->entries[i];
	table->count = kept;
}

static void add_level(struct cpuid_table *table, const struct cpuid_place *place, uint32_t level)
{
	bool is_core = level == LEVEL_CORE;

	if (table->count >= CPUID_LEAVES_MAX)
		return;
	table->entries[table->count++] = (struct kvm_cpuid_entry2){
		.function = 0xb,
		.index = level - 1,
		.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		.eax = is_core ? id_bits(place->cpus) : 0,
		.ebx = is_core ? place->cpus : 1,
		.ecx = (level << 8) | (level - 1),
		.edx = place->index,
	};
}

static bool has_leaf_b(const struct cpuid_table *table)
{
	for (uint32_t i = 0; i < table->count; i++)
		if (table->entries[i].function == 0 && table->entries[i].eax >= 0xb)
			return true;
	return false;
}

void cpuid_for(struct cpuid_table *table, const struct cpuid_place *place)
{
	for (uint32_t i = 0; i < table->count; i++)
		change_entry(&table->entries[i], place);
	drop_topology(table);
	if (!has_leaf_b(table))
		return;
	add_level(table, place, LEVEL_THREAD);
	add_level(table, place, LEVEL_CORE);
}
