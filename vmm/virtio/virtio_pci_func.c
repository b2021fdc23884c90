/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See virtio_pci_impl.h.  The PCI function of the transport: capabilities,
 * BAR 0 and its doorbells.  Virtual I/O Device (VIRTIO) 1.2, section 4.1.
 * Runs on vCPU threads.
 */
#include "virtio/virtio_pci_impl.h"

#include <endian.h>
#include <string.h>

#include "bus/msix.h"
#include "bus/pci_cfg.h"
#include "kvm/vm.h"

#define PCI_VENDOR_VIRTIO 0x1AF4
#define PCI_DEVICE_MODERN 0x1040 /* plus the virtio id */
#define PCI_SUBSYSTEM 0x1100 /* 0x40 or more: modern only */

#define BAR_REGISTERS 0
#define BAR_MSIX 1
#define BAR_SHM 2

enum region { REGION_COMMON, REGION_ISR, REGION_DEVICE, REGION_NOTIFY };

enum capability_type {
	CAPABILITY_COMMON = 1,
	CAPABILITY_NOTIFY = 2,
	CAPABILITY_ISR = 3,
	CAPABILITY_DEVICE = 4,
	CAPABILITY_ACCESS = 5,
	CAPABILITY_SHM = 8,
};

/* As in configuration space; all little endian. */
struct virtio_pci_cap {
	uint8_t id;
	uint8_t next;
	uint8_t length;
	uint8_t type;
	uint8_t bar;
	uint8_t shm_id;
	uint8_t padding[2];
	uint32_t offset;
	uint32_t bytes;
	union {
		uint32_t notify_step;
		uint32_t access_data;
		uint32_t high[2]; /* of offset and bytes */
	};
};

_Static_assert(sizeof(struct virtio_pci_cap) == 24, "as the specification has it");

#define CAP_BYTES offsetof(struct virtio_pci_cap, notify_step)
#define CAP_BYTES_MORE (CAP_BYTES + 4)
#define CAP_BYTES_64 (CAP_BYTES + 8)

static void read_isr(struct virtio_pci *transport, uint64_t offset, void *data, uint32_t bytes)
{
	if (offset != 0 || bytes != 1) {
		memset(data, 0xFF, bytes);
		return;
	}
	pthread_mutex_lock(&transport->lock);
	memcpy(data, &transport->regs.isr, 1);
	transport->regs.isr = 0;
	pthread_mutex_unlock(&transport->lock);
}

static void read_device(struct virtio_pci *transport, uint64_t offset, void *data, uint32_t bytes)
{
	const struct virtio_device_info *info = &transport->info;

	if (offset > info->config_bytes || bytes > info->config_bytes - offset)
		memset(data, 0xFF, bytes);
	else
		info->ops->config_read(info->device, (uint32_t)offset, data, bytes);
}

static void bar_read(void *device, uint64_t offset, void *data, uint32_t bytes)
{
	struct virtio_pci *transport = device;
	uint64_t within = offset % VIRTIO_PCI_REGION_BYTES;

	switch (offset / VIRTIO_PCI_REGION_BYTES) {
	case REGION_COMMON:
		pthread_mutex_lock(&transport->lock);
		virtio_pci_regs_read(&transport->regs, within, data, bytes);
		pthread_mutex_unlock(&transport->lock);
		break;
	case REGION_ISR:
		read_isr(transport, within, data, bytes);
		break;
	case REGION_DEVICE:
		read_device(transport, within, data, bytes);
		break;
	default:
		memset(data, 0, bytes); /* doorbells are write-only */
	}
}

/* The doorbell itself says which queue; KVM normally does this without us. */
static void write_notify(struct virtio_pci *transport, uint64_t offset)
{
	uint64_t index = offset / VIRTIO_PCI_NOTIFY_STEP;

	if (offset % VIRTIO_PCI_NOTIFY_STEP == 0 && index < transport->info.queues)
		virtio_pci_signal_fd(transport->queues[index].kick_fd);
}

