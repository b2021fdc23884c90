/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt routes of a VM: the IOAPIC pins, and one GSI with an irqfd for
 * each MSI-X vector in use.
 *
 * Owner: struct machine.  Any thread may call; `lock` protects the routing
 * table and is a leaf.
 */
#ifndef KVM_IRQ_H
#define KVM_IRQ_H

#include <pthread.h>
#include <stdint.h>

struct vm;
struct irq_table;

/* Reserves the IOAPIC's 24 GSIs and room for `msi_max` more. */
int irq_table_new(struct vm *vm, uint32_t msi_max, struct irq_table **ret_table);
struct irq_table *irq_table_free(struct irq_table *table);

/* An edge-triggered line of the IOAPIC: raises and lowers it. */
int irq_pulse(struct irq_table *table, uint32_t gsi);

/* The level of a line of the IOAPIC. */
int irq_set(struct irq_table *table, uint32_t gsi, int level);

/*
 * One MSI message source.  irq_msi_new() takes a GSI and makes an eventfd;
 * write 1 to it (irq_msi_fire) to send the message once a route is set.
 */
struct irq_msi;
int irq_msi_new(struct irq_table *table, struct irq_msi **ret_msi);
struct irq_msi *irq_msi_free(struct irq_msi *msi);

/* Sets the message and attaches the irqfd. */
int irq_msi_route(struct irq_msi *msi, uint64_t address, uint32_t data);

/* Detaches the irqfd (masked): what is fired meanwhile stays pending in it. */
void irq_msi_mask(struct irq_msi *msi);

/* Fires from user space; never blocks. */
void irq_msi_fire(struct irq_msi *msi);

/*
 * Takes another eventfd, in any case, as the one to send the message by; what was
 * pending in the last one is pending in it.  -errno: the last one stays, or KVM does
 * not listen to the new one.
 */
int irq_msi_take_fd(struct irq_msi *msi, int fd);

/* Borrowed: for vhost-like users and for the pending test of a masked vector. */
int irq_msi_fd(const struct irq_msi *msi);

#endif
