/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See ivshmem_impl.h.  What the stream of the doorbell's server says: the
 * protocol's version, our id, then for each peer its vectors in order, and our
 * own; later who comes and goes.
 *
 * When the server goes, or drops this VM because it reads too slowly, those who are
 * there can ring each other as before.  It is asked for another stream, ever more
 * seldom; a new one tells everything anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "bus/msix.h"
#include "dev/ivshmem_impl.h"

#define PROTOCOL_VERSION 0
#define START_MS 10000 /* the server has that long to tell all that is needed */
#define MESSAGES_PER_TURN 64 /* then other work has its turn */
#define AGAIN_MS 1000u /* until another stream is asked for; then twice as long */
#define AGAIN_MAX_MS 60000u

static int take_version(struct ivshmem *ivshmem, int64_t value)
{
	if (value != PROTOCOL_VERSION)
		return -EPROTO;
	ivshmem->state = IVSHMEM_BELL_ID;
	return 0;
}

/* Whom the last server knew of is forgotten only now: until here they could be rung. */
static int take_id(struct ivshmem *ivshmem, int64_t value)
{
	if (value != ivshmem->info.id)
		return -EPROTO;
	ivshmem->state = IVSHMEM_BELL_PEERS;
	ivshmem->own = 0;
	pthread_mutex_lock(&ivshmem->lock);
	ivshmem_peers_clear(&ivshmem->peers);
	pthread_mutex_unlock(&ivshmem->lock);
	return 0;
}

/* Interrupts us: the irqfd of the vector has a descriptor of its own. */
static int take_own(struct ivshmem *ivshmem, int fd)
{
	int copy = -1, result;

	if (ivshmem->own == ivshmem->info.vectors)
		return -E2BIG;
	if (ivshmem->msix) {
		copy = sys_result(fcntl(fd, F_DUPFD_CLOEXEC, 0));
		if (copy < 0)
			return copy;
		result = msix_set_source_take_fd(ivshmem->msix, ivshmem->own, copy);
		if (result < 0)
			return result;
	}
	ivshmem->own++;
	return 0;
}

/* A vector of a peer; we are one, who may ring itself. */
static int take_vector(struct ivshmem *ivshmem, uint16_t id, int *fd)
{
	int result = id == ivshmem->info.id ? take_own(ivshmem, *fd) : 0;

	pthread_mutex_lock(&ivshmem->lock);
	if (result == 0)
		result = ivshmem_peers_add(&ivshmem->peers, id, *fd);
	if (result == 0)
		(void)steal_fd(fd);
	if (result == -E2BIG) {
		ivshmem->counters.surplus++;
		result = 0;
	}
	pthread_mutex_unlock(&ivshmem->lock);
	return result;
}

static int take_peer(struct ivshmem *ivshmem, int64_t value, int *fd)
{
	if (value < 0 || value > UINT16_MAX)
		return -EPROTO;
	if (*fd >= 0)
		return take_vector(ivshmem, (uint16_t)value, fd);
	if (value == ivshmem->info.id)
		return -EPROTO;
	pthread_mutex_lock(&ivshmem->lock);
	ivshmem_peers_remove(&ivshmem->peers, (uint16_t)value);
	pthread_mutex_unlock(&ivshmem->lock);
	return 0;
}

/* One message, or -EAGAIN. */
static int take_message(struct ivshmem *ivshmem)
{
	AUTO_FD int fd = -1;
	int64_t value;
	int result = ivshmem_link_receive(&ivshmem->link, &value, &fd);

	if (result < 0)
		return result;
	switch (ivshmem->state) {
	case IVSHMEM_BELL_VERSION:
		return take_version(ivshmem, value);
	case IVSHMEM_BELL_ID:
		return take_id(ivshmem, value);
	default:
		return take_peer(ivshmem, value, &fd);
	}
}

static void drop_stream(struct ivshmem *ivshmem)
{
	if (ivshmem->event)
		event_free(ivshmem->event);
	ivshmem->event = NULL;
	ivshmem_link_close(&ivshmem->link);
	ivshmem->state = IVSHMEM_BELL_VERSION;
}

static void on_again(evutil_socket_t fd, short what, void *argument);

static void stop_asking(struct ivshmem *ivshmem)
{
	if (ivshmem->again)
		event_free(ivshmem->again);
	ivshmem->again = NULL;
}

