/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What parties are to be told of a unit, until the unit is kept: nobody hears of
 * something that a broker after this one would not know.  Parties are noted by
 * number, since one may end within the unit.  Owned by the broker; its one
 * thread.
 */
#ifndef BROKER_NEWS_H
#define BROKER_NEWS_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/registry.h"

struct news_item {
	uint32_t to;
	struct registry_event event;
};

struct news {
	struct news_item *items; /* owned */
	size_t count;
	size_t room;
};

/* Notes a copy.  False: no memory, and it is not noted. */
bool news_add(struct news *news, const struct party *to, const struct registry_event *event);

/*
 * Calls `tell` for all, in their order, to those that still are parties.  What
 * it adds is told as well.
 */
void news_tell(struct news *news, const struct registry *registry, registry_tell tell, void *arg);

void news_deinit(struct news *news);

#endif
