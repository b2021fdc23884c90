/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See poller.h. */
#include "lib/poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"

int64_t poller_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int poller_init(struct poller *poller)
{
	int r;

	*poller = (struct poller){ -1, -1, -1, false, false, INT64_MAX };
	r = poller->epoll_fd = sys_result(epoll_create1(EPOLL_CLOEXEC));
	if (r < 0)
		return r;
	r = poller->wake_fd = sys_result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	if (r < 0)
		return r;
	r = poller->timer_fd =
		sys_result(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
	if (r < 0)
		return r;
	r = poller_add(poller, poller->wake_fd);
	return r < 0 ? r : poller_add(poller, poller->timer_fd);
}

void poller_deinit(struct poller *poller)
{
	poller->timer_fd = fd_close(poller->timer_fd);
	poller->wake_fd = fd_close(poller->wake_fd);
	poller->epoll_fd = fd_close(poller->epoll_fd);
}

int poller_add(struct poller *poller, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return sys_result(epoll_ctl(poller->epoll_fd, EPOLL_CTL_ADD, fd, &event));
}

void poller_remove(struct poller *poller, int fd)
{
	(void)epoll_ctl(poller->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	poller->wants_room = false;
}

void poller_want_room(struct poller *poller, int fd, bool wanted)
{
	struct epoll_event event = { .events = EPOLLIN | (wanted ? (uint32_t)EPOLLOUT : 0),
				     .data.fd = fd };

	if (poller->wants_room == wanted)
		return;
	poller->wants_room = wanted;
	(void)epoll_ctl(poller->epoll_fd, EPOLL_CTL_MOD, fd, &event);
}

void poller_wake(struct poller *poller, bool awake)
{
	uint64_t count = 1;

	if (poller->awake == awake)
		return;
	poller->awake = awake;
	if (awake)
		(void)!write(poller->wake_fd, &count, sizeof(count));
	else
		(void)!read(poller->wake_fd, &count, sizeof(count));
}

void poller_set_timer(struct poller *poller, int64_t at_ms)
{
	struct itimerspec when = { .it_interval = { 0 } };

	if (poller->timer_ms == at_ms)
		return;
	poller->timer_ms = at_ms;
	if (at_ms < 1)
		at_ms = 1; /* zero would be never */
	if (at_ms != INT64_MAX) {
		when.it_value.tv_sec = at_ms / 1000;
		when.it_value.tv_nsec = at_ms % 1000 * 1000000;
	}
	(void)timerfd_settime(poller->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}
