/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See virtio_pci_regs.h.  Virtual I/O Device (VIRTIO) 1.2, section 4.1.4.3:
 * common configuration structure layout; section 3.1.1: driver initialisation.
 */
#include "virtio/virtio_pci_regs.h"

#include <endian.h>
#include <string.h>

enum common_field {
	COMMON_DEVICE_FEATURE_SELECT = 0,
	COMMON_DEVICE_FEATURE = 4,
	COMMON_DRIVER_FEATURE_SELECT = 8,
	COMMON_DRIVER_FEATURE = 12,
	COMMON_CONFIG_VECTOR = 16,
	COMMON_NUM_QUEUES = 18,
	COMMON_STATUS = 20,
	COMMON_GENERATION = 21,
	COMMON_QUEUE_SELECT = 22,
	COMMON_QUEUE_SIZE = 24,
	COMMON_QUEUE_VECTOR = 26,
	COMMON_QUEUE_ENABLE = 28,
	COMMON_QUEUE_NOTIFY_OFF = 30,
	COMMON_QUEUE_DESC = 32,
	COMMON_QUEUE_DRIVER = 40,
	COMMON_QUEUE_DEVICE = 48,
};

/* Width of the field that starts here; a 64-bit field counts as two halves. */
static uint32_t field_bytes(uint64_t offset)
{
	if (offset >= VIRTIO_PCI_COMMON_BYTES)
		return 0;
	if (offset < COMMON_CONFIG_VECTOR || offset >= COMMON_QUEUE_DESC)
		return offset % 4 == 0 ? 4 : 0;
	if (offset == COMMON_STATUS || offset == COMMON_GENERATION)
		return 1;
	return offset % 2 == 0 ? 2 : 0;
}

static bool is_wide(uint64_t offset, uint32_t bytes)
{
	return bytes == 8 && offset >= COMMON_QUEUE_DESC && offset % 8 == 0 &&
	       offset < VIRTIO_PCI_COMMON_BYTES;
}

void virtio_pci_regs_reset(struct virtio_pci_regs *regs)
{
	regs->device_feature_select = regs->driver_feature_select = 0;
	regs->driver_features = 0;
	regs->config_vector = VIRTIO_NO_VECTOR;
	regs->queue_select = 0;
	regs->status = regs->isr = 0;
	regs->reset_pending = regs->activate_pending = false;
	for (uint32_t i = 0; i < VIRTIO_PCI_QUEUES_MAX; i++) {
		regs->queue[i] = (struct virtio_pci_queue_regs){ .setup.size = regs->queue_size,
								 .vector = VIRTIO_NO_VECTOR };
	}
}

void virtio_pci_regs_break(struct virtio_pci_regs *regs, const char *why)
{
	if (regs->status & VIRTIO_STATUS_NEEDS_RESET)
		return;
	regs->status |= VIRTIO_STATUS_NEEDS_RESET;
	regs->break_reason = why;
	regs->breaks++;
}

/* The queue that queue_select names, or NULL. */
static struct virtio_pci_queue_regs *chosen(struct virtio_pci_regs *regs)
{
	return regs->queue_select < regs->queues ? &regs->queue[regs->queue_select] : NULL;
}

/* The 32-bit half of the ring address at this offset. */
static uint64_t *ring_address(struct virtio_pci_queue_regs *queue, uint32_t offset)
{
	if (offset < COMMON_QUEUE_DRIVER)
		return &queue->setup.descriptor_gpa;
	return offset < COMMON_QUEUE_DEVICE ? &queue->setup.driver_gpa : &queue->setup.device_gpa;
}

static uint32_t read_queue(struct virtio_pci_regs *regs, uint32_t offset)
{
	struct virtio_pci_queue_regs *queue = chosen(regs);

	if (!queue)
		return 0;
	switch (offset) {
	case COMMON_QUEUE_SIZE:
		return queue->setup.size;
	case COMMON_QUEUE_VECTOR:
		return queue->vector;
	case COMMON_QUEUE_ENABLE:
		return queue->is_enabled;
	case COMMON_QUEUE_NOTIFY_OFF:
		return regs->queue_select;
	default:
		return (uint32_t)(*ring_address(queue, offset) >> (offset % 8 * 8));
	}
}

static uint32_t feature_half(uint64_t features, uint32_t select)
{
	return select < 2 ? (uint32_t)(features >> (32 * select)) : 0;
}

static uint32_t read_field(struct virtio_pci_regs *regs, uint32_t offset)
{
	switch (offset) {
	case COMMON_DEVICE_FEATURE_SELECT:
		return regs->device_feature_select;
	case COMMON_DEVICE_FEATURE:
		return feature_half(regs->device_features, regs->device_feature_select);
	case COMMON_DRIVER_FEATURE_SELECT:
		return regs->driver_feature_select;
	case COMMON_DRIVER_FEATURE:
		return feature_half(regs->driver_features, regs->driver_feature_select);
	case COMMON_CONFIG_VECTOR:
		return regs->config_vector;
	case COMMON_NUM_QUEUES:
		return regs->queues;
	case COMMON_STATUS:
		return regs->status;
	case COMMON_GENERATION:
		return 0; /* the configuration never changes */
	case COMMON_QUEUE_SELECT:
		return regs->queue_select;
	default:
		return read_queue(regs, offset);
	}
}

