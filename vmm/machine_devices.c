/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sections that have a PCI device of their own.  The section device holds
 * handle and view; here is what the guest sees instead of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vmsect/vmsect.h>

#include "base/log.h"
#include "dev/ivshmem.h"
#include "dev/section_dev.h"
#include "machine_impl.h"

/* No broker has doorbells yet. */
static int connect_bell(void *owner, uint32_t vectors, int *ret_fd)
{
	(void)owner;
	(void)vectors;
	(void)ret_fd;
	return -EOPNOTSUPP;
}

static void on_ivshmem_revoked(void *owner)
{
	ivshmem_revoked(owner);
}

static void on_ivshmem_reconnected(void *owner)
{
	ivshmem_reconnected(owner);
}

static const struct section_device_ops ivshmem_ops = {
	.revoked = on_ivshmem_revoked,
	.reconnected = on_ivshmem_reconnected,
};

static int add_ivshmem(struct machine *machine, size_t index,
		       const struct section_attached *attached)
{
	const struct ivshmem_env env = {
		.vm = &machine->vm,
		.irq = machine->irq,
		.pci = machine->pci,
		.events = machine->events,
	};
	const struct ivshmem_info info = {
		.name = attached->attach->name,
		.window = attached->window,
		.vectors = attached->attach->vectors,
		.id = (uint16_t)vmsect_client_peer_id(machine->client),
		.connect = connect_bell,
		.owner = attached->section,
	};
	struct ivshmem **ivshmem = &machine->ivshmem[machine->ivshmem_count];
	int result = ivshmem_new(&env, &info, ivshmem);

	if (result < 0)
		return result;
	machine->ivshmem_count++;
	section_dev_follow(machine->section_dev, index, &ivshmem_ops, *ivshmem);
	return 0;
}

static int add_device(struct machine *machine, size_t index,
		      const struct section_attached *attached)
{
	if (attached->attach->as == SECTION_AS_IVSHMEM)
		return add_ivshmem(machine, index, attached);
	return machine_pmem_add(machine, index, attached);
}

int machine_devices_init(struct machine *machine)
{
	struct section_attached attached;
	int result = 0;

	for (size_t i = 0; result == 0 && section_dev_attached(machine->section_dev, i, &attached);
	     i++)
		result = add_device(machine, i, &attached);
	return result;
}

void machine_devices_deinit(struct machine *machine)
{
	machine_pmem_deinit(machine);
	while (machine->ivshmem_count > 0)
		(void)ivshmem_free(machine->ivshmem[--machine->ivshmem_count]);
}
