/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See broker.h.  Requests and events are in broker_request.c. */
#include "broker/broker.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "broker/broker_request.h"
#include "broker/restore_start.h"

#define HELLO_MS 10000u /* a client has that long to say who it is */
#define ACCEPT_AGAIN_MS 200u /* after an accept that failed */
#define ACCEPTS_PER_TURN 16 /* then the peers have a turn */
#define OVER_LIMIT_MAX 64u /* clients that wait to be told of the limit */
#define LOG_BURST 20u
#define STALL_MS 10000u /* a member of doorbells that takes nothing for so long does not read */

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
void broker_watch_idleness(struct broker *broker)
{
	struct timeval period = { .tv_sec = (time_t)broker->idle_exit_s };

	if (!broker->idle)
		return;
	if (TAILQ_EMPTY(&broker->peers) && !broker->registry.parties && !broker->registry.sections)
		(void)event_add(broker->idle, &period);
	else
		(void)event_del(broker->idle);
}

/* Who keeps what has changed, from now on. */
static void on_object(void *arg, enum registry_object kind, const void *object)
{
	struct broker *broker = arg;

	doorbells_note(broker->doorbells, kind, object);
	if (broker->journal)
		journal_mark(broker->journal, kind, object);
	if (kind == REGISTRY_SECTION)
		fdstore_mark(&broker->fdstore, object);
}

void broker_end_unit(struct broker *broker)
{
	doorbells_settle(broker->doorbells);
	journal_end_unit(broker->journal);
	fdstore_end_unit(&broker->fdstore, &broker->registry);
	news_tell(&broker->news, &broker->registry, broker_send_event, broker);
}

/* Something has ended by itself. */
static void on_unit(void *arg)
{
	broker_end_unit(arg);
	broker_watch_idleness(arg);
}

/*
 * Nothing is known that is worth keeping.  The journal is let go first: whoever
 * finds the listener gone may have it.
 */
static bool retire(struct broker *broker)
{
	broker->journal = journal_close(broker->journal, false);
	if (listener_retire(&broker->listener))
		return true;
	if (broker->journal_path && !journal_open(broker->journal_path, &broker->journal))
		(void)journal_start(broker->journal, &broker->registry);
	return false;
}

static void on_idle(evutil_socket_t fd, short what, void *arg)
{
	struct broker *broker = arg;

	(void)fd;
	(void)what;
	if (retire(broker))
		(void)event_base_loopbreak(broker->base);
	else
		broker_watch_idleness(broker);
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
	broker_end_unit(broker);
	broker_watch_idleness(broker);
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
	broker_watch_idleness(broker);
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
	broker_watch_idleness(broker);
	broker->signals.call = on_signal;
	broker->signals.arg = broker;
	return loop_signals_init(&broker->signals, base, signal_numbers,
				 sizeof(signal_numbers) / sizeof(signal_numbers[0]));
}

/* What was before, and what is kept from now on. */
static int broker_restore(struct broker *broker, const struct broker_options *options)
{
	int r = restore_start(broker, options->journal_path);

	if (r < 0)
		return r;
	broker->registry.tell = broker_on_tell;
	broker->registry.tell_arg = broker;
	broker->registry.watch = (struct registry_watch){ on_object, on_object, broker };
	if (broker->journal)
		(void)journal_start(broker->journal, &broker->registry);
	broker->grace.ended = on_unit;
	broker->grace.arg = broker;
	r = restore_grace_start(&broker->grace, broker->base, options->resume_grace_s);
	broker_end_unit(broker);
	return r;
}

static int broker_make_doorbells(struct broker *broker)
{
	const struct doorbell_options options = {
		.base = broker->base,
		.registry = &broker->registry,
		.stats = &broker->stats.doorbells,
		.stall_ms = STALL_MS,
		.ended = on_unit,
		.arg = broker,
	};

	broker->doorbells = doorbells_new(&options);
	broker->exports.base = broker->base;
	broker->exports.doorbells = broker->doorbells;
	return broker->doorbells ? 0 : -ENOMEM;
}

static int broker_init(struct broker *broker, const struct broker_options *options)
{
	int r;

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
		.counters = &broker->stats.waiting,
		.buffer = broker->buffer,
	};
	broker->jobs = jobs_new(broker->base, broker_on_job, broker);
	if (!broker->jobs)
		return -ENOMEM;
	r = broker_make_doorbells(broker);
	if (r < 0)
		return r;
	r = broker_restore(broker, options);
	if (r >= 0)
		r = expiry_init(&broker->expiry, broker->base, &broker->registry, on_unit, broker);
	return r < 0 ? r : broker_watch(broker);
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
	broker->page_file_dir = options->page_file_dir;
	broker->state_dir = options->state_dir;
	broker->runtime_dir = options->runtime_dir;
	broker->log_limit.burst = LOG_BURST;
	broker->reply.fd = -1;
	TAILQ_INIT(&broker->peers);
	registry_init(&broker->registry, &options->limits);
	broker->exports.dir = options->export_dir;
	broker->exports.runtime_dir = options->runtime_dir;
	broker->registry.export_host = &broker->exports;
	restore_grace_init(&broker->grace, &broker->registry);
	broker->journal_path = options->journal_path;
	if (options->fdstore) {
		broker->fdstore = *options->fdstore;
		*options->fdstore = (struct fdstore){ 0 };
	}
	r = broker_init(broker, options);
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
	bool is_kept;

	if (!broker)
		return NULL;
	stats_log(&broker->stats, LOG_LEVEL_DEBUG);
	/* What there is now is what the broker after this one finds. */
	is_kept = !broker->registry.watch.changed || broker->registry.parties ||
		  broker->registry.sections;
	broker->exports.stays = is_kept && broker->journal;
	broker->journal = journal_close(broker->journal, is_kept);
	broker->registry.watch = (struct registry_watch){ 0 };
	broker->registry.tell = NULL;
	export_stop_listening(&broker->registry);
	broker->doorbells = doorbells_free(broker->doorbells);
	restore_grace_deinit(&broker->grace);
	expiry_deinit(&broker->expiry);
	while (!TAILQ_EMPTY(&broker->peers))
		on_gone(TAILQ_FIRST(&broker->peers), PEER_END_CLOSED, broker);
	broker->jobs = jobs_free(broker->jobs);
	free_event(broker->idle);
	free_event(broker->accept_again);
	free_event(broker->acceptable);
	loop_signals_deinit(&broker->signals);
	if (broker->base)
		event_base_free(broker->base);
	registry_deinit(&broker->registry);
	fdstore_deinit(&broker->fdstore);
	news_deinit(&broker->news);
	listener_deinit(&broker->listener);
	free(broker);
	return NULL;
}

int broker_run(struct broker *broker)
{
	return event_base_dispatch(broker->base) < 0 ? -EIO : 0;
}
