/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See session_world.h. */
#include "session_world.h"

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "broker/job.h"
#include "broker/revoke.h"
#include "broker/rights.h"
#include "broker/session.h"

#define FILE_BYTES 16384

static struct event_base *base;
static struct broker_jobs *jobs;
static struct world *current; /* whose jobs run */
static char folder[32];

/* What the broker holds at this moment of all that is limited or numbered. */
struct picture {
	uint64_t used[RESOURCE_COUNT];
	unsigned int sections, views, parties, offers;
};

static struct picture picture_of(const struct registry *registry)
{
	struct picture picture = {
		.sections = HASH_COUNT(registry->sections),
		.views = HASH_COUNT(registry->views),
		.parties = HASH_COUNT(registry->parties),
		.offers = HASH_COUNT(registry->offers),
	};

	memcpy(picture.used, registry->account.used, sizeof(picture.used));
	return picture;
}

/* For each input anew: a fuzzer does not end in a way in which it could clean up. */
static void make_folder(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/fuzz_session.XXXXXX");
	require(mkdtemp(folder) != NULL);
}

static void remove_folder(void)
{
	DIR *stream = opendir(folder);
	const struct dirent *entry;

	while (stream && (entry = readdir(stream)))
		(void)unlinkat(dirfd(stream), entry->d_name, 0);
	if (stream)
		(void)closedir(stream);
	require(!rmdir(folder));
}

void known_add(struct known *known, uint64_t number)
{
	if (number)
		known->numbers[known->next++ % KNOWN] = number;
}

uint64_t known_get(const struct known *known, unsigned int which)
{
	return known->numbers[which % KNOWN];
}

/* From one who may, to one who has the section open: one of its kind. */
static void check_notified(const struct world *world, const struct party *to,
			   const struct registry_event *event)
{
	const struct party *from = registry_find_party(&world->registry, event->peer);
	const struct attachment *receiver = party_find_attachment(to, event->section);
	const struct attachment *sender = party_find_attachment(from, event->section);
	const struct handle *handle;

	require(world->request.op == VMSECT_OP_NOTIFY);
	require(receiver && receiver->handle_count && sender);
	require(event->value == world->request.notify.value && event->length == 1);
	handle = party_find_handle(from, world->request.notify.handle);
	require(handle && handle->attachment == sender && handle->access & ACCESS_NOTIFY);
	/* Whoever asks for all hears nothing of it. */
	require(world->request.notify.peer == (world->request.notify.peer ? to->id : 0));
	require(world->request.notify.peer || from != to);
}

/* Of those that clients can be told alone; a cookie-less note to someone who is there. */
static void on_tell(void *arg, struct party *to, const struct registry_event *event)
{
	struct world *world = arg;

	require(to->id && registry_find_party(&world->registry, to->id) == to);
	require(event->type >= VMSECT_WIRE_EVENT_PEER_JOINED &&
		event->type <= VMSECT_WIRE_EVENT_NOTIFIED);
	if (event->type == VMSECT_WIRE_EVENT_NOTIFIED) {
		check_notified(world, to, event);
		(void)doorbells_ring(world->doorbells, to, event);
	}
	if (event->type == VMSECT_WIRE_EVENT_OFFERED)
		known_add(&world->offers, event->value);
}

static void check_refusal(const struct request *request, const struct refusal *refusal)
{
	unsigned char bytes[PROTO_ERROR_MAX];
	struct vmsect_msg_hdr hdr;
	size_t i, size;

	require(refusal->status < 0 && refusal->status > -4096 && refusal->text[0]);
	for (i = 0; refusal->text[i]; i++)
		require(refusal->text[i] >= ' ' && refusal->text[i] <= '~');
	size = proto_encode_error(request, refusal, bytes);
	memcpy(&hdr, bytes, sizeof(hdr));
	require(hdr.size == size && size <= sizeof(bytes) && hdr.cookie == request->cookie);
}

