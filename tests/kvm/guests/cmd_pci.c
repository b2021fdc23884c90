// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands: configuration space and BARs of the section device.
 */
#include "agent.h"
#include "cpu.h"
#include "pci.h"
#include "print.h"

/* cfgr SIZE OFFSET [BDF] */
static void run_cfg_read(const struct agent_args *args)
{
	uint32_t bdf = args->count > 2 ? (uint32_t)args->number[2] : section_device.bdf;

	print("ok value=0x%x\n",
	      pci_read(bdf, (uint32_t)args->number[1], (uint32_t)args->number[0]));
}

/* cfgw SIZE OFFSET VALUE [BDF] */
static void run_cfg_write(const struct agent_args *args)
{
	uint32_t bdf = args->count > 3 ? (uint32_t)args->number[3] : section_device.bdf;

	pci_write(bdf, (uint32_t)args->number[1], (uint32_t)args->number[0],
		  (uint32_t)args->number[2]);
	print("ok\n");
}

static void run_bar(const struct agent_args *args)
{
	uint32_t index = (uint32_t)args->number[0];
	uint64_t address = pci_bar(section_device.bdf, index);

	if (args->count > 1) {
		pci_set_bar(section_device.bdf, index, args->number[1]);
		address = pci_bar(section_device.bdf, index);
	}
	print("ok address=0x%lx\n", address);
}

static void run_bar_size(const struct agent_args *args)
{
	print("ok bytes=0x%lx\n", pci_bar_bytes(section_device.bdf, (uint32_t)args->number[0]));
}

static void run_cap(const struct agent_args *args)
{
	print("ok offset=0x%x\n", pci_capability(section_device.bdf, (uint32_t)args->number[1],
						 (uint8_t)args->number[0]));
}

/* Looks at the BARs anew, without touching the device. */
static void run_find(const struct agent_args *args)
{
	struct virtio *dev = &section_device;

	(void)args;
	if (!virtio_find(dev, VMSECT_VIRTIO_ID)) {
		print("err no device\n");
		return;
	}
	for (uint32_t i = 0; i < VIRTIO_QUEUES; i++)
		dev->queue[i].notify = dev->notify + (uint64_t)i * dev->notify_multiplier;
	print("ok bdf=0x%x common=0x%lx notify=0x%lx multiplier=%u isr=0x%lx device=0x%lx "
	      "msix=0x%lx pba=0x%lx window=0x%lx window_bytes=0x%lx window_bar=%u\n",
	      dev->bdf, dev->common, dev->notify, dev->notify_multiplier, dev->isr, dev->device,
	      dev->msix_table, dev->msix_pba, dev->window, dev->window_bytes, dev->window_bar);
}

static void run_mapping(const struct agent_args *args)
{
	cpu_map(args->number[0], args->number[1]);
	print("ok\n");
}

const struct agent_command pci_commands[] = {
	{ "cfgr", "nnN", run_cfg_read },  { "cfgw", "nnnN", run_cfg_write },
	{ "bar", "nN", run_bar },	  { "barsize", "n", run_bar_size },
	{ "cap", "nN", run_cap },	  { "find", "", run_find },
	{ "mapping", "an", run_mapping }, { 0 },
};
