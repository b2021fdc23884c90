// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loads and stores, and how they end: a signal that an access of ours raised is
 * its outcome.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/host/host.h"
#include "kvm/guests/pattern.h"

static sigjmp_buf escape;

static void caught(int number)
{
	siglongjmp(escape, number);
}

static void catch (int number, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_NODEFER };

	(void)sigaction(number, &action, NULL);
}

/* Bytes to or from memory, one by one, in order. */
struct access {
	volatile unsigned char *at;
	unsigned char *bytes;
	uint64_t count;
	bool is_write;
};

static void move(const struct access *access)
{
	for (uint64_t i = 0; i < access->count; i++) {
		if (access->is_write)
			access->at[i] = access->bytes[i];
		else
			access->bytes[i] = access->at[i];
	}
}

/* 0, or the signal. */
static int attempt(const struct access *access)
{
	int number;

	catch (SIGSEGV, caught);
	catch (SIGBUS, caught);
	number = sigsetjmp(escape, 1);
	if (!number)
		move(access);
	catch (SIGSEGV, SIG_DFL);
	catch (SIGBUS, SIG_DFL);
	return number;
}

static void answer_signal(struct reply *reply, int number)
{
	reply_word(reply, number == SIGSEGV ? "fault" : "lost");
}

/* Bytes of a pattern of the section, or one byte. */
static void make_bytes(const struct args *args, uint64_t at, unsigned char *to, uint64_t count)
{
	uint64_t seed = args_number(args, "pattern", 0);

	for (uint64_t i = 0; i < count; i++)
		to[i] = args_has(args, "pattern") ? pattern_byte(seed, at + i)
						  : (unsigned char)args_number(args, "byte", 0);
}

static unsigned char *new_bytes(uint64_t count)
{
	unsigned char *bytes = count < UINT32_MAX ? malloc(count + 1) : NULL;

	if (!bytes)
		exit(1);
	return bytes;
}

static void do_read(struct host *host, struct args *args, struct reply *reply)
{
	static unsigned char bytes[ARGS_READ_MAX];
	const struct variable *variable = host_find_place(host, args_word(args, 0), reply);
	uint64_t offset = args_word_number(args, 1);
	struct access access = { .bytes = bytes, .count = args_word_number(args, 2) };
	int number;

	if (!variable)
		return;
	if (access.count > sizeof(bytes)) {
		reply_bad(reply, "at most %u bytes", ARGS_READ_MAX);
		return;
	}
	access.at = variable->address + offset;
	number = attempt(&access);
	if (number)
		answer_signal(reply, number);
	else
		reply_data(reply, variable->offset + offset, bytes, access.count);
}

/*
 * A store that was refused must have changed nothing: where the bytes can be
 * read, they are compared.
 */
static void store(const struct variable *variable, uint64_t offset, unsigned char *bytes,
		  uint64_t count, struct reply *reply)
{
	struct access write = { variable->address + offset, bytes, count, true };
	struct access before = { write.at, new_bytes(count), count, false };
	struct access after = { write.at, new_bytes(count), count, false };
	bool was_readable = !attempt(&before);
	int number = attempt(&write);

	reply_ok(reply, "%s", "");
	if (number)
		answer_signal(reply, number);
	if (number && was_readable && !attempt(&after) &&
	    memcmp(before.bytes, after.bytes, count) != 0)
		reply_bad(reply, "the access was refused, and bytes have changed");
	free(before.bytes);
	free(after.bytes);
}

static void do_write(struct host *host, struct args *args, struct reply *reply)
{
	const struct variable *variable = host_find_place(host, args_word(args, 0), reply);
	size_t count;

	if (!variable || args->count < 3)
		return;
	count = args_bytes(args->word[2]);
	store(variable, args_word_number(args, 1), (unsigned char *)args->word[2], count, reply);
}

static void do_fill(struct host *host, struct args *args, struct reply *reply)
{
	const struct variable *variable = host_find_place(host, args_word(args, 0), reply);
	uint64_t offset = args_word_number(args, 1);
	uint64_t count = args_word_number(args, 2);
	unsigned char *bytes;

	if (!variable)
		return;
	bytes = new_bytes(count);
	make_bytes(args, variable->offset + offset, bytes, count);
	store(variable, offset, bytes, count, reply);
	free(bytes);
}

static void compare(const struct access *access, const unsigned char *expected, struct reply *reply)
{
	uint64_t same = 0;

	while (same < access->count && access->bytes[same] == expected[same])
		same++;
	if (same == access->count)
		reply_ok(reply, "%s", "");
	else
		reply_different(reply, same);
}

static void do_compare(struct host *host, struct args *args, struct reply *reply)
{
	const struct variable *variable = host_find_place(host, args_word(args, 0), reply);
	uint64_t offset = args_word_number(args, 1);
	struct access access = { .count = args_word_number(args, 2) };
	unsigned char *expected;
	int number;

	if (!variable)
		return;
	access.at = variable->address + offset;
	access.bytes = new_bytes(access.count);
	expected = new_bytes(access.count);
	make_bytes(args, variable->offset + offset, expected, access.count);
	number = attempt(&access);
	if (number)
		answer_signal(reply, number);
	else
		compare(&access, expected, reply);
	free(access.bytes);
	free(expected);
}

const struct host_op memory_ops[] = {
	{ "read", do_read },
	{ "write", do_write },
	{ "fill", do_fill },
	{ "compare", do_compare },
	{ 0 },
};