static size_t reply_bytes(uint16_t op, const struct reply *reply)
{
	switch (op) {
	case VMSECT_OP_HELLO:
		return sizeof(reply->hello);
	case VMSECT_OP_CREATE:
	case VMSECT_OP_OPEN:
	case VMSECT_OP_DUPLICATE:
	case VMSECT_OP_ACCEPT:
		return sizeof(reply->handle);
	case VMSECT_OP_QUERY:
		return sizeof(reply->section);
	case VMSECT_OP_MAP:
		return sizeof(reply->map);
	case VMSECT_OP_PASS:
		return sizeof(reply->pass);
	case VMSECT_OP_GRANT:
		return sizeof(reply->grant);
	case VMSECT_OP_EXTEND:
		return sizeof(reply->extend);
	case VMSECT_OP_FILE:
		return sizeof(reply->file);
	case VMSECT_OP_LIST_SECTIONS:
		return sizeof(reply->list) + reply->list.count * sizeof(struct vmsect_wire_section);
	case VMSECT_OP_LIST_VIEWS:
		return sizeof(reply->list) + reply->list.count * sizeof(struct vmsect_wire_view);
	case VMSECT_OP_LIST_PEERS:
		return sizeof(reply->list) + reply->list.count * sizeof(struct vmsect_wire_peer);
	case VMSECT_OP_LIST_GRANTS:
		return sizeof(reply->list) + reply->list.count * sizeof(struct vmsect_wire_grant);
	case VMSECT_OP_EXPORT:
		return sizeof(reply->export);
	case VMSECT_OP_LIST_EXPORTS:
		return sizeof(reply->list) + reply->list.count * sizeof(struct vmsect_wire_export);
	default:
		return sizeof(reply->hdr);
	}
}

static void note_handle(struct world *world, struct client *client)
{
	const struct vmsect_rep_handle *rep = &world->reply.handle;
	const struct handle *handle = party_find_handle(&client->party, rep->handle);
	int flags;

	require(handle && handle->access == rep->access);
	require(rep->section.id == handle->attachment->section_id);
	if (world->reply.fd >= 0) {
		flags = fcntl(world->reply.fd, F_GETFL);
		require(flags >= 0);
		require((flags & O_ACCMODE) == O_RDONLY || rep->access & ACCESS_WRITE);
	}
	known_add(&client->handles, rep->handle);
	known_add(&world->sections, rep->section.id);
}

static void keep_stream(struct world *world)
{
	int *stream = &world->streams[world->next_stream++ % STREAMS];

	fd_close(*stream);
	*stream = steal_fd(&world->reply.fd);
}

static void note_reply(struct world *world, struct client *client, uint16_t op)
{
	switch (op) {
	case VMSECT_OP_CREATE:
	case VMSECT_OP_OPEN:
	case VMSECT_OP_DUPLICATE:
	case VMSECT_OP_ACCEPT:
		note_handle(world, client);
		break;
	case VMSECT_OP_MAP:
		require(registry_find_view(&world->registry, world->reply.map.view) != NULL);
		known_add(&world->views, world->reply.map.view);
		break;
	case VMSECT_OP_PASS:
		known_add(&world->offers, world->reply.pass.offer);
		break;
	case VMSECT_OP_DOORBELL:
		require(world->reply.fd >= 0);
		keep_stream(world);
		break;
	default:
		break;
	}
}

/* A complete reply: what it promises, and what it told. */
static void take_reply(struct world *world, struct client *client, const struct request *request)
{
	struct reply *reply = &world->reply;

	require(reply->hdr.op == request->op && reply->hdr.cookie == request->cookie);
	require(reply->hdr.flags == VMSECT_MSG_REPLY && !reply->hdr.status && !reply->hdr.detail);
	require(reply->hdr.fds == (reply->fd >= 0) && !reply->hdr.reserved);
	require(reply->hdr.size == reply_bytes(request->op, reply));
	require(reply->hdr.size <= VMSECT_MSG_MAX);
	note_reply(world, client, request->op);
	fd_close(steal_fd(&reply->fd));
}

