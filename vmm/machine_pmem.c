/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sections as persistent memory: where the guest sees each, and what there is to
 * sync of it.  They follow one another from LAYOUT_PMEM_START on, each at a
 * boundary of 1 GiB, so that its pages can be of any size.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <vmsect/vmsect.h>

#include "base/log.h"
#include "dev/pmem.h"
#include "dev/section_dev.h"
#include "kvm/cpuid.h"
#include "machine_impl.h"
#include "mem/layout.h"

#define STEP (UINT64_C(1) << 30)

static void on_revoked(void *owner)
{
	pmem_revoked(owner);
}

/* What it needs of a broker it has. */
static void on_reconnected(void *owner)
{
	(void)owner;
}

static const struct section_device_ops pmem_ops = {
	.revoked = on_revoked,
	.reconnected = on_reconnected,
};

static int check_processor(struct machine *machine, const char *name)
{
	struct cpuid_table table;
	bool tsc_deadline;
	uint32_t bits;
	int result = cpuid_supported(&machine->vm, &table, &tsc_deadline);

	if (result < 0)
		return result;
	bits = cpuid_address_bits(&table);
	if (bits >= LAYOUT_PMEM_ADDRESS_BITS)
		return 0;
	log_error("section %s: as=pmem needs a processor with %u address bits, this one has %u",
		  name, LAYOUT_PMEM_ADDRESS_BITS, bits);
	return -EOPNOTSUPP;
}

static int check_section(const char *name, const struct vmsect_section_info *info)
{
	/* Persistent memory has no pages that are not there. */
	if (!(info->flags & VMSECT_SECTION_RESERVE) || info->committed_bytes >= info->size_bytes)
		return 0;
	log_error("section %s: as=pmem needs all of its pages committed", name);
	return -EOPNOTSUPP;
}

/* The next place in the guest's addresses. */
static int take_place(struct machine *machine, const char *name, uint64_t bytes, uint64_t *ret_gpa)
{
	uint64_t used = machine->pmem_bytes;

	if (bytes > LAYOUT_PMEM_SIZE - used) {
		log_error("section %s: all persistent memory together is at most %" PRIu64 " GiB",
			  name, LAYOUT_PMEM_SIZE / STEP);
		return -ENOSPC;
	}
	*ret_gpa = LAYOUT_PMEM_START + used;
	/* Both bounds are multiples of the step. */
	machine->pmem_bytes = used + ((bytes + STEP - 1) & ~(STEP - 1));
	return 0;
}

/* The page file ends with the section: there is nothing to make durable. */
static int file_to_sync(const struct section_attached *attached,
			const struct vmsect_section_info *info)
{
	if (attached->attach->mode != SECTION_ATTACH_RW || info->backing != VMSECT_BACKING_FILE)
		return -1;
	return vmsect_section_fd(attached->section);
}

static void tell_of_padding(const char *name, uint64_t bytes)
{
	uint64_t padding = pmem_bytes(bytes) - bytes;

	if (padding)
		log_info("section %s: the guest sees %" PRIu64
			 " bytes behind it that are kept nowhere; its size is no multiple of 2 MiB",
			 name, padding);
}

static int add(struct machine *machine, const struct section_attached *attached,
	       const struct vmsect_section_info *section, struct pmem **ret_pmem)
{
	static const enum window_mode modes[] = {
		[SECTION_ATTACH_RO] = WINDOW_READONLY,
		[SECTION_ATTACH_RW] = WINDOW_READWRITE,
		[SECTION_ATTACH_COW] = WINDOW_WRITECOPY,
	};
	const struct virtio_pci_env env = {
		.vm = &machine->vm,
		.mem = &machine->mem,
		.irq = machine->irq,
		.pci = machine->pci,
		.events = machine->events,
	};
	struct pmem_info info = {
		.name = attached->attach->name,
		.bytes = section->size_bytes,
		.window = attached->window,
		.mode = modes[attached->attach->mode],
		.io_error = -(int)section->io_error,
		.fd = file_to_sync(attached, section),
	};
	int result = take_place(machine, info.name, pmem_bytes(info.bytes), &info.gpa);

	if (result == 0) {
		result = pmem_new(&env, &info, ret_pmem);
		if (result < 0)
			log_error("section %s, as pmem: %s", info.name, strerror(-result));
	}
	return result;
}

int machine_pmem_add(struct machine *machine, size_t index, const struct section_attached *attached)
{
	const char *name = attached->attach->name;
	const struct vmsect_section_info *info = vmsect_section_info(attached->section);
	struct pmem **pmem = &machine->pmem[machine->pmem_count];
	int result = check_processor(machine, name);

	if (result == 0)
		result = check_section(name, info);
	if (result == 0)
		result = add(machine, attached, info, pmem);
	if (result < 0)
		return result;
	machine->pmem_count++;
	section_dev_follow(machine->section_dev, index, &pmem_ops, *pmem);
	if (attached->attach->mode == SECTION_ATTACH_RW)
		tell_of_padding(name, info->size_bytes);
	return 0;
}

void machine_pmem_deinit(struct machine *machine)
{
	while (machine->pmem_count > 0)
		(void)pmem_free(machine->pmem[--machine->pmem_count]);
}
