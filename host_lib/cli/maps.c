/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See maps.h. */
#include "cli/maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* A number that ends at `end`, behind which *text then stands. */
static bool take_number(char **text, int base, char end, uint64_t *ret_number)
{
	char *behind;
	unsigned long long number;

	/* No sign and no blanks, which strtoull() would take. */
	if (!strchr("0123456789abcdef", **text) || !**text)
		return false;
	errno = 0;
	number = strtoull(*text, &behind, base);
	if (errno || *behind != end)
		return false;
	*text = behind + 1;
	*ret_number = number;
	return true;
}

/* "rw-s " */
static bool take_access(char **text, char access[static 5])
{
	static const char *const letters[] = { "r-", "w-", "x-", "ps" };
	unsigned int i;

	for (i = 0; i < 4; i++) {
		access[i] = (*text)[i];
		if (!access[i] || !strchr(letters[i], access[i]))
			return false;
	}
	access[4] = 0;
	if ((*text)[4] != ' ')
		return false;
	*text += 5;
	return true;
}

bool maps_parse(char *line, struct maps_line *ret_line)
{
	struct maps_line parsed = { 0 };
	uint64_t major = 0, minor = 0;
	char *end = strchr(line, '\n');

	if (end)
		*end = 0;
	if (!take_number(&line, 16, '-', &parsed.start) ||
	    !take_number(&line, 16, ' ', &parsed.end) || parsed.end <= parsed.start ||
	    !take_access(&line, parsed.access) || !take_number(&line, 16, ' ', &parsed.offset) ||
	    !take_number(&line, 16, ':', &major) || !take_number(&line, 16, ' ', &minor) ||
	    !take_number(&line, 10, ' ', &parsed.inode))
		return false;
	parsed.device = makedev((unsigned int)major, (unsigned int)minor);
	parsed.path = line + strspn(line, " ");
	*ret_line = parsed;
	return true;
}
