/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration space of a type-0 function: 256 bytes, and for each bit
 * whether the guest may write it.  Pure: what a write means is the business
 * of pci.c and of the device.
 *
 * Owner: struct pci_device, whose bus lock protects it.
 */
#ifndef BUS_PCI_CFG_H
#define BUS_PCI_CFG_H

#include <stdbool.h>
#include <stdint.h>

#define PCI_CFG_BYTES 256
#define PCI_CFG_COMMAND 0x04
#define PCI_CFG_STATUS 0x06
#define PCI_CFG_BAR(index) (0x10 + 4 * (index))
#define PCI_CFG_CAPABILITIES 0x34
#define PCI_CFG_FIRST_CAPABILITY 0x40

#define PCI_COMMAND_MEMORY 0x0002
#define PCI_COMMAND_MASTER 0x0004
#define PCI_COMMAND_INTX_OFF 0x0400
#define PCI_STATUS_CAPABILITIES 0x0010

#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_MSIX 0x11

struct pci_cfg {
	uint8_t value[PCI_CFG_BYTES];
	uint8_t mask[PCI_CFG_BYTES]; /* 1: the guest may write this bit */
	uint32_t last_capability; /* 0: none yet */
	uint32_t end; /* of the last capability */
};

struct pci_identity;

void pci_cfg_init(struct pci_cfg *cfg, const struct pci_identity *identity);

/*
 * What the guest does.  bytes is 1, 2 or 4, offset + bytes at most 256; any
 * alignment.  A write keeps the bits that are not the guest's.
 */
uint32_t pci_cfg_read(const struct pci_cfg *cfg, uint32_t offset, uint32_t bytes);
void pci_cfg_write(struct pci_cfg *cfg, uint32_t offset, uint32_t bytes, uint32_t value);

/* What the device does: all bits. */
void pci_cfg_set(struct pci_cfg *cfg, uint32_t offset, uint32_t bytes, uint32_t value);
/* Which bits of a register the guest may write. */
void pci_cfg_set_mask(struct pci_cfg *cfg, uint32_t offset, uint32_t bytes, uint32_t mask);

/*
 * Adds a capability of `bytes`, whose second byte (the link) is filled in;
 * `mask` tells the guest's bits, NULL none.  Its offset, or -ENOSPC.
 */
int pci_cfg_add_capability(struct pci_cfg *cfg, const void *capability, const void *mask,
			   uint32_t bytes);

#endif
