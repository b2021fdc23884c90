// SPDX-License-Identifier: GPL-2.0-or-later
/* See world.h. */
#include "conformance/world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "kvm/guests/pattern.h"

#define FILE_MODE 0644

static void answer(struct reply *reply, long result)
{
	if (result < 0)
		reply_error(reply, (int)-result, "NONE", "system call");
	else
		reply_ok(reply, "%s", "");
}

/* `count` bytes by which a pattern or one byte is known. */
static void pattern_bytes(const struct args *args, uint64_t at, unsigned char *to, size_t count)
{
	uint64_t seed = args_number(args, "pattern", 0);

	for (size_t i = 0; i < count; i++)
		to[i] = args_has(args, "pattern") ? pattern_byte(seed, at + i)
						  : (unsigned char)args_number(args, "byte", 0);
}

static int write_pattern(const struct args *args, int fd, uint64_t size)
{
	unsigned char bytes[4096];
	size_t part;

	for (uint64_t at = 0; at < size; at += part) {
		part = size - at < sizeof(bytes) ? (size_t)(size - at) : sizeof(bytes);
		pattern_bytes(args, at, bytes, part);
		if (sys_retry(pwrite(fd, bytes, part, (off_t)at)) != (ssize_t)part)
			return -EIO;
	}
	return 0;
}

static void do_file(struct run *run, struct args *args, struct reply *reply)
{
	AUTO_FD int fd = open(args_word(args, 0), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	uint64_t size = args_number(args, "size", 0);
	int r;

	(void)run;
	if (fd < 0) {
		answer(reply, -errno);
		return;
	}
	r = sys_result(ftruncate(fd, (off_t)size));
	if (r >= 0 && args_has(args, "pattern"))
		r = write_pattern(args, fd, size);
	if (r >= 0)
		r = sys_result(fchmod(fd, (mode_t)args_number(args, "mode", FILE_MODE)));
	answer(reply, r);
}

static void do_truncate(struct run *run, struct args *args, struct reply *reply)
{
	(void)run;
	answer(reply, sys_result(truncate(args_word(args, 0), (off_t)args_word_number(args, 1))));
}

static void do_write_file(struct run *run, struct args *args, struct reply *reply)
{
	AUTO_FD int fd = open(args_word(args, 0), O_WRONLY | O_CLOEXEC);
	char *data = args->count > 2 ? args->word[2] : NULL;
	size_t length = data ? args_bytes(data) : 0;

	(void)run;
	if (fd < 0)
		answer(reply, -errno);
	else
		answer(reply,
		       sys_retry(pwrite(fd, data, length, (off_t)args_word_number(args, 1))));
}

/* Reads it all, or answers with an error. */
static bool read_some(struct args *args, struct reply *reply, unsigned char *bytes, size_t *ret_got)
{
	AUTO_FD int fd = open(args_word(args, 0), O_RDONLY | O_CLOEXEC);
	uint64_t length = args_word_number(args, 2);
	ssize_t got;

	if (length > ARGS_READ_MAX) {
		reply_bad(reply, "at most %u bytes", ARGS_READ_MAX);
		return false;
	}
	got = fd < 0 ? -errno
		     : sys_retry(pread(fd, bytes, length, (off_t)args_word_number(args, 1)));
	if (got < 0)
		answer(reply, got);
	else
		*ret_got = (size_t)got;
	return got >= 0;
}

static void do_read_file(struct run *run, struct args *args, struct reply *reply)
{
	static unsigned char bytes[ARGS_READ_MAX];
	size_t got;

	(void)run;
	if (read_some(args, reply, bytes, &got))
		reply_data(reply, args_word_number(args, 1), bytes, got);
}

static void do_compare_file(struct run *run, struct args *args, struct reply *reply)
{
	static unsigned char bytes[ARGS_READ_MAX];
	static unsigned char expected[ARGS_READ_MAX];
	uint64_t at = args_word_number(args, 1);
	size_t length = (size_t)args_word_number(args, 2);
	size_t same = 0;
	size_t got;

	(void)run;
	if (!read_some(args, reply, bytes, &got))
		return;
	pattern_bytes(args, at, expected, length);
	while (same < got && bytes[same] == expected[same])
		same++;
	reply_ok(reply, "%s", "");
	if (same < length)
		reply_different(reply, same);
}

static void do_stat_file(struct run *run, struct args *args, struct reply *reply)
{
	struct stat info;

	(void)run;
	if (stat(args_word(args, 0), &info) < 0)
		answer(reply, -errno);
	else
		reply_ok(reply, "size=%lld mode=0%o", (long long)info.st_size,
			 info.st_mode & 07777u);
}

static void do_remove_file(struct run *run, struct args *args, struct reply *reply)
{
	(void)run;
	answer(reply, sys_result(unlink(args_word(args, 0))));
}

static void do_kill(struct run *run, struct args *args, struct reply *reply)
{
	struct actor *actor = run->actors;

	while (actor && strcmp(actor->name, args_word(args, 0)) != 0)
		actor = actor->next;
	if (!actor || !actor->pid) {
		reply_bad(reply, "%s is not there", args_word(args, 0));
		return;
	}
	actor_kill(actor);
	reply_ok(reply, "%s", "");
}

static void do_broker(struct run *run, struct args *args, struct reply *reply)
{
	const char *what = args_word(args, 0);
	bool is_restart = !strcmp(what, "restart");

	reply_ok(reply, "%s", "");
	if (!is_restart && strcmp(what, "kill") != 0 && strcmp(what, "start") != 0) {
		reply_bad(reply, "kill, start or restart");
		return;
	}
	if (is_restart || !strcmp(what, "kill"))
		broker_fixture_kill(&run->broker);
	if (is_restart || !strcmp(what, "start"))
		run_start_broker(run);
}

void world_do(struct run *run, char *line, struct reply *reply)
{
	static const struct {
		const char *name;
		void (*run)(struct run *run, struct args *args, struct reply *reply);
	} steps[] = {
		{ "file", do_file },
		{ "truncate", do_truncate },
		{ "write_file", do_write_file },
		{ "read_file", do_read_file },
		{ "compare_file", do_compare_file },
		{ "stat_file", do_stat_file },
		{ "remove_file", do_remove_file },
		{ "kill", do_kill },
		{ "broker", do_broker },
	};
	struct args args;

	reply_bad(reply, "no such step");
	if (!args_parse(&args, line))
		return;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (!strcmp(steps[i].name, args.op))
			steps[i].run(run, &args, reply);
}