void virtio_pci_regs_read(struct virtio_pci_regs *regs, uint64_t offset, void *data, uint32_t bytes)
{
	uint32_t value;

	if (is_wide(offset, bytes)) {
		virtio_pci_regs_read(regs, offset, data, 4);
		virtio_pci_regs_read(regs, offset + 4, (uint8_t *)data + 4, 4);
		return;
	}
	if (field_bytes(offset) != bytes) {
		memset(data, 0xFF, bytes);
		return;
	}
	value = htole32(read_field(regs, (uint32_t)offset));
	memcpy(data, &value, bytes);
}

static void enable_queue(struct virtio_pci_regs *regs, struct virtio_pci_queue_regs *queue)
{
	const uint8_t needed = VIRTIO_STATUS_FEATURES_OK;
	const uint8_t over = VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_NEEDS_RESET;

	if (queue->is_enabled || (regs->status & (needed | over)) != needed)
		return;
	if (!queue_setup_is_good(regs->mem, &queue->setup))
		virtio_pci_regs_break(regs, "a virtqueue is misaligned or not in RAM");
	else
		queue->is_enabled = true;
}

static void set_ring_address(struct virtio_pci_queue_regs *queue, uint32_t offset, uint32_t value)
{
	uint64_t *address = ring_address(queue, offset);
	uint32_t shift = offset % 8 * 8;

	*address = (*address & ~(UINT64_C(0xFFFFFFFF) << shift)) | (uint64_t)value << shift;
}

static uint16_t legal_vector(const struct virtio_pci_regs *regs, uint32_t value)
{
	return value < regs->vectors ? (uint16_t)value : VIRTIO_NO_VECTOR;
}

static void write_queue(struct virtio_pci_regs *regs, uint32_t offset, uint32_t value)
{
	struct virtio_pci_queue_regs *queue = chosen(regs);

	if (!queue)
		return;
	if (offset == COMMON_QUEUE_VECTOR) {
		queue->vector = legal_vector(regs, value);
		return;
	}
	if (offset == COMMON_QUEUE_ENABLE) {
		if (value == 1)
			enable_queue(regs, queue);
		return;
	}
	if (queue->is_enabled || offset == COMMON_QUEUE_NOTIFY_OFF)
		return;
	if (offset != COMMON_QUEUE_SIZE)
		set_ring_address(queue, offset, value);
	else if (value > 0 && value <= regs->queue_size && (value & (value - 1)) == 0)
		queue->setup.size = (uint16_t)value;
}

static void write_driver_features(struct virtio_pci_regs *regs, uint32_t value)
{
	uint32_t shift = 32 * regs->driver_feature_select;

	if (regs->status & VIRTIO_STATUS_FEATURES_OK)
		return;
	if (regs->driver_feature_select >= 2) {
		/* No feature there is offered: bit 63 makes FEATURES_OK fail. */
		if (value)
			regs->driver_features |= UINT64_C(1) << 63;
		return;
	}
	regs->driver_features &= ~(UINT64_C(0xFFFFFFFF) << shift);
	regs->driver_features |= (uint64_t)value << shift;
}

static bool features_are_good(const struct virtio_pci_regs *regs)
{
	return !(regs->driver_features & ~regs->device_features) &&
	       regs->driver_features >> VIRTIO_FEATURE_VERSION_1 & 1;
}

/* Bits are only ever added; what is out of order is left out. */
static void write_status(struct virtio_pci_regs *regs, uint8_t value)
{
	uint8_t added = value & (uint8_t)~regs->status & (uint8_t)~VIRTIO_STATUS_NEEDS_RESET;

	if (value == 0) {
		if (regs->status)
			regs->reset_pending = true;
		else
			virtio_pci_regs_reset(regs);
		return;
	}
	if (added & VIRTIO_STATUS_FEATURES_OK && !features_are_good(regs))
		added &= (uint8_t)~VIRTIO_STATUS_FEATURES_OK;
	if (!((regs->status | added) & VIRTIO_STATUS_FEATURES_OK))
		added &= (uint8_t)~VIRTIO_STATUS_DRIVER_OK;
	if (added & VIRTIO_STATUS_DRIVER_OK)
		regs->activate_pending = true;
	regs->status |= added;
}

static void write_field(struct virtio_pci_regs *regs, uint32_t offset, uint32_t value)
{
	switch (offset) {
	case COMMON_DEVICE_FEATURE_SELECT:
		regs->device_feature_select = value;
		break;
	case COMMON_DRIVER_FEATURE_SELECT:
		regs->driver_feature_select = value;
		break;
	case COMMON_DRIVER_FEATURE:
		write_driver_features(regs, value);
		break;
	case COMMON_CONFIG_VECTOR:
		regs->config_vector = legal_vector(regs, value);
		break;
	case COMMON_STATUS:
		write_status(regs, (uint8_t)value);
		break;
	case COMMON_QUEUE_SELECT:
		regs->queue_select = (uint16_t)value;
		break;
	case COMMON_DEVICE_FEATURE:
	case COMMON_NUM_QUEUES:
	case COMMON_GENERATION:
		break; /* read-only */
	default:
		write_queue(regs, offset, value);
	}
}

bool virtio_pci_regs_write(struct virtio_pci_regs *regs, uint64_t offset, const void *data,
			   uint32_t bytes)
{
	uint32_t value = 0;

	if (is_wide(offset, bytes)) {
		(void)virtio_pci_regs_write(regs, offset, data, 4);
		(void)virtio_pci_regs_write(regs, offset + 4, (const uint8_t *)data + 4, 4);
		return false;
	}
	if (field_bytes(offset) != bytes || regs->reset_pending)
		return false;
	memcpy(&value, data, bytes);
	write_field(regs, (uint32_t)offset, le32toh(value));
	return regs->reset_pending || regs->activate_pending || regs->break_reason;
}
