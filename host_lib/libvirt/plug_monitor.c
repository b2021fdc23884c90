/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See plug_monitor.h.  First the memory, a memory-backend-file, then the device
 * on it; back in the other order, the memory when the guest has let go.
 */
#include "libvirt/plug_monitor.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "libvirt/denial.h"
#include "libvirt/domain.h"
#include "libvirt/id.h"
#include "libvirt/pci_place.h"
#include "libvirt/qmp.h"
#include "libvirt/removal.h"
#include "libvirt/request.h"
#include "libvirt/say.h"
#include "libvirt/source.h"

/* What a section is called in one QEMU. */
struct names {
	char memory[ID_ROOM];
	char device[ID_ROOM];
};

static void names_make(struct names *names, const char *section)
{
	id_make(names->memory, ID_MEMORY, section);
	id_make(names->device, ID_DEVICE, section);
}

/*
 * True if a file that cannot be written can be mapped copy-on-write: QEMU before
 * 8.2 makes ROM of it.
 */
static bool has_rom_option(const struct domain *domain)
{
	AUTO(json_cleanup) json_t *list = NULL;
	struct qmp_error error;

	return !qmp_run(domain, "qom-list-properties",
			json_pack("{s:s}", "typename", "memory-backend-file"), &error, &list) &&
	       qmp_list_has(list, "rom");
}

static json_t *memory_arguments(const struct domain *domain, const char *id,
				const struct source *source, enum request_mode mode)
{
	json_t *arguments = json_pack("{s:s, s:s, s:s, s:I, s:b, s:b}", "qom-type",
				      "memory-backend-file", "id", id, "mem-path", source->path,
				      "size", (json_int_t)source->size, "share", mode != MODE_COW,
				      "readonly", mode == MODE_RO);

	if (arguments && mode == MODE_COW && has_rom_option(domain)) {
		(void)json_object_set_new(arguments, "readonly", json_true());
		(void)json_object_set_new(arguments, "rom", json_string("off"));
	}
	return arguments;
}

static json_t *device_arguments(const struct names *names, const struct request *request,
				const struct pci_place *place)
{
	static const char *const drivers[] = {
		[DEVICE_IVSHMEM] = "ivshmem-plain",
		[DEVICE_NVDIMM] = "nvdimm",
		[DEVICE_PMEM] = "virtio-pmem-pci",
	};
	json_t *arguments = json_pack("{s:s, s:s, s:s}", "driver", drivers[request->device], "id",
				      names->device, "memdev", names->memory);
	char slot[16];

	if (request->device == DEVICE_NVDIMM) {
		/* The guest is told, else QEMU refuses. */
		if (request->mode == MODE_RO)
			(void)json_object_set_new(arguments, "unarmed", json_true());
		return arguments;
	}
	(void)snprintf(slot, sizeof(slot), "0x%x", place->slot);
	(void)json_object_set_new(arguments, "bus", json_string(place->bus));
	(void)json_object_set_new(arguments, "addr", json_string(slot));
	return arguments;
}

static int delete_memory(const struct domain *domain, const struct names *names,
			 struct qmp_error *error)
{
	return qmp_run(domain, "object-del", json_pack("{s:s}", "id", names->memory), error, NULL);
}

int monitor_attach(const struct domain *domain, const struct source *source,
		   const struct request *request)
{
	struct pci_place place = { 0 };
	struct qmp_error error, ignored;
	struct names names;
	int r = 0;

	names_make(&names, source->name);
	if (request->device != DEVICE_NVDIMM)
		r = pci_place_last(domain, &place);
	if (r < 0)
		return r;
	r = qmp_run(domain, "object-add",
		    memory_arguments(domain, names.memory, source, request->mode), &error, NULL);
	if (!r) {
		r = qmp_run(domain, "device_add", device_arguments(&names, request, &place), &error,
			    NULL);
		if (r < 0)
			(void)delete_memory(domain, &names, &ignored);
	}
	if (r < 0)
		denial_say(domain, source, error.text);
	return r;
}

/* Whether something has that name at that place of QEMU's objects. */
static int has_child(const struct domain *domain, const char *path, const char *name, bool *ret_has)
{
	AUTO(json_cleanup) json_t *list = NULL;
	struct qmp_error error;

	if (qmp_list(domain, path, &error, &list) < 0) {
		say_error("cannot ask what domain '%s' has: %s", domain->name, error.text);
		return -EIO;
	}
	*ret_has = qmp_list_has(list, name);
	return 0;
}

int monitor_is_attached(const struct domain *domain, const char *section, bool *ret_attached)
{
	struct names names;

	names_make(&names, section);
	return has_child(domain, "/objects", names.memory, ret_attached);
}

static int ask_device_del(const struct domain *domain, const char *device, struct qmp_error *error)
{
	return qmp_run(domain, "device_del", json_pack("{s:s}", "id", device), error, NULL);
}

static int ask_again(const struct domain *domain, const char *device)
{
	struct qmp_error ignored;

	return ask_device_del(domain, device, &ignored);
}

static int delete_device(const struct domain *domain, const struct names *names,
			 const struct request *request)
{
	AUTO(removal_deinit) struct removal removal = { 0 };
	struct qmp_error error;
	int r = removal_init(&removal, domain, names->device, ask_again);

	if (r < 0)
		return r;
	r = ask_device_del(domain, names->device, &error);
	if (r < 0) {
		say_error("cannot detach section '%s' from domain '%s': %s", request->section,
			  domain->name, error.text);
		return r;
	}
	return removal_wait(&removal, request->timeout_s);
}

int monitor_detach(const struct domain *domain, const struct request *request)
{
	struct qmp_error error;
	struct names names;
	bool has_device = false;
	int r;

	names_make(&names, request->section);
	/* A guest may have let go after an earlier detach had given up. */
	r = has_child(domain, "/machine/peripheral", names.device, &has_device);
	if (!r && has_device)
		r = delete_device(domain, &names, request);
	if (r < 0)
		return r;
	r = delete_memory(domain, &names, &error);
	if (r < 0)
		say_error("domain '%s' does not let go of the memory of section '%s': %s",
			  domain->name, request->section, error.text);
	return r;
}
