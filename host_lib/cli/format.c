/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values in the form in which people or machines read them.
 */
#include "cli/format.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int result_of_print(int length)
{
	return length < 0 ? -ENOMEM : 0;
}

int format_text(const char *text, char **ret_text)
{
	*ret_text = *text ? strdup(text) : NULL;
	return *text && !*ret_text ? -ENOMEM : 0;
}

int format_number(uint64_t number, char **ret_text)
{
	return result_of_print(asprintf(ret_text, "%" PRIu64, number));
}

int format_signed(int64_t number, char **ret_text)
{
	return result_of_print(asprintf(ret_text, "%" PRId64, number));
}

int format_boolean(int value, enum cell_form form, char **ret_text)
{
	if (form == CELL_JSON)
		return format_text(value ? "1" : "0", ret_text);
	return format_text(value ? "yes" : "no", ret_text);
}

/* One digit after the point where the number is not whole: 16M, 1.5G, 100B. */
static int format_size_for_people(uint64_t bytes, char **ret_text)
{
	static const char units[] = "BKMGTPE";
	unsigned int unit = 0;
	uint64_t whole, tenths;

	while (unit + 2 < sizeof(units) && bytes >> (10 * (unit + 1)))
		unit++;
	whole = bytes >> (10 * unit);
	tenths = unit ? ((bytes >> (10 * (unit - 1))) & 1023) * 10 / 1024 : 0;
	if (tenths)
		return result_of_print(asprintf(ret_text, "%" PRIu64 ".%" PRIu64 "%c", whole,
						tenths, units[unit]));
	return result_of_print(asprintf(ret_text, "%" PRIu64 "%c", whole, units[unit]));
}

int format_size(uint64_t bytes, enum cell_form form, char **ret_text)
{
	return form == CELL_PEOPLE ? format_size_for_people(bytes, ret_text)
				   : format_number(bytes, ret_text);
}

int format_place(uint64_t place, enum cell_form form, char **ret_text)
{
	if (form == CELL_JSON)
		return format_number(place, ret_text);
	return result_of_print(asprintf(ret_text, "0x%" PRIx64, place));
}

int format_mode(uint32_t mode, char **ret_text)
{
	return result_of_print(asprintf(ret_text, "%04" PRIo32, mode));
}

int format_user(uint32_t uid, char **ret_text)
{
	const struct passwd *user = getpwuid(uid);

	return user ? format_text(user->pw_name, ret_text) : format_number(uid, ret_text);
}

int format_group(uint32_t gid, char **ret_text)
{
	const struct group *group = getgrgid(gid);

	return group ? format_text(group->gr_name, ret_text) : format_number(gid, ret_text);
}

const char *word_of_protection(enum vmsect_protection protection)
{
	switch (protection) {
	case VMSECT_PROT_NOACCESS:
		return "noaccess";
	case VMSECT_PROT_READONLY:
		return "readonly";
	case VMSECT_PROT_READWRITE:
		return "readwrite";
	case VMSECT_PROT_WRITECOPY:
		return "writecopy";
	case VMSECT_PROT_EXECUTE:
		return "execute";
	case VMSECT_PROT_EXECUTE_READ:
		return "execute-read";
	case VMSECT_PROT_EXECUTE_READWRITE:
		return "execute-readwrite";
	case VMSECT_PROT_EXECUTE_WRITECOPY:
		return "execute-writecopy";
	}
	return "unknown";
}

const char *word_of_backing(enum vmsect_backing backing)
{
	switch (backing) {
	case VMSECT_BACKING_FILE:
		return "file";
	case VMSECT_BACKING_SHMEM:
		return "shmem";
	case VMSECT_BACKING_HUGETLB:
		return "hugetlb";
	case VMSECT_BACKING_DIRECTORY:
		return "directory";
	}
	return "unknown";
}

const char *word_of_mode(enum vmsect_protection protection)
{
	switch (protection) {
	case VMSECT_PROT_READONLY:
	case VMSECT_PROT_EXECUTE:
	case VMSECT_PROT_EXECUTE_READ:
		return "ro";
	case VMSECT_PROT_READWRITE:
	case VMSECT_PROT_EXECUTE_READWRITE:
		return "rw";
	case VMSECT_PROT_WRITECOPY:
	case VMSECT_PROT_EXECUTE_WRITECOPY:
		return "cow";
	default:
		return "none";
	}
}
