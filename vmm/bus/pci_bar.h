/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The BARs of all functions of a bus: their registers, where they may be, and
 * where they are mapped now.
 *
 * Private to bus/pci*.c.  Everything here is called under the bus lock.
 */
#ifndef BUS_PCI_BAR_H
#define BUS_PCI_BAR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "bus/pci.h"
#include "bus/pci_cfg.h"

struct pci_bar_state {
	struct pci_bar bar; /* bytes = 0: there is none */
	uint64_t mapped_gpa; /* or PCI_NOWHERE */
	uint64_t refused_gpa; /* counted for this address, or PCI_NOWHERE */
};

struct pci_device {
	struct pci_bus *bus;
	uint32_t slot;
	struct pci_cfg cfg;
	struct pci_bar_state bars[PCI_BARS];
	const struct pci_device_ops *ops; /* may be NULL */
	void *owner;
};

struct pci_bus {
	struct bus *pio; /* borrowed */
	struct bus *mmio; /* borrowed */

	pthread_mutex_t lock;
	struct pci_device *devices[PCI_SLOTS]; /* lock */
	struct pci_device *bridge; /* in devices[0]; owned by the bus */
	uint32_t address; /* the register at 0xCF8; lock */
	uint64_t refused_bars; /* lock */
};

/* An address for a new BAR: first fit in its window.  0 or -ENOSPC. */
int pci_bar_place(const struct pci_bus *bus, const struct pci_bar *bar, uint64_t *ret_gpa);

/* Writes the register(s) of a new BAR and their masks. */
void pci_bar_init(struct pci_device *device, const struct pci_bar *bar, uint64_t gpa);

/*
 * After any change of registers: unmaps what is not where its register says,
 * then maps what can be.  A BAR that waited for another one to move is found
 * too.
 */
void pci_bar_update(struct pci_bus *bus);

void pci_bar_unmap_all(struct pci_device *device);

#endif
