// SPDX-License-Identifier: GPL-2.0-or-later
/* See names.h. */
#include "conformance/actor/names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vmsect/vmsect.h>

#define ERRNO_MAX 133

static const struct name_row details[] = {
	{ "NONE", VMSECT_DETAIL_NONE },
	{ "FORMAT", VMSECT_DETAIL_FORMAT },
	{ "VERSION", VMSECT_DETAIL_VERSION },
	{ "NAME", VMSECT_DETAIL_NAME },
	{ "ACCESS", VMSECT_DETAIL_ACCESS },
	{ "PROTECTION", VMSECT_DETAIL_PROTECTION },
	{ "SIZE", VMSECT_DETAIL_SIZE },
	{ "ATTR", VMSECT_DETAIL_ATTR },
	{ "ALIGNMENT", VMSECT_DETAIL_ALIGNMENT },
	{ "VIEW_SIZE", VMSECT_DETAIL_VIEW_SIZE },
	{ "HANDLE", VMSECT_DETAIL_HANDLE },
	{ "FILE", VMSECT_DETAIL_FILE },
	{ "HUGEPAGES", VMSECT_DETAIL_HUGEPAGES },
	{ "LIMIT", VMSECT_DETAIL_LIMIT },
	{ "CURSOR", VMSECT_DETAIL_CURSOR },
	{ "STATE", VMSECT_DETAIL_STATE },
	{ "RANGE", VMSECT_DETAIL_RANGE },
	{ "COMMIT", VMSECT_DETAIL_COMMIT },
	{ "EXTEND", VMSECT_DETAIL_EXTEND },
	{ "SEAL", VMSECT_DETAIL_SEAL },
	{ "MAPPED", VMSECT_DETAIL_MAPPED },
	{ "WRITERS", VMSECT_DETAIL_WRITERS },
	{ "IO", VMSECT_DETAIL_IO },
	{ "RECOVERY", VMSECT_DETAIL_RECOVERY },
	{ "REVOKED", VMSECT_DETAIL_REVOKED },
	{ NULL, 0 },
};

const struct name_row name_protections[] = {
	{ "na", VMSECT_PROT_NOACCESS },
	{ "ro", VMSECT_PROT_READONLY },
	{ "rw", VMSECT_PROT_READWRITE },
	{ "wc", VMSECT_PROT_WRITECOPY },
	{ "x", VMSECT_PROT_EXECUTE },
	{ "xr", VMSECT_PROT_EXECUTE_READ },
	{ "xrw", VMSECT_PROT_EXECUTE_READWRITE },
	{ "xwc", VMSECT_PROT_EXECUTE_WRITECOPY },
	{ "differ", 0 },
	{ NULL, 0 },
};

const struct name_row name_backings[] = {
	{ "file", VMSECT_BACKING_FILE },
	{ "shmem", VMSECT_BACKING_SHMEM },
	{ "hugetlb", VMSECT_BACKING_HUGETLB },
	{ "directory", VMSECT_BACKING_DIRECTORY },
	{ NULL, 0 },
};

const struct name_row name_accesses[] = {
	{ "query", VMSECT_ACCESS_QUERY },
	{ "read", VMSECT_ACCESS_READ },
	{ "write", VMSECT_ACCESS_WRITE },
	{ "execute", VMSECT_ACCESS_EXECUTE },
	{ "extend", VMSECT_ACCESS_EXTEND },
	{ "notify", VMSECT_ACCESS_NOTIFY },
	{ "grant", VMSECT_ACCESS_GRANT },
	{ "all", VMSECT_ACCESS_ALL },
	{ NULL, 0 },
};

const struct name_row name_create_flags[] = {
	{ "permanent", VMSECT_CREATE_PERMANENT }, { "open_if", VMSECT_CREATE_OPEN_IF },
	{ "commit", VMSECT_CREATE_COMMIT },	  { "reserve", VMSECT_CREATE_RESERVE },
	{ "allocate", VMSECT_CREATE_ALLOCATE },	  { "sealable", VMSECT_CREATE_SEALABLE },
	{ "exact", VMSECT_CREATE_EXACT },	  { NULL, 0 },
};

