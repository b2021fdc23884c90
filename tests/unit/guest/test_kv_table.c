/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The example's table: what is refused, collisions, several reading threads beside
 * one that writes, a writer that is killed in the middle, and one that is hostile.
 */
#include "guest_driver/examples/kv_table.h"

#include "lib/check.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/guest/ring_bed.h"

#define TIME_LIMIT_S 100
#define BYTES 65536u
#define KEYS 40u
#define READERS 3
#define CHANGES 60000u
#define KILLS 150
#define WORDS (KV_VALUE_MAX / sizeof(uint64_t))

/* Shared memory, and a second mapping of it for who is to be another party. */
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
	unsigned char *memory = memory_new();
	struct kv_table table, reader;
	char value[KV_VALUE_MAX + 1] = "", long_key[KV_KEY_MAX + 2];
	uint32_t bytes = POISON;

	(void)state;
	memset(long_key, 'k', sizeof(long_key));
	long_key[KV_KEY_MAX + 1] = 0;
	assert_int_equal(kv_format(NULL, BYTES), -EINVAL);
	assert_int_equal(kv_format(memory + 8, BYTES - 8), -EINVAL);
	assert_int_equal(kv_format(memory, 512), -ENOSPC);
	assert_int_equal(kv_open_reader(&reader, memory, BYTES), -ENOENT);
	assert_int_equal(kv_open_reader(&reader, memory, 8), -EPROTO);
	memory[0] = 1;
	assert_int_equal(kv_open_writer(&table, memory, BYTES), -EPROTO);
	assert_int_equal(kv_format(memory, BYTES), 0);
	assert_int_equal(kv_open_writer(&table, memory, BYTES / 2), -EPROTO);
	assert_int_equal(kv_open_writer(&table, memory, BYTES), 0);
	assert_int_equal(kv_open_reader(&reader, memory, BYTES), 0);
	assert_int_equal(kv_put(&reader, "a", "b", 1), -EPERM);
	assert_int_equal(kv_remove(&reader, "a"), -EPERM);
	assert_int_equal(kv_put(&table, "", "b", 1), -EINVAL);
	assert_int_equal(kv_put(&table, long_key, "b", 1), -EINVAL);
	assert_int_equal(kv_put(&table, "a", value, KV_VALUE_MAX + 1), -EINVAL);
	assert_int_equal(kv_remove(&table, "a"), -ENOENT);
	assert_int_equal(kv_get(&reader, "a", value, sizeof(value), &bytes), -ENOENT);
	assert_int_equal(kv_put(&table, "a", "four", 4), 0);
	assert_int_equal(kv_get(&reader, "a", value, 3, &bytes), -EMSGSIZE);
	assert_int_equal(bytes, POISON);
	/* Another writer came: the first is not one any more. */
	assert_int_equal(kv_open_writer(&reader, memory, BYTES), 0);
	assert_int_equal(kv_put(&table, "a", "b", 1), -ESTALE);
	assert_int_equal(kv_remove(&table, "a"), -ESTALE);
	(void)munmap(memory, BYTES);
}

/* Puts, removes and overwrites, against a plain array. */
static void many_keys(void **state)
{
	enum { MANY = 150 };
	void *memory = memory_new();
	uint32_t model[MANY] = { 0 }, listed = 0, present = 0, cursor = 0, bytes, value;
	unsigned int seed = bed_seed();
	struct kv_table table;
	char key[KV_KEY_MAX + 1];
	int err;

	(void)state;
	assert_int_equal(kv_format(memory, BYTES), 0);
	assert_int_equal(kv_open_writer(&table, memory, BYTES), 0);
	for (uint32_t i = 1; i < 20000; i++) {
		uint32_t which = (uint32_t)rand_r(&seed) % MANY;

		(void)snprintf(key, sizeof(key), "key %u", which);
		if (rand_r(&seed) % 3) {
			err = kv_put(&table, key, &i, sizeof(i));
			assert_true(err == 0 || (err == -ENOSPC && !model[which]));
			model[which] = err ? 0 : i;
		} else {
			assert_int_equal(kv_remove(&table, key), model[which] ? 0 : -ENOENT);
			model[which] = 0;
		}
	}
	for (uint32_t i = 0; i < MANY; i++) {
		(void)snprintf(key, sizeof(key), "key %u", i);
		err = kv_get(&table, key, &value, sizeof(value), &bytes);
		assert_int_equal(err, model[i] ? 0 : -ENOENT);
		assert_true(err || value == model[i]);
		present += model[i] != 0;
	}
	while (!kv_next(&table, &cursor, key))
		listed++;
	assert_int_equal(listed, present);
	(void)munmap(memory, BYTES);
}

