/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See irq.h.  KVM knows the routing table only as a whole, so each change of
 * an MSI message hands over the table again: the pins of both PICs and of the
 * IOAPIC first, then one entry for each message that has a route.
 */
#include "kvm/irq.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "kvm/kvm_sys.h"
#include "kvm/vm.h"

#define PIC_PINS 8u
#define IOAPIC_PINS 24u
#define FIXED_ROUTES (2 * PIC_PINS + IOAPIC_PINS)

struct irq_msi {
	struct irq_table *table; /* borrowed */
	uint32_t index; /* GSI - IOAPIC_PINS */
	int fd; /* owned eventfd */
	/* irq_table.lock */
	bool routed;
	bool attached;
	uint64_t address;
	uint32_t data;
};

struct irq_table {
	struct vm *vm; /* borrowed */
	uint32_t msi_max;
	pthread_mutex_t lock;
	struct irq_msi **msi; /* msi_max pointers, borrowed; lock */
	struct kvm_irq_routing *routing; /* room for every route; lock */
};

static void irq_add_pin(struct kvm_irq_routing *routing, uint32_t gsi, uint32_t chip, uint32_t pin)
{
	routing->entries[routing->nr++] = (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = chip, .pin = pin },
	};
}

static void irq_add_fixed(struct kvm_irq_routing *routing)
{
	for (uint32_t pin = 0; pin < IOAPIC_PINS; pin++) {
		if (pin < PIC_PINS)
			irq_add_pin(routing, pin, KVM_IRQCHIP_PIC_MASTER, pin);
		else if (pin < 2 * PIC_PINS)
			irq_add_pin(routing, pin, KVM_IRQCHIP_PIC_SLAVE, pin - PIC_PINS);
		irq_add_pin(routing, pin, KVM_IRQCHIP_IOAPIC, pin);
	}
}

/* Caller has the lock. */
static int irq_commit(struct irq_table *table)
{
	struct kvm_irq_routing *routing = table->routing;

	routing->nr = 0;
	irq_add_fixed(routing);
	for (uint32_t i = 0; i < table->msi_max; i++) {
		const struct irq_msi *msi = table->msi[i];

		if (!msi || !msi->routed)
			continue;
		routing->entries[routing->nr++] = (struct kvm_irq_routing_entry){
			.gsi = IOAPIC_PINS + i,
			.type = KVM_IRQ_ROUTING_MSI,
			.u.msi = { .address_lo = (uint32_t)msi->address,
				   .address_hi = (uint32_t)(msi->address >> 32),
				   .data = msi->data },
		};
	}
	return kvm_ioctl(table->vm->vm_fd, KVM_SET_GSI_ROUTING, routing);
}

int irq_table_new(struct vm *vm, uint32_t msi_max, struct irq_table **ret_table)
{
	struct irq_table *table = calloc(1, sizeof(*table));
	int result = -ENOMEM;

	if (!table)
		return -ENOMEM;
	table->vm = vm;
	table->msi_max = msi_max;
	table->msi = calloc(msi_max ? msi_max : 1, sizeof(struct irq_msi *));
	table->routing =
		calloc(1, sizeof(*table->routing) + (FIXED_ROUTES + (size_t)msi_max) *
							    sizeof(struct kvm_irq_routing_entry));
	if (table->msi && table->routing)
		result = irq_commit(table);
	if (result == 0)
		result = -pthread_mutex_init(&table->lock, NULL);
	if (result < 0) {
		free(table->msi);
		free(table->routing);
		free(table);
		return result;
	}
	*ret_table = table;
	return 0;
}

struct irq_table *irq_table_free(struct irq_table *table)
{
	if (!table)
		return NULL;
	(void)pthread_mutex_destroy(&table->lock);
	free(table->msi);
	free(table->routing);
	free(table);
	return NULL;
}

int irq_set(struct irq_table *table, uint32_t gsi, int level)
{
	struct kvm_irq_level line = { .irq = gsi, .level = level ? 1 : 0 };

	return kvm_ioctl(table->vm->vm_fd, KVM_IRQ_LINE, &line);
}

