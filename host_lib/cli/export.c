/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See export.h: words, and what the programs have in common. */
#include "cli/export.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static const struct {
	const char *word;
	enum export_device device; /* the default */
	int (*check)(const struct export_wish *wish, char why[EXPORT_WHY_MAX]);
	int (*print)(const struct export_wish *wish, const struct export_printer *printer);
} programs[] = {
	[EXPORT_FOR_QEMU] = { "qemu", EXPORT_DEVICE_IVSHMEM, export_qemu_check, export_qemu_print },
	[EXPORT_FOR_LIBVIRT] = { "libvirt", EXPORT_DEVICE_IVSHMEM, export_libvirt_check,
				 export_libvirt_print },
	[EXPORT_FOR_FIRECRACKER] = { "firecracker", EXPORT_DEVICE_PMEM, export_firecracker_check,
				     export_firecracker_print },
	[EXPORT_FOR_CLOUD_HYPERVISOR] = { "cloud-hypervisor", EXPORT_DEVICE_PMEM,
					  export_cloud_hypervisor_check,
					  export_cloud_hypervisor_print },
};

bool export_parse_program(const char *word, enum export_program *ret_program)
{
	size_t i;

	for (i = EXPORT_FOR_QEMU; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (!strcmp(word, programs[i].word)) {
			*ret_program = (enum export_program)i;
			return true;
		}
	}
	return false;
}

bool export_parse_device(const char *word, enum export_device *ret_device)
{
	if (!strcmp(word, "ivshmem"))
		*ret_device = EXPORT_DEVICE_IVSHMEM;
	else if (!strcmp(word, "pmem"))
		*ret_device = EXPORT_DEVICE_PMEM;
	else if (!strcmp(word, "nvdimm"))
		*ret_device = EXPORT_DEVICE_NVDIMM;
	else
		return false;
	return true;
}

bool export_parse_mode(const char *word, enum export_mode *ret_mode)
{
	if (!strcmp(word, "rw"))
		*ret_mode = EXPORT_MODE_RW;
	else if (!strcmp(word, "ro"))
		*ret_mode = EXPORT_MODE_RO;
	else if (!strcmp(word, "cow"))
		*ret_mode = EXPORT_MODE_COW;
	else
		return false;
	return true;
}

unsigned int export_parse_version(const char *text)
{
	unsigned int major = 0, minor = 0, digits = 0;

	for (; isdigit((unsigned char)*text) && digits < 4; text++, digits++)
		major = major * 10 + (unsigned int)(*text - '0');
	if (!digits || *text++ != '.')
		return 0;
	for (digits = 0; isdigit((unsigned char)*text) && digits < 2; text++, digits++)
		minor = minor * 10 + (unsigned int)(*text - '0');
	if (!digits || isdigit((unsigned char)*text))
		return 0;
	return QEMU_VERSION(major, minor);
}

int export_refuse(char why[EXPORT_WHY_MAX], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(why, EXPORT_WHY_MAX, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* A doorbell is of an ivshmem device that is one of the writers. */
static int check_vectors(const struct export_wish *wish, char why[EXPORT_WHY_MAX])
{
	if (!wish->vectors)
		return 0;
	if (wish->vectors > EXPORT_VECTORS_MAX)
		return export_refuse(why, "a doorbell has at most %u vectors", EXPORT_VECTORS_MAX);
	if (wish->device != EXPORT_DEVICE_IVSHMEM)
		return export_refuse(why, "only ivshmem devices have a doorbell");
	if (wish->mode != EXPORT_MODE_RW)
		return export_refuse(why, "a device with a doorbell always maps the memory for "
					  "writing: --mode rw");
	return 0;
}

static int check_id(const struct export_wish *wish, char why[EXPORT_WHY_MAX])
{
	const char *at = wish->id;

	if (!at)
		return 0;
	if (!isalpha((unsigned char)*at) || strlen(at) >= EXPORT_ID_MAX)
		return export_refuse(why, "an id begins with a letter and has at most %u bytes",
				     EXPORT_ID_MAX - 1);
	for (; *at; at++) {
		if (!isalnum((unsigned char)*at) && !strchr("-._", *at))
			return export_refuse(why, "an id has letters, digits, -, . and _ alone");
	}
	return 0;
}

int export_check(struct export_wish *wish, char why[EXPORT_WHY_MAX])
{
	int r;

	if (wish->program == EXPORT_FOR_NONE)
		return 0;
	if (wish->device == EXPORT_DEVICE_DEFAULT)
		wish->device = programs[wish->program].device;
	r = check_id(wish, why);
	if (!r)
		r = check_vectors(wish, why);
	return r ? r : programs[wish->program].check(wish, why);
}

int export_print(const struct export_wish *wish, const struct export_printer *printer)
{
	if (wish->program == EXPORT_FOR_NONE) {
		export_word(printer, "%s", wish->path);
		return 0;
	}
	return programs[wish->program].print(wish, printer);
}

/* All programs take such a name; it begins with a letter. */
void export_id(const struct export_wish *wish, char id[EXPORT_ID_MAX])
{
	char *at;

	if (wish->id) {
		(void)snprintf(id, EXPORT_ID_MAX, "%s", wish->id);
		return;
	}
	(void)snprintf(id, EXPORT_ID_MAX, "vmsect_%s", wish->name);
	for (at = id; *at; at++) {
		if (!isalnum((unsigned char)*at))
			*at = '_';
	}
}

void export_xml_text(FILE *out, const char *text)
{
	static const char special[] = "&<>'\"";
	static const char *const entities[] = { "&amp;", "&lt;", "&gt;", "&apos;", "&quot;" };
	const char *found;

	for (; *text; text++) {
		found = strchr(special, *text);
		if (found)
			(void)fputs(entities[found - special], out);
		else
			(void)fputc(*text, out);
	}
}

/* Words without any of the shell's characters stay as they are: $(...) can take them. */
static void print_quoted(FILE *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_=,./:@%+";

	if (*word && !word[strspn(word, plain)]) {
		(void)fputs(word, out);
		return;
	}
	(void)fputc('\'', out);
	for (; *word; word++) {
		/* Outside the quotes a backslash is one for the shell and for xargs. */
		if (*word == '\'')
			(void)fputs("'\\''", out);
		else
			(void)fputc(*word, out);
	}
	(void)fputc('\'', out);
}

void export_word(const struct export_printer *printer, const char *format, ...)
{
	AUTO_FREE char *word = NULL;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vasprintf(&word, format, arguments);
	va_end(arguments);
	if (length < 0) {
		word = NULL;
		return;
	}
	switch (printer->words) {
	case EXPORT_WORDS_SHELL:
		print_quoted(printer->out, word);
		(void)fputc('\n', printer->out);
		break;
	case EXPORT_WORDS_NUL:
		(void)fwrite(word, 1, (size_t)length + 1, printer->out);
		break;
	case EXPORT_WORDS_XML:
		(void)fputs("  <qemu:arg value='", printer->out);
		export_xml_text(printer->out, word);
		(void)fputs("'/>\n", printer->out);
		break;
	}
}

void export_note(const struct export_printer *printer, const char *format, ...)
{
	va_list arguments;

	(void)fputs("note: ", printer->notes);
	va_start(arguments, format);
	(void)vfprintf(printer->notes, format, arguments);
	va_end(arguments);
	(void)fputc('\n', printer->notes);
}
