/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvirt: <shmem> where that can say it, which is a file at /dev/shm/NAME that the
 * guest may write, or a doorbell.  All else is QEMU's own words in
 * <qemu:commandline>, of which libvirt knows nothing: also its AppArmor profile
 * does not.
 */
#include "cli/export.h"

#include <inttypes.h>
#include <string.h>

#define SHM_FOLDER "/dev/shm/"
#define SHMEM_BYTES_MIN (UINT64_C(1) << 20) /* libvirt takes no less */
#define MIB_SHIFT 20u

int export_libvirt_check(const struct export_wish *wish, char why[EXPORT_WHY_MAX])
{
	return export_qemu_check(wish, why);
}

/* The name that <shmem> has for the file; NULL: it has none. */
static const char *shmem_name(const struct export_wish *wish)
{
	size_t length = sizeof(SHM_FOLDER) - 1;

	if (wish->device != EXPORT_DEVICE_IVSHMEM || wish->mode != EXPORT_MODE_RW ||
	    wish->size_bytes < SHMEM_BYTES_MIN || strncmp(wish->path, SHM_FOLDER, length) != 0 ||
	    strchr(wish->path + length, '/'))
		return NULL;
	return wish->path + length;
}

static void print_shmem(const struct export_wish *wish, const struct export_printer *printer,
			const char *name)
{
	(void)fputs("<shmem name='", printer->out);
	export_xml_text(printer->out, name);
	(void)fprintf(printer->out,
		      "' role='peer'>\n"
		      "  <model type='ivshmem-plain'/>\n"
		      "  <size unit='M'>%" PRIu64 "</size>\n"
		      "</shmem>\n",
		      wish->size_bytes >> MIB_SHIFT);
}

static void print_doorbell(const struct export_wish *wish, const struct export_printer *printer)
{
	(void)fputs("<shmem name='", printer->out);
	export_xml_text(printer->out, wish->name);
	(void)fputs("'>\n  <model type='ivshmem-doorbell'/>\n  <server path='", printer->out);
	export_xml_text(printer->out, wish->path);
	(void)fprintf(printer->out,
		      "'/>\n"
		      "  <msi vectors='%" PRIu32 "' ioeventfd='on'/>\n"
		      "</shmem>\n",
		      wish->vectors);
}

/* QEMU before 8.2 does also to copy. */
static bool opens_for_writing(const struct export_wish *wish)
{
	return wish->mode == EXPORT_MODE_RW ||
	       (wish->mode == EXPORT_MODE_COW && wish->qemu_version < QEMU_VERSION_ROM);
}

static int print_commandline(const struct export_wish *wish, const struct export_printer *printer)
{
	struct export_printer words = *printer;
	int r;

	words.words = EXPORT_WORDS_XML;
	(void)fputs("<qemu:commandline>\n", printer->out);
	r = export_qemu_print(wish, &words);
	(void)fputs("</qemu:commandline>\n", printer->out);
	export_note(printer, "it goes into <domain type='kvm' xmlns:qemu="
			     "'http://libvirt.org/schemas/domain/qemu/1.0'>, after <devices>");
	export_note(printer,
		    "libvirt's AppArmor profile does not know of the file: add '\"%s\" %s,' to "
		    "/etc/apparmor.d/local/abstractions/libvirt-qemu",
		    wish->path, opens_for_writing(wish) ? "rw" : "r");
	return r;
}

int export_libvirt_print(const struct export_wish *wish, const struct export_printer *printer)
{
	const char *name = shmem_name(wish);

	if (wish->vectors)
		print_doorbell(wish, printer);
	else if (name)
		print_shmem(wish, printer, name);
	else
		return print_commandline(wish, printer);
	return 0;
}
