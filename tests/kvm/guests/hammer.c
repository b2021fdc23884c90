// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands: other CPUs that write to every page of a range and read it again,
 * all the time and whatever becomes of it, as a guest does that minds nothing.
 */
#include "agent.h"
#include "cpu.h"
#include "print.h"

#define PAGE_BYTES 4096

struct hammer {
	uint64_t address;
	uint64_t bytes;
	volatile bool stop;
	volatile uint64_t passes;
	volatile uint64_t kept; /* loads that gave what was stored */
	volatile uint64_t ones; /* that gave all ones */
	volatile uint64_t other;
	volatile uint64_t faults;
};

static struct hammer hammers[GUEST_MAX_CPUS];

static void hammer_pages(void *argument)
{
	struct hammer *hammer = argument;
	uint64_t value = hammer->passes + 1;

	for (uint64_t i = 0; i < hammer->bytes; i += PAGE_BYTES) {
		volatile uint64_t *word = (volatile uint64_t *)(hammer->address + i);
		uint64_t got;

		*word = value;
		got = *word;
		if (got == value)
			hammer->kept++;
		else if (got == UINT64_MAX)
			hammer->ones++;
		else
			hammer->other++;
	}
}

static void hammer_job(void *argument)
{
	struct hammer *hammer = argument;

	while (!hammer->stop) {
		if (try_call(hammer_pages, hammer, cpu_self()))
			hammer->faults++;
		hammer->passes++;
	}
}

static void answer(const struct hammer *hammer)
{
	print("ok passes=%lu kept=%lu ones=%lu other=%lu faults=%lu\n", hammer->passes,
	      hammer->kept, hammer->ones, hammer->other, hammer->faults);
}

/* hammer CPU ADDRESS BYTES */
static void run_hammer(const struct agent_args *args)
{
	struct hammer *hammer = &hammers[args->number[0] % GUEST_MAX_CPUS];

	if (!cpu_idle((uint32_t)args->number[0] % GUEST_MAX_CPUS)) {
		print("err busy\n");
		return;
	}
	*hammer = (struct hammer){ .address = args->number[1], .bytes = args->number[2] };
	if (cpu_run((uint32_t)args->number[0], hammer_job, hammer))
		print("ok\n");
	else
		print("err no such cpu\n");
}

static void run_hammered(const struct agent_args *args)
{
	answer(&hammers[args->number[0] % GUEST_MAX_CPUS]);
}

static void run_unhammer(const struct agent_args *args)
{
	uint32_t index = (uint32_t)args->number[0] % GUEST_MAX_CPUS;

	hammers[index].stop = true;
	while (!cpu_idle(index))
		__asm__ volatile("pause" ::: "memory");
	answer(&hammers[index]);
}

const struct agent_command hammer_commands[] = {
	{ "hammer", "nan", run_hammer },
	{ "hammered", "n", run_hammered },
	{ "unhammer", "n", run_unhammer },
	{ 0 },
};
