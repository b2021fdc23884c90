/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See news.h. */
#include "broker/news.h"

#include <stdlib.h>

#define ROOM_FIRST 16u
#define ROOM_KEPT 4096u /* of a list that is empty */

bool news_add(struct news *news, const struct party *to, const struct registry_event *event)
{
	size_t room = news->room ? 2 * news->room : ROOM_FIRST;
	struct news_item *items;

	if (news->count == news->room) {
		items = reallocarray(news->items, room, sizeof(*items));
		if (!items)
			return false;
		news->items = items;
		news->room = room;
	}
	news->items[news->count++] = (struct news_item){ .to = to->id, .event = *event };
	return true;
}

void news_tell(struct news *news, const struct registry *registry, registry_tell tell, void *arg)
{
	struct news_item item;
	struct party *to;
	size_t i;

	for (i = 0; i < news->count; i++) {
		item = news->items[i]; /* the list may move */
		to = registry_find_party(registry, item.to);
		if (to)
			tell(arg, to, &item.event);
	}
	news->count = 0;
	if (news->room > ROOM_KEPT)
		news_deinit(news);
}

void news_deinit(struct news *news)
{
	free(news->items);
	*news = (struct news){ 0 };
}
