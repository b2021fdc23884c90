// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * vmsect-kv: a table of keys and values in a section, which one VM writes and many
 * read.  The usage text says how; kv_table.h how it works.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "example_section.h"
#include "kv_table.h"

#define WAIT_MS 100
#define FEED_KEYS 64
#define SECONDS_MAX 86400

static int usage(void)
{
	(void)fputs(
		"usage: vmsect-kv format SECTION\n"
		"       vmsect-kv put SECTION KEY VALUE\n"
		"       vmsect-kv remove SECTION KEY\n"
		"       vmsect-kv get SECTION KEY\n"
		"       vmsect-kv list SECTION\n"
		"       vmsect-kv feed SECTION SECONDS\n"
		"       vmsect-kv check SECTION SECONDS\n"
		"\n"
		"One at a time may write (format, put, remove, feed); what a writer that died has\n"
		"left half done, the next one finishes.  feed changes 64 keys as fast as it can;\n"
		"check reads them meanwhile, in any number of VMs, and prints\n"
		"    reads busy torn\n"
		"It ends with 1 if a value was torn or went backwards, or none was read.\n",
		stderr);
	return 2;
}

static void feed_key(char key[16], uint64_t number)
{
	(void)snprintf(key, 16, "feed-%" PRIu64, number % FEED_KEYS);
}

/* Where a predecessor was: values never go backwards. */
static uint64_t feed_start(const struct kv_table *table)
{
	uint64_t value[KV_VALUE_MAX / sizeof(uint64_t)], newest = 0;
	uint32_t bytes;
	char key[16];

	for (uint64_t i = 0; i < FEED_KEYS; i++) {
		feed_key(key, i);
		if (!kv_get(table, key, value, sizeof(value), &bytes) && bytes == sizeof(value) &&
		    value[0] > newest)
			newest = value[0];
	}
	return newest;
}

static int feed(struct kv_table *table, const struct example_section *section, uint64_t seconds)
{
	uint64_t end = example_now_ms() + seconds * 1000;
	const uint64_t start = feed_start(table);
	uint64_t number = start;
	uint64_t value[KV_VALUE_MAX / sizeof(uint64_t)];
	char key[16];
	int err = 0;

	for (; !err && example_now_ms() < end; number++) {
		/* All words the same: a torn value shows. */
		for (size_t i = 0; i < sizeof(value) / sizeof(value[0]); i++)
			value[i] = number + 1;
		feed_key(key, number);
		err = kv_put(table, key, value, sizeof(value));
		if (number % 1024 == 0)
			example_section_notify(section, number);
	}
	printf("fed %" PRIu64 "\n", number - start);
	return err;
}

struct tally {
	uint64_t reads, busy, torn;
	uint64_t last[FEED_KEYS];
};

/* One key, once. */
static int check_key(const struct kv_table *table, uint64_t number, struct tally *tally)
{
	uint64_t value[KV_VALUE_MAX / sizeof(uint64_t)];
	const size_t words = sizeof(value) / sizeof(value[0]);
	uint32_t bytes;
	char key[16];
	int err;

	feed_key(key, number);
	err = kv_get(table, key, value, sizeof(value), &bytes);
	if (err == -EAGAIN || err == -ENOENT) {
		tally->busy += err == -EAGAIN;
		return 0;
	}
	if (err)
		return err;
	tally->reads++;
	if (bytes != sizeof(value) || value[0] != value[words - 1] ||
	    value[0] != value[words / 2] || value[0] < tally->last[number % FEED_KEYS])
		tally->torn++;
	tally->last[number % FEED_KEYS] = value[0];
	return 0;
}

static int check(const struct kv_table *table, uint64_t seconds)
{
	uint64_t end = example_now_ms() + seconds * 1000;
	struct tally tally = { 0 };
	int err = 0;

	for (uint64_t number = 0; !err && (number % 1024 || example_now_ms() < end); number++)
		err = check_key(table, number, &tally);
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", tally.reads, tally.busy, tally.torn);
	if (err)
		return err;
	return tally.torn || !tally.reads ? -EBADMSG : 0;
}

static int get(const struct kv_table *table, const char *key)
{
	char value[KV_VALUE_MAX];
	uint32_t bytes;
	int err = kv_get(table, key, value, sizeof(value), &bytes);

	if (err)
		return err;
	(void)fwrite(value, 1, bytes, stdout);
	(void)putchar('\n');
	return 0;
}

static int list(const struct kv_table *table)
{
	char key[KV_KEY_MAX + 1];
	uint32_t cursor = 0;
	int err;

	while (err = kv_next(table, &cursor, key), err != -ENOENT) {
		if (!err)
			(void)puts(key);
		else
			(void)fprintf(stderr, "bucket %u: %s\n", cursor - 1, strerror(-err));
	}
	return 0;
}

static int write_with(const struct example_section *section, char **argv, uint64_t seconds)
{
	struct kv_table table;
	int err;

	if (!strcmp(argv[1], "format"))
		return kv_format(section->map.addr, section->map.length);
	err = kv_open_writer(&table, section->map.addr, section->map.length);
	if (err)
		return err;
	if (table.repaired)
		(void)fprintf(stderr, "finished what a dead writer had begun: %u\n",
			      table.repaired);
	if (!strcmp(argv[1], "feed"))
		return feed(&table, section, seconds);
	if (!strcmp(argv[1], "put"))
		err = kv_put(&table, argv[3], argv[4], (uint32_t)strlen(argv[4]));
	else
		err = kv_remove(&table, argv[3]);
	example_section_notify(section, 0);
	return err;
}

/* A reader may come before the table: it waits for as long as it would read. */
static int read_with(const struct example_section *section, char **argv, uint64_t seconds)
{
	uint64_t end = example_now_ms() + seconds * 1000;
	struct kv_table table;
	int err = kv_open_reader(&table, section->map.addr, section->map.length);

	while (err == -ENOENT && example_now_ms() < end) {
		err = example_section_wait(section, WAIT_MS);
		if (!err)
			err = kv_open_reader(&table, section->map.addr, section->map.length);
	}
	if (err)
		return err;
	if (!strcmp(argv[1], "check"))
		return check(&table, seconds);
	return strcmp(argv[1], "get") ? list(&table) : get(&table, argv[3]);
}

static const struct {
	const char *name;
	int arguments; /* in all */
	bool writes, has_seconds;
} verbs[] = {
	{ "format", 3, true, false }, { "put", 5, true, false },   { "remove", 4, true, false },
	{ "get", 4, false, false },   { "list", 3, false, false }, { "feed", 4, true, true },
	{ "check", 4, false, true },
};

static int run(size_t verb, char **argv, uint64_t seconds)
{
	struct example_section section;
	int err;

	if (example_section_open(&section, argv[2], verbs[verb].writes))
		return 1;
	err = verbs[verb].writes ? write_with(&section, argv, seconds)
				 : read_with(&section, argv, seconds);
	example_section_close(&section);
	if (err)
		(void)fprintf(stderr, "%s: %s\n", argv[2], strerror(-err));
	return err != 0;
}

int main(int argc, char **argv)
{
	uint64_t seconds = 0;

	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		if (argc != verbs[i].arguments ||
		    (verbs[i].has_seconds && !example_number(argv[3], SECONDS_MAX, &seconds)))
			return usage();
		return run(i, argv, seconds);
	}
	return usage();
}
