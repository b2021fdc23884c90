/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See expiry.h. */
#include "broker/expiry.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/sys.h"
#include "broker/revoke.h"

#define ENDS_PER_TURN 1024u /* then the clients have a turn; the timer is past, and fires again */

/* A timer that cannot be set would keep for ever what should end. */
static void on_first_changed(void *arg, uint64_t at_ms)
{
	const struct expiry *expiry = arg;
	struct itimerspec when = {
		.it_value = { .tv_sec = (time_t)(at_ms / 1000),
			      .tv_nsec = (long)(at_ms % 1000) * 1000000 },
	};
	int r = sys_result(timerfd_settime(expiry->fd, TFD_TIMER_ABSTIME, &when, NULL));

	if (r < 0)
		log_error("expiry: the timer cannot be set (%d)", r);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	struct expiry *expiry = arg;
	uint64_t times;

	(void)what;
	(void)sys_retry(read(fd, &times, sizeof(times)));
	revoke_expired(expiry->registry, deadline_now(), ENDS_PER_TURN);
	if (expiry->ended)
		expiry->ended(expiry->arg);
}

static int expiry_watch(struct expiry *expiry, struct event_base *base)
{
	expiry->fd = sys_result(timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC));
	if (expiry->fd < 0)
		return expiry->fd;
	expiry->event = event_new(base, expiry->fd, EV_READ | EV_PERSIST, on_time, expiry);
	if (!expiry->event || event_add(expiry->event, NULL) < 0)
		return -ENOMEM;
	return 0;
}

int expiry_init(struct expiry *expiry, struct event_base *base, struct registry *registry,
		void (*ended)(void *arg), void *arg)
{
	int r;

	*expiry = (struct expiry){ .registry = registry, .fd = -1, .ended = ended, .arg = arg };
	r = expiry_watch(expiry, base);
	if (r < 0) {
		expiry_deinit(expiry);
		return r;
	}
	registry->deadlines.first_changed = on_first_changed;
	registry->deadlines.arg = expiry;
	r = registry_adopt_deadlines(registry);
	if (r < 0)
		expiry_deinit(expiry);
	else if (deadlines_first(&registry->deadlines))
		on_first_changed(expiry, deadlines_first(&registry->deadlines)->at_ms);
	return r;
}

void expiry_deinit(struct expiry *expiry)
{
	if (!expiry->registry)
		return;
	expiry->registry->deadlines.first_changed = NULL;
	if (expiry->event)
		event_free(expiry->event);
	fd_close(expiry->fd);
	*expiry = (struct expiry){ .fd = -1 };
}
