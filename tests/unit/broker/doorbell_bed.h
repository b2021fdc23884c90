/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Doorbells of one section, without a broker: a registry, a loop that the test
 * turns, and what natives are told.  Linked into the tests of doorbells alone.
 */
#ifndef TESTS_UNIT_BROKER_DOORBELL_BED_H
#define TESTS_UNIT_BROKER_DOORBELL_BED_H

#include "lib/check.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/event.h"
#include "base/log.h"
#include "base/sys.h"
#include "broker/doorbell.h"
#include "base/fdmsg.h"
#include "broker/revoke.h"
#include "broker/rights.h"
#include "lib/ivshmem_client.h"
#include "lib/leak.h"

#define BED_BYTES 8192u
#define BED_OWNER geteuid()
#define BED_TOLD_MAX 64u

struct bed {
	struct leak_guard *guard;
	struct event_base *base;
	struct registry registry;
	struct doorbell_stats stats;
	struct doorbells *doorbells;
	struct section *section;
	struct party owner; /* a native peer, number 1 */
	struct handle *handle; /* its handle, all rights */
	struct refusal refusal;
	unsigned int told_count;
	struct {
		uint32_t to;
		struct registry_event event;
	} told[BED_TOLD_MAX]; /* notifications */
};

static inline void bed_on_tell(void *arg, struct party *to, const struct registry_event *event)
{
	struct bed *bed = arg;

	if (event->type != VMSECT_WIRE_EVENT_NOTIFIED || doorbells_ring(bed->doorbells, to, event))
		return;
	assert_true(bed->told_count < BED_TOLD_MAX);
	bed->told[bed->told_count].to = to->id;
	bed->told[bed->told_count++].event = *event;
}

static inline void bed_on_object(void *arg, enum registry_object kind, const void *object)
{
	doorbells_note(((struct bed *)arg)->doorbells, kind, object);
}

static inline void bed_on_unit(void *arg)
{
	doorbells_settle(((struct bed *)arg)->doorbells);
}

static inline void bed_join(struct bed *bed, struct party *party, uid_t uid)
{
	*party = (struct party){
		.kind = VMSECT_PEER_PROCESS,
		.name = "native",
		.subject = { .uid = uid, .gid = uid },
	};
	assert_int_equal(registry_add_party(&bed->registry, party, &bed->refusal), 0);
}

static inline void bed_leave(struct bed *bed, struct party *party)
{
	registry_remove_party(&bed->registry, party);
	bed_on_unit(bed);
}

static inline struct handle *bed_open(struct bed *bed, struct party *party, uint32_t access)
{
	struct handle *handle = NULL;

	assert_int_equal(party_open(party, bed->section, access, &handle, &bed->refusal), 0);
	bed_on_unit(bed);
	return handle;
}

/* A section of shared memory, mode 0600. */
static inline struct section *bed_section(struct bed *bed, const char *name, uint64_t bytes)
{
	const struct section_spec spec = {
		.name = name,
		.protection = PROTECTION_READWRITE,
		.permanent = true,
		.ownership = { .uid = BED_OWNER, .gid = BED_OWNER, .mode = 0600 },
		.backing = { .kind = BACKING_SHMEM,
			     .page_shift = 12,
			     .writable = true,
			     .size_bytes = bytes },
	};
	struct backing_work work;
	struct section *section;

	assert_int_equal(registry_new_section(&bed->registry, &spec, &section, &bed->refusal), 0);
	assert_int_equal(
		backing_init_memory(&section->backing, &spec.backing, &work, &bed->refusal), 0);
	assert_int_equal(backing_work_run(&work), 0);
	return section;
}

