/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See msix.h.  Table layout and access rules: PCI Local Bus Specification
 * 3.0, section 6.8.2: aligned accesses of 4 or 8 bytes; what others do is left
 * open, and here they are ignored and read ones.
 */
#include "bus/msix.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "bus/pci.h"
#include "bus/pci_cfg.h"
#include "kvm/irq.h"

#define MSIX_BAR_BYTES 4096
#define MSIX_PENDING 0x800 /* offset of the pending bits */
#define MSIX_PENDING_BYTES (MSIX_VECTORS_MAX / 8)
#define MSIX_CONTROL 2 /* offset in the capability */
#define MSIX_CONTROL_ENABLE 0x8000
#define MSIX_CONTROL_MASK_ALL 0x4000
#define MSIX_VECTOR_MASKED 1

/* As the guest sees it. */
struct msix_entry {
	uint32_t address_low;
	uint32_t address_high;
	uint32_t data;
	uint32_t control;
};

struct msix {
	pthread_mutex_t lock;
	struct pci_device *device; /* borrowed */
	uint32_t capability; /* its offset; constant */
	uint32_t vectors; /* constant */
	uint32_t control; /* copy of the capability's; lock */
	uint64_t failed_routes; /* lock */
	struct msix_entry table[MSIX_VECTORS_MAX]; /* lock */
	bool is_open[MSIX_VECTORS_MAX]; /* lock */
	struct irq_msi *msi[MSIX_VECTORS_MAX]; /* owned; constant */
};

_Static_assert(sizeof(struct msix_entry) == 16, "as the specification has it");
_Static_assert(MSIX_VECTORS_MAX * sizeof(struct msix_entry) <= MSIX_PENDING, "no overlap");

static bool should_be_open(const struct msix *msix, uint32_t vector)
{
	return msix->control & MSIX_CONTROL_ENABLE && !(msix->control & MSIX_CONTROL_MASK_ALL) &&
	       !(msix->table[vector].control & MSIX_VECTOR_MASKED);
}

/* After a change of control or of the entry itself. */
static void update_vector(struct msix *msix, uint32_t vector, bool new_message)
{
	const struct msix_entry *entry = &msix->table[vector];
	bool open = should_be_open(msix, vector);

	if (open && (new_message || !msix->is_open[vector])) {
		uint64_t address = (uint64_t)entry->address_high << 32 | entry->address_low;

		if (irq_msi_route(msix->msi[vector], address, entry->data) < 0) {
			msix->failed_routes++;
			open = false;
		}
	}
	if (!open && msix->is_open[vector])
		irq_msi_mask(msix->msi[vector]);
	msix->is_open[vector] = open;
}

/* What was pending for a driver that has turned MSI-X off is nobody's. */
static void drop_pending(struct msix *msix)
{
	for (uint32_t i = 0; i < msix->vectors; i++) {
		struct pollfd poll_fd = { .fd = irq_msi_fd(msix->msi[i]), .events = POLLIN };
		uint64_t count;

		if (poll(&poll_fd, 1, 0) == 1)
			(void)sys_retry(read(poll_fd.fd, &count, sizeof(count)));
	}
}

void msix_config_written(struct msix *msix, uint32_t offset, uint32_t bytes)
{
	uint32_t control;

	if (offset + bytes <= msix->capability || offset >= msix->capability + 4)
		return;
	pthread_mutex_lock(&msix->lock);
	control = pci_cfg_read(pci_device_cfg(msix->device), msix->capability + MSIX_CONTROL, 2);
	if (control != msix->control) {
		msix->control = control;
		for (uint32_t i = 0; i < msix->vectors; i++)
			update_vector(msix, i, false);
		if (!(control & MSIX_CONTROL_ENABLE))
			drop_pending(msix);
	}
	pthread_mutex_unlock(&msix->lock);
}

static bool is_pending(const struct msix *msix, uint32_t vector)
{
	struct pollfd poll_fd = { .fd = irq_msi_fd(msix->msi[vector]), .events = POLLIN };

	/* An open vector's eventfd is KVM's to read. */
	return !msix->is_open[vector] && poll(&poll_fd, 1, 0) == 1;
}

static uint64_t pending_bits(const struct msix *msix)
{
	uint64_t bits = 0;

	for (uint32_t i = 0; i < msix->vectors; i++)
		bits |= (uint64_t)is_pending(msix, i) << i;
	return bits;
}

static bool is_aligned(uint64_t offset, uint32_t bytes)
{
	return (bytes == 4 || bytes == 8) && offset % bytes == 0;
}

static void bar_read(void *device, uint64_t offset, void *data, uint32_t bytes)
{
	struct msix *msix = device;
	uint64_t table_bytes = msix->vectors * sizeof(msix->table[0]), bits;

	memset(data, 0xFF, bytes);
	if (!is_aligned(offset, bytes))
		return;
	memset(data, 0, bytes);
	pthread_mutex_lock(&msix->lock);
	if (offset < table_bytes) {
		memcpy(data, (const uint8_t *)msix->table + offset, bytes);
	} else if (offset >= MSIX_PENDING && offset < MSIX_PENDING + MSIX_PENDING_BYTES) {
		bits = pending_bits(msix);
		memcpy(data, (const uint8_t *)&bits + (offset - MSIX_PENDING), bytes);
	}
	pthread_mutex_unlock(&msix->lock);
}

