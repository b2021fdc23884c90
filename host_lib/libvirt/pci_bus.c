/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See pci_bus.h. */
#include "libvirt/pci_bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "libvirt/domain.h"
#include "libvirt/qmp.h"
#include "libvirt/say.h"

/* In the order in which they are used up. */
static const char *const models[] = {
	"[@model='pci-root']",
	"[@model='pcie-to-pci-bridge' or @model='pci-bridge']",
	("[@model='pcie-root-port' or @model='pcie-switch-downstream-port']"
	 "[not(target/@hotplug='off')]"),
};
#define MODEL_ROOT 0u
#define MODEL_PORT 2u

static void bus_read(struct pci_bus *bus, xmlXPathContextPtr xpath, xmlNodePtr node)
{
	xmlXPathObjectPtr alias, index;

	xpath->node = node;
	alias = xmlXPathEval(xml_text("string(alias/@name)"), xpath);
	index = xmlXPathEval(xml_text("number(@index)"), xpath);
	if (alias && alias->stringval)
		(void)snprintf(bus->alias, sizeof(bus->alias), "%s", (char *)alias->stringval);
	if (index)
		bus->index = (unsigned int)index->floatval;
	xmlXPathFreeObject(alias);
	xmlXPathFreeObject(index);
}

/* The buses of one kind of bridge. */
static int list_model(const struct domain *domain, unsigned int model, struct pci_bus **list,
		      size_t *count)
{
	char path[256];
	xmlXPathObjectPtr found;
	size_t i, more;

	(void)snprintf(path, sizeof(path), "/domain/devices/controller[@type='pci']%s",
		       models[model]);
	found = domain_find(domain, path);
	more = found && found->nodesetval ? (size_t)found->nodesetval->nodeNr : 0;
	if (more) {
		struct pci_bus *longer = reallocarray(*list, *count + more, sizeof(**list));

		if (!longer)
			more = 0;
		else
			*list = longer;
	}
	for (i = 0; i < more; i++) {
		struct pci_bus *bus = *list + (*count)++;

		*bus = (struct pci_bus){ .is_root = model == MODEL_ROOT,
					 .is_port = model == MODEL_PORT };
		bus_read(bus, domain->xpath, found->nodesetval->nodeTab[i]);
	}
	if (found)
		xmlXPathFreeObject(found);
	return found ? 0 : -ENOMEM;
}

int pci_bus_list(const struct domain *domain, struct pci_bus **ret_list, size_t *ret_count)
{
	AUTO_FREE struct pci_bus *list = NULL;
	size_t count = 0;
	unsigned int model;
	int r = 0;

	for (model = 0; model < sizeof(models) / sizeof(models[0]) && !r; model++)
		r = list_model(domain, model, &list, &count);
	if (r < 0) {
		say_error("cannot look for a PCI bus of domain '%s': %s", domain->name,
			  strerror(-r));
		return r;
	}
	*ret_list = steal_ptr(&list);
	*ret_count = count;
	return 0;
}

/* Slots 0 and 1 of the root are the chipset's; slot 0 of a bridge is its hotplug controller's. */
uint32_t pci_bus_slots(const struct pci_bus *bus)
{
	if (bus->is_port)
		return 1;
	return bus->is_root ? ~3u : ~1u;
}

uint32_t pci_bus_taken_in_xml(const struct domain *domain, const struct pci_bus *bus)
{
	char path[128];
	xmlXPathObjectPtr found;
	uint32_t slots = 0;
	int i, count;

	(void)snprintf(path, sizeof(path),
		       "/domain/devices//address[@type='pci' and @bus='0x%02x']/@slot", bus->index);
	found = domain_find(domain, path);
	count = found && found->nodesetval ? found->nodesetval->nodeNr : 0;
	for (i = 0; i < count; i++) {
		xmlChar *slot = xmlNodeGetContent(found->nodesetval->nodeTab[i]);
		unsigned long number = slot ? strtoul((char *)slot, NULL, 16) : PCI_SLOTS;

		if (number < PCI_SLOTS)
			slots |= 1u << number;
		xmlFree(slot);
	}
	if (found)
		xmlXPathFreeObject(found);
	return slots;
}

/* What qom-get says of a property; NULL: nothing. */
static json_t *property(const struct domain *domain, const char *path, const char *name)
{
	struct qmp_error error;
	json_t *value = NULL;

	(void)qmp_run(domain, "qom-get", json_pack("{s:s, s:s}", "path", path, "property", name),
		      &error, &value);
	return value;
}

/* The slot of the device that a bus calls child[N]; one that cannot be told takes all. */
static uint32_t slot_of_child(const struct domain *domain, const char *bus_path, const char *child)
{
	AUTO(json_cleanup) json_t *path = property(domain, bus_path, child);
	AUTO(json_cleanup) json_t *addr = NULL;

	if (!json_is_string(path))
		return ~0u;
	addr = property(domain, json_string_value(path), "addr");
	if (!json_is_integer(addr))
		return ~0u;
	return 1u << ((unsigned int)json_integer_value(addr) / 8 % PCI_SLOTS);
}

int pci_bus_taken_in_qemu(const struct domain *domain, const struct pci_bus *bus,
			  uint32_t *ret_slots)
{
	AUTO(json_cleanup) json_t *list = NULL;
	struct qmp_error error;
	char path[3 * PCI_ALIAS_ROOM];
	uint32_t slots = 0;
	json_t *item;
	size_t i;

	if (bus->is_root)
		(void)snprintf(path, sizeof(path), "/machine/i440fx/%s", bus->alias);
	else
		(void)snprintf(path, sizeof(path), "/machine/peripheral/%s/%s", bus->alias,
			       bus->alias);
	if (qmp_list(domain, path, &error, &list) < 0) {
		say_error("cannot ask what is on PCI bus %s of domain '%s': %s", bus->alias,
			  domain->name, error.text);
		return -EIO;
	}
	json_array_foreach(list, i, item)
	{
		const char *name = json_string_value(json_object_get(item, "name"));

		if (name && !strncmp(name, "child[", 6))
			slots |= slot_of_child(domain, path, name);
	}
	*ret_slots = slots;
	return 0;
}
