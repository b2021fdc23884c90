/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One PCI bus of a domain into which devices can be plugged while it runs.
 */
#ifndef VMSECT_LIBVIRT_PCI_BUS_H
#define VMSECT_LIBVIRT_PCI_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libvirt/pci_place.h"

#define PCI_SLOTS 32u

struct domain;

struct pci_bus {
	unsigned int index; /* libvirt's */
	char alias[PCI_ALIAS_ROOM]; /* QEMU's name of it, and of the bridge that it is behind */
	bool is_root;
	bool is_port; /* one device, in slot 0 */
};

/* All of them, conventional ones first; an array to free().  0, or -ENOMEM after a message. */
int pci_bus_list(const struct domain *domain, struct pci_bus **ret_list, size_t *ret_count);

/* The slots that can be used at all, one bit each. */
uint32_t pci_bus_slots(const struct pci_bus *bus);

/* Those that the domain's XML has taken. */
uint32_t pci_bus_taken_in_xml(const struct domain *domain, const struct pci_bus *bus);

/* Those that QEMU has taken.  0, or -EIO after a message. */
int pci_bus_taken_in_qemu(const struct domain *domain, const struct pci_bus *bus,
			  uint32_t *ret_slots);

#endif
