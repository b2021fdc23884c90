// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands: other CPUs that read a range all the time and check every byte
 * against its pattern, while CPU 0 goes on taking commands.
 */
#include "agent.h"
#include "cpu.h"
#include "pattern.h"
#include "print.h"

struct watch {
	uint64_t address;
	uint64_t bytes;
	uint64_t seed;
	uint64_t offset;
	volatile bool stop;
	struct watch_result result;
};

struct check {
	uint64_t address;
	uint64_t bytes;
	uint64_t seed;
	uint64_t offset;
	struct watch_result *result;
};

static struct watch watches[GUEST_MAX_CPUS];

static void check_words(void *argument)
{
	const struct check *check = argument;
	struct watch_result *result = check->result;

	for (uint64_t i = 0; i < check->bytes; i += 8) {
		uint64_t got = *(volatile uint64_t *)(check->address + i);

		if (got == pattern_word(check->seed, check->offset + i))
			continue;
		if (!result->wrong && !result->faults) {
			result->where = i;
			result->got = got;
		}
		result->wrong++;
	}
}

void watch_check(uint64_t address, uint64_t bytes, uint64_t seed, uint64_t offset,
		 struct watch_result *result)
{
	struct check check = { address, bytes, seed, offset, result };

	if (try_call(check_words, &check, cpu_self())) {
		if (!result->wrong && !result->faults)
			result->where = cpu_self()->cr2;
		result->faults++;
	}
	result->passes++;
}

static void watch_job(void *argument)
{
	struct watch *watch = argument;

	while (!watch->stop)
		watch_check(watch->address, watch->bytes, watch->seed, watch->offset,
			    &watch->result);
}

static void answer(const struct watch *watch)
{
	const struct watch_result *result = &watch->result;

	print("ok passes=%lu wrong=%lu faults=%lu where=0x%lx got=0x%lx\n", result->passes,
	      result->wrong, result->faults, result->where, result->got);
}

/* watch CPU ADDRESS BYTES SEED [OFFSET] */
static void run_watch(const struct agent_args *args)
{
	struct watch *watch = &watches[args->number[0] % GUEST_MAX_CPUS];

	if (!cpu_idle((uint32_t)args->number[0] % GUEST_MAX_CPUS)) {
		print("err busy\n");
		return;
	}
	*watch = (struct watch){
		.address = args->number[1],
		.bytes = args->number[2],
		.seed = args->number[3],
		.offset = args->number[4],
	};
	if (cpu_run((uint32_t)args->number[0], watch_job, watch))
		print("ok\n");
	else
		print("err no such cpu\n");
}

static void run_watched(const struct agent_args *args)
{
	answer(&watches[args->number[0] % GUEST_MAX_CPUS]);
}

static void run_unwatch(const struct agent_args *args)
{
	uint32_t index = (uint32_t)args->number[0] % GUEST_MAX_CPUS;

	watches[index].stop = true;
	while (!cpu_idle(index))
		__asm__ volatile("pause" ::: "memory");
	answer(&watches[index]);
}

const struct agent_command watch_commands[] = {
	{ "watch", "nannN", run_watch },
	{ "watched", "n", run_watched },
	{ "unwatch", "n", run_unwatch },
	{ 0 },
};