static void key_of(char key[16], uint64_t number)
{
	(void)snprintf(key, 16, "k%u", (unsigned int)(number % KEYS));
}

/* All words are the number of the change. */
static int put_number(struct kv_table *table, uint64_t number)
{
	uint64_t value[WORDS];
	char key[16];

	for (size_t i = 0; i < WORDS; i++)
		value[i] = number;
	key_of(key, number);
	return kv_put(table, key, value, sizeof(value));
}

struct reader {
	const void *memory;
	_Atomic bool *stop;
	uint64_t reads, last[KEYS];
};

/* 1: read; whole, and not older than before.  0: busy or not there yet. */
static int read_number(const struct kv_table *table, uint64_t number, uint64_t *last)
{
	uint64_t value[WORDS];
	uint32_t bytes;
	char key[16];
	int err;

	key_of(key, number);
	err = kv_get(table, key, value, sizeof(value), &bytes);
	if (err == -EAGAIN || err == -ENOENT)
		return 0;
	if (err || bytes != sizeof(value))
		return -EBADMSG;
	for (size_t i = 1; i < WORDS; i++) {
		if (value[i] != value[0])
			return -EBADMSG;
	}
	if (value[0] < *last || value[0] % KEYS != number % KEYS)
		return -EBADMSG;
	*last = value[0];
	return 1;
}

static void *read_all(void *arg)
{
	struct reader *reader = arg;
	struct kv_table table;
	int result = kv_open_reader(&table, reader->memory, BYTES);

	for (uint64_t i = 0; result >= 0 && !atomic_load(reader->stop); i++) {
		result = read_number(&table, i, &reader->last[i % KEYS]);
		reader->reads += result > 0;
	}
	return (void *)(intptr_t)(result < 0 ? result : 0);
}

static void start_readers(struct reader readers[READERS], pthread_t threads[READERS], void *memory,
			  _Atomic bool *stop)
{
	for (int i = 0; i < READERS; i++) {
		readers[i] =
			(struct reader){ .memory = memory_again(memory, PROT_READ), .stop = stop };
		assert_int_equal(pthread_create(&threads[i], NULL, read_all, &readers[i]), 0);
	}
}

static void finish_readers(struct reader readers[READERS], const pthread_t threads[READERS],
			   _Atomic bool *stop)
{
	void *result;

	atomic_store(stop, true);
	for (int i = 0; i < READERS; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_int_equal((intptr_t)result, 0);
		assert_true(readers[i].reads > 0);
		(void)munmap((void *)(uintptr_t)readers[i].memory, BYTES);
	}
}

static void many_readers_and_a_writer(void **state)
{
	void *memory = memory_new();
	struct reader readers[READERS];
	pthread_t threads[READERS];
	_Atomic bool stop = false;
	struct kv_table table;

	(void)state;
	assert_int_equal(kv_format(memory, BYTES), 0);
	assert_int_equal(kv_open_writer(&table, memory, BYTES), 0);
	start_readers(readers, threads, memory, &stop);
	for (uint64_t i = 1; i <= CHANGES; i++)
		assert_int_equal(put_number(&table, i), 0);
	/* On a busy machine a reader may have slept all the time. */
	for (int i = 0; i < READERS; i++) {
		while (!__atomic_load_n(&readers[i].reads, __ATOMIC_RELAXED))
			(void)sched_yield();
	}
	finish_readers(readers, threads, &stop);
	(void)munmap(memory, BYTES);
}

/* What the writers keep beside the table. */
struct writer_state {
	_Atomic uint64_t begun;
	_Atomic uint32_t repaired;
};

static void write_for_ever(void *memory, struct writer_state *progress)
{
	struct kv_table table;
	uint64_t number = atomic_load(&progress->begun);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (kv_open_writer(&table, memory, BYTES))
		_exit(1);
	atomic_fetch_add(&progress->repaired, table.repaired);
	/* Begun is done, or was never decided: then it is done now. */
	for (;; number++) {
		atomic_store(&progress->begun, number);
		if (put_number(&table, number))
			_exit(1);
	}
}

static void kill_in_the_middle(void *memory, struct writer_state *progress, unsigned int *seed)
{
	uint64_t goal = atomic_load(&progress->begun) + 1 + (uint64_t)rand_r(seed) % 100;
	volatile int turns = rand_r(seed) % 3000;
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid)
		write_for_ever(memory, progress);
	while (atomic_load(&progress->begun) < goal) {
		assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
		(void)sched_yield();
	}
	while (turns > 0)
		turns = turns - 1;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

