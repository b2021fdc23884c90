/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See plug_shmem.h. */
#include "libvirt/plug_shmem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "libvirt/denial.h"
#include "libvirt/domain.h"
#include "libvirt/id.h"
#include "libvirt/pci_place.h"
#include "libvirt/removal.h"
#include "libvirt/request.h"
#include "libvirt/say.h"
#include "libvirt/source.h"

#define SHM_FOLDER "/dev/shm/"
#define SHMEM_SIZE_MIN (UINT64_C(1) << 20) /* libvirt's */

const char *shmem_cannot(const struct source *source, const struct request *request)
{
	const char *file = source->path + strlen(SHM_FOLDER);

	if (request->device == DEVICE_DOORBELL)
		return NULL;
	if (request->device != DEVICE_IVSHMEM)
		return "this device for a path";
	if (request->mode != MODE_RW)
		return "a mode other than rw";
	if (strncmp(source->path, SHM_FOLDER, strlen(SHM_FOLDER)) != 0 || strchr(file, '/'))
		return "a path outside of " SHM_FOLDER;
	if (source->size < SHMEM_SIZE_MIN)
		return "a size below 1 MiB";
	return NULL;
}

static void set_number(xmlNodePtr node, const char *name, const char *format, uint64_t number)
{
	char text[32];

	/* The formats are below. */
	(void)snprintf(text, sizeof(text), *format == 'x' ? "0x%" PRIx64 : "%" PRIu64, number);
	if (name)
		(void)xmlNewProp(node, xml_text(name), xml_text(text));
	else
		xmlNodeAddContent(node, xml_text(text));
}

static void add_address(xmlNodePtr shmem, const struct pci_place *place)
{
	xmlNodePtr address = xmlNewChild(shmem, NULL, xml_text("address"), NULL);

	(void)xmlNewProp(address, xml_text("type"), xml_text("pci"));
	set_number(address, "bus", "x", place->bus_index);
	set_number(address, "slot", "x", place->slot);
}

static void add_memory(xmlNodePtr shmem, const struct source *source)
{
	xmlNodePtr child = xmlNewChild(shmem, NULL, xml_text("model"), NULL);

	(void)xmlNewProp(child, xml_text("type"), xml_text("ivshmem-plain"));
	child = xmlNewChild(shmem, NULL, xml_text("size"), NULL);
	(void)xmlNewProp(child, xml_text("unit"), xml_text("b"));
	set_number(child, NULL, "u", source->size);
}

static void add_doorbell(xmlNodePtr shmem, const struct source *source)
{
	xmlNodePtr child = xmlNewChild(shmem, NULL, xml_text("model"), NULL);

	(void)xmlNewProp(child, xml_text("type"), xml_text("ivshmem-doorbell"));
	child = xmlNewChild(shmem, NULL, xml_text("server"), NULL);
	(void)xmlNewProp(child, xml_text("path"), xml_text(source->path));
	child = xmlNewChild(shmem, NULL, xml_text("msi"), NULL);
	set_number(child, "vectors", "u", source->vectors);
	(void)xmlNewProp(child, xml_text("ioeventfd"), xml_text("on"));
}

/* The element; `place` NULL: libvirt finds one. */
static xmlNodePtr shmem_element(xmlDocPtr doc, const struct source *source,
				const struct pci_place *place)
{
	xmlNodePtr shmem = xmlNewDocNode(doc, NULL, xml_text("shmem"), NULL);
	xmlNodePtr child;
	char alias[ID_ROOM];

	(void)xmlDocSetRootElement(doc, shmem);
	id_make(alias, ID_ALIAS, source->name);
	(void)xmlNewProp(
		shmem, xml_text("name"),
		xml_text(source->vectors ? source->name : source->path + strlen(SHM_FOLDER)));
	(void)xmlNewProp(shmem, xml_text("role"), xml_text("peer"));
	if (source->vectors)
		add_doorbell(shmem, source);
	else
		add_memory(shmem, source);
	child = xmlNewChild(shmem, NULL, xml_text("alias"), NULL);
	(void)xmlNewProp(child, xml_text("name"), xml_text(alias));
	if (place)
		add_address(shmem, place);
	return shmem;
}

static int attach_element(const struct domain *domain, const struct source *source,
			  const struct pci_place *place)
{
	xmlDocPtr doc = xmlNewDoc(xml_text("1.0"));
	xmlBufferPtr text = xmlBufferCreate();
	int r = -EIO;

	if (xmlNodeDump(text, doc, shmem_element(doc, source, place), 0, 0) > 0)
		r = virDomainAttachDeviceFlags(domain->handle, (const char *)xmlBufferContent(text),
					       VIR_DOMAIN_AFFECT_LIVE);
	xmlBufferFree(text);
	xmlFreeDoc(doc);
	if (r < 0)
		denial_say(domain, source, libvirt_error());
	return r < 0 ? -EIO : 0;
}

int shmem_attach(const struct domain *domain, const struct source *source)
{
	struct pci_place place;
	int r;

	if (pci_has_conventional_bus(domain))
		return attach_element(domain, source, NULL);
	/* libvirt looks for a conventional slot only, and would say that there is none. */
	r = pci_place_port(domain, domain_is_tainted(domain), &place);
	return r < 0 ? r : attach_element(domain, source, &place);
}

bool shmem_is_attached(const struct domain *domain, const char *section)
{
	char alias[ID_ROOM];

	id_make(alias, ID_ALIAS, section);
	return domain_has_alias(domain, alias);
}

/* QEMU frees it while its server's socket can still call it: seen with 7.2, reported for 10.0. */
static bool is_doorbell(const struct domain *domain, const char *alias)
{
	char path[512];

	(void)snprintf(path, sizeof(path),
		       "/domain/devices/shmem[alias/@name='%s'][model/@type='ivshmem-doorbell']",
		       alias);
	return domain_has(domain, path);
}

static int ask_detach(const struct domain *domain, const char *alias)
{
	return virDomainDetachDeviceAlias(domain->handle, alias, VIR_DOMAIN_AFFECT_LIVE);
}

int shmem_detach(const struct domain *domain, const struct request *request)
{
	AUTO(removal_deinit) struct removal removal = { 0 };
	char alias[ID_ROOM];
	int r;

	id_make(alias, ID_ALIAS, request->section);
	if (is_doorbell(domain, alias)) {
		say_error("QEMU dies when a doorbell device leaves: section '%s' stays in domain "
			  "'%s' "
			  "until that ends",
			  request->section, domain->name);
		return -EOPNOTSUPP;
	}
	r = removal_init(&removal, domain, alias, ask_detach);
	if (r < 0)
		return r;
	if (ask_detach(domain, alias) < 0) {
		say_error("cannot detach section '%s' from domain '%s': %s", request->section,
			  domain->name, libvirt_error());
		return -EIO;
	}
	return removal_wait(&removal, request->timeout_s);
}
