/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading an options struct of another version.  The caller's size is trusted
 * as far as any C pointer is, but a size that is plainly not one (zero, or an
 * uninitialised number) is refused before it is used.
 */
#include "lib/options.h"

#include <errno.h>
#include <string.h>

#define OPTIONS_SIZE_MAX 4096u

int options_copy(void *options, size_t size, const void *user_options)
{
	const unsigned char *from = user_options;
	size_t user_size, i;

	memcpy(&user_size, from, sizeof(user_size));
	if (user_size <= sizeof(user_size) || user_size > OPTIONS_SIZE_MAX)
		return -EINVAL;
	for (i = size; i < user_size; i++) {
		if (from[i])
			return -EINVAL;
	}
	memset(options, 0, size);
	memcpy(options, from, user_size < size ? user_size : size);
	return 0;
}
