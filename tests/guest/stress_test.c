// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmsect-stress: eight threads do all that can be done to mappings of sections,
 * at random, and a checker looks at what they write.
 *
 *     vmsect-stress [-t SECONDS] [-g SECTION]... SECTION...
 *
 * Sections given with -g are expected to be taken by the host while it runs
 * ("# running" says that it may begin); then, and only then, their pages give
 * SIGBUS.  The others must never fail.  With read-only sections only the checker
 * runs: in another VM, or beside a vmsect-stress that writes.  Speaks TAP, a case
 * for each operation; VMSECT_SEED repeats the choices of each thread.
 */
#include "guest/guard.h"
#include "guest/stress.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WRITERS 8
#define THREADS (WRITERS + 1)
#define SECONDS 60
/* How much longer than SECONDS the host may take to revoke. */
#define REVOKE_LIMIT_S 120
#define OPS_MAX 16

static struct {
	struct stress_section sections[STRESS_SECTIONS_MAX];
	uint32_t count;
	struct stress_thread threads[THREADS];
	time_t end;
	atomic_bool failed;
	/* By operation; the checker's is behind the last. */
	atomic_ulong done[OPS_MAX + 1];
	atomic_bool bad[OPS_MAX + 1];
	atomic_bool unsupported[OPS_MAX + 1];
} run;

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

static bool victims_remain(void)
{
	uint32_t i;

	for (i = 0; i < run.count; i++)
		if (run.sections[i].may_go && !atomic_load(&run.sections[i].gone))
			return true;
	return false;
}

static bool has_ended(void)
{
	time_t left = run.end - now();

	return atomic_load(&run.failed) || (left <= 0 && !victims_remain()) ||
	       left <= -REVOKE_LIMIT_S;
}

static void record(size_t op, enum stress_result result)
{
	if (result == STRESS_DONE)
		atomic_fetch_add(&run.done[op], 1);
	else if (result == STRESS_UNSUPPORTED)
		atomic_store(&run.unsupported[op], true);
	else if (result == STRESS_FAILED)
		atomic_store(&run.bad[op], true);
	if (result == STRESS_FAILED)
		atomic_store(&run.failed, true);
}

static void *writer_main(void *data)
{
	struct stress_thread *thread = data;

	while (!has_ended()) {
		size_t op = chance_below(&thread->chance, (uint32_t)stress_op_count);

		if (!atomic_load(&run.unsupported[op]))
			record(op, stress_op_run(&stress_ops[op], thread));
	}
	return NULL;
}

static void *checker_main(void *data)
{
	while (!has_ended())
		record(stress_op_count, stress_check(data));
	return NULL;
}

static bool can_write(void)
{
	uint32_t i;

	for (i = 0; i < run.count; i++)
		if (run.sections[i].writable)
			return true;
	return false;
}

static void threads_run(uint64_t seed)
{
	pthread_t ids[THREADS];
	uint32_t first = can_write() ? 0 : WRITERS, i;

	for (i = first; i < THREADS; i++) {
		struct stress_thread *thread = &run.threads[i];

		thread->sections = run.sections;
		thread->section_count = run.count;
		thread->threads = WRITERS;
		thread->number = i;
		chance_init(&thread->chance, seed, i);
		if (pthread_create(&ids[i], NULL, i < WRITERS ? writer_main : checker_main,
				   thread)) {
			printf("Bail out! no thread %u\n", i);
			exit(EXIT_FAILURE);
		}
	}
	printf("# running\n");
	fflush(stdout);
	for (i = first; i < THREADS; i++)
		pthread_join(ids[i], NULL);
}

static unsigned int cases;

static bool say(bool good, const char *what, unsigned long times)
{
	printf("%sok %u - %s: %lu times\n", good ? "" : "not ", ++cases, what, times);
	return good;
}

static bool say_op(size_t op, const char *name)
{
	unsigned long done = atomic_load(&run.done[op]);

	if (atomic_load(&run.unsupported[op]))
		printf("ok %u - %s # SKIP the driver has no such operation\n", ++cases, name);
	else if (op < stress_op_count && !can_write())
		printf("ok %u - %s # SKIP nothing to write to\n", ++cases, name);
	else
		return say(done && !atomic_load(&run.bad[op]), name, done);
	return true;
}

static int say_all(void)
{
	bool good = true;
	uint32_t i;

	for (i = 0; i < stress_op_count; i++)
		good &= say_op(i, stress_ops[i].name);
	good &= say_op(stress_op_count, "pages were whole, and never older than before");
	for (i = 0; i < run.count; i++)
		if (run.sections[i].may_go)
			good &= say(atomic_load(&run.sections[i].gone) &&
					    stress_section_stays_gone(&run.sections[i]),
				    "taken by the host, and SIGBUS from then on", 1);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void section_add(const char *name, bool may_go)
{
	struct stress_section *section = &run.sections[run.count];
	int err;

	if (run.count == STRESS_SECTIONS_MAX) {
		printf("Bail out! too many sections\n");
		exit(EXIT_FAILURE);
	}
	*section = (struct stress_section){ .name = name, .number = run.count++, .may_go = may_go };
	err = stress_section_open(section);
	if (err) {
		printf("Bail out! %s: %s\n", name, strerror(-err));
		exit(EXIT_FAILURE);
	}
}

int main(int argc, char **argv)
{
	long seconds = SECONDS;
	uint64_t seed = chance_seed();
	int option;

	guard_init();
	while ((option = getopt(argc, argv, "t:g:")) != -1) {
		if (option == 't')
			seconds = strtol(optarg, NULL, 10);
		else if (option == 'g')
			section_add(optarg, true);
		else
			return 2;
	}
	for (; optind < argc; optind++)
		section_add(argv[optind], false);
	if (!run.count || seconds <= 0)
		return 2;
	run.end = now() + seconds;
	alarm((unsigned int)seconds + 2 * REVOKE_LIMIT_S);
	threads_run(seed);
	option = say_all();
	printf("1..%u\n", cases);
	return option;
}
