/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The example's frames: what is refused, several viewers beside a producer that does
 * not wait for them, a producer that is killed in the middle, and a hostile one.
 */
#include "guest_driver/examples/frames.h"

#include "lib/check.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/guest/ring_bed.h"

#define TIME_LIMIT_S 100
#define BYTES 65536u
#define VIEWERS 3
#define FRAMES 5000u
#define KILLS 100
#define WIDTH 64u
#define HEIGHT 16u
#define WORDS (WIDTH * HEIGHT / 2)

static const struct frames_shape shape = { WIDTH, HEIGHT, 3 };

static void *memory_new(void)
{
	void *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	return memory;
}

static void *memory_again(void *memory, int prot)
{
	void *again = mremap(memory, 0, BYTES, MREMAP_MAYMOVE);

	assert_true(again != MAP_FAILED);
	assert_int_equal(mprotect(again, BYTES, prot), 0);
	return again;
}

static void refused(void **state)
{
	static const struct frames_shape bad[] = {
		{ 0, 2, 2 },
		{ 2, 0, 2 },
		{ 3, 2, 2 },
		{ FRAMES_SIDE_MAX + 2, 2, 2 },
		{ 2, FRAMES_SIDE_MAX + 1, 2 },
		{ 2, 2, 1 },
		{ 2, 2, 65 },
	};
	static const struct frames_shape big = { FRAMES_SIDE_MAX, FRAMES_SIDE_MAX, 64 };
	unsigned char *memory = memory_new();
	uint64_t pixels[WORDS], number = POISON;
	struct frames frames;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(frames_format(memory, BYTES, &bad[i]), -EINVAL);
	assert_int_equal(frames_format(NULL, BYTES, &shape), -EINVAL);
	assert_int_equal(frames_format(memory + 32, BYTES, &shape), -EINVAL);
	assert_int_equal(frames_format(memory, BYTES, &big), -ENOSPC);
	assert_int_equal(frames_open(&frames, memory, BYTES), -ENOENT);
	assert_int_equal(frames_open(&frames, memory, 100), -EPROTO);
	memory[0] = 1;
	assert_int_equal(frames_open(&frames, memory, BYTES), -EPROTO);
	assert_int_equal(frames_format(memory, BYTES, &shape), 0);
	assert_int_equal(frames_open(&frames, memory, 8192), -EPROTO);
	assert_int_equal(frames_open(&frames, memory, BYTES), 0);
	assert_int_equal(frames_take(&frames, 0, pixels, &number), -EAGAIN);
	assert_int_equal(number, POISON);
	((uint32_t *)(void *)memory)[1] = UINT32_MAX - 1;
	assert_int_equal(frames_open(&frames, memory, BYTES), -EPROTO);
	(void)munmap(memory, BYTES);
}

static void publish(struct frames *frames)
{
	uint64_t pixels[WORDS], number = frames_next(frames);

	for (size_t i = 0; i < WORDS; i++)
		pixels[i] = number;
	frames_publish(frames, pixels);
}

/* 1: the newest, whole; 0: none. */
static int take(const struct frames *frames, uint64_t *last)
{
	uint64_t pixels[WORDS], number;
	int err = frames_take(frames, *last, pixels, &number);

	if (err)
		return err == -EAGAIN ? 0 : err;
	for (size_t i = 0; i < WORDS; i++) {
		if (pixels[i] != number)
			return -EBADMSG;
	}
	if (number <= *last)
		return -EBADMSG;
	*last = number;
	return 1;
}

static void newest_wins(void **state)
{
	void *memory = memory_new();
	struct frames frames;
	uint64_t last = 0;

	(void)state;
	assert_int_equal(frames_format(memory, BYTES, &shape), 0);
	assert_int_equal(frames_open(&frames, memory, BYTES), 0);
	for (int i = 0; i < 10; i++)
		publish(&frames);
	assert_int_equal(take(&frames, &last), 1);
	assert_int_equal(last, 10);
	assert_int_equal(take(&frames, &last), 0);
	/* One bit of the picture, behind its checksum. */
	publish(&frames);
	for (size_t i = 128; i < BYTES / 2; i += 8)
		((unsigned char *)memory)[i] ^= *((uint64_t *)memory + i / 8) == 11;
	assert_int_equal(take(&frames, &last), -EBADMSG);
	assert_int_equal(last, 10);
	(void)munmap(memory, BYTES);
}

struct viewer {
	const void *memory;
	_Atomic bool *stop;
	_Atomic uint64_t seen;
};

