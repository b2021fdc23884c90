/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One PCI bus with a host bridge at 00:00.0, reached by configuration
 * mechanism 1 (ports 0xCF8 and 0xCFC).
 *
 * BARs get an address when they are added (first fit in the two PCI windows
 * of layout.h) and memory decoding starts enabled, so that a guest without
 * enumeration finds its devices; a guest that moves a BAR is followed.  A BAR
 * that would leave its PCI window or overlap another mapped BAR is left
 * unmapped and counted.  RAM, LAPIC and IOAPIC lie outside both windows.
 *
 * Owner: struct machine.  Devices are added before the first vCPU runs and
 * freed after the last one ended.  vCPU threads access the configuration
 * spaces; `lock` protects them all.  Lock order: pci_bus, then what a hook
 * takes (virtio transport, msix, window), then bus and the kvm/ leaves.
 */
#ifndef BUS_PCI_H
#define BUS_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/bus.h"

#define PCI_BARS 6
#define PCI_SLOTS 32
#define PCI_BAR_BYTES_MIN 16 /* the low bits of the register tell the kind */
#define PCI_NOWHERE UINT64_MAX /* a BAR that is not decoded */

struct pci_bus;
struct pci_cfg;
struct pci_device;

/*
 * Takes the ports 0xCF8 to 0xCFF of `pio`; another device may have 0xCF9, the
 * reset register.  0 or -errno.
 */
int pci_bus_new(struct bus *pio, struct bus *mmio, struct pci_bus **ret_bus);
struct pci_bus *pci_bus_free(struct pci_bus *bus);

/* How often a decoded BAR could not be mapped. */
uint64_t pci_bus_refused_bars(struct pci_bus *bus);

struct pci_identity {
	uint16_t vendor;
	uint16_t device;
	uint16_t subsystem_vendor;
	uint16_t subsystem;
	uint32_t class_code; /* class, subclass, programming interface */
	uint8_t revision;
};

/*
 * For registers that act: called under the bus lock, after the masked bytes
 * of a write are in the space, and before the bytes of a read leave it.
 */
struct pci_device_ops {
	void (*config_read)(void *owner, uint32_t offset, uint32_t bytes);
	void (*config_written)(void *owner, uint32_t offset, uint32_t bytes);
};

/* ops may be NULL.  The next free slot; 0, -ENOSPC or -ENOMEM. */
int pci_device_new(struct pci_bus *bus, const struct pci_identity *identity,
		   const struct pci_device_ops *ops, void *owner, struct pci_device **ret_device);
/* Unmaps its BARs and leaves the slot empty. */
struct pci_device *pci_device_free(struct pci_device *device);

uint32_t pci_device_slot(const struct pci_device *device);

enum pci_bar_kind {
	PCI_BAR_MEM32, /* 32-bit memory */
	PCI_BAR_MEM64, /* 64-bit prefetchable memory; takes index and index + 1 */
};

struct pci_bar {
	uint32_t index;
	enum pci_bar_kind kind;
	uint64_t bytes; /* a power of two of at least PCI_BAR_BYTES_MIN */
	const struct bus_ops *ops; /* a range of the MMIO bus, or NULL */
	void *device; /* for ops and on_map */
	/* The BAR is at gpa, or PCI_NOWHERE.  Under the bus lock.  0 or -errno. */
	int (*on_map)(void *device, uint64_t gpa);
};

/*
 * Adds a BAR, gives it an address and maps it.  0, -EINVAL, -ENOSPC (no room
 * in the window), or what the mapping failed with.
 */
int pci_device_add_bar(struct pci_device *device, const struct pci_bar *bar);

/* Where the BAR is mapped now, or PCI_NOWHERE. */
uint64_t pci_device_bar_gpa(struct pci_device *device, uint32_t index);

/*
 * The space itself, to add capabilities before the guest runs and for hooks;
 * in these two cases only, since the bus lock protects it.
 */
struct pci_cfg *pci_device_cfg(struct pci_device *device);

#endif
