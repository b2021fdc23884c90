/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See refusal.h. */
#include "broker/refusal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int refuse(struct refusal *refusal, int status, uint32_t detail, const char *format, ...)
{
	va_list args;
	char *c;

	refusal->status = status;
	refusal->detail = detail;
	va_start(args, format);
	if (vsnprintf(refusal->text, sizeof(refusal->text), format, args) < 0)
		refusal->text[0] = '\0';
	va_end(args);
	for (c = refusal->text; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	return status;
}

int refuse_memory(struct refusal *refusal)
{
	return refuse(refusal, -ENOMEM, VMSECT_DETAIL_NONE, "the broker has no memory for this");
}
