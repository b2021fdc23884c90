/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firecracker: a virtio-pmem device, as a part of the configuration file or as the
 * body of PUT /pmem/ID.
 */
#include "cli/export.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#define ID_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

int export_firecracker_check(const struct export_wish *wish, char why[EXPORT_WHY_MAX])
{
	if (wish->device != EXPORT_DEVICE_PMEM)
		return export_refuse(why, "Firecracker has pmem devices alone: --device pmem");
	if (wish->mode == EXPORT_MODE_COW)
		return export_refuse(why, "Firecracker maps the file itself, for writing or for "
					  "reading: --mode rw or --mode ro");
	if (wish->id && wish->id[strspn(wish->id, ID_BYTES)])
		return export_refuse(why, "Firecracker's names have letters, digits and _ alone");
	return 0;
}

static void print_notes(const struct export_wish *wish, const struct export_printer *printer,
			const char *id)
{
	if (wish->as_api)
		export_note(printer,
			    "curl --unix-socket SOCKET -X PUT http://localhost/pmem/%s -H "
			    "'Content-Type: application/json' -d @-",
			    id);
	if (wish->size_bytes % EXPORT_HUGE_BYTES)
		export_note(printer,
			    "the guest's device is larger than the section, up to the next 2 MiB: "
			    "what it writes behind byte %" PRIu64 " is shared with nobody and lost",
			    wish->size_bytes);
	if (wish->mode == EXPORT_MODE_RO)
		export_note(printer, "a guest that writes is not told: its write is dropped "
				     "(x86-64), or ends the VM (aarch64)");
}

int export_firecracker_print(const struct export_wish *wish, const struct export_printer *printer)
{
	char id[EXPORT_ID_MAX];
	json_t *json;
	int r;

	export_id(wish, id);
	json = json_pack("{s:s, s:s, s:b, s:b}", "id", id, "path_on_host", wish->path,
			 "root_device", 0, "read_only", wish->mode == EXPORT_MODE_RO);
	if (json && !wish->as_api)
		json = json_pack("{s:[o]}", "pmem", json); /* takes it, also if it fails */
	if (!json)
		return -ENOMEM;
	r = json_dumpf(json, printer->out, JSON_INDENT(2));
	json_decref(json);
	if (r < 0)
		return -ENOMEM;
	(void)fputc('\n', printer->out);
	print_notes(wish, printer, id);
	return 0;
}