static void ask_later(struct ivshmem *ivshmem)
{
	const struct timeval delay = { ivshmem->again_ms / 1000, 0 };

	stop_asking(ivshmem);
	ivshmem->again = evtimer_new(ivshmem->env.events, on_again, ivshmem);
	if (!ivshmem->again || evtimer_add(ivshmem->again, &delay) < 0)
		log_error("section %s: out of memory, the doorbell stays without a server",
			  ivshmem->info.name);
	if (ivshmem->again_ms < AGAIN_MAX_MS)
		ivshmem->again_ms *= 2;
}

static void on_stream(evutil_socket_t fd, short what, void *argument)
{
	struct ivshmem *ivshmem = argument;
	int turns = MESSAGES_PER_TURN, result = 0;
	uint64_t dropped;

	(void)fd;
	(void)what;
	while (result == 0 && turns-- > 0)
		result = take_message(ivshmem);
	if (result == 0 || result == -EAGAIN)
		return;
	if (log_allowed(&ivshmem->log_limit, &dropped))
		log_warning("section %s: the doorbell's server %s: %s; "
			    "until there is another, peers that come or go are not heard of",
			    ivshmem->info.name, result == -EPIPE ? "has gone" : "is not understood",
			    strerror(-result));
	drop_stream(ivshmem);
	ask_later(ivshmem);
}

static int open_stream(struct ivshmem *ivshmem)
{
	int fd = -1;
	int result = ivshmem->info.connect(ivshmem->info.owner, ivshmem->info.vectors, &fd);

	if (result < 0)
		return result;
	ivshmem_link_open_take_fd(&ivshmem->link, fd);
	ivshmem->state = IVSHMEM_BELL_VERSION;
	return 0;
}

static int watch_stream(struct ivshmem *ivshmem)
{
	ivshmem->event = event_new(ivshmem->env.events, ivshmem->link.fd, EV_READ | EV_PERSIST,
				   on_stream, ivshmem);
	if (ivshmem->event && event_add(ivshmem->event, NULL) == 0)
		return 0;
	drop_stream(ivshmem);
	return -ENOMEM;
}

static int ask(struct ivshmem *ivshmem)
{
	int result = open_stream(ivshmem);

	return result == 0 ? watch_stream(ivshmem) : result;
}

/* Without a broker there is none either; ivshmem_reconnected() comes when there is one. */
static void on_again(evutil_socket_t fd, short what, void *argument)
{
	struct ivshmem *ivshmem = argument;

	(void)fd;
	(void)what;
	if (ask(ivshmem) < 0)
		ask_later(ivshmem);
	else
		log_info("section %s: the doorbell has a server again", ivshmem->info.name);
}

/* Until all of our own vectors are there, which the server tells last. */
static int take_all(struct ivshmem *ivshmem)
{
	struct pollfd poll_fd = { .fd = ivshmem->link.fd, .events = POLLIN };
	int result = 0;

	while (ivshmem->own < ivshmem->info.vectors) {
		result = take_message(ivshmem);
		if (result == -EAGAIN) {
			result = sys_retry(poll(&poll_fd, 1, START_MS));
			if (result == 0)
				return -ETIMEDOUT;
		}
		if (result < 0)
			return result;
	}
	return 0;
}

int ivshmem_bell_init(struct ivshmem *ivshmem)
{
	int result = open_stream(ivshmem);

	ivshmem->again_ms = AGAIN_MS;
	if (result == 0)
		result = take_all(ivshmem);
	if (result == 0)
		result = watch_stream(ivshmem);
	return result;
}

void ivshmem_revoked(struct ivshmem *ivshmem)
{
	if (ivshmem->is_revoked)
		return;
	ivshmem->is_revoked = true;
	stop_asking(ivshmem);
	drop_stream(ivshmem);
	pthread_mutex_lock(&ivshmem->lock);
	ivshmem_peers_clear(&ivshmem->peers);
	pthread_mutex_unlock(&ivshmem->lock);
}

void ivshmem_reconnected(struct ivshmem *ivshmem)
{
	int result;

	if (ivshmem->info.vectors == 0 || ivshmem->is_revoked)
		return;
	stop_asking(ivshmem);
	drop_stream(ivshmem);
	ivshmem->again_ms = AGAIN_MS;
	result = ask(ivshmem);
	if (result < 0)
		log_error("section %s: the broker has no doorbell for this VM any more: %s",
			  ivshmem->info.name, strerror(-result));
}
