/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Datagram -> request -> reply, and registry -> event. */
#include "broker/broker_request.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "broker/restore_start.h"
#include "broker/restore_welcome.h"
#include "broker/session.h"

static void log_refusal(struct broker *broker, const struct peer *peer,
			const struct request *request, const struct refusal *refusal)
{
	const struct subject *subject = &peer->party.subject;
	uint64_t dropped;

	if (!log_allowed(&broker->log_limit, &dropped))
		return;
	if (dropped)
		log_debug("%" PRIu64 " lines about peers were dropped", dropped);
	log_debug("uid %u pid %d: operation %u refused: %s", subject->uid, subject->pid,
		  request->op, refusal->text);
}

static void send_refusal(struct broker *broker, struct peer *peer, const struct request *request,
			 const struct refusal *refusal)
{
	unsigned char bytes[PROTO_ERROR_MAX];
	size_t size = proto_encode_error(request, refusal, bytes);

	log_refusal(broker, peer, request, refusal);
	peer_send_take_fd(peer, bytes, size, -1);
}

static void send_reply(struct broker *broker, struct peer *peer)
{
	struct reply *reply = &broker->reply;

	peer_send_take_fd(peer, reply->bytes, reply->hdr.size, steal_fd(&reply->fd));
}

static struct peer *peer_of(struct party *party)
{
	return (struct peer *)((char *)party - offsetof(struct peer, party));
}

static struct session session_of(struct broker *broker, const struct request *request,
				 struct refusal *refusal)
{
	return (struct session){
		.registry = &broker->registry,
		.jobs = broker->jobs,
		.doorbells = broker->doorbells,
		.journal = broker->journal,
		.page_file_dir = broker->page_file_dir,
		.state_dir = broker->state_dir,
		.runtime_dir = broker->runtime_dir,
		.request = request,
		.reply = &broker->reply,
		.refusal = refusal,
	};
}

static void count(struct broker *broker, const struct request *request, int r)
{
	bool is_notify = request->op == VMSECT_OP_NOTIFY;

	if (r < 0)
		broker->stats.refused++;
	else
		broker->stats.requests++;
	broker->stats.notifications += is_notify && r >= 0;
	broker->stats.notify_limited += is_notify && r == -EAGAIN;
}

/* The end of a request, now or by a job: it is kept first and then answered. */
static void answer(struct broker *broker, struct peer *peer, const struct request *request,
		   const struct refusal *refusal, int r)
{
	broker_end_unit(broker);
	count(broker, request, r);
	if (r < 0) {
		send_refusal(broker, peer, request, refusal);
		return;
	}
	if (request->op == VMSECT_OP_HELLO || request->op == VMSECT_OP_RESUME)
		peer_welcome(peer);
	send_reply(broker, peer);
	if (request->op == VMSECT_OP_RESUME) {
		restore_welcome(&broker->grace, &peer->party);
		broker_end_unit(broker);
	}
	if (request->op == VMSECT_OP_HAND_BACK)
		restore_finish_patches(broker);
}

static void run_request(struct broker *broker, struct peer *peer, const struct request *request,
			struct fdmsg *message)
{
	struct refusal refusal;
	struct session session = session_of(broker, request, &refusal);
	int r;

	session.party = &peer->party;
	session.message = message;
	r = session_run(&session);
	if (r == SESSION_E_LATER)
		broker_end_unit(broker);
	else
		answer(broker, peer, request, &refusal, r);
}

void broker_on_job(void *arg, struct job *job)
{
	struct broker *broker = arg;
	struct refusal refusal;
	struct session session = session_of(broker, &job->request, &refusal);
	int r;

	session.party = job_party(&broker->registry, job);
	r = job->finish(job, &session);
	if (!r)
		session_done(&session);
	if (session.party)
		answer(broker, peer_of(session.party), &job->request, &refusal, r);
	job_end(&broker->registry, job);
	broker_end_unit(broker);
	broker_watch_idleness(broker);
}

/* A client that was too many when it came: it may not be so any more. */
static bool admit_late(struct broker *broker, struct peer *peer, const struct request *request)
{
	struct refusal refusal;

	if (account_charge(&broker->registry.account, peer->party.subject.uid, RESOURCE_CLIENTS, 1,
			   &refusal) < 0) {
		send_refusal(broker, peer, request, &refusal);
		peer_doom(peer, PEER_END_REFUSED);
		return false;
	}
	peer->over_limit = false;
	broker->over_limit--;
	return true;
}

void broker_on_message(struct peer *peer, const void *bytes, struct fdmsg *message, void *arg)
{
	struct broker *broker = arg;
	struct request request;
	struct refusal refusal;
	int r;

	r = proto_decode(bytes, message->size, message->nfds, &request, &refusal);
	if (peer->over_limit && !admit_late(broker, peer, &request))
		return;
	if (!r) {
		run_request(broker, peer, &request, message);
		return;
	}
	send_refusal(broker, peer, &request, &refusal);
	if (r == PROTO_E_REFUSED) {
		broker->stats.refused++;
		return;
	}
	broker->stats.malformed++;
	peer_doom(peer, PEER_END_REFUSED);
}

void broker_on_cut(struct peer *peer, void *arg)
{
	struct broker *broker = arg;
	struct request request = { .op = 0 };
	struct refusal refusal;

	(void)refuse(&refusal, -EPROTO, VMSECT_DETAIL_FORMAT,
		     "the message has more than %u bytes or %u descriptors, or these were lost",
		     VMSECT_MSG_MAX, VMSECT_MSG_FDS_MAX);
	broker->stats.cut++;
	send_refusal(broker, peer, &request, &refusal);
	peer_doom(peer, PEER_END_REFUSED);
}

void broker_on_tell(void *arg, struct party *to, const struct registry_event *from)
{
	struct broker *broker = arg;

	if (!news_add(&broker->news, to, from))
		broker_send_event(broker, to, from); /* rather too early than not at all */
}

void broker_send_event(void *arg, struct party *to, const struct registry_event *from)
{
	struct broker *broker = arg;
	struct vmsect_msg_event event = {
		.hdr = { .size = sizeof(event), .op = VMSECT_OP_EVENT },
		.type = from->type,
		.peer = from->peer,
		.section = from->section,
		.view = from->view,
		.value = from->value,
		.offset = from->offset,
		.length = from->length,
	};

	if (to->absent) {
		absent_tell(to, from);
		return;
	}
	/* Whoever has doorbells is rung; those who came from outside hear nothing else. */
	if (from->type == VMSECT_WIRE_EVENT_NOTIFIED && doorbells_ring(broker->doorbells, to, from))
		return;
	if (doorbell_is_outside(to))
		return;
	broker->stats.events++;
	broker->stats.notified += from->type == VMSECT_WIRE_EVENT_NOTIFIED;
	peer_send_take_fd(peer_of(to), &event, sizeof(event), -1);
}
