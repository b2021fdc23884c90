// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmsect-tool: sections from a shell in a guest, for the lab's stories.
 *
 * One command, one section.  What is here goes through mmap; what the objects
 * can do besides is in tool_object.c.  A section that the VM has no node of is
 * opened by its name.
 * Exit status: 0 done, 1 failed (one line on stderr), 2 usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include <xxhash.h>
#pragma GCC diagnostic pop

#include "guest/tool.h"

#define BYTES_MAX 4096
#define SHARED_RW (VMSECT_GUEST_READ | VMSECT_GUEST_WRITE)
#define PRIVATE_RW (SHARED_RW | VMSECT_GUEST_PRIVATE)
/* Not mapped: what the command does is up to it. */
#define UNMAPPED 0

struct bytes {
	uint8_t data[BYTES_MAX];
	size_t count;
};

int failed(const char *name, const char *what, int err)
{
	fprintf(stderr, "vmsect-tool: %s: %s: %s\n", name, what, strerror(-err));
	return EXIT_FAILURE;
}

/* A section that the VM was not given, by its name. */
static int open_by_name(const char *name, int flags, int *ret_fd)
{
	const uint32_t reads = VMSECT_GUEST_ACCESS_QUERY | VMSECT_GUEST_ACCESS_READ;
	const uint32_t writes = VMSECT_GUEST_ACCESS_WRITE | VMSECT_GUEST_ACCESS_NOTIFY;
	struct vmsect_open arg = { .access = flags & O_RDWR ? reads | writes : reads };
	int ctl, fd;
	int err = vmsect_guest_open(VMSECT_GUEST_CTL, O_RDWR, &ctl);

	if (err)
		return err;
	snprintf(arg.name, sizeof(arg.name), "%s", name);
	fd = ioctl(ctl, VMSECT_IOC_OPEN, &arg);
	err = fd < 0 ? -errno : 0;
	close(ctl);
	if (!err)
		*ret_fd = fd;
	return err;
}

