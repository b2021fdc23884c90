/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log of daemon and VMM: lines on stderr with a "<N>" priority prefix
 * where journald reads them (JOURNAL_STREAM is set), plain elsewhere.  Any
 * thread may call; a line is one write.  The library never logs.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* Sets the name before each line (borrowed) and the least urgent level. */
void log_init(const char *program, enum log_level level);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/*
 * A budget for lines that a guest or a peer can cause: `burst` at once, then
 * one each second.  Zero-initialise with the burst; owned by one thread.
 */
struct log_limit {
	unsigned int burst;
	unsigned int used;
	uint64_t since_ns;
	uint64_t dropped;
};

/*
 * True if a line may be written now; *ret_dropped is how many were dropped
 * since the last one.
 */
int log_allowed(struct log_limit *limit, uint64_t *ret_dropped);

#endif
