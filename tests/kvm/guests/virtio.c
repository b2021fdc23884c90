// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A modern virtio-pci device with split queues.
 */
#include "virtio.h"

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include "cpu.h"
#include "io.h"
#include "pci.h"
#include "text.h"

#define COMMON(field) (dev->common + __builtin_offsetof(struct virtio_pci_common_cfg, field))
#define CAP(field) (uint32_t) __builtin_offsetof(struct virtio_pci_cap, field)
#define VIRTIO_CAP_SHARED_MEMORY 8
#define MSIX_ENTRY_BYTES 16
/* Of a larger window only so much has page tables (command "mapping" adds to it). */
#define WINDOW_MAPPED (8ull << 30)
/* Feature bits that belong to the device type; of the others only VERSION_1 is taken. */
#define DEVICE_FEATURES 0xffffffu

static uint64_t part_address(const struct virtio *dev, uint32_t cap)
{
	uint64_t bar = pci_bar(dev->bdf, pci_read(dev->bdf, cap + CAP(bar), 1));

	if (bar == PCI_NOWHERE)
		return PCI_NOWHERE;
	return bar + pci_read(dev->bdf, cap + CAP(offset), 4);
}

static void find_window(struct virtio *dev, uint32_t cap)
{
	uint32_t bdf = dev->bdf;

	dev->window = part_address(dev, cap);
	dev->window_bar = pci_read(bdf, cap + CAP(bar), 1);
	dev->window_bytes = pci_read(bdf, cap + CAP(length), 4);
	dev->window_bytes |= (uint64_t)pci_read(bdf, cap + sizeof(struct virtio_pci_cap) + 4, 4)
			     << 32;
	if (dev->window != PCI_NOWHERE)
		cpu_map(dev->window,
			dev->window_bytes < WINDOW_MAPPED ? dev->window_bytes : WINDOW_MAPPED);
}

static void find_part(struct virtio *dev, uint32_t cap)
{
	switch (pci_read(dev->bdf, cap + CAP(cfg_type), 1)) {
	case VIRTIO_PCI_CAP_COMMON_CFG:
		dev->common = part_address(dev, cap);
		break;
	case VIRTIO_PCI_CAP_NOTIFY_CFG:
		dev->notify = part_address(dev, cap);
		dev->notify_multiplier =
			pci_read(dev->bdf, cap + (uint32_t)sizeof(struct virtio_pci_cap), 4);
		break;
	case VIRTIO_PCI_CAP_ISR_CFG:
		dev->isr = part_address(dev, cap);
		break;
	case VIRTIO_PCI_CAP_DEVICE_CFG:
		dev->device = part_address(dev, cap);
		break;
	case VIRTIO_CAP_SHARED_MEMORY:
		if (pci_read(dev->bdf, cap + 5, 1) == 0)
			find_window(dev, cap);
		break;
	default:
		break;
	}
}

static void find_msix(struct virtio *dev)
{
	uint32_t cap = pci_capability(dev->bdf, 0, PCI_CAP_ID_MSIX);
	uint32_t table;
	uint32_t pba;

	dev->msix_table = PCI_NOWHERE;
	if (!cap)
		return;
	table = pci_read(dev->bdf, cap + PCI_MSIX_TABLE, 4);
	pba = pci_read(dev->bdf, cap + PCI_MSIX_PBA, 4);
	dev->msix_table = pci_bar(dev->bdf, table & PCI_MSIX_TABLE_BIR);
	if (dev->msix_table != PCI_NOWHERE)
		dev->msix_table += table & PCI_MSIX_TABLE_OFFSET;
	dev->msix_pba = pci_bar(dev->bdf, pba & PCI_MSIX_PBA_BIR) + (pba & PCI_MSIX_PBA_OFFSET);
}

bool virtio_find(struct virtio *dev, uint16_t device_id)
{
	uint32_t cap = 0;

	dev->found = pci_find(0x1af4, (uint16_t)(0x1040 + device_id), &dev->bdf);
	if (!dev->found)
		return false;
	dev->common = PCI_NOWHERE;
	dev->notify = PCI_NOWHERE;
	dev->device = PCI_NOWHERE;
	dev->window = PCI_NOWHERE;
	while ((cap = pci_capability(dev->bdf, cap, PCI_CAP_ID_VNDR)))
		find_part(dev, cap);
	find_msix(dev);
	if (dev->common != PCI_NOWHERE && dev->common >> 32)
		cpu_map(dev->common, 1 << 20);
	return true;
}

uint8_t virtio_status(const struct virtio *dev)
{
	return mmio_read8(COMMON(device_status));
}

static void add_status(struct virtio *dev, uint8_t bits)
{
	mmio_write8(COMMON(device_status), virtio_status(dev) | bits);
}

void virtio_reset(struct virtio *dev)
{
	mmio_write8(COMMON(device_status), 0);
	while (virtio_status(dev))
		cpu_pause();
}

