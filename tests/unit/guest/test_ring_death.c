/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two processes, and kill -9 of either at random points, again and again: nothing
 * that was committed is lost, in order, and nothing comes twice but the record that
 * a consumer had peeked at and not released when it died.  VMSECT_SEED repeats the
 * choices.
 */
#include "vmsect_ring.h"

#include "unit/guest/ring_bed.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIME_LIMIT_S 100
#define KILLS 200
#define RECORD_MAX 120u
/* A dead peer rings no more: what it owed is found by looking. */
#define RECHECK_MS 20

/*
 * What the two programs keep in shared memory for their successors, as real ones
 * would.
 */
struct progress {
	/*
	 * The producer's: records begun, and where the ring stood before the last two;
	 * the former is stored after the latter and before the commit.
	 */
	_Atomic uint64_t number, index_before[2];
	/* The consumer's: after a look at a record and before its release. */
	_Atomic uint64_t seen;
	/* Records that came twice. */
	_Atomic uint64_t again;
	_Atomic int64_t stop_at; /* the producer's last record, or -1 */
};

struct story {
	struct ring_bed *bed;
	struct progress *progress;
	pid_t pids[SIDES];
	unsigned int seed;
	uint64_t consumer_deaths;
};

static void must(bool condition, int line)
{
	if (condition)
		return;
	(void)dprintf(STDERR_FILENO, "# failed in a process, line %d\n", line);
	_exit(1);
}

#define MUST(condition) must(condition, __LINE__)

/* A restart of the peer is heard of, and then it goes on. */
static bool goes_on(int err)
{
	MUST(!err || err == -ECONNRESET || err == -EAGAIN);
	return err;
}

/* Now and then at the place where a death matters most. */
static void linger(uint64_t number)
{
	if (number % 16 == 0)
		(void)sched_yield();
}

static void produce_all(struct vmsect_ring *ring, struct progress *progress)
{
	uint64_t number = atomic_load(&progress->number);

	/* Was the predecessor's last record committed?  Then its index has moved. */
	if (number && ring->index == atomic_load(&progress->index_before[(number - 1) & 1]))
		number--;
	while ((int64_t)number != atomic_load(&progress->stop_at)) {
		uint32_t bytes = record_bytes(number, RECORD_MAX);
		void *place;

		if (goes_on(vmsect_ring_reserve(ring, bytes, &place))) {
			(void)goes_on(vmsect_ring_wait(ring, bytes, -1));
			continue;
		}
		record_fill(place, number, bytes);
		atomic_store(&progress->index_before[number & 1], ring->index);
		atomic_store(&progress->number, number + 1);
		linger(number);
		MUST(!vmsect_ring_commit(ring, bytes));
		number++;
	}
}

static void consume_all(struct vmsect_ring *ring, struct progress *progress)
{
	bool first = true;

	while ((int64_t)atomic_load(&progress->seen) != atomic_load(&progress->stop_at)) {
		uint64_t seen = atomic_load(&progress->seen);
		const void *record;
		uint32_t bytes;

		if (goes_on(vmsect_ring_peek(ring, &record, &bytes))) {
			/* The last record may be there, seen and not released. */
			(void)goes_on(vmsect_ring_wait(ring, 0, -1));
			continue;
		}
		if (first && seen && record_number(record) == seen - 1) {
			MUST(record_is(record, seen - 1, bytes));
			atomic_fetch_add(&progress->again, 1);
		} else {
			MUST(record_is(record, seen, bytes));
			MUST(bytes == record_bytes(seen, RECORD_MAX));
			atomic_store(&progress->seen, seen + 1);
		}
		first = false;
		linger(seen);
		MUST(!vmsect_ring_release(ring));
	}
}

static void start(struct story *story, enum vmsect_ring_side side)
{
	const struct vmsect_ring_bell bell = { &bed_bell_ops, &story->bed->bells[side] };
	struct vmsect_ring ring;
	pid_t pid = fork();

	assert_true(pid >= 0);
	story->pids[side] = pid;
	if (pid)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	MUST(!vmsect_ring_attach(&ring, side, story->bed->map[side], story->bed->bytes, &bell));
	MUST(!vmsect_ring_patience(&ring, (uint32_t)rand_r(&story->seed) % 200, RECHECK_MS));
	if (side == VMSECT_RING_PRODUCER)
		produce_all(&ring, story->progress);
	else
		consume_all(&ring, story->progress);
	vmsect_ring_detach(&ring);
	_exit(0);
}

/* Neither has ended by itself. */
static void kill_one(struct story *story, enum vmsect_ring_side side)
{
	int status;

	assert_int_equal(kill(story->pids[side], SIGKILL), 0);
	assert_int_equal(waitpid(story->pids[side], &status, 0), story->pids[side]);
	assert_true(WIFSIGNALED(status));
	story->consumer_deaths += side == VMSECT_RING_CONSUMER;
}

/* Some records further on, and then some instructions. */
static void let_run(struct story *story)
{
	uint64_t goal = atomic_load(&story->progress->seen) + (uint64_t)rand_r(&story->seed) % 50;
	volatile int turns = rand_r(&story->seed) % 5000;

	while (atomic_load(&story->progress->seen) < goal) {
		for (int side = 0; side < SIDES; side++)
			assert_int_equal(waitpid(story->pids[side], NULL, WNOHANG), 0);
		(void)sched_yield();
	}
	while (turns > 0)
		turns = turns - 1;
}

static void end(struct story *story)
{
	int status;

	/* Far enough that the producer has not passed it. */
	atomic_store(&story->progress->stop_at,
		     (int64_t)atomic_load(&story->progress->number) + 1000000);
	kill_one(story, VMSECT_RING_PRODUCER);
	atomic_store(&story->progress->stop_at,
		     (int64_t)atomic_load(&story->progress->number) + 100);
	start(story, VMSECT_RING_PRODUCER);
	for (int side = 0; side < SIDES; side++) {
		assert_int_equal(waitpid(story->pids[side], &status, 0), story->pids[side]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(atomic_load(&story->progress->seen),
			 atomic_load(&story->progress->stop_at));
}

static void either_side_is_killed_again_and_again(void **state)
{
	struct story story = { .bed = ring_bed_new(VMSECT_RING_HEADER_BYTES + 512, RECORD_MAX),
			       .seed = bed_seed() };

	(void)state;
	story.progress = mmap(NULL, sizeof(*story.progress), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(story.progress != MAP_FAILED);
	atomic_store(&story.progress->stop_at, -1);
	start(&story, VMSECT_RING_PRODUCER);
	start(&story, VMSECT_RING_CONSUMER);
	for (int i = 0; i < KILLS; i++) {
		enum vmsect_ring_side side = rand_r(&story.seed) & 1 ? VMSECT_RING_PRODUCER
								     : VMSECT_RING_CONSUMER;

		let_run(&story);
		kill_one(&story, side);
		start(&story, side);
	}
	end(&story);
	print_message("# %llu records, %llu of them twice, %llu consumers died\n",
		      (unsigned long long)atomic_load(&story.progress->seen),
		      (unsigned long long)atomic_load(&story.progress->again),
		      (unsigned long long)story.consumer_deaths);
	assert_true(atomic_load(&story.progress->again) <= story.consumer_deaths);
	(void)munmap(story.progress, sizeof(*story.progress));
	ring_bed_free(story.bed);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(either_side_is_killed_again_and_again),
	};

	(void)alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests_name("guest_ring_death", tests, NULL, NULL);
}
