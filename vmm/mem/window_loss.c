/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See window.h.  The ring of losses that the window's owner has not asked for yet. */
#include "mem/window_impl.h"

static struct window_loss *loss_at(struct window *window, uint32_t index)
{
	return &window->losses[(window->loss_first + index) % WINDOW_LOSSES_MAX];
}

/* A guest that walks through what is lost, page by page, is one loss. */
static bool loss_extend(struct window *window, const struct window_loss *loss)
{
	struct window_loss *last;

	if (window->loss_count == 0)
		return false;
	last = loss_at(window, window->loss_count - 1);
	if (last->place != loss->place || last->error != loss->error ||
	    last->range.offset + last->range.bytes != loss->range.offset)
		return false;
	last->range.bytes += loss->range.bytes;
	return true;
}

void window_loss_add(struct window *window, const struct window_loss *loss)
{
	if (!loss_extend(window, loss)) {
		if (window->loss_count < WINDOW_LOSSES_MAX)
			*loss_at(window, window->loss_count++) = *loss;
		else
			window->loss_missed = true;
	}
	if (window->loss_call)
		window->loss_call(window->loss_arg);
}

void window_loss_forget(struct window *window, uint64_t place)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < window->loss_count; i++)
		if (loss_at(window, i)->place != place)
			*loss_at(window, kept++) = *loss_at(window, i);
	window->loss_count = kept;
}

int window_next_loss(struct window *window, struct window_loss *ret_loss, bool *ret_missed)
{
	int found = 0;

	pthread_mutex_lock(&window->lock);
	if (window->loss_missed)
		*ret_missed = true;
	window->loss_missed = false;
	if (window->loss_count > 0) {
		*ret_loss = window->losses[window->loss_first];
		window->loss_first = (window->loss_first + 1) % WINDOW_LOSSES_MAX;
		window->loss_count--;
		found = 1;
	}
	pthread_mutex_unlock(&window->lock);
	return found;
}

void window_set_loss_call(struct window *window, void (*call)(void *arg), void *arg)
{
	pthread_mutex_lock(&window->lock);
	window->loss_call = call;
	window->loss_arg = arg;
	pthread_mutex_unlock(&window->lock);
}
