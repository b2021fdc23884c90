/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See event.h. */
#include "base/event.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"

struct event_base *loop_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	if (!config)
		return NULL;
	(void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	(void)event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct loop_signals *signals = arg;
	struct signalfd_siginfo info;

	(void)what;
	while (sys_retry(read(fd, &info, sizeof(info))) == (ssize_t)sizeof(info))
		signals->call((int)info.ssi_signo, signals->arg);
}

int loop_signals_init(struct loop_signals *signals, struct event_base *base, const int *numbers,
		      size_t count)
{
	AUTO_FD int fd = -1;
	sigset_t set;
	size_t i;
	int r;

	(void)sigemptyset(&set);
	for (i = 0; i < count; i++)
		(void)sigaddset(&set, numbers[i]);
	r = pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (r)
		return -r;
	fd = sys_result(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
	if (fd < 0)
		return fd;
	signals->event = event_new(base, fd, EV_READ | EV_PERSIST, on_signal, signals);
	if (!signals->event || event_add(signals->event, NULL) < 0) {
		loop_signals_deinit(signals);
		return -ENOMEM;
	}
	signals->fd = steal_fd(&fd);
	return 0;
}

void loop_signals_deinit(struct loop_signals *signals)
{
	if (!signals->event)
		return;
	event_free(signals->event);
	signals->event = NULL;
	signals->fd = fd_close(signals->fd);
}

struct timeval loop_ms(unsigned int ms)
{
	return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };
}