/* Every descriptor is an object: more than a shell allows by default. */
static void descriptors_allow(void)
{
	const struct rlimit limit = { 4096, 4096 };

	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int target_open(struct target *t, int flags, int how)
{
	int err = vmsect_guest_open(t->name, flags, &t->fd);

	if (err == -ENOENT)
		err = open_by_name(t->name, flags, &t->fd);
	if (err)
		return failed(t->name, "open", err);
	if (how == UNMAPPED)
		return 0;
	err = vmsect_guest_query(t->fd, &t->section);
	if (err)
		return failed(t->name, "query", err);
	/* The default view of a section that was opened by name comes with its first use. */
	err = vmsect_guest_map(t->fd, how, 0,
			       t->section.length ? t->section.length : t->section.size_bytes,
			       &t->map);
	return err ? failed(t->name, "map", err) : 0;
}

bool parse_number(const char *text, uint64_t *ret_value)
{
	char *end;

	errno = 0;
	*ret_value = strtoull(text, &end, 0);
	return !errno && end != text && !*end && text[0] != '-';
}

static bool parse_hex(const char *text, struct bytes *ret_bytes)
{
	size_t length = strlen(text), i;
	char pair[3] = { 0 };

	if (!length || length % 2 || length / 2 > BYTES_MAX ||
	    strspn(text, "0123456789abcdefABCDEF") != length)
		return false;
	for (i = 0; i < length / 2; i++) {
		memcpy(pair, text + 2 * i, 2);
		ret_bytes->data[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	ret_bytes->count = length / 2;
	return true;
}

static void print_hex(const char *label, const volatile uint8_t *data, size_t count)
{
	size_t i;

	fputs(label, stdout);
	for (i = 0; i < count; i++)
		printf("%02x", data[i]);
	putchar('\n');
}

/* The range args[0], of count bytes, as an address; NULL after a message. */
static volatile uint8_t *target_range(const struct target *t, uint64_t count)
{
	uint64_t offset;

	if (!parse_number(t->args[0], &offset) || offset > t->map.length ||
	    count > t->map.length - offset) {
		fprintf(stderr, "vmsect-tool: %s: not a range of it\n", t->name);
		return NULL;
	}
	return (volatile uint8_t *)t->map.addr + offset;
}

static void store(volatile uint8_t *to, const struct bytes *bytes)
{
	size_t i;

	for (i = 0; i < bytes->count; i++)
		to[i] = bytes->data[i];
}

static bool equal(const volatile uint8_t *at, const struct bytes *bytes)
{
	size_t i;

	for (i = 0; i < bytes->count; i++)
		if (at[i] != bytes->data[i])
			return false;
	return true;
}

/* XXH3 of the section's bytes that the view has, as xxhsum -H3 of its file prints it. */
static int cmd_sum(struct target *t)
{
	uint64_t bytes = t->section.size_bytes - t->section.offset;

	if (bytes > t->map.length)
		bytes = t->map.length;
	printf("%016llx\n", (unsigned long long)XXH3_64bits(t->map.addr, (size_t)bytes));
	return EXIT_SUCCESS;
}

static int cmd_read(struct target *t)
{
	volatile uint8_t *at;
	uint64_t count;

	if (!parse_number(t->args[1], &count) || count > BYTES_MAX) {
		fprintf(stderr, "vmsect-tool: %s: at most %d bytes\n", t->name, BYTES_MAX);
		return EXIT_FAILURE;
	}
	at = target_range(t, count);
	if (!at)
		return EXIT_FAILURE;
	print_hex("", at, (size_t)count);
	return EXIT_SUCCESS;
}

/* The bytes of args[1] and the place for them; false after a message. */
static bool target_bytes(const struct target *t, struct bytes *ret_bytes, volatile uint8_t **ret_at)
{
	if (!parse_hex(t->args[1], ret_bytes)) {
		fprintf(stderr, "vmsect-tool: %s: not hexadecimal bytes\n", t->args[1]);
		return false;
	}
	*ret_at = target_range(t, ret_bytes->count);
	return *ret_at != NULL;
}

static int cmd_write(struct target *t)
{
	volatile uint8_t *at;
	struct bytes bytes;

	if (!target_bytes(t, &bytes, &at))
		return EXIT_FAILURE;
	store(at, &bytes);
	return EXIT_SUCCESS;
}

/* Writes to a private mapping; prints what it and a shared one then show. */
static int cmd_poke_private(struct target *t)
{
	struct vmsect_guest_mapping shared;
	volatile uint8_t *at;
	struct bytes bytes;
	int err;

	if (!target_bytes(t, &bytes, &at))
		return EXIT_FAILURE;
	err = vmsect_guest_map(t->fd, VMSECT_GUEST_READ, 0, t->map.length, &shared);
	if (err)
		return failed(t->name, "map", err);
	store(at, &bytes);
	print_hex("private ", at, bytes.count);
	print_hex("shared ", (uint8_t *)shared.addr + (at - (uint8_t *)t->map.addr), bytes.count);
	vmsect_guest_unmap(&shared);
	return EXIT_SUCCESS;
}

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Polls the memory itself: there is nothing else that tells of a store. */
static int cmd_wait(struct target *t)
{
	volatile uint8_t *at;
	struct bytes bytes;
	uint64_t seconds;
	int64_t limit;

	if (!target_bytes(t, &bytes, &at))
		return EXIT_FAILURE;
	if (!parse_number(t->args[2], &seconds) || seconds > 3600) {
		fprintf(stderr, "vmsect-tool: %s: not a number of seconds\n", t->args[2]);
		return EXIT_FAILURE;
	}
	limit = now_ms() + (int64_t)seconds * 1000;
	while (!equal(at, &bytes)) {
		if (now_ms() >= limit)
			return failed(t->name, "wait", -ETIMEDOUT);
		poll(NULL, 0, 1);
	}
	return EXIT_SUCCESS;
}

static sigjmp_buf lost;

static void on_sigbus(int number)
{
	siglongjmp(lost, number);
}

static void on_term(int number)
{
	(void)number;
}

void hold_until_told(void)
{
	struct sigaction term = { .sa_handler = on_term };
	char ignored[64];

	sigaction(SIGTERM, &term, NULL);
	sigaction(SIGINT, &term, NULL);
	while (read(STDIN_FILENO, ignored, sizeof(ignored)) > 0)
		continue;
}

/* False: there is no memory behind the byte. */
static bool load(const volatile uint8_t *at, uint8_t *ret_value)
{
	struct sigaction bus = { .sa_handler = on_sigbus };

	sigaction(SIGBUS, &bus, NULL);
	if (sigsetjmp(lost, 1))
		return false;
	*ret_value = *at;
	return true;
}

/* One byte, or that there is no memory behind it. */
static int cmd_probe(struct target *t)
{
	volatile uint8_t *at = target_range(t, 1);
	uint8_t value;

	if (!at)
		return EXIT_FAILURE;
	if (load(at, &value))
		print_hex("", &value, 1);
	else
		puts("lost");
	return EXIT_SUCCESS;
}

/*
 * Reads a byte over and over until that fails; gives up after args[1] seconds.
 */
static int cmd_watch(struct target *t)
{
	struct sigaction bus = { .sa_handler = on_sigbus };
	volatile uint8_t *at = target_range(t, 1);
	int64_t start = now_ms();
	uint64_t seconds;

	if (!at || !parse_number(t->args[1], &seconds) || seconds > 3600)
		return EXIT_FAILURE;
	puts("watching");
	fflush(stdout);
	sigaction(SIGBUS, &bus, NULL);
	if (sigsetjmp(lost, 1)) {
		puts("lost");
		return EXIT_SUCCESS;
	}
	while (now_ms() - start < (int64_t)seconds * 1000)
		(void)*at;
	return failed(t->name, "watch", -ETIMEDOUT);
}

/* A mapping that reaches past the section's end, until the section is as long. */
static int cmd_wait_past(struct target *t)
{
	struct vmsect_guest_mapping past;
	int64_t start = now_ms();
	uint64_t offset, seconds;
	const uint8_t *at;
	uint8_t value;
	int err;

	if (!parse_number(t->args[0], &offset) || offset > 1ULL << 40 ||
	    !parse_number(t->args[1], &seconds) || seconds > 3600)
		return EXIT_FAILURE;
	err = vmsect_guest_map(t->fd, VMSECT_GUEST_READ, 0, offset + 1, &past);
	if (err)
		return failed(t->name, "map", err);
	at = (uint8_t *)past.addr + offset;
	puts(load(at, &value) ? "not past" : "waiting");
	fflush(stdout);
	while (!load(at, &value)) {
		if (now_ms() - start >= (int64_t)seconds * 1000)
			return failed(t->name, "wait", -ETIMEDOUT);
		poll(NULL, 0, 1);
	}
	print_hex("there ", &value, 1);
	vmsect_guest_unmap(&past);
	return EXIT_SUCCESS;
}

static int cmd_flush(struct target *t)
{
	if (msync(t->map.addr, t->map.length, MS_SYNC) < 0)
		return failed(t->name, "msync", -errno);
	return EXIT_SUCCESS;
}

/* The whole section's private pages. */
static int cmd_reset(struct target *t)
{
	int err = vmsect_guest_reset(t->fd, 0, 0);

	return err ? failed(t->name, "reset", err) : EXIT_SUCCESS;
}

/* Until a signal or the end of input; then says whether the memory is still there. */
static int cmd_hold(struct target *t)
{
	struct sigaction bus = { .sa_handler = on_sigbus };
	volatile uint8_t *first = t->map.addr;

	sigaction(SIGBUS, &bus, NULL);
	printf("holding %02x\n", first[0]);
	fflush(stdout);
	hold_until_told();
	if (sigsetjmp(lost, 1))
		puts("lost");
	else
		printf("held %02x\n", first[0]);
	return EXIT_SUCCESS;
}

static int cmd_info(struct target *t)
{
	static const char *const modes[] = { "none", "ro", "rw", "cow" };
	const struct vmsect_section *s = &t->section;

	printf("%s mode=%s size=%llu length=%llu generation=%llu denied=%llu cache=%u pages=%u\n",
	       s->name, modes[s->mode & 3], (unsigned long long)s->size_bytes,
	       (unsigned long long)s->length, (unsigned long long)s->generation,
	       (unsigned long long)s->denied_writes, s->cache, s->has_pages);
	return EXIT_SUCCESS;
}

static const struct command {
	const char *name;
	const char *usage;
	int args;
	int flags;
	int how;
	int (*run)(struct target *t);
} commands[] = {
	{ "sum", "NAME", 0, O_RDONLY, VMSECT_GUEST_READ, cmd_sum },
	{ "info", "NAME", 0, O_RDONLY, VMSECT_GUEST_READ, cmd_info },
	{ "read", "NAME OFFSET LENGTH", 2, O_RDONLY, VMSECT_GUEST_READ, cmd_read },
	{ "write", "NAME OFFSET HEX", 2, O_RDWR, SHARED_RW, cmd_write },
	{ "poke-private", "NAME OFFSET HEX", 2, O_RDONLY, PRIVATE_RW, cmd_poke_private },
	{ "wait", "NAME OFFSET HEX SECONDS", 3, O_RDONLY, VMSECT_GUEST_READ, cmd_wait },
	{ "probe", "NAME OFFSET", 1, O_RDONLY, VMSECT_GUEST_READ, cmd_probe },
	{ "watch", "NAME OFFSET SECONDS", 2, O_RDONLY, VMSECT_GUEST_READ, cmd_watch },
	{ "wait-past", "NAME OFFSET SECONDS", 2, O_RDONLY, VMSECT_GUEST_READ, cmd_wait_past },
	{ "flush", "NAME", 0, O_RDWR, SHARED_RW, cmd_flush },
	{ "reset", "NAME", 0, O_RDWR, VMSECT_GUEST_READ, cmd_reset },
	{ "hold", "NAME", 0, O_RDONLY, VMSECT_GUEST_READ, cmd_hold },
	{ "pread", "NAME OFFSET", 1, O_RDONLY, UNMAPPED, cmd_pread },
	{ "notify", "NAME PEER VALUE", 2, O_RDWR, UNMAPPED, cmd_notify },
	{ "ring", "NAME PEER COUNT", 2, O_RDWR, UNMAPPED, cmd_ring },
	{ "events", "NAME COUNT SECONDS", 2, O_RDONLY, UNMAPPED, cmd_events },
	{ "poll", "NAME SECONDS", 1, O_RDWR, UNMAPPED, cmd_poll },
	{ "pin", "NAME", 0, O_RDONLY, VMSECT_GUEST_READ, cmd_pin },
	{ "view-write", "NAME PROTECTION OFFSET HEX", 3, O_RDWR, UNMAPPED, cmd_view_write },
	{ "views", "NAME COUNT", 1, O_RDWR, UNMAPPED, cmd_views },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int usage(void)
{
	size_t i;

	for (i = 0; i < COMMAND_COUNT; i++)
		fprintf(stderr, "usage: vmsect-tool %s %s\n", commands[i].name, commands[i].usage);
	return 2;
}

static int list(void)
{
	struct vmsect_section section;
	uint32_t i;
	int ctl;
	int err = vmsect_guest_open(VMSECT_GUEST_CTL, O_RDONLY, &ctl);

	if (err)
		return failed(VMSECT_GUEST_CTL, "open", err);
	for (i = 0; !vmsect_guest_list(ctl, i, &section); i++)
		puts(section.name);
	close(ctl);
	return EXIT_SUCCESS;
}

/* The number by which other VMs know this one. */
static int peer(void)
{
	struct vmsect_info info;
	int ctl;
	int err = vmsect_guest_open(VMSECT_GUEST_CTL, O_RDONLY, &ctl);

	if (err)
		return failed(VMSECT_GUEST_CTL, "open", err);
	err = vmsect_guest_info(ctl, &info);
	close(ctl);
	if (err)
		return failed(VMSECT_GUEST_CTL, "info", err);
	printf("%u\n", info.peer_id);
	return EXIT_SUCCESS;
}

static int command_run(const struct command *command, char **args)
{
	struct target t = { .name = args[0], .args = args + 1, .fd = -1 };
	int status = target_open(&t, command->flags, command->how);

	if (!status)
		status = command->run(&t);
	vmsect_guest_unmap(&t.map);
	if (t.fd >= 0)
		close(t.fd);
	return status;
}

int main(int argc, char **argv)
{
	size_t i;
	int status;

	descriptors_allow();
	if (argc == 2 && !strcmp(argv[1], "list"))
		return list();
	if (argc == 2 && !strcmp(argv[1], "peer"))
		return peer();
	for (i = 0; argc > 2 && i < COMMAND_COUNT; i++) {
		if (strcmp(argv[1], commands[i].name) != 0 || argc != 3 + commands[i].args)
			continue;
		status = command_run(&commands[i], argv + 2);
		return fflush(stdout) ? EXIT_FAILURE : status;
	}
	return usage();
}
