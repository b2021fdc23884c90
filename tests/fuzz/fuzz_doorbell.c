/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server side of the ivshmem protocol: any sequence of clients that come, from
 * outside and inside, read or do not, speak, ring, go; of native peers that open,
 * notify and close; of rights that are taken back.  After each step lists and
 * charges must hold, and each client must have heard what makes sense: a version,
 * its ID, the section if it is to have it, then of each peer all vectors in order
 * before its end, and nothing of one who has left.
 *
 * A step is two bytes: what, and who or how much.
 */
#include "doorbell_invariant.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/event.h"
#include "base/log.h"
#include "broker/revoke.h"
#include "broker/rights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 200
#define SLOTS 6u /* clients with a stream */
#define NATIVES 3u
#define PEERS 512u /* numbers that can come up in one input */
#define SECTION_BYTES 4096u

/* A client and what it has heard. */
struct stream {
	int fd; /* -1: the slot is free */
	bool has_memory; /* is to get it */
	uint32_t head; /* messages before those of peers that came */
	uint32_t id;
	uint32_t told[PEERS]; /* vectors of each peer */
	int bell; /* the last eventfd that came, or -1 */
};

struct input {
	const uint8_t *bytes;
	size_t size;
};

static struct event_base *base;
static struct registry registry;
static struct doorbells *doorbells;
static struct doorbell_stats stats;
static struct section *section;
static struct party natives[NATIVES];
static struct stream streams[SLOTS];
static uint32_t vectors;
static struct ringer ringer = { .null_fd = -1 }; /* kept: to end one takes the kernel a while */

static uint8_t take(struct input *input)
{
	if (!input->size)
		return 0;
	input->size--;
	return *input->bytes++;
}

static void on_tell(void *arg, struct party *to, const struct registry_event *event)
{
	(void)arg;
	require(to->id && registry_find_party(&registry, to->id) == to);
	if (event->type != VMSECT_WIRE_EVENT_NOTIFIED)
		return;
	require(event->section == section->id && event->length);
	(void)doorbells_ring(doorbells, to, event);
}

static void on_object(void *arg, enum registry_object kind, const void *object)
{
	(void)arg;
	doorbells_note(doorbells, kind, object);
}

static void on_unit(void *arg)
{
	(void)arg;
	doorbells_settle(doorbells);
}

static void check(void)
{
	uint64_t used[RESOURCE_COUNT] = { 0 };
	const struct party *party;

	doorbell_invariant_check(doorbells, used);
	used[RESOURCE_DESCRIPTORS] += section->charged_fds;
	require(registry.account.used[RESOURCE_DESCRIPTORS] == used[RESOURCE_DESCRIPTORS]);
	require(registry.account.used[RESOURCE_QUEUE] == used[RESOURCE_QUEUE]);
	require(registry.account.used[RESOURCE_CLIENTS] == used[RESOURCE_CLIENTS]);
	/* An outside party is a member, with its handle and view. */
	for (party = registry.parties; party; party = party->hh.next)
		require(!doorbell_is_outside(party) ||
			(party->handle_count == 1 && party->view_count == 1));
}

/* A message that the client has taken. */
static void hear(struct stream *stream, int64_t value, int fd)
{
	bool is_peer = stream->head >= (stream->has_memory ? 3u : 2u);

	if (!is_peer) {
		const int64_t values[] = { 0, stream->id, -1 };

		require((fd >= 0) == (stream->head == 2));
		require(value == values[stream->head++]);
		return;
	}
	require(value > 0 && value < PEERS);
	if (fd < 0) {
		require(stream->told[value] > 0 && value != stream->id);
		stream->told[value] = 0;
	} else {
		require(++stream->told[value] <= vectors);
	}
}

