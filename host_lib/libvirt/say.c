/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See say.h. */
#include "libvirt/say.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 3, 0))) static void say(const char *kind, const char *end,
						      const char *format, va_list args)
{
	(void)fprintf(stderr, "%s: %s", SAY_PROGRAM, kind);
	(void)vfprintf(stderr, format, args);
	(void)fprintf(stderr, "%s\n", end);
}

void say_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("", "", format, args);
	va_end(args);
}

void say_usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("", "; '" SAY_PROGRAM " --help' says more", format, args);
	va_end(args);
}

void say_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("note: ", "", format, args);
	va_end(args);
}