/* Who takes nothing for `stall_ms` does not read. */
static inline struct bed *bed_new(uint32_t vectors, unsigned int stall_ms)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	struct doorbell_options options = { .stall_ms = stall_ms };
	struct limits limits;

	assert_non_null(bed);
	bed->guard = leak_guard_new();
	limits_init(&limits, UINT64_C(1) << 40, 1u << 20);
	registry_init(&bed->registry, &limits);
	bed->base = loop_new();
	assert_non_null(bed->base);
	options.base = bed->base;
	options.registry = &bed->registry;
	options.stats = &bed->stats;
	options.ended = bed_on_unit;
	options.arg = bed;
	bed->doorbells = doorbells_new(&options);
	assert_non_null(bed->doorbells);
	bed->registry.tell = bed_on_tell;
	bed->registry.tell_arg = bed;
	bed->registry.watch = (struct registry_watch){ bed_on_object, bed_on_object, bed };
	bed_join(bed, &bed->owner, BED_OWNER);
	bed->section = bed_section(bed, "s", BED_BYTES);
	assert_int_equal(doorbells_hold(bed->doorbells, bed->section, vectors, &bed->refusal), 0);
	return bed;
}

/* Everything is refunded and closed, or the account or the guard stops us. */
static inline void bed_free(struct bed *bed)
{
	bed->registry.tell = NULL;
	bed->registry.watch = (struct registry_watch){ 0 };
	doorbells_free(bed->doorbells);
	registry_remove_party(&bed->registry, &bed->owner);
	assert_null(bed->registry.parties);
	registry_deinit(&bed->registry);
	event_base_free(bed->base);
	leak_guard_check(bed->guard);
	free(bed);
}

/* All that the loop has to do now is done. */
static inline void bed_turn(struct bed *bed)
{
	int i;

	for (i = 0; i < 16; i++)
		assert_true(event_base_loop(bed->base, EVLOOP_NONBLOCK) >= 0);
}

/* A connection of that uid, which has been accepted. */
static inline int bed_connect(struct bed *bed, uid_t uid, int *ret_result)
{
	const uid_t self = geteuid();
	int pair[2];

	assert_int_equal(sys_result(seteuid(uid)), 0);
	assert_int_equal(sys_result(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
					       0, pair)),
			 0);
	assert_int_equal(sys_result(seteuid(self)), 0);
	*ret_result = doorbell_accept_take_fd(bed->doorbells, bed->section, pair[1]);
	return pair[0];
}

/* A member of the owner's uid. */
static inline int bed_member(struct bed *bed)
{
	int result = -1;
	int fd = bed_connect(bed, BED_OWNER, &result);

	assert_int_equal(result, 0);
	bed_turn(bed);
	return fd;
}

static inline void bed_expect_nothing(struct bed *bed, int socket)
{
	struct ivshmem_message message;

	bed_turn(bed);
	assert_int_equal(ivshmem_receive(socket, &message), IVSHMEM_NOTHING);
}

/* The stream has ended, with nothing more in it. */
static inline void bed_expect_end(struct bed *bed, int socket)
{
	struct ivshmem_message message;

	bed_turn(bed);
	assert_int_equal(ivshmem_receive(socket, &message), IVSHMEM_END);
	fd_close(socket);
}

/* The member goes, and the broker has seen it. */
static inline void bed_hang_up(struct bed *bed, int socket)
{
	fd_close(socket);
	bed_turn(bed);
}

/* The next `count` messages with a descriptor, however many the stream holds. */
static inline void bed_expect_fds(struct bed *bed, int socket, int64_t value, int *fds,
				  unsigned int count)
{
	struct ivshmem_message message = { .fd = -1 };
	unsigned int i;

	for (i = 0; i < count; i++) {
		while (ivshmem_receive(socket, &message) == IVSHMEM_NOTHING)
			bed_turn(bed);
		assert_int_equal(message.value, value);
		assert_true(message.fd >= 0);
		fds[i] = message.fd;
	}
}

/* Reads and forgets all that is there. */
static inline unsigned int bed_drain(struct bed *bed, int socket)
{
	struct ivshmem_message message;
	unsigned int count = 0;

	bed_turn(bed);
	while (ivshmem_receive(socket, &message) == IVSHMEM_MESSAGE) {
		fd_close(message.fd);
		count++;
		bed_turn(bed);
	}
	return count;
}

#endif