static void bar_write(void *device, uint64_t offset, const void *data, uint32_t bytes)
{
	struct virtio_pci *transport = device;
	uint64_t within = offset % VIRTIO_PCI_REGION_BYTES;
	bool has_work;

	if (offset / VIRTIO_PCI_REGION_BYTES == REGION_NOTIFY) {
		write_notify(transport, within);
	} else if (offset / VIRTIO_PCI_REGION_BYTES == REGION_COMMON) {
		pthread_mutex_lock(&transport->lock);
		has_work = virtio_pci_regs_write(&transport->regs, within, data, bytes);
		pthread_mutex_unlock(&transport->lock);
		if (has_work)
			virtio_pci_signal_fd(transport->work_fd);
	}
}

static const struct bus_ops bar_ops = { bar_read, bar_write };

/*
 * The doorbells follow the BAR.  One that KVM refuses still works, by an exit
 * to bar_write().
 */
static int bar_moved(void *device, uint64_t gpa)
{
	struct virtio_pci *transport = device;

	for (uint32_t i = 0; i < transport->info.queues; i++) {
		struct virtio_pci_queue *queue = &transport->queues[i];
		uint64_t at = REGION_NOTIFY * VIRTIO_PCI_REGION_BYTES + VIRTIO_PCI_NOTIFY_STEP * i;
		struct vm_kick kick = { .gpa = transport->notify_gpa + at, .fd = queue->kick_fd };

		if (queue->has_ioeventfd)
			vm_ioeventfd_del(transport->env.vm, &kick);
		kick.gpa = gpa + at;
		queue->has_ioeventfd = transport->env.vm && gpa != PCI_NOWHERE &&
				       vm_ioeventfd_add(transport->env.vm, &kick) == 0;
	}
	transport->notify_gpa = gpa;
	return 0;
}

/* What the access capability points at; false if it may not be reached so. */
static bool access_target(const struct virtio_pci *transport, uint32_t *ret_offset,
			  uint32_t *ret_bytes)
{
	const struct pci_cfg *cfg = pci_device_cfg(transport->pci);
	uint32_t at = transport->cfg_access;
	uint32_t bar = pci_cfg_read(cfg, at + offsetof(struct virtio_pci_cap, bar), 1);
	uint32_t offset = pci_cfg_read(cfg, at + offsetof(struct virtio_pci_cap, offset), 4);
	uint32_t bytes = pci_cfg_read(cfg, at + offsetof(struct virtio_pci_cap, bytes), 4);

	if (bar != BAR_REGISTERS || (bytes != 1 && bytes != 2 && bytes != 4) || offset % bytes ||
	    offset > VIRTIO_PCI_BAR_BYTES - bytes)
		return false;
	*ret_offset = offset;
	*ret_bytes = bytes;
	return true;
}

static bool is_access_data(const struct virtio_pci *transport, uint32_t offset, uint32_t bytes)
{
	uint32_t data = transport->cfg_access + CAP_BYTES;

	return transport->cfg_access && offset < data + 4 && offset + bytes > data;
}

static void config_read(void *owner, uint32_t offset, uint32_t bytes)
{
	struct virtio_pci *transport = owner;
	uint32_t target, target_bytes, value = UINT32_MAX;

	if (!is_access_data(transport, offset, bytes))
		return;
	if (access_target(transport, &target, &target_bytes))
		bar_read(transport, target, &value, target_bytes);
	pci_cfg_set(pci_device_cfg(transport->pci), transport->cfg_access + CAP_BYTES, 4,
		    le32toh(value));
}

static void config_written(void *owner, uint32_t offset, uint32_t bytes)
{
	struct virtio_pci *transport = owner;
	uint32_t target, target_bytes, value;

	if (transport->msix)
		msix_config_written(transport->msix, offset, bytes);
	if (!is_access_data(transport, offset, bytes) ||
	    !access_target(transport, &target, &target_bytes))
		return;
	value = htole32(
		pci_cfg_read(pci_device_cfg(transport->pci), transport->cfg_access + CAP_BYTES, 4));
	bar_write(transport, target, &value, target_bytes);
}

static const struct pci_device_ops device_ops = { config_read, config_written };

static int add_capability(struct virtio_pci *transport, struct virtio_pci_cap *cap, size_t bytes,
			  const struct virtio_pci_cap *mask)
{
	cap->id = PCI_CAP_VENDOR;
	cap->length = (uint8_t)bytes;
	return pci_cfg_add_capability(pci_device_cfg(transport->pci), cap, mask, (uint32_t)bytes);
}

