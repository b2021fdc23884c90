/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers by which a PCI function leaves a running guest, as the ACPI tables
 * (boot/dsdt.asl) use them: DOWN tells which slots are to be given up, and a store
 * to EJECT says that the guest has done so.  Reading, little endian, 4 bytes each:
 *
 *   0 DOWN   bit N: slot N is to go; until it is ejected
 *   4 EJECT  written: bit N gives slot N up; reads zero
 *
 * A guest may eject a slot without being asked.  Slots that were not allowed stay.
 *
 * Owner: struct machine.  vCPU threads access the registers; everything else is
 * the io thread's, which runs `events`.
 */
#ifndef DEV_HOTPLUG_H
#define DEV_HOTPLUG_H

#include <stdint.h>

struct bus;
struct event_base;
struct hotplug;
struct irq_table;

/* All borrowed. */
struct hotplug_env {
	struct bus *pio;
	struct irq_table *irq; /* NULL in tests: no interrupt */
	struct event_base *events;
	/* On the io thread: the guest has given the slot up. */
	void (*ejected)(void *owner, uint32_t slot);
	void *owner;
};

/* 0 or -errno. */
int hotplug_new(const struct hotplug_env *env, struct hotplug **ret_hotplug);
/* NULL is fine; returns NULL. */
struct hotplug *hotplug_free(struct hotplug *hotplug);

/* The function in this slot may leave. */
void hotplug_allow(struct hotplug *hotplug, uint32_t slot);

/* Asks the guest to give the slot up, by an interrupt.  It may not listen. */
void hotplug_ask(struct hotplug *hotplug, uint32_t slot);

#endif
