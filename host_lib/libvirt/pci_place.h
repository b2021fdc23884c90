/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where in a running domain a PCI device can be plugged.
 *
 * A conventional bus (the root of the pc machine, a bridge) takes devices in
 * its slots, a root port of q35 takes one, the root of q35 takes none while the
 * guest runs.  libvirt fills a bus from below and knows nothing of what the
 * monitor plugged, so the monitor fills from above.
 */
#ifndef VMSECT_LIBVIRT_PCI_PLACE_H
#define VMSECT_LIBVIRT_PCI_PLACE_H

#include <stdbool.h>

struct domain;

#define PCI_ALIAS_ROOM 64u

struct pci_place {
	unsigned int bus_index; /* as libvirt numbers them */
	char bus[PCI_ALIAS_ROOM]; /* as QEMU calls it */
	unsigned int slot;
};

/* True if libvirt itself finds a place for a conventional device. */
bool pci_has_conventional_bus(const struct domain *domain);

/*
 * A free root port, the first, for a device that libvirt plugs.  With
 * `ask_monitor` also what libvirt does not know counts as taken.  0, or -ENOSPC
 * or -EIO after a message.
 */
int pci_place_port(const struct domain *domain, bool ask_monitor, struct pci_place *ret_place);

/* The last free place of any kind, for a device that the monitor plugs; as above. */
int pci_place_last(const struct domain *domain, struct pci_place *ret_place);

#endif
