/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See broker.h.  Requests and events are in broker_request.c. */
#include "broker/broker.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "broker/broker_request.h"

#define HELLO_MS 10000u /* a client has that long to say who it is */
#define ACCEPT_AGAIN_MS 200u /* after an accept that failed */
#define ACCEPTS_PER_TURN 16 /* then the peers have a turn */
#define OVER_LIMIT_MAX 64u /* clients that wait to be told of the limit */
#define LOG_BURST 20u

static const int signal_numbers[] = { SIGINT, SIGTERM, SIGUSR1 };

static void on_signal(int number, void *arg)
{
	struct broker *broker = arg;

	if (number == SIGUSR1)
		stats_log(&broker->stats, LOG_LEVEL_INFO);
	else
		(void)event_base_loopbreak(broker->base);
}

/* Nothing to serve and no one to serve: the timer runs. */
static void watch_idleness(struct broker *broker)
{
	struct timeval period = { .tv_sec = (time_t)broker->idle_exit_s };

	if (!broker->idle)
		return;
	if (TAILQ_EMPTY(&broker->peers) && !broker->registry.sections)
		(void)event_add(broker->idle, &period);
	else
		(void)event_del(broker->idle);
}

static void on_idle(evutil_socket_t fd, short what, void *arg)
{
	struct broker *broker = arg;

	(void)fd;
	(void)what;
	if (listener_retire(&broker->listener))
		(void)event_base_loopbreak(broker->base);
	else
		watch_idleness(broker);
}

static void on_gone(struct peer *peer, enum peer_end why, void *arg)
{
	struct broker *broker = arg;

	broker->stats.ended[why]++;
	TAILQ_REMOVE(&broker->peers, peer, of_broker);
	peer_drop_queue(peer); /* its room is for those who are told of the end */
	registry_remove_party(&broker->registry, &peer->party);
	if (peer->over_limit)
		broker->over_limit--;
	else
		account_refund(&broker->registry.account, peer->party.subject.uid, RESOURCE_CLIENTS,
			       1);
	log_debug("uid %u pid %d: connection ended (%d)", peer->party.subject.uid,
		  peer->party.subject.pid, why);
	peer_free(peer);
	watch_idleness(broker);
}

/* One more client, or one that is to hear that it is too many. */
static void admit(struct broker *broker, struct peer *peer)
{
	struct refusal refusal;

	if (account_charge(&broker->registry.account, peer->party.subject.uid, RESOURCE_CLIENTS, 1,
			   &refusal) < 0) {
		peer->over_limit = true;
		broker->over_limit++;
		broker->stats.over_limit++;
	}
	TAILQ_INSERT_TAIL(&broker->peers, peer, of_broker);
	if (broker->over_limit > OVER_LIMIT_MAX)
		peer_doom(peer, PEER_END_REFUSED);
	watch_idleness(broker);
}

static int accept_one(struct broker *broker)
{
	AUTO_FD int fd = listener_accept(&broker->listener);
	struct peer *peer;
	int r;

	if (fd < 0)
		return fd;
	r = peer_new_take_fd(&broker->owner, fd, HELLO_MS, &peer);
	if (r < 0)
		return r;
	(void)steal_fd(&fd);
	broker->stats.accepted++;
	admit(broker, peer);
	return 0;
}

/*
 * Without descriptors or memory the connection stays in the backlog and the
 * listener would be ready for ever: it rests for a while.
 */
static void accept_later(struct broker *broker, int error)
{
	struct timeval period = loop_ms(ACCEPT_AGAIN_MS);
	uint64_t dropped;

	broker->stats.accept_failed++;
	if (log_allowed(&broker->log_limit, &dropped))
		log_warning("accept: %s", strerror(-error));
	(void)event_del(broker->acceptable);
	(void)event_add(broker->accept_again, &period);
}

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct broker *broker = arg;
	int turns = ACCEPTS_PER_TURN;
	int r = 0;

	(void)fd;
	(void)what;
	while (turns-- && !r)
		r = accept_one(broker);
	if (r < 0 && r != -EAGAIN && r != -ECONNABORTED)
		accept_later(broker, r);
}

static void on_accept_again(evutil_socket_t fd, short what, void *arg)
{
	struct broker *broker = arg;

	(void)fd;
	(void)what;
	if (event_add(broker->acceptable, NULL) < 0)
		accept_later(broker, -ENOMEM);
}

static int new_generation(uint64_t *ret_generation)
{
	ssize_t r = sys_retry(getrandom(ret_generation, sizeof(*ret_generation), 0));

	return r < 0 ? (int)r : 0;
}

static int broker_watch(struct broker *broker)
{
	struct event_base *base = broker->base;
	int fd = broker->listener.fd;

	broker->acceptable = event_new(base, fd, EV_READ | EV_PERSIST, on_acceptable, broker);
	broker->accept_again = event_new(base, -1, 0, on_accept_again, broker);
	if (!broker->acceptable || !broker->accept_again || event_add(broker->acceptable, NULL) < 0)
		return -ENOMEM;
	if (broker->idle_exit_s) {
		broker->idle = event_new(base, -1, 0, on_idle, broker);
		if (!broker->idle)
			return -ENOMEM;
	}
	watch_idleness(broker);
	broker->signals.call = on_signal;
	broker->signals.arg = broker;
	return loop_signals_init(&broker->signals, base, signal_numbers,
				 sizeof(signal_numbers) / sizeof(signal_numbers[0]));
}

static int broker_init(struct broker *broker)
{
	int r = new_generation(&broker->registry.broker_generation);

	if (r < 0)
		return r;
	broker->base = loop_new();
	if (!broker->base)
		return -ENOMEM;
	broker->owner = (struct peer_owner){
		.message = broker_on_message,
		.cut = broker_on_cut,
		.gone = on_gone,
		.arg = broker,
		.base = broker->base,
		.account = &broker->registry.account,
		.buffer = broker->buffer,
	};
	broker->registry.tell = broker_on_tell;
	broker->registry.tell_arg = broker;
	return broker_watch(broker);
}

int broker_new_take_listener(const struct broker_options *options, struct listener *listener,
			     struct broker **ret_broker)
{
	struct broker *broker = calloc(1, sizeof(*broker));
	int r;

	if (!broker) {
		listener_deinit(listener);
		return -ENOMEM;
	}
	broker->listener = *listener;
	listener_clear(listener);
	broker->idle_exit_s = options->idle_exit_s;
	broker->log_limit.burst = LOG_BURST;
	broker->reply.fd = -1;
	TAILQ_INIT(&broker->peers);
	registry_init(&broker->registry, &options->limits);
	r = broker_init(broker);
	if (r < 0) {
		broker_free(broker);
		return r;
	}
	*ret_broker = broker;
	return 0;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

struct broker *broker_free(struct broker *broker)
{
	if (!broker)
		return NULL;
	stats_log(&broker->stats, LOG_LEVEL_DEBUG);
	broker->registry.tell = NULL;
	while (!TAILQ_EMPTY(&broker->peers))
		on_gone(TAILQ_FIRST(&broker->peers), PEER_END_CLOSED, broker);
	free_event(broker->idle);
	free_event(broker->accept_again);
	free_event(broker->acceptable);
	loop_signals_deinit(&broker->signals);
	if (broker->base)
		event_base_free(broker->base);
	registry_deinit(&broker->registry);
	listener_deinit(&broker->listener);
	free(broker);
	return NULL;
}

int broker_run(struct broker *broker)
{
	return event_base_dispatch(broker->base) < 0 ? -EIO : 0;
}