static struct client *client_of(struct world *world, const struct party *party)
{
	unsigned int i;

	for (i = 0; i < CLIENTS; i++) {
		if (&world->clients[i].party == party)
			return &world->clients[i];
	}
	return NULL;
}

static struct session session_of(struct world *world, const struct request *request,
				 struct refusal *refusal)
{
	world->reply.fd = -1;
	return (struct session){
		.registry = &world->registry,
		.jobs = jobs,
		.doorbells = world->doorbells,
		.page_file_dir = folder,
		.state_dir = folder,
		.runtime_dir = folder,
		.request = request,
		.reply = &world->reply,
		.refusal = refusal,
	};
}

/* As the broker ends a job. */
static void on_job(void *arg, struct job *job)
{
	struct world *world = current;
	struct refusal refusal = { 0 };
	struct session session = session_of(world, &job->request, &refusal);
	int r;

	(void)arg;
	session.party = job_party(&world->registry, job);
	r = job->finish(job, &session);
	if (!r)
		session_done(&session);
	if (session.party && !r)
		take_reply(world, client_of(world, session.party), &job->request);
	if (session.party && r < 0)
		check_refusal(&job->request, &refusal);
	require(world->reply.fd < 0);
	job_end(&world->registry, job);
	doorbells_settle(world->doorbells);
}

void world_finish_jobs(struct world *world)
{
	while (world->registry.account.used[RESOURCE_JOBS])
		require(event_base_loop(base, EVLOOP_ONCE) >= 0);
}

static void run_request(struct world *world, struct client *client, struct fdmsg *message)
{
	struct picture before = picture_of(&world->registry), after;
	struct refusal refusal = { 0 };
	struct session session = session_of(world, &world->request, &refusal);
	int r;

	session.party = &client->party;
	session.message = message;
	r = session_run(&session);
	if (r < 0) {
		require(r == refusal.status && world->reply.fd < 0);
		check_refusal(&world->request, &refusal);
		after = picture_of(&world->registry);
		require(!memcmp(&before, &after, sizeof(before)));
	} else if (!r) {
		take_reply(world, client, &world->request);
	} else {
		require(r == SESSION_E_LATER && world->reply.fd < 0);
	}
}

void world_message(struct world *world, struct client *client, const void *bytes,
		   struct fdmsg *message)
{
	struct refusal refusal = { 0 };
	int r = proto_decode(bytes, message->size, message->nfds, &world->request, &refusal);

	if (!r)
		run_request(world, client, message);
	else
		check_refusal(&world->request, &refusal);
	fdmsg_close_fds(message);
	if (r == PROTO_E_END)
		world_leave(world, client);
	doorbells_settle(world->doorbells);
	invariant_check(world);
}

void world_leave(struct world *world, struct client *client)
{
	registry_remove_party(&world->registry, &client->party);
	doorbells_settle(world->doorbells);
	invariant_check(world);
}

void world_pass_time(struct world *world, uint64_t ms)
{
	revoke_expired(&world->registry, deadline_now() + ms, UINT_MAX);
	doorbells_settle(world->doorbells);
	invariant_check(world);
}

