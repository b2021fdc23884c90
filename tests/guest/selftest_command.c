// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What all commands have in common: each belongs to some kinds of descriptors,
 * looks at its reserved fields, survives bad pointers, and is the same from
 * 32-bit programs.
 */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum kind { CTL, SECTION, VIEW, EVENTS, KINDS };

#define OF(kind) (1U << (kind))

static const struct {
	const char *name;
	unsigned long number;
	unsigned int of;
} commands[] = {
	{ "INFO", VMSECT_IOC_INFO, OF(CTL) },
	{ "LIST", VMSECT_IOC_LIST, OF(CTL) },
	{ "OPEN", VMSECT_IOC_OPEN, OF(CTL) },
	{ "CREATE", VMSECT_IOC_CREATE, OF(CTL) },
	{ "QUERY", VMSECT_IOC_QUERY, OF(SECTION) },
	{ "VIEW", VMSECT_IOC_VIEW, OF(SECTION) },
	{ "EXTEND", VMSECT_IOC_EXTEND, OF(SECTION) },
	{ "NOTIFY", VMSECT_IOC_NOTIFY, OF(SECTION) },
	{ "EVENTS", VMSECT_IOC_EVENTS, OF(SECTION) },
	{ "DUPLICATE", VMSECT_IOC_DUPLICATE, OF(SECTION) },
	{ "RESET", VMSECT_IOC_RESET, OF(SECTION) | OF(VIEW) },
	{ "PROTECT", VMSECT_IOC_PROTECT, OF(SECTION) | OF(VIEW) },
	{ "COMMIT", VMSECT_IOC_COMMIT, OF(SECTION) | OF(VIEW) },
	{ "QUERY_PAGES", VMSECT_IOC_QUERY_PAGES, OF(SECTION) | OF(VIEW) },
	{ "DIFF", VMSECT_IOC_DIFF, OF(SECTION) | OF(VIEW) },
	{ "PUBLISH", VMSECT_IOC_PUBLISH, OF(SECTION) | OF(VIEW) },
	{ "QUERY_VIEW", VMSECT_IOC_QUERY_VIEW, OF(SECTION) | OF(VIEW) },
	{ "FLUSH", VMSECT_IOC_FLUSH, OF(SECTION) | OF(VIEW) },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))
/* More than any command's structure. */
#define ARG_BYTES 512

/* One descriptor of each kind, of a section that is there for this alone. */
static int kinds_open(int fds[KINDS])
{
	struct vmsect_events_request events = { 0 };
	int i;

	fds[CTL] = ctl_open(O_RDWR);
	fds[SECTION] = scratch_open(&(struct scratch){ .max_bytes = 2 * SCRATCH_BYTES });
	if (fds[SECTION] < 0) {
		close(fds[CTL]);
		return fds[SECTION];
	}
	fds[VIEW] = view_open(fds[SECTION], 0, 0, VMSECT_GUEST_PROT_READWRITE);
	fds[EVENTS] = call(fds[SECTION], VMSECT_IOC_EVENTS, &events);
	for (i = 0; i < KINDS; i++)
		if (fds[i] < 0)
			return fds[i];
	return 0;
}

static void kinds_close(int fds[KINDS])
{
	int i;

	for (i = 0; i < KINDS; i++)
		close(fds[i]);
}

static void expect_enotty(const char *name, int kind, int fd, unsigned long number)
{
	static const char *const kind_names[] = { "control", "section", "view", "events" };
	uint8_t arg[ARG_BYTES] = { 0 };
	int result = call(fd, number, arg);

	if (result != -ENOTTY)
		tap_note("%s of a %s descriptor gives %d", name, kind_names[kind], result);
	EXPECT_EQ(result, -ENOTTY);
}

static void wrong_kind(void)
{
	int fds[KINDS], err = kinds_open(fds), kind;
	size_t i;

	NEED_FD(err);
	for (i = 0; i < COMMANDS; i++)
		for (kind = 0; kind < KINDS; kind++)
			if (!(commands[i].of & OF(kind)))
				expect_enotty(commands[i].name, kind, fds[kind],
					      commands[i].number);
	kinds_close(fds);
}

/* A command is its whole number: direction and size too. */
static void wrong_number(void)
{
	int fds[KINDS], err = kinds_open(fds), kind;
	unsigned long larger, nowhere;
	size_t i;

	NEED_FD(err);
	for (i = 0; i < COMMANDS; i++) {
		larger = commands[i].number + (8UL << _IOC_SIZESHIFT);
		nowhere = commands[i].number & ~((unsigned long)_IOC_DIRMASK << _IOC_DIRSHIFT);
		for (kind = 0; kind < KINDS; kind++) {
			expect_enotty(commands[i].name, kind, fds[kind], larger);
			expect_enotty(commands[i].name, kind, fds[kind], nowhere);
		}
	}
	kinds_close(fds);
}

static void expect_efault(const char *name, int fd, unsigned long number, void *arg)
{
	int result = call(fd, number, arg);

	if (result == -EOPNOTSUPP)
		return;
	if (result != -EFAULT)
		tap_note("%s gives %d", name, result);
	EXPECT_EQ(result, -EFAULT);
}

static void bad_pointer(void)
{
	uint8_t *nowhere = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fds[KINDS], err = kinds_open(fds), kind;
	size_t i;

	NEED_FD(err);
	EXPECT_EQ(mprotect(nowhere, PAGE, PROT_READ | PROT_WRITE), 0);
	for (i = 0; i < COMMANDS; i++)
		for (kind = 0; kind < KINDS; kind++) {
			if (!(commands[i].of & OF(kind)))
				continue;
			expect_efault(commands[i].name, fds[kind], commands[i].number,
				      nowhere + PAGE);
			/* A structure that ends where no memory is. */
			expect_efault(commands[i].name, fds[kind], commands[i].number,
				      nowhere + PAGE - 4);
			expect_efault(commands[i].name, fds[kind], commands[i].number,
				      (void *)(UINTPTR_MAX - 7));
		}
	munmap(nowhere, 2 * PAGE);
	kinds_close(fds);
}