const struct name_row name_section_flags[] = {
	{ "permanent", VMSECT_SECTION_PERMANENT },
	{ "reserve", VMSECT_SECTION_RESERVE },
	{ "sealable", VMSECT_SECTION_SEALABLE },
	{ "sealed", VMSECT_SECTION_SEALED },
	{ NULL, 0 },
};

const struct name_row name_view_flags[] = {
	{ "growable", VMSECT_VIEW_GROWABLE },
	{ "no_change", VMSECT_VIEW_NO_CHANGE },
	{ "revoked", VMSECT_VIEW_REVOKED },
	{ NULL, 0 },
};

const struct name_row name_events[] = {
	{ "peer_joined", VMSECT_EVENT_PEER_JOINED },
	{ "peer_left", VMSECT_EVENT_PEER_LEFT },
	{ "resized", VMSECT_EVENT_RESIZED },
	{ "committed", VMSECT_EVENT_COMMITTED },
	{ "view_revoked", VMSECT_EVENT_VIEW_REVOKED },
	{ "handle_revoked", VMSECT_EVENT_HANDLE_REVOKED },
	{ "offered", VMSECT_EVENT_OFFERED },
	{ "io_error", VMSECT_EVENT_IO_ERROR },
	{ "disconnected", VMSECT_EVENT_DISCONNECTED },
	{ "reconnected", VMSECT_EVENT_RECONNECTED },
	{ NULL, 0 },
};

int errno_of_name(const char *name)
{
	if (!strcmp(name, "EOPNOTSUPP"))
		return EOPNOTSUPP;
	for (int error = 1; error <= ERRNO_MAX; error++) {
		const char *known = strerrorname_np(error);

		if (known && !strcmp(known, name))
			return error;
	}
	return 0;
}

const char *errno_to_name(int error)
{
	const char *name = strerrorname_np(error);

	/* Two names for one number: the library's is said. */
	if (error == EOPNOTSUPP)
		return "EOPNOTSUPP";
	return name ? name : "?";
}

bool detail_is_name(const char *name)
{
	for (const struct name_row *row = details; row->name; row++)
		if (!strcmp(row->name, name))
			return true;
	return false;
}

const char *detail_to_name(uint32_t detail)
{
	return number_to_name(details, detail);
}

static bool find_name(const struct name_row *rows, const char *text, size_t length,
		      uint32_t *ret_number)
{
	for (; rows->name; rows++) {
		if (strlen(rows->name) == length && !memcmp(rows->name, text, length)) {
			*ret_number = rows->number;
			return true;
		}
	}
	return false;
}

static bool plain_number(const char *text, uint32_t *ret_number)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(text, &end, 0);
	*ret_number = (uint32_t)number;
	return *text >= '0' && *text <= '9' && !*end && !errno && number <= UINT32_MAX;
}

bool name_to_number(const struct name_row *rows, const char *text, uint32_t *ret_number)
{
	return plain_number(text, ret_number) || find_name(rows, text, strlen(text), ret_number);
}

bool name_to_mask(const struct name_row *rows, const char *text, uint32_t *ret_mask)
{
	uint32_t bits;
	size_t length;

	if (plain_number(text, ret_mask))
		return true;
	*ret_mask = 0;
	if (!strcmp(text, "none"))
		return true;
	for (;; text += length + 1) {
		length = strcspn(text, "+");
		if (!find_name(rows, text, length, &bits))
			return false;
		*ret_mask |= bits;
		if (!text[length])
			return true;
	}
}

const char *number_to_name(const struct name_row *rows, uint32_t number)
{
	for (; rows->name; rows++)
		if (rows->number == number)
			return rows->name;
	return "?";
}

const char *mask_to_names(const struct name_row *rows, uint32_t mask, char *text, size_t room)
{
	size_t used = 0;

	text[0] = '\0';
	for (; rows->name; rows++) {
		if (rows->number & (rows->number - 1) || !(mask & rows->number))
			continue;
		used += (size_t)snprintf(text + used, room - used, "%s%s", used ? "+" : "",
					 rows->name);
		mask &= ~rows->number;
	}
	if (mask)
		(void)snprintf(text + used, room - used, "%s0x%x", used ? "+" : "", mask);
	else if (!used)
		(void)snprintf(text, room, "none");
	return text;
}