static bool negotiate(struct virtio *dev)
{
	mmio_write32(COMMON(device_feature_select), 0);
	dev->features = mmio_read32(COMMON(device_feature));
	mmio_write32(COMMON(device_feature_select), 1);
	dev->features |= (uint64_t)mmio_read32(COMMON(device_feature)) << 32;
	mmio_write32(COMMON(guest_feature_select), 0);
	mmio_write32(COMMON(guest_feature),
		     (uint32_t)dev->features & DEVICE_FEATURES & ~dev->refused);
	mmio_write32(COMMON(guest_feature_select), 1);
	mmio_write32(COMMON(guest_feature), (uint32_t)(1ull << (VIRTIO_F_VERSION_1 - 32)));
	add_status(dev, VIRTIO_CONFIG_S_FEATURES_OK);
	return virtio_status(dev) & VIRTIO_CONFIG_S_FEATURES_OK;
}

/* Vector 0 for the configuration, then one for each queue. */
static void start_msix(struct virtio *dev)
{
	uint32_t cap = pci_capability(dev->bdf, 0, PCI_CAP_ID_MSIX);

	for (uint32_t i = 0; i <= VIRTIO_QUEUES; i++) {
		uint64_t entry = dev->msix_table + MSIX_ENTRY_BYTES * i;

		mmio_write32(entry, 0xfee00000u);
		mmio_write32(entry + 4, 0);
		mmio_write32(entry + 8, VECTOR_MSIX + i);
		mmio_write32(entry + 12, 0);
	}
	pci_write(dev->bdf, cap + PCI_MSIX_FLAGS, 2,
		  (pci_read(dev->bdf, cap + PCI_MSIX_FLAGS, 2) & 0xffffu &
		   ~(uint32_t)PCI_MSIX_FLAGS_MASKALL) |
			  PCI_MSIX_FLAGS_ENABLE);
}

static void write_address(uint64_t reg, const void *address)
{
	mmio_write32(reg, (uint32_t)(uint64_t)address);
	mmio_write32(reg + 4, (uint32_t)((uint64_t)address >> 32));
}

static bool start_queue(struct virtio *dev, uint32_t index)
{
	struct virtio_queue *queue = &dev->queue[index];
	uint32_t size;

	memset(queue, 0, sizeof(*queue));
	mmio_write16(COMMON(queue_select), (uint16_t)index);
	size = mmio_read16(COMMON(queue_size));
	if (!size)
		return false;
	queue->size = size < VIRTIO_RING ? size : VIRTIO_RING;
	mmio_write16(COMMON(queue_size), (uint16_t)queue->size);
	mmio_write16(COMMON(queue_msix_vector), (uint16_t)(index + 1));
	if (mmio_read16(COMMON(queue_msix_vector)) != index + 1)
		return false;
	write_address(COMMON(queue_desc_lo), queue->desc);
	write_address(COMMON(queue_avail_lo), &queue->avail);
	write_address(COMMON(queue_used_lo), &queue->used);
	queue->notify = dev->notify +
			(uint64_t)mmio_read16(COMMON(queue_notify_off)) * dev->notify_multiplier;
	mmio_write16(COMMON(queue_enable), 1);
	return mmio_read16(COMMON(queue_enable)) == 1;
}

bool virtio_start(struct virtio *dev, const char **ret_why)
{
	uint32_t command = pci_read(dev->bdf, PCI_COMMAND, 2);

	*ret_why = "address";
	if (dev->common == PCI_NOWHERE || dev->notify == PCI_NOWHERE ||
	    dev->msix_table == PCI_NOWHERE)
		return false;
	pci_write(dev->bdf, PCI_COMMAND, 2, command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	virtio_reset(dev);
	add_status(dev, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	add_status(dev, VIRTIO_CONFIG_S_DRIVER);
	*ret_why = "features";
	if (!negotiate(dev))
		return false;
	start_msix(dev);
	*ret_why = "vector";
	mmio_write16(COMMON(msix_config), 0);
	if (mmio_read16(COMMON(msix_config)) != 0)
		return false;
	*ret_why = "queue";
	for (uint32_t i = 0; i < VIRTIO_QUEUES; i++)
		if (!start_queue(dev, i))
			return false;
	add_status(dev, VIRTIO_CONFIG_S_DRIVER_OK);
	*ret_why = "status";
	return virtio_status(dev) == (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
				      VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK);
}

void virtio_kick(struct virtio *dev, uint32_t index)
{
	mmio_write16(dev->queue[index].notify, (uint16_t)index);
}

void virtio_push(struct virtio *dev, uint32_t index, uint16_t head)
{
	struct virtio_queue *queue = &dev->queue[index];

	queue->avail.ring[queue->avail.idx % queue->size] = head;
	/* The device must see the entry before the index, the index before the kick. */
	__atomic_store_n(&queue->avail.idx, (uint16_t)(queue->avail.idx + 1), __ATOMIC_SEQ_CST);
	virtio_kick(dev, index);
}

bool virtio_take(struct virtio *dev, uint32_t index, uint32_t limit_ms,
		 struct vring_used_elem *ret_used)
{
	struct virtio_queue *queue = &dev->queue[index];
	uint32_t vector = VECTOR_MSIX + 1 + index;
	uint64_t until = cpu_tsc() + limit_ms * cpu_tsc_per_ms();

	for (;;) {
		uint32_t irqs = irq_counts[vector];

		if (__atomic_load_n(&queue->used.idx, __ATOMIC_ACQUIRE) != queue->seen)
			break;
		if (cpu_tsc() >= until)
			return false;
		cpu_wait(vector, irqs, limit_ms);
	}
	*ret_used = queue->used.ring[queue->seen % queue->size];
	queue->seen++;
	return true;
}
