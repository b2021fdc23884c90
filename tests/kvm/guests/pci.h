/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI configuration mechanism 1, from ring 3.
 */
#ifndef GUEST_PCI_H
#define GUEST_PCI_H

#include <stdbool.h>
#include <stdint.h>

#define PCI_NOWHERE UINT64_MAX

/* Accesses of 1, 2 or 4 bytes; `bdf` is bus:8 device:5 function:3. */
uint32_t pci_read(uint32_t bdf, uint32_t offset, uint32_t bytes);
void pci_write(uint32_t bdf, uint32_t offset, uint32_t bytes, uint32_t value);

/* The first function on bus 0 with these ids. */
bool pci_find(uint16_t vendor, uint16_t device, uint32_t *ret_bdf);

/* The next capability with this id after `from` (0: the first), or 0. */
uint32_t pci_capability(uint32_t bdf, uint32_t from, uint8_t id);

/* Where a memory BAR is, or PCI_NOWHERE. */
uint64_t pci_bar(uint32_t bdf, uint32_t index);
void pci_set_bar(uint32_t bdf, uint32_t index, uint64_t address);
/* Its size; decoding must be off. */
uint64_t pci_bar_bytes(uint32_t bdf, uint32_t index);

#endif