/* What cannot be answered leaves nothing behind. */
static void answer_lost(void)
{
	struct vmsect_create *create =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fds[KINDS], err = kinds_open(fds), before;

	NEED_FD(err);
	create->size_bytes = PAGE;
	create->backing = VMSECT_BACKING_SHMEM;
	create->protection = VMSECT_GUEST_PROT_READWRITE;
	EXPECT_EQ(mprotect(create, PAGE, PROT_READ), 0);
	before = descriptors_open();
	EXPECT_EQ(call(fds[CTL], VMSECT_IOC_CREATE, create), -EFAULT);
	EXPECT_EQ(call(fds[CTL], VMSECT_IOC_INFO, create), -EFAULT);
	EXPECT_EQ(call(fds[SECTION], VMSECT_IOC_QUERY, create), -EFAULT);
	EXPECT_EQ(call(fds[VIEW], VMSECT_IOC_QUERY_VIEW, create), -EFAULT);
	EXPECT_EQ(descriptors_open(), before);
	munmap(create, PAGE);
	kinds_close(fds);
}

/* Fields that must be zero, of structures that are good but for them. */
static const struct vmsect_list good_list;
static const struct vmsect_open good_open = { .access = VMSECT_GUEST_ACCESS_READ,
					      .name = "no-such-section" };
static const struct vmsect_create good_create = { .size_bytes = PAGE,
						  .backing = VMSECT_BACKING_SHMEM,
						  .protection = VMSECT_GUEST_PROT_READWRITE };
static const struct vmsect_view_request good_view = { .length = PAGE,
						      .protection = VMSECT_GUEST_PROT_READONLY };
static const struct vmsect_protect good_protect = { .length = PAGE,
						    .protection = VMSECT_GUEST_PROT_READWRITE };
static const struct vmsect_page_run good_run;
static const struct vmsect_diff good_diff = { .count = 1 };
static const struct vmsect_publish good_publish = { .section_fd = -1 };
static const struct vmsect_flush good_flush;
static const struct vmsect_notify good_notify;
static const struct vmsect_duplicate good_duplicate;
static const struct vmsect_events_request good_events;

#define FIELD(command, kind, good, field)                                                          \
	{                                                                                          \
#command "." #field, VMSECT_IOC_##command, kind, &(good), sizeof(good),            \
			offsetof(__typeof__(good), field), sizeof((good).field)                    \
	}

static const struct reserved {
	const char *name;
	unsigned long number;
	int kind;
	const void *good;
	size_t bytes, offset, field_bytes;
} reserved[] = {
	FIELD(LIST, CTL, good_list, reserved),
	FIELD(OPEN, CTL, good_open, reserved),
	FIELD(OPEN, CTL, good_open, name[VMSECT_GUEST_NAME_MAX]),
	FIELD(OPEN, CTL, good_open, name[40]),
	FIELD(CREATE, CTL, good_create, reserved),
	FIELD(CREATE, CTL, good_create, name[VMSECT_GUEST_NAME_MAX]),
	FIELD(VIEW, SECTION, good_view, reserved[0]),
	FIELD(VIEW, SECTION, good_view, reserved[1]),
	FIELD(VIEW, SECTION, good_view, room),
	FIELD(NOTIFY, SECTION, good_notify, reserved),
	FIELD(DUPLICATE, SECTION, good_duplicate, reserved),
	FIELD(EVENTS, SECTION, good_events, reserved),
	FIELD(PROTECT, VIEW, good_protect, old),
	FIELD(COMMIT, VIEW, good_protect, old),
	FIELD(QUERY_PAGES, VIEW, good_run, length),
	FIELD(DIFF, VIEW, good_diff, more),
	FIELD(PUBLISH, VIEW, good_publish, reserved),
	FIELD(FLUSH, VIEW, good_flush, reserved),
};

/* One bit of a field, in its first byte or in its last. */
static void expect_reserved(const struct reserved *r, int fd, size_t byte, uint8_t bit)
{
	uint8_t arg[ARG_BYTES] = { 0 };
	int result;

	memcpy(arg, r->good, r->bytes);
	arg[r->offset + byte] = bit;
	result = call(fd, r->number, arg);
	if (result == -EOPNOTSUPP)
		return;
	if (result != -EINVAL)
		tap_note("%s gives %d", r->name, result);
	EXPECT_EQ(result, -EINVAL);
}

static void reserved_fields(void)
{
	int fds[KINDS], err = kinds_open(fds);
	size_t i;

	NEED_FD(err);
	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		expect_reserved(&reserved[i], fds[reserved[i].kind], 0, 1);
		expect_reserved(&reserved[i], fds[reserved[i].kind], reserved[i].field_bytes - 1,
				0x80);
	}
	kinds_close(fds);
}

static const struct tap_case cases[] = {
	{ "a command of another kind of descriptor is ENOTTY", wrong_kind },
	{ "a number with another size or direction is ENOTTY", wrong_number },
	{ "bad pointers are EFAULT", bad_pointer },
	{ "an answer that cannot be written leaves nothing open", answer_lost },
	{ "reserved fields are EINVAL", reserved_fields },
};

const struct tap_group group_command = TAP_GROUP("command", cases);
