/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See pci_bar.h. */
#include "bus/pci_bar.h"

#include <errno.h>

#include "mem/layout.h"

#define BAR_TYPE_MEM64_PREFETCH 0xC
#define BAR_TYPE_BITS 0xF

static bool ranges_meet(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
	return a < b ? b - a < a_bytes : a - b < b_bytes;
}

static bool range_within(uint64_t gpa, uint64_t bytes, uint64_t start, uint64_t room)
{
	return gpa >= start && gpa - start < room && bytes <= room - (gpa - start);
}

/* What the register says, whether or not it is decoded. */
static uint64_t bar_register(const struct pci_device *device, const struct pci_bar *bar)
{
	uint64_t low = pci_cfg_read(&device->cfg, PCI_CFG_BAR(bar->index), 4);
	uint64_t high = 0;

	if (bar->kind == PCI_BAR_MEM64)
		high = pci_cfg_read(&device->cfg, PCI_CFG_BAR(bar->index + 1), 4);
	return high << 32 | (low & ~(uint64_t)BAR_TYPE_BITS);
}

static uint64_t bar_wanted(const struct pci_device *device, const struct pci_bar *bar)
{
	uint32_t command = pci_cfg_read(&device->cfg, PCI_CFG_COMMAND, 2);

	return command & PCI_COMMAND_MEMORY ? bar_register(device, bar) : PCI_NOWHERE;
}

/*
 * The PCI windows hold neither RAM nor LAPIC nor IOAPIC, so staying inside
 * them is enough.  A guest may put a 64-bit BAR into the 32-bit window.
 */
static bool bar_fits(const struct pci_bar *bar, uint64_t gpa)
{
	return range_within(gpa, bar->bytes, LAYOUT_PCI32_START, LAYOUT_PCI32_SIZE) ||
	       (bar->kind == PCI_BAR_MEM64 &&
		range_within(gpa, bar->bytes, LAYOUT_PCI64_START, LAYOUT_PCI64_SIZE));
}

/* The first BAR that this test finds in the way, or NULL. */
typedef uint64_t bar_address(const struct pci_device *device, const struct pci_bar_state *state);

static uint64_t address_mapped(const struct pci_device *device, const struct pci_bar_state *state)
{
	(void)device;
	return state->mapped_gpa;
}

static uint64_t address_registered(const struct pci_device *device,
				   const struct pci_bar_state *state)
{
	return bar_register(device, &state->bar);
}

static const struct pci_bar_state *bar_in_the_way(const struct pci_bus *bus, bar_address *address,
						  uint64_t gpa, uint64_t bytes)
{
	for (uint32_t i = 0; i < PCI_SLOTS * PCI_BARS; i++) {
		const struct pci_device *device = bus->devices[i / PCI_BARS];
		const struct pci_bar_state *state;
		uint64_t other;

		if (!device || device->bars[i % PCI_BARS].bar.bytes == 0)
			continue;
		state = &device->bars[i % PCI_BARS];
		other = address(device, state);
		if (other != PCI_NOWHERE && ranges_meet(gpa, bytes, other, state->bar.bytes))
			return state;
	}
	return NULL;
}

int pci_bar_place(const struct pci_bus *bus, const struct pci_bar *bar, uint64_t *ret_gpa)
{
	uint64_t start = bar->kind == PCI_BAR_MEM64 ? LAYOUT_PCI64_START : LAYOUT_PCI32_START;
	uint64_t room = bar->kind == PCI_BAR_MEM64 ? LAYOUT_PCI64_SIZE : LAYOUT_PCI32_SIZE;
	uint64_t gpa = (start + bar->bytes - 1) & ~(bar->bytes - 1);

	/* Each turn passes one BAR, and there are no more than these. */
	for (uint32_t turn = 0; turn <= PCI_SLOTS * PCI_BARS; turn++) {
		const struct pci_bar_state *other;

		if (!range_within(gpa, bar->bytes, start, room))
			return -ENOSPC;
		other = bar_in_the_way(bus, address_registered, gpa, bar->bytes);
		if (!other) {
			*ret_gpa = gpa;
			return 0;
		}
		gpa += other->bar.bytes > bar->bytes ? other->bar.bytes : bar->bytes;
	}
	return -ENOSPC;
}