static void *view(void *arg)
{
	struct viewer *viewer = arg;
	struct frames frames;
	uint64_t last = 0;
	int result = frames_open(&frames, viewer->memory, BYTES);

	while (result >= 0 && !atomic_load(viewer->stop)) {
		result = take(&frames, &last);
		atomic_fetch_add(&viewer->seen, result > 0);
	}
	return (void *)(intptr_t)(result < 0 ? result : 0);
}

static void viewers_and_a_producer(void **state)
{
	void *memory = memory_new(), *result;
	struct viewer viewers[VIEWERS];
	pthread_t threads[VIEWERS];
	_Atomic bool stop = false;
	struct frames frames;

	(void)state;
	assert_int_equal(frames_format(memory, BYTES, &shape), 0);
	assert_int_equal(frames_open(&frames, memory, BYTES), 0);
	for (int i = 0; i < VIEWERS; i++) {
		viewers[i] =
			(struct viewer){ .memory = memory_again(memory, PROT_READ), .stop = &stop };
		assert_int_equal(pthread_create(&threads[i], NULL, view, &viewers[i]), 0);
	}
	for (uint32_t i = 0; i < FRAMES; i++)
		publish(&frames);
	for (int i = 0; i < VIEWERS; i++) {
		while (!atomic_load(&viewers[i].seen))
			(void)sched_yield();
	}
	atomic_store(&stop, true);
	for (int i = 0; i < VIEWERS; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_int_equal((intptr_t)result, 0);
		(void)munmap((void *)(uintptr_t)viewers[i].memory, BYTES);
	}
	(void)munmap(memory, BYTES);
}

static void produce_for_ever(void *memory)
{
	struct frames frames;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (frames_open(&frames, memory, BYTES))
		_exit(1);
	for (;;)
		publish(&frames);
}

/* A viewer goes on over the deaths; numbers go on, and nothing is torn. */
static void a_producer_is_killed(void **state)
{
	void *memory = memory_new();
	unsigned int seed = bed_seed();
	struct frames frames;
	uint64_t last = 0;

	(void)state;
	assert_int_equal(frames_format(memory, BYTES, &shape), 0);
	assert_int_equal(frames_open(&frames, memory, BYTES), 0);
	for (int i = 0; i < KILLS; i++) {
		uint64_t goal = frames_next(&frames) + (uint64_t)rand_r(&seed) % 20;
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (!pid)
			produce_for_ever(memory);
		while (last < goal) {
			assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
			assert_true(take(&frames, &last) >= 0);
		}
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		/* The newest is whole, whatever was under way. */
		if (frames_next(&frames) - 1 > last)
			assert_int_equal(take(&frames, &last), 1);
	}
	(void)munmap(memory, BYTES);
}

struct scribbler {
	uint64_t *memory;
	unsigned int seed;
	_Atomic bool stop;
};

static void *scribble(void *arg)
{
	struct scribbler *scribbler = arg;

	while (!atomic_load(&scribbler->stop)) {
		size_t at = (size_t)rand_r(&scribbler->seed) % (BYTES / 8);

		/* Now and then the newest. */
		if (rand_r(&scribbler->seed) % 8 == 0)
			at = 8;
		__atomic_store_n(&scribbler->memory[at], (uint64_t)rand_r(&scribbler->seed) % 1000,
				 __ATOMIC_RELAXED);
	}
	return NULL;
}

static void a_hostile_producer_crashes_nobody(void **state)
{
	void *memory = memory_new();
	struct scribbler scribbler = { .memory = memory_again(memory, PROT_READ | PROT_WRITE),
				       .seed = bed_seed() };
	struct frames frames;
	pthread_t thread;

	(void)state;
	assert_int_equal(frames_format(memory, BYTES, &shape), 0);
	assert_int_equal(frames_open(&frames, memory, BYTES), 0);
	assert_int_equal(pthread_create(&thread, NULL, scribble, &scribbler), 0);
	for (int i = 0; i < 50000; i++) {
		uint64_t pixels[WORDS], number;
		int err = frames_take(&frames, 0, pixels, &number);

		assert_true(err == -EAGAIN || err == -EBADMSG);
	}
	atomic_store(&scribbler.stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	(void)munmap(scribbler.memory, BYTES);
	(void)munmap(memory, BYTES);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(newest_wins),
		cmocka_unit_test(viewers_and_a_producer),
		cmocka_unit_test(a_producer_is_killed),
		cmocka_unit_test(a_hostile_producer_crashes_nobody),
	};

	(void)alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests_name("guest_frames", tests, NULL, NULL);
}