int irq_pulse(struct irq_table *table, uint32_t gsi)
{
	int result = irq_set(table, gsi, 1);

	return result < 0 ? result : irq_set(table, gsi, 0);
}

static int irq_msi_take(struct irq_msi *msi)
{
	struct irq_table *table = msi->table;
	int result = -ENOSPC;

	(void)pthread_mutex_lock(&table->lock);
	for (uint32_t i = 0; i < table->msi_max; i++) {
		if (table->msi[i])
			continue;
		table->msi[i] = msi;
		msi->index = i;
		result = 0;
		break;
	}
	(void)pthread_mutex_unlock(&table->lock);
	return result;
}

int irq_msi_new(struct irq_table *table, struct irq_msi **ret_msi)
{
	AUTO_FREE struct irq_msi *msi = calloc(1, sizeof(*msi));
	int result;

	if (!msi)
		return -ENOMEM;
	msi->table = table;
	msi->fd = sys_result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	if (msi->fd < 0)
		return msi->fd;
	result = irq_msi_take(msi);
	if (result < 0) {
		msi->fd = fd_close(msi->fd);
		return result;
	}
	*ret_msi = steal_ptr(&msi);
	return 0;
}

/* Caller has the lock. */
static int irq_msi_attach(struct irq_msi *msi, bool attach)
{
	struct kvm_irqfd irqfd = {
		.fd = (uint32_t)msi->fd,
		.gsi = IOAPIC_PINS + msi->index,
		.flags = attach ? 0 : KVM_IRQFD_FLAG_DEASSIGN,
	};
	int result;

	if (msi->attached == attach)
		return 0;
	result = kvm_ioctl(msi->table->vm->vm_fd, KVM_IRQFD, &irqfd);
	if (result == 0)
		msi->attached = attach;
	return result;
}

int irq_msi_route(struct irq_msi *msi, uint64_t address, uint32_t data)
{
	struct irq_table *table = msi->table;
	int result = 0;

	(void)pthread_mutex_lock(&table->lock);
	if (!msi->routed || msi->address != address || msi->data != data) {
		msi->routed = true;
		msi->address = address;
		msi->data = data;
		result = irq_commit(table);
	}
	if (result == 0)
		result = irq_msi_attach(msi, true);
	(void)pthread_mutex_unlock(&table->lock);
	return result;
}

void irq_msi_mask(struct irq_msi *msi)
{
	int result;

	(void)pthread_mutex_lock(&msi->table->lock);
	result = irq_msi_attach(msi, false);
	(void)pthread_mutex_unlock(&msi->table->lock);
	if (result < 0)
		log_error("cannot mask an interrupt message: %s", strerror(-result));
}

void irq_msi_fire(struct irq_msi *msi)
{
	/* A full counter has an interrupt pending already. */
	(void)eventfd_write(msi->fd, 1);
}

int irq_msi_take_fd(struct irq_msi *msi, int fd)
{
	struct irq_table *table = msi->table;
	bool was_attached;
	eventfd_t count;
	int result;

	(void)pthread_mutex_lock(&table->lock);
	was_attached = msi->attached;
	result = irq_msi_attach(msi, false);
	if (result == 0) {
		if (eventfd_read(msi->fd, &count) == 0)
			(void)eventfd_write(fd, 1);
		fd_close(msi->fd);
		msi->fd = fd;
		if (was_attached)
			result = irq_msi_attach(msi, true);
	} else {
		fd_close(fd);
	}
	(void)pthread_mutex_unlock(&table->lock);
	return result;
}

int irq_msi_fd(const struct irq_msi *msi)
{
	return msi->fd;
}

struct irq_msi *irq_msi_free(struct irq_msi *msi)
{
	struct irq_table *table;

	if (!msi)
		return NULL;
	table = msi->table;
	irq_msi_mask(msi);
	(void)pthread_mutex_lock(&table->lock);
	/* The route may stay in KVM until the next commit: nothing fires it. */
	table->msi[msi->index] = NULL;
	(void)pthread_mutex_unlock(&table->lock);
	msi->fd = fd_close(msi->fd);
	free(msi);
	return NULL;
}