/* After each death the next writer finds every key whole and no older than it was. */
static void a_writer_is_killed(void **state)
{
	void *memory = memory_new();
	struct writer_state *progress = memory_new();
	uint64_t last[KEYS] = { 0 };
	unsigned int seed = bed_seed();
	struct kv_table table;
	uint32_t repaired = 0;

	(void)state;
	assert_int_equal(kv_format(memory, BYTES), 0);
	atomic_store(&progress->begun, KEYS);
	for (int i = 0; i < KILLS; i++) {
		uint64_t begun;

		kill_in_the_middle(memory, progress, &seed);
		begun = atomic_load(&progress->begun);
		assert_int_equal(kv_open_writer(&table, memory, BYTES), 0);
		repaired += table.repaired;
		for (uint64_t number = begun - KEYS; number < begun && begun >= 2 * KEYS;
		     number++) {
			assert_int_equal(read_number(&table, number, &last[number % KEYS]), 1);
			assert_true(last[number % KEYS] == number ||
				    last[number % KEYS] == number + KEYS);
		}
	}
	print_message("# %u changes finished by a successor\n", repaired);
	(void)munmap(progress, BYTES);
	(void)munmap(memory, BYTES);
}

/* Each step of a change as the last one: what a death there leaves is built by hand. */
static void what_a_death_leaves_is_finished(void **state)
{
	uint64_t *memory = memory_new(), *before, *during;
	struct kv_table table, reader;
	uint64_t last = 0;
	size_t cut;

	(void)state;
	before = memory_new();
	during = memory_new();
	assert_int_equal(kv_format(memory, BYTES), 0);
	assert_int_equal(kv_open_writer(&table, memory, BYTES), 0);
	assert_int_equal(put_number(&table, KEYS), 0);
	memcpy(before, memory, BYTES);
	assert_int_equal(put_number(&table, 2 * KEYS), 0);
	memcpy(during, memory, BYTES);
	/* The bucket's first word that differs behind the header is its sequence. */
	for (cut = 320 / 8; memory[cut] == before[cut]; cut++)
		;
	/* The journal is decided; the bucket odd and half old. */
	memcpy(memory, before, BYTES);
	memcpy(memory, during, 320);
	memory[cut] = before[cut] + 1;
	memcpy(&memory[cut + 1], &during[cut + 1], 100);
	for (uint64_t place = 1; place <= BYTES / 256; place++) {
		/* journal_place, which the finished change has cleared. */
		if (320 / 8 + (place - 1) * 32 == cut)
			memory[9] = place;
	}
	assert_int_equal(kv_open_reader(&reader, memory, BYTES), 0);
	assert_int_equal(read_number(&reader, KEYS, &last), 0);
	assert_int_equal(kv_open_writer(&table, memory, BYTES), 0);
	assert_int_equal(table.repaired, 1);
	assert_int_equal(read_number(&reader, KEYS, &last), 1);
	assert_int_equal(last, 2 * KEYS);
	(void)munmap(memory, BYTES);
	(void)munmap(before, BYTES);
	(void)munmap(during, BYTES);
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
		uint64_t value = (uint64_t)rand_r(&scribbler->seed)
				 << (rand_r(&scribbler->seed) % 48);

		__atomic_store_n(&scribbler->memory[at], value, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Any answer will do but a wrong access or none. */
static void a_hostile_writer_crashes_nobody(void **state)
{
	uint64_t *memory = memory_new();
	struct scribbler scribbler = { .memory = memory_again(memory, PROT_READ | PROT_WRITE),
				       .seed = bed_seed() };
	struct kv_table reader;
	pthread_t thread;

	(void)state;
	assert_int_equal(kv_format(memory, BYTES), 0);
	assert_int_equal(kv_open_reader(&reader, memory, BYTES), 0);
	assert_int_equal(pthread_create(&thread, NULL, scribble, &scribbler), 0);
	for (int i = 0; i < 100000; i++) {
		unsigned char value[KV_VALUE_MAX];
		char key[KV_KEY_MAX + 1];
		uint32_t bytes = 0, cursor = (uint32_t)i % reader.buckets;
		int err;

		key_of(key, (uint64_t)i);
		err = kv_get(&reader, key, value, sizeof(value), &bytes);
		assert_true(bytes <= sizeof(value));
		assert_true(err == -ENOENT || err == -EAGAIN || err == -EPROTO);
		err = kv_next(&reader, &cursor, key);
		assert_true(err == -ENOENT || err == -EAGAIN || err == -EPROTO);
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
		cmocka_unit_test(many_keys),
		cmocka_unit_test(many_readers_and_a_writer),
		cmocka_unit_test(what_a_death_leaves_is_finished),
		cmocka_unit_test(a_writer_is_killed),
		cmocka_unit_test(a_hostile_writer_crashes_nobody),
	};

	(void)alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests_name("guest_kv_table", tests, NULL, NULL);
}