/* False: there is nothing now, or no more. */
static bool read_one(struct stream *stream)
{
	union {
		struct cmsghdr align;
		unsigned char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control;
	int64_t value = 0;
	struct iovec iov = { .iov_base = &value, .iov_len = sizeof(value) };
	struct msghdr header = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	const struct cmsghdr *cmsg;
	int fd = -1;
	ssize_t size = recvmsg(stream->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (size <= 0)
		return false;
	require(size == sizeof(value) && !(header.msg_flags & MSG_CTRUNC));
	cmsg = CMSG_FIRSTHDR(&header);
	if (cmsg) {
		require(cmsg->cmsg_len == CMSG_LEN(sizeof(fd)));
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	}
	hear(stream, value, fd);
	if (fd >= 0 && value > 0) {
		fd_close(stream->bell);
		stream->bell = fd;
	} else {
		fd_close(fd);
	}
	return true;
}

static void stream_close(struct stream *stream)
{
	fd_close(stream->bell);
	fd_close(stream->fd);
	*stream = (struct stream){ .fd = -1, .bell = -1 };
}

static void come_from_outside(struct stream *stream)
{
	int pair[2];

	stream_close(stream);
	require(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));
	stream->fd = pair[0];
	stream->has_memory = true;
	if (doorbell_accept_take_fd(doorbells, section, pair[1]) == 0)
		stream->id = registry.last_party_id;
}

static void come_from_inside(struct stream *stream, struct party *native, uint8_t how)
{
	struct attachment *attachment = party_find_attachment(native, section->id);
	const struct handle *handle = attachment ? TAILQ_FIRST(&attachment->handles) : NULL;
	struct refusal refusal;
	int fd = -1;

	if (!handle)
		return;
	if (doorbell_join(doorbells, handle, how & 0x80 ? how % 70u : vectors, &fd, &refusal) < 0) {
		require(fd < 0 && refusal.text[0]);
		return;
	}
	stream_close(stream);
	stream->fd = fd;
	stream->id = native->id;
}

static void open_or_close(struct party *native, uint8_t how)
{
	struct attachment *attachment = party_find_attachment(native, section->id);
	struct handle *handle = NULL;
	struct refusal refusal;

	if (how & 0x40 && attachment)
		registry_close(&registry, TAILQ_FIRST(&attachment->handles));
	else
		(void)party_open(native, section, how & 0x80 ? ACCESS_READ : ACCESS_ALL, &handle,
				 &refusal);
}

static void notify(const struct party *from, uint8_t how)
{
	struct registry_event event = {
		.type = VMSECT_WIRE_EVENT_NOTIFIED,
		.peer = from->id,
		.section = section->id,
		.value = how % 5u,
		.length = 1,
	};
	struct attachment *to;

	TAILQ_FOREACH (to, &section->attachments, of_section) {
		if (to->handle_count)
			on_tell(NULL, to->party, &event);
	}
}

static void take_back(uint8_t how)
{
	const struct vmsect_wire_grant grant = {
		.grantee = VMSECT_GRANTEE_UID,
		.id = how & 0x40 ? geteuid() : 7,
	};
	struct revoke_count count;

	section->ownership.mode = how & 0x80 ? 0600 : 0;
	revoke_by_grant(&registry, section, &grant, &natives[0], &count);
	section->ownership.mode = 0666;
}

/* As one who is rung by anybody does with its eventfd. */
static void ring(const struct stream *stream, uint8_t how)
{
	static const uint64_t counts[] = { 1, 2, UINT64_MAX - 1, 1000 };

	if (stream->bell < 0)
		return;
	if (how & 0x80)
		(void)fcntl(stream->bell, F_SETFL, O_NONBLOCK);
	(void)!write(stream->bell, &counts[how >> 4 & 3], sizeof(counts[0]));
}

static void step(uint8_t what, uint8_t how)
{
	struct stream *stream = &streams[(how & 7) % SLOTS];
	struct party *native = &natives[how % NATIVES];
	unsigned int count;

	switch (what % 10) {
	case 0:
		come_from_outside(stream);
		break;
	case 1:
		come_from_inside(stream, native, how);
		break;
	case 2:
		stream_close(stream);
		break;
	case 3:
		for (count = how >> 3; stream->fd >= 0 && count && read_one(stream); count--)
			continue;
		break;
	case 4:
		(void)!send(stream->fd, &how, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		break;
	case 5:
		open_or_close(native, how);
		break;
	case 6:
		notify(native, how);
		break;
	case 7:
		ring(stream, how);
		break;
	case 8:
		take_back(how);
		break;
	default:
		registry.account.limits.user[how & 8 ? RESOURCE_QUEUE : RESOURCE_DESCRIPTORS] =
			how & 0x80 ? 100000 : how * 8u;
		break;
	}
}

static void begin(struct input *input)
{
	const struct section_spec spec = {
		.name = "s",
		.protection = PROTECTION_READWRITE,
		.permanent = true,
		.ownership = { .uid = 7, .gid = 7, .mode = 0666 },
		.backing = { .kind = BACKING_SHMEM,
			     .page_shift = 12,
			     .writable = true,
			     .size_bytes = SECTION_BYTES },
	};
	const struct doorbell_options options = { .base = base,
						  .registry = &registry,
						  .stats = &stats,
						  .stall_ms = 1000000,
						  .ended = on_unit };
	struct backing_work work;
	struct refusal refusal;
	struct limits limits;
	unsigned int i;

	limits_init(&limits, UINT64_C(1) << 30, 4096);
	limits.notify_rate = 3;
	registry_init(&registry, &limits);
	registry.tell = on_tell;
	registry.watch = (struct registry_watch){ on_object, on_object, NULL };
	stats = (struct doorbell_stats){ 0 };
	doorbells = doorbells_new(&options);
	require(doorbells != NULL);
	doorbells->ringer = ringer;
	require(!registry_new_section(&registry, &spec, &section, &refusal));
	require(!backing_init_memory(&section->backing, &spec.backing, &work, &refusal));
	vectors = 1 + take(input) % 5u;
	require(!doorbells_hold(doorbells, section, vectors, &refusal));
	for (i = 0; i < SLOTS; i++)
		streams[i] = (struct stream){ .fd = -1, .bell = -1 };
	for (i = 0; i < NATIVES; i++) {
		natives[i] = (struct party){ .kind = VMSECT_PEER_PROCESS,
					     .subject = { .uid = 100 + i } };
		require(!registry_add_party(&registry, &natives[i], &refusal));
	}
}

static void finish(void)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++)
		stream_close(&streams[i]);
	require(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
	check();
	registry.watch = (struct registry_watch){ 0 };
	ringer = doorbells->ringer;
	ringer_clear(&doorbells->ringer);
	doorbells = doorbells_free(doorbells);
	for (i = 0; i < NATIVES; i++)
		registry_remove_party(&registry, &natives[i]);
	require(!registry.parties && !registry.views);
	registry_deinit(&registry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	int steps = 0;
	uint8_t what;

	if (!base) {
		log_init("fuzz", LOG_LEVEL_ERROR);
		base = loop_new();
		require(base != NULL);
	}
	begin(&input);
	while (input.size && steps++ < STEPS_MAX) {
		what = take(&input);
		step(what, take(&input));
		on_unit(NULL);
		if (what & 0x80)
			require(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
		check();
	}
	finish();
	return 0;
}
