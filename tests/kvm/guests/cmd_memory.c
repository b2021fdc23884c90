// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands: loads and stores, each of which may end in an exception.
 */
#include "agent.h"
#include "cpu.h"
#include "io.h"
#include "pattern.h"
#include "print.h"
#include "store.h"
#include "text.h"

struct access {
	uint64_t address;
	uint64_t value;
	uint64_t count;
	uint64_t seed;
	uint64_t found; /* how many */
	void (*run)(uint64_t address, uint64_t value, uint64_t count);
};

/* Runs one access and answers for it if it fails. */
static bool attempt(void (*function)(void *argument), struct access *access)
{
	if (!try_call(function, access, cpu_self()))
		return true;
	agent_answer_exception();
	return false;
}

#define ACCESS(bits)                                                                               \
	static void read##bits(void *argument)                                                     \
	{                                                                                          \
		struct access *access = argument;                                                  \
                                                                                                   \
		access->value = mmio_read##bits(access->address);                                  \
	}                                                                                          \
                                                                                                   \
	static void run_r##bits(const struct agent_args *args)                                     \
	{                                                                                          \
		struct access access = { .address = args->number[0] };                             \
                                                                                                   \
		if (attempt(read##bits, &access))                                                  \
			print("ok value=0x%lx\n", access.value);                                   \
	}                                                                                          \
                                                                                                   \
	static void write##bits(void *argument)                                                    \
	{                                                                                          \
		struct access *access = argument;                                                  \
                                                                                                   \
		mmio_write##bits(access->address, (uint##bits##_t)access->value);                  \
	}                                                                                          \
                                                                                                   \
	static void run_w##bits(const struct agent_args *args)                                     \
	{                                                                                          \
		struct access access = { .address = args->number[0], .value = args->number[1] };   \
                                                                                                   \
		if (attempt(write##bits, &access))                                                 \
			print("ok\n");                                                             \
	}
ACCESS(8)
ACCESS(16)
ACCESS(32)
ACCESS(64)

static void do_store(void *argument)
{
	struct access *access = argument;

	access->run(access->address, access->value, access->count);
}

static void run_store(const struct agent_args *args)
{
	const struct store_form *form = store_find(args->text[0]);
	struct access access = {
		.address = args->number[1],
		.value = args->number[2],
		.count = args->count > 3 ? args->number[3] : 1,
	};

	if (!form) {
		print("err no such form\n");
		return;
	}
	access.run = form->run;
	if (attempt(do_store, &access))
		print("ok bytes=%u\n", form->bytes);
}

static void run_form(const struct agent_args *args)
{
	const struct store_form *form = &store_forms[args->number[0]];

	if (args->number[0] >= store_form_count)
		print("err no more\n");
	else
		print("ok name=%s bytes=%u align=%u\n", form->name, form->bytes, form->align);
}

static void do_fill(void *argument)
{
	struct access *access = argument;

	for (uint64_t i = 0; i < access->count; i += 8)
		*(volatile uint64_t *)(access->address + i) =
			pattern_word(access->seed, access->value + i);
}

static void run_fill(const struct agent_args *args)
{
	struct access access = {
		.address = args->number[0],
		.count = args->number[1],
		.seed = args->number[2],
		.value = args->number[3],
	};

	if (attempt(do_fill, &access))
		print("ok\n");
}

static void do_set(void *argument)
{
	struct access *access = argument;

	memset((void *)access->address, (int)access->value, access->count);
}

static void run_set(const struct agent_args *args)
{
	struct access access = {
		.address = args->number[0],
		.count = args->number[1],
		.value = args->number[2],
	};

	if (attempt(do_set, &access))
		print("ok\n");
}

static void do_sum(void *argument)
{
	struct access *access = argument;

	access->value = PATTERN_SUM_START;
	for (uint64_t i = 0; i < access->count; i += 8)
		access->value =
			pattern_sum(access->value, *(volatile uint64_t *)(access->address + i));
}

static void run_sum(const struct agent_args *args)
{
	struct access access = { .address = args->number[0], .count = args->number[1] };

	if (attempt(do_sum, &access))
		print("ok sum=0x%lx\n", access.value);
}

/* Bytes that are not `value`: how many, and the first. */
static void do_differ(void *argument)
{
	struct access *access = argument;

	for (uint64_t i = 0; i < access->count; i++) {
		if (*(volatile uint8_t *)(access->address + i) == (uint8_t)access->value)
			continue;
		if (!access->found++)
			access->seed = i;
	}
}

static void run_differ(const struct agent_args *args)
{
	struct access access = {
		.address = args->number[0],
		.count = args->number[1],
		.value = args->number[2],
	};

	if (attempt(do_differ, &access))
		print("ok count=%lu first=0x%lx\n", access.found, access.seed);
}

static void run_check(const struct agent_args *args)
{
	struct watch_result result = { 0 };

	watch_check(args->number[0], args->number[1], args->number[2], args->number[3], &result);
	if (result.faults)
		agent_answer_exception();
	else
		print("ok wrong=%lu first=0x%lx got=0x%lx\n", result.wrong, result.where,
		      result.got);
}

static void run_small(const struct agent_args *args)
{
	print(cpu_map_small(args->number[0]) ? "ok\n" : "err not a large page\n");
}

const struct agent_command memory_commands[] = {
	{ "r8", "a", run_r8 },
	{ "r16", "a", run_r16 },
	{ "r32", "a", run_r32 },
	{ "r64", "a", run_r64 },
	{ "w8", "an", run_w8 },
	{ "w16", "an", run_w16 },
	{ "w32", "an", run_w32 },
	{ "w64", "an", run_w64 },
	{ "store", "sanN", run_store },
	{ "form", "n", run_form },
	{ "fill", "annN", run_fill },
	{ "set", "ann", run_set },
	{ "sum", "an", run_sum },
	{ "differ", "ann", run_differ },
	{ "check", "annN", run_check },
	{ "smallpages", "a", run_small },
	{ 0 },
};
