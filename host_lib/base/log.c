/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See log.h.  State is set once by main() before any thread starts. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 1024
#define NS_PER_S 1000000000ull

static struct {
	const char *program;
	enum log_level level;
	int priority_prefix;
} log_state = { "vmsect", LOG_LEVEL_INFO, 0 };

void log_init(const char *program, enum log_level level)
{
	log_state.program = program;
	log_state.level = level;
	log_state.priority_prefix = getenv("JOURNAL_STREAM") != NULL;
}

/* Bytes that snprintf() really left in a buffer of `room` bytes. */
static size_t written(int result, size_t room)
{
	if (result < 0)
		return 0;
	return (size_t)result < room ? (size_t)result : room - 1;
}

void log_write(enum log_level level, const char *format, ...)
{
	char line[LINE_BYTES];
	size_t room = sizeof(line) - 1, used = 0;
	va_list args;

	if (level > log_state.level)
		return;
	if (log_state.priority_prefix)
		used = written(snprintf(line, room, "<%d>", (int)level), room);
	used += written(snprintf(line + used, room - used, "%s: ", log_state.program), room - used);
	va_start(args, format);
	used += written(vsnprintf(line + used, room - used, format, args), room - used);
	va_end(args);
	line[used++] = '\n';
	if (write(STDERR_FILENO, line, used) < 0)
		return; /* nowhere left to say so */
}

int log_allowed(struct log_limit *limit, uint64_t *ret_dropped)
{
	struct timespec now;
	uint64_t now_ns;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	now_ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
	if (limit->used < limit->burst) {
		limit->used++;
	} else if (now_ns - limit->since_ns < NS_PER_S) {
		limit->dropped++;
		return 0;
	}
	limit->since_ns = now_ns;
	*ret_dropped = limit->dropped;
	limit->dropped = 0;
	return 1;
}