static void bar_write(void *device, uint64_t offset, const void *data, uint32_t bytes)
{
	struct msix *msix = device;
	uint32_t vector = (uint32_t)(offset / sizeof(msix->table[0]));
	struct msix_entry before;

	if (!is_aligned(offset, bytes) || offset >= msix->vectors * sizeof(msix->table[0]))
		return;
	pthread_mutex_lock(&msix->lock);
	before = msix->table[vector];
	memcpy((uint8_t *)msix->table + offset, data, bytes);
	msix->table[vector].address_low &= ~UINT32_C(3);
	msix->table[vector].control &= MSIX_VECTOR_MASKED;
	if (memcmp(&before, &msix->table[vector], sizeof(before)) != 0)
		update_vector(msix, vector, true);
	pthread_mutex_unlock(&msix->lock);
}

static const struct bus_ops bar_ops = { bar_read, bar_write };

bool msix_is_enabled(struct msix *msix)
{
	bool enabled;

	pthread_mutex_lock(&msix->lock);
	enabled = msix->control & MSIX_CONTROL_ENABLE;
	pthread_mutex_unlock(&msix->lock);
	return enabled;
}

void msix_fire(struct msix *msix, uint32_t vector)
{
	if (vector >= msix->vectors)
		return;
	pthread_mutex_lock(&msix->lock);
	if (msix->control & MSIX_CONTROL_ENABLE)
		irq_msi_fire(msix->msi[vector]);
	pthread_mutex_unlock(&msix->lock);
}

int msix_set_source_take_fd(struct msix *msix, uint32_t vector, int fd)
{
	int result = -EINVAL;

	pthread_mutex_lock(&msix->lock);
	if (vector < msix->vectors)
		result = irq_msi_take_fd(msix->msi[vector], fd);
	else
		fd_close(fd);
	pthread_mutex_unlock(&msix->lock);
	return result;
}

uint64_t msix_failed_routes(struct msix *msix)
{
	uint64_t failed;

	pthread_mutex_lock(&msix->lock);
	failed = msix->failed_routes;
	pthread_mutex_unlock(&msix->lock);
	return failed;
}

static int add_capability(struct msix *msix, uint32_t bar)
{
	uint8_t capability[12] = { PCI_CAP_MSIX };
	const uint8_t mask[12] = { [3] = 0xC0 }; /* enable, function mask */
	int offset;

	capability[2] = (uint8_t)(msix->vectors - 1);
	capability[4] = (uint8_t)bar; /* table at offset 0 */
	capability[8] = (uint8_t)bar;
	capability[9] = MSIX_PENDING >> 8; /* its low byte is 0 */
	offset = pci_cfg_add_capability(pci_device_cfg(msix->device), capability, mask,
					sizeof(capability));
	if (offset < 0)
		return offset;
	msix->capability = (uint32_t)offset;
	msix->control = msix->vectors - 1;
	return 0;
}

static int msix_fill(struct msix *msix, struct irq_table *irq, uint32_t bar)
{
	const struct pci_bar setup = {
		.index = bar,
		.kind = PCI_BAR_MEM32,
		.bytes = MSIX_BAR_BYTES,
		.ops = &bar_ops,
		.device = msix,
	};
	int result;

	for (uint32_t i = 0; i < msix->vectors; i++) {
		msix->table[i].control = MSIX_VECTOR_MASKED;
		result = irq_msi_new(irq, &msix->msi[i]);
		if (result < 0)
			return result;
	}
	result = add_capability(msix, bar);
	if (result < 0)
		return result;
	return pci_device_add_bar(msix->device, &setup);
}

int msix_new(struct pci_device *device, struct irq_table *irq, uint32_t bar, uint32_t vectors,
	     struct msix **ret_msix)
{
	struct msix *msix;
	int result;

	if (vectors == 0 || vectors > MSIX_VECTORS_MAX)
		return -EINVAL;
	msix = calloc(1, sizeof(*msix));
	if (!msix)
		return -ENOMEM;
	msix->device = device;
	msix->vectors = vectors;
	result = -pthread_mutex_init(&msix->lock, NULL);
	if (result < 0) {
		free(msix);
		return result;
	}
	result = msix_fill(msix, irq, bar);
	if (result < 0) {
		msix_free(msix);
		return result;
	}
	*ret_msix = msix;
	return 0;
}

struct msix *msix_free(struct msix *msix)
{
	if (!msix)
		return NULL;
	for (uint32_t i = 0; i < msix->vectors; i++)
		msix->msi[i] = irq_msi_free(msix->msi[i]);
	pthread_mutex_destroy(&msix->lock);
	free(msix);
	return NULL;
}
