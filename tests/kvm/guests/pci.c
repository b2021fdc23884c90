// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PCI configuration mechanism 1, from ring 3.
 */
#include "pci.h"

#include <linux/pci_regs.h>

#include "io.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc

static uint16_t select(uint32_t bdf, uint32_t offset)
{
	out32(CONFIG_ADDRESS, 0x80000000u | bdf << 8 | (offset & 0xfc));
	return (uint16_t)(CONFIG_DATA + (offset & 3));
}

uint32_t pci_read(uint32_t bdf, uint32_t offset, uint32_t bytes)
{
	uint16_t port = select(bdf, offset);

	return bytes == 1 ? in8(port) : bytes == 2 ? in16(port) : in32(port);
}

void pci_write(uint32_t bdf, uint32_t offset, uint32_t bytes, uint32_t value)
{
	uint16_t port = select(bdf, offset);

	if (bytes == 1)
		out8(port, (uint8_t)value);
	else if (bytes == 2)
		out16(port, (uint16_t)value);
	else
		out32(port, value);
}

bool pci_find(uint16_t vendor, uint16_t device, uint32_t *ret_bdf)
{
	for (uint32_t slot = 0; slot < 32; slot++) {
		if (pci_read(slot << 3, PCI_VENDOR_ID, 4) != ((uint32_t)device << 16 | vendor))
			continue;
		*ret_bdf = slot << 3;
		return true;
	}
	return false;
}

uint32_t pci_capability(uint32_t bdf, uint32_t from, uint8_t id)
{
	uint32_t at;

	at = pci_read(bdf, from ? from + PCI_CAP_LIST_NEXT : PCI_CAPABILITY_LIST, 1) & 0xfc;
	for (uint32_t turns = 0; at && turns < 48; turns++) {
		if (pci_read(bdf, at, 1) == id)
			return at;
		at = pci_read(bdf, at + PCI_CAP_LIST_NEXT, 1) & 0xfc;
	}
	return 0;
}

static uint32_t bar_register(uint32_t index)
{
	return PCI_BASE_ADDRESS_0 + 4 * index;
}

static bool bar_is_wide(uint32_t low)
{
	return (low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64;
}

uint64_t pci_bar(uint32_t bdf, uint32_t index)
{
	uint32_t low = pci_read(bdf, bar_register(index), 4);
	uint64_t address = low & 0xfffffff0u;

	if (low & PCI_BASE_ADDRESS_SPACE_IO)
		return PCI_NOWHERE;
	if (bar_is_wide(low))
		address |= (uint64_t)pci_read(bdf, bar_register(index + 1), 4) << 32;
	return address ? address : PCI_NOWHERE;
}

void pci_set_bar(uint32_t bdf, uint32_t index, uint64_t address)
{
	uint32_t low = pci_read(bdf, bar_register(index), 4);

	pci_write(bdf, bar_register(index), 4, (uint32_t)address);
	if (bar_is_wide(low))
		pci_write(bdf, bar_register(index + 1), 4, (uint32_t)(address >> 32));
}

uint64_t pci_bar_bytes(uint32_t bdf, uint32_t index)
{
	uint64_t was = pci_bar(bdf, index);
	uint32_t low = pci_read(bdf, bar_register(index), 4);
	uint64_t mask = 0xffffffff00000000ull;

	pci_write(bdf, bar_register(index), 4, 0xffffffffu);
	if (bar_is_wide(low)) {
		pci_write(bdf, bar_register(index + 1), 4, 0xffffffffu);
		mask = (uint64_t)pci_read(bdf, bar_register(index + 1), 4) << 32;
	}
	mask |= pci_read(bdf, bar_register(index), 4) & 0xfffffff0u;
	pci_set_bar(bdf, index, was == PCI_NOWHERE ? 0 : was);
	return mask == 0xffffffff00000000ull ? 0 : ~mask + 1;
}