static int add_region(struct virtio_pci *transport, enum capability_type type, enum region region,
		      uint32_t region_bytes)
{
	struct virtio_pci_cap cap = {
		.type = (uint8_t)type,
		.bar = BAR_REGISTERS,
		.offset = htole32((uint32_t)region * VIRTIO_PCI_REGION_BYTES),
		.bytes = htole32(region_bytes),
		.notify_step = htole32(VIRTIO_PCI_NOTIFY_STEP),
	};

	return add_capability(transport, &cap,
			      type == CAPABILITY_NOTIFY ? CAP_BYTES_MORE : CAP_BYTES, NULL);
}

static int add_access(struct virtio_pci *transport)
{
	struct virtio_pci_cap cap = { .type = CAPABILITY_ACCESS };
	const struct virtio_pci_cap mask = {
		.bar = 0xFF,
		.offset = UINT32_MAX,
		.bytes = UINT32_MAX,
		.access_data = UINT32_MAX,
	};
	int offset = add_capability(transport, &cap, CAP_BYTES_MORE, &mask);

	if (offset > 0)
		transport->cfg_access = (uint32_t)offset;
	return offset;
}

static int add_shm(struct virtio_pci *transport, const struct virtio_pci_shm *shm)
{
	const struct pci_bar bar = {
		.index = BAR_SHM,
		.kind = PCI_BAR_MEM64,
		.bytes = shm->bytes,
		.device = shm->owner,
		.on_map = shm->on_map,
	};
	struct virtio_pci_cap cap = {
		.type = CAPABILITY_SHM,
		.bar = BAR_SHM,
		.shm_id = shm->id,
		.bytes = htole32((uint32_t)shm->bytes),
		.high = { 0, htole32((uint32_t)(shm->bytes >> 32)) },
	};
	int result = add_capability(transport, &cap, CAP_BYTES_64, NULL);

	return result < 0 ? result : pci_device_add_bar(transport->pci, &bar);
}

static int add_regions(struct virtio_pci *transport)
{
	uint32_t doorbells = transport->info.queues * VIRTIO_PCI_NOTIFY_STEP;
	int result =
		add_region(transport, CAPABILITY_COMMON, REGION_COMMON, VIRTIO_PCI_COMMON_BYTES);

	if (result >= 0)
		result = add_region(transport, CAPABILITY_NOTIFY, REGION_NOTIFY, doorbells);
	if (result >= 0)
		result = add_region(transport, CAPABILITY_ISR, REGION_ISR, 1);
	if (result >= 0 && transport->info.config_bytes)
		result = add_region(transport, CAPABILITY_DEVICE, REGION_DEVICE,
				    transport->info.config_bytes);
	if (result >= 0)
		result = add_access(transport);
	return result;
}

static int add_bars(struct virtio_pci *transport, const struct virtio_pci_shm *shm)
{
	const struct pci_bar bar = {
		.index = BAR_REGISTERS,
		.kind = PCI_BAR_MEM32,
		.bytes = VIRTIO_PCI_BAR_BYTES,
		.ops = &bar_ops,
		.device = transport,
		.on_map = bar_moved,
	};
	int result = pci_device_add_bar(transport->pci, &bar);

	if (result == 0 && transport->env.irq)
		result = msix_new(transport->pci, transport->env.irq, BAR_MSIX,
				  transport->info.queues + 1u, &transport->msix);
	if (result == 0 && shm && shm->bytes)
		result = add_shm(transport, shm);
	return result;
}

int virtio_pci_func_init(struct virtio_pci *transport, const struct virtio_pci_shm *shm)
{
	const struct pci_identity identity = {
		.vendor = PCI_VENDOR_VIRTIO,
		.device = (uint16_t)(PCI_DEVICE_MODERN + transport->info.device_id),
		.subsystem_vendor = PCI_VENDOR_VIRTIO,
		.subsystem = PCI_SUBSYSTEM,
		.class_code = transport->info.class_code,
		.revision = 1,
	};
	int result = pci_device_new(transport->env.pci, &identity, &device_ops, transport,
				    &transport->pci);

	if (result < 0)
		return result;
	result = add_regions(transport);
	return result < 0 ? result : add_bars(transport, shm);
}

void virtio_pci_func_deinit(struct virtio_pci *transport)
{
	/* First the function, so that nothing reaches the rest any more. */
	transport->pci = pci_device_free(transport->pci);
	transport->msix = msix_free(transport->msix);
}
