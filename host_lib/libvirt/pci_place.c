/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See pci_place.h. */
#include "libvirt/pci_place.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "libvirt/domain.h"
#include "libvirt/pci_bus.h"
#include "libvirt/say.h"

bool pci_has_conventional_bus(const struct domain *domain)
{
	return domain_has(domain, "/domain/devices/controller[@type='pci'][@model='pci-root' or "
				  "@model='pcie-to-pci-bridge' or @model='pci-bridge']");
}

/* The slots of a bus that are free. */
static int free_slots(const struct domain *domain, const struct pci_bus *bus, bool ask_monitor,
		      uint32_t *ret_slots)
{
	uint32_t taken = 0;
	uint32_t slots = pci_bus_slots(bus) & ~pci_bus_taken_in_xml(domain, bus);

	if (ask_monitor && slots) {
		int r = pci_bus_taken_in_qemu(domain, bus, &taken);

		if (r < 0)
			return r;
	}
	*ret_slots = slots & ~taken;
	return 0;
}

static void place_set(struct pci_place *place, const struct pci_bus *bus, uint32_t slots)
{
	place->bus_index = bus->index;
	place->slot = 31u - (unsigned int)__builtin_clz(slots);
	(void)snprintf(place->bus, sizeof(place->bus), "%s", bus->alias);
}

static int say_none(const struct domain *domain)
{
	say_error("domain '%s' has no free PCI slot into which a device can be plugged while it "
		  "runs%s; add <controller type='pci' model='pcie-root-port'/> to it (virsh edit) "
		  "and start it again",
		  domain->name,
		  pci_has_conventional_bus(domain) ? "" : " (the root bus of q35 takes none)");
	return -ENOSPC;
}

int pci_place_port(const struct domain *domain, bool ask_monitor, struct pci_place *ret_place)
{
	AUTO_FREE struct pci_bus *list = NULL;
	size_t count = 0, i;
	int r = pci_bus_list(domain, &list, &count);

	for (i = 0; i < count && !r; i++) {
		uint32_t slots = 0;

		if (!list[i].is_port)
			continue;
		r = free_slots(domain, &list[i], ask_monitor, &slots);
		if (!r && slots) {
			place_set(ret_place, &list[i], slots);
			return 0;
		}
	}
	return r ? r : say_none(domain);
}

/* The last free place on a port, or on no port.  1 if there is one, 0, or -EIO after a message. */
static int find_last(const struct domain *domain, const struct pci_bus *list, size_t count,
		     bool on_port, struct pci_place *ret_place)
{
	size_t i;

	for (i = count; i > 0; i--) {
		uint32_t slots = 0;
		int r;

		if (list[i - 1].is_port != on_port)
			continue;
		r = free_slots(domain, &list[i - 1], true, &slots);
		if (r < 0)
			return r;
		if (slots) {
			place_set(ret_place, &list[i - 1], slots);
			return 1;
		}
	}
	return 0;
}

int pci_place_last(const struct domain *domain, struct pci_place *ret_place)
{
	AUTO_FREE struct pci_bus *list = NULL;
	size_t count = 0;
	int r = pci_bus_list(domain, &list, &count);

	/* Conventional slots are many, ports are few. */
	if (!r)
		r = find_last(domain, list, count, false, ret_place);
	if (!r)
		r = find_last(domain, list, count, true, ret_place);
	if (r)
		return r < 0 ? r : 0;
	return say_none(domain);
}
