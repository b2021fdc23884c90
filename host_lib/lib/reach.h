/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reaching a broker: the places where one may listen are tried in order, and
 * one is started if none does.
 */
#ifndef LIB_REACH_H
#define LIB_REACH_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/place.h"

struct vmsect_connect_options;

#define REACH_TIMEOUT_MS 5000 /* a full backlog */

/* Where a broker was found. */
struct reached {
	struct place place;
	bool may_start; /* it is the place where one would be started */
};

/*
 * A socket with a broker behind it, as the options want it.  Waits.  A new
 * descriptor, or -errno and a sentence in `error`.
 */
int reach_broker(const struct vmsect_connect_options *options, struct reached *ret_reached,
		 char *error, size_t room);

/* The same place once more, without waiting.  A new descriptor or -errno. */
int reach_again(const struct place *place);

/* Nobody listens there, says that errno. */
bool reach_is_nobody(int r);

#endif
