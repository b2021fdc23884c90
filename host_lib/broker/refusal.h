/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a request was refused: an errno, what the errno leaves open, and a
 * sentence for people.  Filled where the reason is known, carried to the
 * reply unchanged.  Pure; the caller owns the struct.
 */
#ifndef BROKER_REFUSAL_H
#define BROKER_REFUSAL_H

#include <stdint.h>

#include <vmsect/vmsect_proto.h>

struct refusal {
	int status; /* -errno */
	uint32_t detail; /* enum vmsect_detail */
	char text[VMSECT_ERROR_TEXT_MAX + 1]; /* printable ASCII */
};

/*
 * Fills it and returns status.  Bytes of the text that are not printable
 * become '?', and a text that is too long is cut.
 */
int refuse(struct refusal *refusal, int status, uint32_t detail, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The one sentence for a broker without memory; returns -ENOMEM. */
int refuse_memory(struct refusal *refusal);

#endif
