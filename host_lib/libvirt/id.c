/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See id.h. */
#include "libvirt/id.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *const prefixes[] = {
	[ID_ALIAS] = "ua-vmsect-",
	[ID_DEVICE] = "vmsect-",
	[ID_MEMORY] = "vmsect_memory-",
};

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-';
}

void id_make(char id[static ID_ROOM], enum id_kind kind, const char *name)
{
	size_t length = strnlen(name, NAME_LENGTH_MAX);
	char *at = stpcpy(id, prefixes[kind]);
	size_t i;

	for (i = 0; i < length; i++) {
		if (is_plain(name[i]))
			*at++ = name[i];
		else
			at += snprintf(at, 4, "_%02x", (unsigned char)name[i]);
	}
	*at = 0;
}