void pci_bar_init(struct pci_device *device, const struct pci_bar *bar, uint64_t gpa)
{
	struct pci_bar_state *state = &device->bars[bar->index];
	uint64_t mask = ~(bar->bytes - 1);
	uint32_t type = bar->kind == PCI_BAR_MEM64 ? BAR_TYPE_MEM64_PREFETCH : 0;

	*state = (struct pci_bar_state){
		.bar = *bar,
		.mapped_gpa = PCI_NOWHERE,
		.refused_gpa = PCI_NOWHERE,
	};
	pci_cfg_set(&device->cfg, PCI_CFG_BAR(bar->index), 4, (uint32_t)gpa | type);
	pci_cfg_set_mask(&device->cfg, PCI_CFG_BAR(bar->index), 4, (uint32_t)mask);
	if (bar->kind == PCI_BAR_MEM64) {
		pci_cfg_set(&device->cfg, PCI_CFG_BAR(bar->index + 1), 4, (uint32_t)(gpa >> 32));
		pci_cfg_set_mask(&device->cfg, PCI_CFG_BAR(bar->index + 1), 4,
				 (uint32_t)(mask >> 32));
	}
}

static void bar_unmap(struct pci_bus *bus, struct pci_bar_state *state)
{
	if (state->mapped_gpa == PCI_NOWHERE)
		return;
	if (state->bar.ops)
		bus_remove(bus->mmio, state->mapped_gpa);
	if (state->bar.on_map)
		(void)state->bar.on_map(state->bar.device, PCI_NOWHERE);
	state->mapped_gpa = PCI_NOWHERE;
}

static int bar_map(struct pci_bus *bus, struct pci_bar_state *state, uint64_t gpa)
{
	const struct pci_bar *bar = &state->bar;
	int result = 0;

	if (!bar_fits(bar, gpa) || bar_in_the_way(bus, address_mapped, gpa, bar->bytes))
		return -EEXIST;
	if (bar->ops)
		result = bus_add(bus->mmio, gpa, bar->bytes, bar->ops, bar->device);
	if (result < 0)
		return result;
	if (bar->on_map)
		result = bar->on_map(bar->device, gpa);
	if (result < 0) {
		if (bar->ops)
			bus_remove(bus->mmio, gpa);
		return result;
	}
	state->mapped_gpa = gpa;
	return 0;
}

/* Counts an address once, however often it is tried again. */
static void bar_refused(struct pci_bus *bus, struct pci_bar_state *state, uint64_t gpa)
{
	if (state->refused_gpa != gpa)
		bus->refused_bars++;
	state->refused_gpa = gpa;
}

static void bar_follow(struct pci_bus *bus, struct pci_device *device, struct pci_bar_state *state)
{
	uint64_t wanted = bar_wanted(device, &state->bar);

	if (wanted == state->mapped_gpa)
		return;
	if (wanted != PCI_NOWHERE && bar_map(bus, state, wanted) < 0)
		bar_refused(bus, state, wanted);
	else
		state->refused_gpa = PCI_NOWHERE;
}

void pci_bar_update(struct pci_bus *bus)
{
	for (uint32_t i = 0; i < PCI_SLOTS * PCI_BARS; i++) {
		struct pci_device *device = bus->devices[i / PCI_BARS];
		struct pci_bar_state *state = device ? &device->bars[i % PCI_BARS] : NULL;

		if (state && state->bar.bytes &&
		    bar_wanted(device, &state->bar) != state->mapped_gpa)
			bar_unmap(bus, state);
	}
	for (uint32_t i = 0; i < PCI_SLOTS * PCI_BARS; i++) {
		struct pci_device *device = bus->devices[i / PCI_BARS];

		if (device && device->bars[i % PCI_BARS].bar.bytes)
			bar_follow(bus, device, &device->bars[i % PCI_BARS]);
	}
}

void pci_bar_unmap_all(struct pci_device *device)
{
	for (uint32_t i = 0; i < PCI_BARS; i++)
		if (device->bars[i].bar.bytes)
			bar_unmap(device->bus, &device->bars[i]);
}
