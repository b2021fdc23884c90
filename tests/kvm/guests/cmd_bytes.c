// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands: bytes in and out, as hexadecimal digits.  Each is one load or store
 * of a byte, so that the host sees every one of them where it has to.
 */
#include "agent.h"
#include "cpu.h"
#include "io.h"
#include "print.h"
#include "text.h"

#define BYTES_MAX 4096

struct bytes {
	uint64_t address;
	uint64_t count;
};

static uint8_t buffer[BYTES_MAX];

static void do_load(void *argument)
{
	const struct bytes *bytes = argument;

	for (uint64_t i = 0; i < bytes->count; i++)
		buffer[i] = mmio_read8(bytes->address + i);
}

static void do_store(void *argument)
{
	const struct bytes *bytes = argument;

	for (uint64_t i = 0; i < bytes->count; i++)
		mmio_write8(bytes->address + i, buffer[i]);
}

static bool all_alike(uint64_t count)
{
	for (uint64_t i = 1; i < count; i++)
		if (buffer[i] != buffer[0])
			return false;
	return count > 1;
}

static void print_bytes(uint64_t count)
{
	print("ok bytes=");
	for (uint64_t i = 0; i < count; i++)
		print("%x%x", buffer[i] >> 4, buffer[i] & 15u);
	print("\n");
}

/* What is alike is said in short: each digit on the serial line costs an exit. */
static void run_get(const struct agent_args *args)
{
	struct bytes bytes = { .address = args->number[0], .count = args->number[1] };

	if (bytes.count > BYTES_MAX) {
		print("err too many\n");
		return;
	}
	if (try_call(do_load, &bytes, cpu_self()))
		agent_answer_exception();
	else if (all_alike(bytes.count))
		print("ok all=0x%x\n", buffer[0]);
	else
		print_bytes(bytes.count);
}

static void run_put(const struct agent_args *args)
{
	struct bytes bytes = { .address = args->number[0] };
	long count = text_bytes(args->text[1], buffer, sizeof(buffer));

	if (count < 0) {
		print("err no bytes\n");
		return;
	}
	bytes.count = (uint64_t)count;
	if (try_call(do_store, &bytes, cpu_self()))
		agent_answer_exception();
	else
		print("ok\n");
}

const struct agent_command bytes_commands[] = {
	{ "get", "an", run_get },
	{ "put", "as", run_put },
	{ 0 },
};
