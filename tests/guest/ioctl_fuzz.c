// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmsect-ioctl-fuzz: random calls on everything that the driver offers.
 *
 *     vmsect-ioctl-fuzz [-n STEPS] KEEP [SECTION...]
 *
 * Four threads share a table of descriptors and do STEPS steps each: open, every
 * ioctl with arguments good, edgy and bad, mmap and stores, dup, close, fork,
 * read, splice.  Names used are those of SECTION, and some that are none; KEEP
 * is a section that no step opens, and is as it was afterwards.  Speaks TAP: the
 * steps came to their end, nothing hung, KEEP works, and a new descriptor does.
 * What the kernel has to say is for the caller to look at.  VMSECT_SEED repeats
 * the choices of each thread.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "guest/fuzz.h"
#include "guest/guard.h"
#include "vmsect_ioctl.h"

#define THREADS 4
#define STEPS 2000
/* A step that takes longer hangs. */
#define STEP_LIMIT_S 60
#define KEEP_BYTES 8192

static struct {
	struct fuzz_thread threads[THREADS];
	unsigned long steps;
	atomic_uint running;
	const char *keep;
	uint8_t kept[KEEP_BYTES];
} run = { .steps = STEPS };

static unsigned int cases, failures;

static void say(bool good, const char *what)
{
	printf("%sok %u - %s\n", good ? "" : "not ", ++cases, what);
	fflush(stdout);
	failures += !good;
}

static void *thread_main(void *data)
{
	struct fuzz_thread *thread = data;

	while (atomic_load(&thread->steps) < run.steps)
		fuzz_step(thread);
	fuzz_maps_drop(thread);
	atomic_fetch_sub(&run.running, 1);
	return NULL;
}

/* One look at a thread a second; false once it has not moved for too long. */
static bool thread_moves(const struct fuzz_thread *thread, unsigned long *seen, unsigned int *idle)
{
	unsigned long steps = atomic_load(&thread->steps);

	*idle = steps == *seen && steps < run.steps ? *idle + 1 : 0;
	*seen = steps;
	return *idle < STEP_LIMIT_S;
}

/* Until all have ended, or one hangs. */
static bool threads_watch(void)
{
	unsigned long seen[THREADS] = { 0 };
	unsigned int idle[THREADS] = { 0 }, i;
	const struct timespec second = { .tv_sec = 1 };

	while (atomic_load(&run.running)) {
		nanosleep(&second, NULL);
		for (i = 0; i < THREADS; i++) {
			const struct fuzz_thread *thread = &run.threads[i];

			if (thread_moves(thread, &seen[i], &idle[i]))
				continue;
			printf("# thread %u hangs in step %lu: %s\n", i, seen[i],
			       atomic_load(&thread->doing));
			return false;
		}
	}
	return true;
}

static bool threads_run(uint64_t seed)
{
	pthread_t ids[THREADS];
	bool moved;
	uint32_t i;

	atomic_store(&run.running, THREADS);
	for (i = 0; i < THREADS; i++) {
		chance_init(&run.threads[i].chance, seed, i);
		if (pthread_create(&ids[i], NULL, thread_main, &run.threads[i])) {
			printf("Bail out! no thread %u\n", i);
			exit(EXIT_FAILURE);
		}
	}
	moved = threads_watch();
	for (i = 0; moved && i < THREADS; i++)
		pthread_join(ids[i], NULL);
	return moved;
}

/* The first bytes of KEEP: where they are mapped, or NULL. */
static uint8_t *keep_map(void)
{
	int fd = fuzz_node_open(run.keep, O_RDWR);
	void *addr;

	if (fd < 0)
		return NULL;
	addr = mmap(NULL, KEEP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return addr == MAP_FAILED ? NULL : addr;
}

static void keep_prepare(uint64_t seed)
{
	uint8_t *bytes = keep_map();
	struct chance chance;
	size_t i;

	if (!bytes) {
		printf("Bail out! %s does not map\n", run.keep);
		exit(EXIT_FAILURE);
	}
	chance_init(&chance, seed, THREADS);
	for (i = 0; i < KEEP_BYTES; i++)
		run.kept[i] = (uint8_t)chance_next(&chance);
	memcpy(bytes, run.kept, KEEP_BYTES);
	munmap(bytes, KEEP_BYTES);
}

static bool keep_is_kept(void)
{
	size_t differ = 0, first = 0, i;
	uint8_t *bytes = keep_map();

	if (!bytes)
		return false;
	for (i = KEEP_BYTES; i > 0; i--)
		if (bytes[i - 1] != run.kept[i - 1]) {
			first = i - 1;
			differ++;
		}
	if (differ)
		printf("# %zu bytes differ: the one at %zu is %02x and was %02x\n", differ, first,
		       bytes[first], run.kept[first]);
	munmap(bytes, KEEP_BYTES);
	return !differ;
}

/* The device answers: INFO, the whole LIST, and a QUERY that goes to the host. */
static bool device_answers(const char *keep)
{
	struct vmsect_section section;
	struct vmsect_list list = { 0 };
	struct vmsect_info info;
	int ctl = fuzz_node_open("ctl", O_RDONLY), fd = fuzz_node_open(keep, O_RDONLY);
	bool good = ctl >= 0 && fd >= 0 && !ioctl(ctl, VMSECT_IOC_INFO, &info) &&
		    !ioctl(fd, VMSECT_IOC_QUERY, &section) && !strcmp(section.name, keep);

	while (good && list.index < info.sections) {
		good = !ioctl(ctl, VMSECT_IOC_LIST, &list);
		list.index++;
	}
	close(ctl);
	close(fd);
	return good;
}

int main(int argc, char **argv)
{
	uint64_t seed = chance_seed();
	const char *keep;
	int option;

	while ((option = getopt(argc, argv, "n:")) != -1) {
		if (option != 'n')
			return 2;
		run.steps = strtoul(optarg, NULL, 0);
	}
	if (optind == argc || argc - optind - 1 > FUZZ_NAMES)
		return 2;
	keep = argv[optind++];
	run.keep = keep;
	guard_init();
	signal(SIGPIPE, SIG_IGN);
	fuzz_argument_init();
	keep_prepare(seed);
	fuzz_fds_init((const char *const *)argv + optind, (size_t)(argc - optind));
	say(threads_run(seed), "all threads came to their end");
	if (!failures) {
		fuzz_fds_close_all();
		say(keep_is_kept(), "the section beside them is as it was");
		say(device_answers(keep), "and the device answers");
	}
	printf("1..%u\n", cases);
	fflush(stdout);
	/* Threads that hang are left behind. */
	_exit(failures ? EXIT_FAILURE : EXIT_SUCCESS);
}
