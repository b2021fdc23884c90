/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See boot_error.h. */
#include "boot/boot_error.h"

#include <stdarg.h>
#include <stdio.h>

void boot_error_set(struct boot_error *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
}
