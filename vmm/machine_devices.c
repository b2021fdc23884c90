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
#include "dev/hotplug.h"
#include "dev/ivshmem.h"
#include "dev/section_dev.h"
#include "machine_impl.h"

/* A new stream of the broker's for the doorbell of a section. */
static int connect_bell(void *owner, uint32_t vectors, int *ret_fd)
{
	return vmsect_section_doorbell(owner, vectors, ret_fd);
}

/* What was taken away is to leave the guest. */
static void on_ivshmem_revoked(void *owner)
{
	const struct machine_ivshmem *one = owner;

	ivshmem_revoked(one->ivshmem);
	hotplug_ask(one->machine->hotplug, one->slot);
}

static void on_ivshmem_reconnected(void *owner)
{
	const struct machine_ivshmem *one = owner;

	ivshmem_reconnected(one->ivshmem);
}

static const struct section_device_ops ivshmem_ops = {
	.revoked = on_ivshmem_revoked,
	.reconnected = on_ivshmem_reconnected,
};

static void on_ejected(void *owner, uint32_t slot)
{
	struct machine *machine = owner;

	for (uint32_t i = 0; i < machine->ivshmem_count; i++) {
		const struct machine_ivshmem *one = &machine->ivshmem[i];

		if (one->slot != slot)
			continue;
		ivshmem_unplug(one->ivshmem);
		section_dev_release(machine->section_dev, one->index);
		log_info("the guest has given up the ivshmem device in slot %u", slot);
	}
}

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
	struct machine_ivshmem *one = &machine->ivshmem[machine->ivshmem_count];
	int result = ivshmem_new(&env, &info, &one->ivshmem);

	if (result < 0)
		return result;
	one->machine = machine;
	one->index = index;
	one->slot = ivshmem_slot(one->ivshmem);
	machine->ivshmem_count++;
	hotplug_allow(machine->hotplug, one->slot);
	section_dev_follow(machine->section_dev, index, &ivshmem_ops, one);
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
	const struct hotplug_env env = {
		.pio = machine->pio,
		.irq = machine->irq,
		.events = machine->events,
		.ejected = on_ejected,
		.owner = machine,
	};
	struct section_attached attached;
	int result = hotplug_new(&env, &machine->hotplug);

	for (size_t i = 0; result == 0 && section_dev_attached(machine->section_dev, i, &attached);
	     i++)
		result = add_device(machine, i, &attached);
	return result;
}

void machine_devices_deinit(struct machine *machine)
{
	machine_pmem_deinit(machine);
	while (machine->ivshmem_count > 0)
		(void)ivshmem_free(machine->ivshmem[--machine->ivshmem_count].ivshmem);
	machine->hotplug = hotplug_free(machine->hotplug);
}
