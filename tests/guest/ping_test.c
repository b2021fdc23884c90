// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmsect-ping-test: two VMs with one ivshmem memory take turns, and each turn is told
 * by the doorbell.
 *
 *     vmsect-ping-test NODE PEER COUNT
 *
 * Whose own number is lower than PEER begins.  A turn stores its number and rings the
 * other on the vector that goes with it; who waits sleeps in poll, so a ring that is
 * lost ends the test.  The bed gives the memory as zeros.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmsect_guest.h"

#define TIME_LIMIT_S 240
#define WAIT_MS 30000

/* At the end of the memory.  Each line of it has one writer at a time. */
#define BOARD_BYTES 4096
struct board {
	uint32_t ready[2] __attribute__((aligned(64)));
	uint64_t turn __attribute__((aligned(64)));
};

static struct party {
	struct vmsect_section info;
	struct vmsect_guest_mapping map;
	int section;
	int events;
	uint32_t peer;
	uint64_t heard;
	uint64_t vectors_seen; /* a bit each */
} party;

static int fail(const char *what, int err)
{
	printf("%s: %s\n", what, strerror(-err));
	return 1;
}

static struct board *board(void)
{
	return party.map.addr;
}

static int ring(uint64_t turn)
{
	return vmsect_guest_notify(party.section, party.peer, turn / 2 % party.info.vectors);
}

/* Sleeps for one event, whatever it is. */
static int hear(void)
{
	struct vmsect_event event;
	int err = vmsect_guest_wait(party.events, WAIT_MS);

	if (!err)
		err = vmsect_guest_read_event(party.events, &event);
	if (err)
		return err;
	if (event.type != VMSECT_EVENT_NOTIFIED || event.flags || event.value >= party.info.vectors)
		return -EPROTO;
	party.heard += event.count;
	party.vectors_seen |= 1ULL << event.value;
	return 0;
}

static int join(const char *node)
{
	int err = vmsect_guest_open(node, O_RDWR, &party.section);

	if (!err)
		err = vmsect_guest_query(party.section, &party.info);
	if (!err && (!party.info.vectors || party.info.peer_id == party.peer))
		err = -ENXIO;
	if (!err)
		err = vmsect_guest_events(party.section, 1U << VMSECT_EVENT_NOTIFIED,
					  &party.events);
	if (!err)
		err = vmsect_guest_map(party.section, VMSECT_GUEST_READ | VMSECT_GUEST_WRITE,
				       party.info.size_bytes - BOARD_BYTES, BOARD_BYTES,
				       &party.map);
	return err;
}

/* Who comes second sees the first, and wakes it. */
static int meet(bool first)
{
	int err;

	__atomic_store_n(&board()->ready[first], 1, __ATOMIC_SEQ_CST);
	err = ring(0);
	while (!err && !__atomic_load_n(&board()->ready[!first], __ATOMIC_SEQ_CST))
		err = hear();
	return err;
}

static int take_turns(bool first, uint64_t count)
{
	uint64_t turn = first ? 0 : 1;
	int err = 0;

	for (; !err && turn < 2 * count; turn += 2) {
		while (!err && __atomic_load_n(&board()->turn, __ATOMIC_ACQUIRE) != turn)
			err = hear();
		__atomic_store_n(&board()->turn, turn + 1, __ATOMIC_RELEASE);
		if (!err)
			err = ring(turn);
	}
	return err;
}

int main(int argc, char **argv)
{
	uint64_t count;
	bool first;
	int err;

	if (argc != 4) {
		(void)fputs("usage: vmsect-ping-test NODE PEER COUNT\n", stderr);
		return 2;
	}
	alarm(TIME_LIMIT_S);
	party.peer = (uint32_t)strtoul(argv[2], NULL, 10);
	count = strtoull(argv[3], NULL, 10);
	err = join(argv[1]);
	if (err)
		return fail(argv[1], err);
	first = party.info.peer_id < party.peer;
	err = meet(first);
	if (!err)
		err = take_turns(first, count);
	printf("turns %llu heard %llu vectors %d\n", (unsigned long long)count,
	       (unsigned long long)party.heard, __builtin_popcountll(party.vectors_seen));
	return err ? fail("turn", err) : 0;
}
