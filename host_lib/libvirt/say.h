/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the program tells its user: one line each, on stderr.
 */
#ifndef VMSECT_LIBVIRT_SAY_H
#define VMSECT_LIBVIRT_SAY_H

#define SAY_PROGRAM "vmsect-libvirt"

/* Exit codes, as vmsect has them. */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

/* Why something cannot be done, and what to do about it. */
void say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, with where to find help. */
void say_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What was done in a way that the user should know of. */
void say_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
