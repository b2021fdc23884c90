/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Refusals of QEMU and libvirt in the words of their users, with what to do.
 */
#ifndef VMSECT_LIBVIRT_DENIAL_H
#define VMSECT_LIBVIRT_DENIAL_H

#include <stddef.h>

struct domain;
struct source;

/*
 * What to do about a refusal; "" if nothing is known.  `uid` is the QEMU's, -1 if
 * it has none of its own; `model` the security model that confines it, or NULL.
 */
struct denial_world {
	const char *path;
	const char *access; /* r or rw: what it needs */
	long uid;
	const char *model;
};
void denial_advise(const char *refusal, const struct denial_world *world, char *advice,
		   size_t room);

/* Says that the section cannot be attached, why, and what to do about it. */
void denial_say(const struct domain *domain, const struct source *source, const char *refusal);

#endif
