/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See pci_cfg.h. */
#include "bus/pci_cfg.h"

#include <errno.h>
#include <string.h>

#include "bus/pci.h"

void pci_cfg_set(struct pci_cfg *cfg, uint32_t offset, uint32_t bytes, uint32_t value)
{
	for (uint32_t i = 0; i < bytes; i++)
		cfg->value[offset + i] = (uint8_t)(value >> (8 * i));
}

void pci_cfg_set_mask(struct pci_cfg *cfg, uint32_t offset, uint32_t bytes, uint32_t mask)
{
	for (uint32_t i = 0; i < bytes; i++)
		cfg->mask[offset + i] = (uint8_t)(mask >> (8 * i));
}

uint32_t pci_cfg_read(const struct pci_cfg *cfg, uint32_t offset, uint32_t bytes)
{
	uint32_t value = 0;

	for (uint32_t i = 0; i < bytes; i++)
		value |= (uint32_t)cfg->value[offset + i] << (8 * i);
	return value;
}

void pci_cfg_write(struct pci_cfg *cfg, uint32_t offset, uint32_t bytes, uint32_t value)
{
	for (uint32_t i = 0; i < bytes; i++) {
		uint8_t mask = cfg->mask[offset + i], byte = (uint8_t)(value >> (8 * i));

		cfg->value[offset + i] =
			(uint8_t)((cfg->value[offset + i] & ~mask) | (byte & mask));
	}
}

void pci_cfg_init(struct pci_cfg *cfg, const struct pci_identity *identity)
{
	*cfg = (struct pci_cfg){ .end = PCI_CFG_FIRST_CAPABILITY };
	pci_cfg_set(cfg, 0x00, 2, identity->vendor);
	pci_cfg_set(cfg, 0x02, 2, identity->device);
	pci_cfg_set(cfg, 0x08, 1, identity->revision);
	pci_cfg_set(cfg, 0x09, 3, identity->class_code);
	pci_cfg_set(cfg, 0x2C, 2, identity->subsystem_vendor);
	pci_cfg_set(cfg, 0x2E, 2, identity->subsystem);
	/* The status bits that are write-1-to-clear are never set here. */
	pci_cfg_set_mask(cfg, PCI_CFG_COMMAND, 2,
			 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_OFF);
	pci_cfg_set_mask(cfg, 0x0C, 1, 0xFF); /* cache line size */
	pci_cfg_set_mask(cfg, 0x3C, 1, 0xFF); /* interrupt line */
}

int pci_cfg_add_capability(struct pci_cfg *cfg, const void *capability, const void *mask,
			   uint32_t bytes)
{
	uint32_t offset = (cfg->end + 3) & ~UINT32_C(3);
	uint32_t link = cfg->last_capability ? cfg->last_capability + 1 : PCI_CFG_CAPABILITIES;

	if (bytes < 2 || offset > PCI_CFG_BYTES || bytes > PCI_CFG_BYTES - offset)
		return -ENOSPC;
	memcpy(&cfg->value[offset], capability, bytes);
	if (mask)
		memcpy(&cfg->mask[offset], mask, bytes);
	cfg->value[offset + 1] = 0;
	cfg->value[link] = (uint8_t)offset;
	cfg->value[PCI_CFG_STATUS] |= PCI_STATUS_CAPABILITIES;
	cfg->last_capability = offset;
	cfg->end = offset + bytes;
	return (int)offset;
}