void world_stream(struct world *world, unsigned int which)
{
	int *stream = &world->streams[which % STREAMS];
	char bytes[64];

	if (which & 0x40)
		(void)!send(*stream, bytes, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	else if (which & 0x20)
		*stream = fd_close(*stream);
	else
		(void)!recv(*stream, bytes, sizeof(bytes), MSG_DONTWAIT);
	require(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
	invariant_check(world);
}

static unsigned int count_fds(void)
{
	DIR *stream = opendir("/proc/self/fd");
	unsigned int count = 0;

	require(stream != NULL);
	while (readdir(stream))
		count++;
	(void)closedir(stream);
	return count;
}

void world_start(void)
{
	log_init("fuzz", LOG_LEVEL_ERROR);
	base = event_base_new();
	require(base != NULL);
	jobs = jobs_new(base, on_job, NULL);
	require(jobs != NULL);
}

static void set_limits(struct limits *limits)
{
	static const char *const texts[] = {
		"user.sections=5",    "all.sections=8",	 "user.bytes=512K", "all.bytes=1M",
		"user.descriptors=6", "user.handles=10", "all.handles=20",  "user.views=8",
		"all.views=16",	      "user.private=1M", "user.jobs=3",	    "all.jobs=5",
		"user.offers=3",      "all.offers=5",	 "user.grants=5",   "all.grants=8",
		"client.notify=4",
	};
	size_t i;

	limits_init(limits, UINT64_C(1) << 30, 4096);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		require(!limits_set(limits, texts[i]));
}

/* Two processes, of which the second is in a group of the first, and a VM. */
static void set_clients(struct world *world)
{
	static gid_t groups[] = { 1000 };
	unsigned int i;

	for (i = 0; i < CLIENTS; i++)
		world->clients[i].party.subject = (struct subject){
			.uid = 1000 + i,
			.gid = 1000 + i,
			.pid = getpid(),
		};
	world->clients[1].party.subject.groups = groups;
	world->clients[1].party.subject.group_count = 1;
}

static void on_object(void *arg, enum registry_object kind, const void *object)
{
	doorbells_note(((struct world *)arg)->doorbells, kind, object);
}

static void on_unit(void *arg)
{
	doorbells_settle(((struct world *)arg)->doorbells);
}

static void make_doorbells(struct world *world)
{
	const struct doorbell_options options = {
		.base = base,
		.registry = &world->registry,
		.stats = &world->doorbell_stats,
		.stall_ms = 1000,
		.ended = on_unit,
		.arg = world,
	};
	unsigned int i;

	for (i = 0; i < STREAMS; i++)
		world->streams[i] = -1;
	world->doorbells = doorbells_new(&options);
	require(world->doorbells != NULL);
	world->registry.watch = (struct registry_watch){ on_object, on_object, world };
}

static void end_doorbells(struct world *world)
{
	unsigned int i;

	for (i = 0; i < STREAMS; i++)
		fd_close(world->streams[i]);
	world->registry.watch = (struct registry_watch){ 0 };
	export_stop_listening(&world->registry);
	world->doorbells = doorbells_free(world->doorbells);
}

void world_init(struct world *world)
{
	struct limits limits;

	memset(world, 0, sizeof(*world));
	world->open_fds = count_fds();
	make_folder();
	world->file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0700);
	require(world->file >= 0 && !ftruncate(world->file, FILE_BYTES));
	set_limits(&limits);
	registry_init(&world->registry, &limits);
	world->registry.broker_generation = 1;
	world->registry.tell = on_tell;
	world->registry.tell_arg = world;
	set_clients(world);
	make_doorbells(world);
	world->exports = (struct export_host){
		.runtime_dir = folder,
		.base = base,
		.doorbells = world->doorbells,
	};
	world->registry.export_host = &world->exports;
	current = world;
}

static void remove_names(struct world *world)
{
	struct section *section, *next;

	for (section = world->registry.sections; section; section = next) {
		next = section->hh.next;
		registry_remove_section(&world->registry, section);
	}
}

void world_deinit(struct world *world)
{
	unsigned int i;

	for (i = 0; i < CLIENTS; i++)
		world_leave(world, &world->clients[i]);
	world_finish_jobs(world);
	invariant_check(world);
	end_doorbells(world);
	remove_names(world);
	require(!world->registry.sections && !world->registry.names && !world->registry.views);
	require(!world->registry.offers && !world->registry.account.users);
	require(!world->registry.deadlines.count);
	registry_deinit(&world->registry);
	fd_close(world->file);
	require(count_fds() == world->open_fds);
	remove_folder();
	current = NULL;
}
