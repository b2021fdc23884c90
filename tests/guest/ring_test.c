// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmsect-ring-test: one side of a ring over a section, for stories in which VMs
 * talk to each other and die.
 *
 *     vmsect-ring-test produce SECTION RUN COUNT [PEER]
 *     vmsect-ring-test consume SECTION RUN [PEER]
 *
 * A record says which run of a producer it is from, its number in that run, and
 * whether it is the run's last.  produce lays the ring out if there is none.
 * consume reads until the last record of RUN: numbers follow each other from the
 * first on that comes, a new run begins with 0, and runs, which are positive, do not
 * go back.  What was found is printed, and the status
 * is 1 if it is wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmsect_guest.h"
#include "vmsect_ring.h"
#include "vmsect_ring_section.h"

/* Of a whole program, and of one wait. */
#define TIME_LIMIT_S 300
#define WAIT_MS 120000 /* a VM is replaced, on a slow kernel, in an emulated machine */
#define FILL_WORDS 61

struct record {
	uint64_t run;
	uint64_t number;
	uint64_t is_last;
	uint64_t fill[FILL_WORDS]; /* each word is run ^ number */
};

struct party {
	struct vmsect_guest_mapping map;
	struct vmsect_ring_section_bell bell;
	struct vmsect_ring ring;
};

static int fail(const char *what, int err)
{
	printf("%s: %s\n", what, strerror(-err));
	return 1;
}

static int party_attach(struct party *party, enum vmsect_ring_side side)
{
	const struct vmsect_ring_bell bell = {
		.ops = &vmsect_ring_section_bell_ops,
		.ctx = &party->bell,
	};
	int err = vmsect_ring_attach(&party->ring, side, party->map.addr, party->map.length, &bell);

	if (err != -ENOENT || side != VMSECT_RING_PRODUCER)
		return err;
	err = vmsect_ring_format(party->map.addr, party->map.length, sizeof(struct record));
	if (err)
		return err;
	return vmsect_ring_attach(&party->ring, side, party->map.addr, party->map.length, &bell);
}

/* The consumer may come before there is a ring: it looks whenever something was said. */
static int party_join(struct party *party, enum vmsect_ring_side side)
{
	int err = party_attach(party, side);

	while (err == -ENOENT) {
		vmsect_ring_section_bell_ops.wait(&party->bell, 100);
		err = party_attach(party, side);
	}
	return err;
}

static int party_open(struct party *party, const char *name, enum vmsect_ring_side side)
{
	const uint32_t heard = 1u << VMSECT_EVENT_NOTIFIED | 1u << VMSECT_EVENT_PEER_LEFT;
	int err = vmsect_guest_open(name, O_RDWR, &party->bell.section_fd);

	if (!err)
		err = vmsect_guest_events(party->bell.section_fd, heard, &party->bell.events_fd);
	if (!err)
		err = vmsect_guest_map(party->bell.section_fd,
				       VMSECT_GUEST_READ | VMSECT_GUEST_WRITE, 0, 0, &party->map);
	return err ? err : party_join(party, side);
}

static void record_fill(struct record *record, uint64_t run, uint64_t number, uint64_t count)
{
	*record = (struct record){ .run = run, .number = number, .is_last = number + 1 == count };
	for (size_t i = 0; i < FILL_WORDS; i++)
		record->fill[i] = run ^ number;
}

static bool record_is_whole(const struct record *record, uint32_t bytes)
{
	bool whole = bytes == sizeof(*record);

	for (size_t i = 0; whole && i < FILL_WORDS; i++)
		whole = record->fill[i] == (record->run ^ record->number);
	return whole;
}

static int produce(struct party *party, uint64_t run, uint64_t count)
{
	struct record record;
	uint64_t number = 0;
	int err;

	while (number < count) {
		record_fill(&record, run, number, count);
		err = vmsect_ring_write(&party->ring, &record, sizeof(record), WAIT_MS);
		if (err && err != -ECONNRESET)
			return fail("write", err);
		number += !err;
	}
	printf("produced %" PRIu64 " slept %" PRIu64 " restarts %" PRIu64 "\n", number,
	       party->ring.counters.slept, party->ring.counters.restarts);
	return 0;
}

/* Whether a record can follow the one before; run 0: there was none. */
static bool follows(const struct record *record, uint64_t run, uint64_t next)
{
	if (!run)
		return true;
	if (record->run == run)
		return record->number == next;
	return record->run > run && !record->number;
}

static int consume(struct party *party, uint64_t last_run)
{
	uint64_t run = 0, next = 0, seen = 0;
	struct record record = { 0 };
	uint32_t bytes;

	while (record.run != last_run || !record.is_last) {
		int err = vmsect_ring_read(&party->ring, &record, sizeof(record), WAIT_MS, &bytes);

		if (err == -ECONNRESET)
			continue;
		if (err)
			return fail("read", err);
		if (!record_is_whole(&record, bytes) || !follows(&record, run, next)) {
			printf("run %" PRIu64 " number %" PRIu64 " after run %" PRIu64
			       " number %" PRIu64 "\n",
			       record.run, record.number, run, next);
			return 1;
		}
		run = record.run;
		next = record.number + 1;
		seen++;
	}
	printf("consumed %" PRIu64 " slept %" PRIu64 " restarts %" PRIu64 "\n", seen,
	       party->ring.counters.slept, party->ring.counters.restarts);
	return 0;
}

static int usage(void)
{
	(void)fputs("usage: vmsect-ring-test produce SECTION RUN COUNT [PEER]\n"
		    "       vmsect-ring-test consume SECTION RUN [PEER]\n",
		    stderr);
	return 2;
}

int main(int argc, char **argv)
{
	bool produces = argc >= 5 && !strcmp(argv[1], "produce");
	bool consumes = argc >= 4 && !strcmp(argv[1], "consume");
	int peer = produces ? 5 : 4;
	struct party party = { 0 };
	int err;

	if ((!produces && !consumes) || argc > peer + 1)
		return usage();
	if (argc > peer)
		party.bell.peer = (uint32_t)strtoul(argv[peer], NULL, 10);
	alarm(TIME_LIMIT_S);
	err = party_open(&party, argv[2], produces ? VMSECT_RING_PRODUCER : VMSECT_RING_CONSUMER);
	if (err)
		return fail(argv[2], err);
	return produces ? produce(&party, strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10))
			: consume(&party, strtoull(argv[3], NULL, 10));
}
