/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest library's wrappers: what they hand to ioctl(2), what they make of its
 * answer, and that a failure writes nothing.  ioctl is ours here: it notes the
 * command and the argument, and answers as the test says.  Descriptors of events
 * are real pipes.
 */
#include "vmsect_guest.h"

#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/leak.h"
#include "vmsect_ring_section.h"

#define TIME_LIMIT_S 20
#define FD 77
#define NEW_FD 88

/* The next answer, and the last question. */
static struct {
	int result, error;
	unsigned long command;
	int fd;
	unsigned char given[sizeof(struct vmsect_list)];
	unsigned char answer[sizeof(struct vmsect_list)];
	size_t answer_bytes;
} driver;

int __wrap_ioctl(int fd, unsigned long command, void *argument);

int __wrap_ioctl(int fd, unsigned long command, void *argument)
{
	driver.fd = fd;
	driver.command = command;
	memcpy(driver.given, argument, _IOC_SIZE(command));
	if (driver.answer_bytes)
		memcpy(argument, driver.answer, driver.answer_bytes);
	errno = driver.error;
	return driver.result;
}

static void answers(int result, int error, const void *answer, size_t bytes)
{
	memset(&driver, 0, sizeof(driver));
	driver.result = result;
	driver.error = error;
	if (bytes)
		memcpy(driver.answer, answer, bytes);
	driver.answer_bytes = bytes;
}

static void asked(unsigned long command, const void *argument)
{
	assert_int_equal(driver.fd, FD);
	assert_int_equal(driver.command, command);
	assert_memory_equal(driver.given, argument, _IOC_SIZE(command));
}

/* All of them, with an ioctl that fails and still scribbles over its argument. */
static void failures_write_nothing(void **state)
{
	struct vmsect_list junk;
	struct vmsect_create create = { .size_bytes = 4096 };
	struct vmsect_view_request view = { .length = 4096 };
	struct vmsect_range range = { POISON, POISON };
	union {
		struct vmsect_section section;
		struct vmsect_view_info view;
		struct vmsect_page_run run;
		unsigned char bytes[sizeof(struct vmsect_section)];
	} out;
	uint64_t big = POISON;
	uint32_t small = POISON;
	int fd = (int)POISON;

	(void)state;
	memset(&junk, 0x11, sizeof(junk));
	answers(-1, EDQUOT, &junk, sizeof(struct vmsect_publish));
	memset(&out, 0xA5, sizeof(out));
	assert_int_equal(vmsect_guest_open_access(FD, "a", 1, &fd), -EDQUOT);
	assert_int_equal(vmsect_guest_create(FD, "a", &create, &small, &fd), -EDQUOT);
	assert_int_equal(vmsect_guest_duplicate(FD, 0, &fd), -EDQUOT);
	assert_int_equal(vmsect_guest_query(FD, &out.section), -EDQUOT);
	assert_int_equal(vmsect_guest_extend(FD, 1, &big), -EDQUOT);
	assert_int_equal(vmsect_guest_notify(FD, 0, 1), -EDQUOT);
	assert_int_equal(vmsect_guest_events(FD, 0, &fd), -EDQUOT);
	assert_int_equal(vmsect_guest_view(FD, &view, &fd), -EDQUOT);
	assert_int_equal(vmsect_guest_query_view(FD, &out.view), -EDQUOT);
	assert_int_equal(vmsect_guest_protect(FD, 0, 0, 2, &small), -EDQUOT);
	assert_int_equal(vmsect_guest_commit(FD, 0, 1, 0), -EDQUOT);
	assert_int_equal(vmsect_guest_reset(FD, 0, 0), -EDQUOT);
	assert_int_equal(vmsect_guest_query_pages(FD, 0, &out.run), -EDQUOT);
	assert_int_equal(vmsect_guest_diff(FD, &big, &range, 1, &small), -EDQUOT);
	assert_int_equal(vmsect_guest_publish(FD, FD), -EDQUOT);
	assert_int_equal(vmsect_guest_flush(FD, 0, 0, 0), -EDQUOT);
	assert_int_equal(fd, (int)POISON);
	assert_int_equal(small, POISON);
	assert_int_equal(big, POISON);
	assert_int_equal(range.offset, POISON);
	for (size_t i = 0; i < sizeof(out); i++)
		assert_int_equal(out.bytes[i], 0xA5);
}

static void long_names_do_not_reach_the_driver(void **state)
{
	char name[VMSECT_GUEST_NAME_MAX + 2];
	struct vmsect_create create = { .size_bytes = 4096 };
	struct vmsect_open expected = { .access = 3 };
	int fd = (int)POISON;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[VMSECT_GUEST_NAME_MAX + 1] = 0;
	answers(NEW_FD, 0, NULL, 0);
	assert_int_equal(vmsect_guest_open_access(FD, name, 3, &fd), -EINVAL);
	assert_int_equal(vmsect_guest_create(FD, name, &create, NULL, &fd), -EINVAL);
	assert_int_equal(driver.command, 0);
	assert_int_equal(fd, (int)POISON);
	name[VMSECT_GUEST_NAME_MAX] = 0;
	memcpy(expected.name, name, VMSECT_GUEST_NAME_MAX);
	assert_int_equal(vmsect_guest_open_access(FD, name, 3, &fd), 0);
	assert_int_equal(fd, NEW_FD);
	asked(VMSECT_IOC_OPEN, &expected);
}

static void create_asks_for_what_was_given(void **state)
{
	const struct vmsect_create options = { .size_bytes = 8192,
					       .flags = VMSECT_GUEST_CREATE_F_OPEN_IF,
					       .existed = 7,
					       .name = "not this one" };
	struct vmsect_create expected = { .size_bytes = 8192,
					  .flags = VMSECT_GUEST_CREATE_F_OPEN_IF,
					  .name = "this" };
	struct vmsect_create answer = expected;
	uint32_t existed = POISON;
	int fd = (int)POISON;

	(void)state;
	answer.existed = 1;
	answers(NEW_FD, 0, &answer, sizeof(answer));
	assert_int_equal(vmsect_guest_create(FD, "this", &options, &existed, &fd), 0);
	asked(VMSECT_IOC_CREATE, &expected);
	assert_int_equal(fd, NEW_FD);
	assert_int_equal(existed, 1);
	memset(expected.name, 0, sizeof(expected.name));
	assert_int_equal(vmsect_guest_create(FD, NULL, &options, NULL, &fd), 0);
	asked(VMSECT_IOC_CREATE, &expected);
}

static void sections_ask_for_what_was_given(void **state)
{
	const struct vmsect_duplicate duplicate = { .access = 5 };
	const struct vmsect_extend extend = { .size_bytes = 1 << 20 },
				   extended = { .size_bytes = 2 << 20 };
	const struct vmsect_notify notify = { .value = UINT64_MAX, .peer = 3 };
	const struct vmsect_events_request events = { .mask = 8 };
	uint64_t bytes = POISON;
	int fd = (int)POISON;

	(void)state;
	answers(NEW_FD, 0, NULL, 0);
	assert_int_equal(vmsect_guest_duplicate(FD, 5, &fd), 0);
	asked(VMSECT_IOC_DUPLICATE, &duplicate);
	assert_int_equal(fd, NEW_FD);
	assert_int_equal(vmsect_guest_events(FD, 8, &fd), 0);
	asked(VMSECT_IOC_EVENTS, &events);
	answers(0, 0, NULL, 0);
	assert_int_equal(vmsect_guest_notify(FD, 3, UINT64_MAX), 0);
	asked(VMSECT_IOC_NOTIFY, &notify);
	answers(0, 0, &extended, sizeof(extended));
	assert_int_equal(vmsect_guest_extend(FD, 1 << 20, NULL), 0);
	assert_int_equal(vmsect_guest_extend(FD, 1 << 20, &bytes), 0);
	asked(VMSECT_IOC_EXTEND, &extend);
	assert_int_equal(bytes, 2 << 20);
}

static void views_ask_for_what_was_given(void **state)
{
	const struct vmsect_view_request view = { .offset = 4096, .length = 8192, .protection = 4 };
	const struct vmsect_protect protect = { .offset = 1, .length = 2, .protection = 3 },
				    protected = { .old = 6 };
	const struct vmsect_range range = { .offset = 5, .length = 6 };
	const struct vmsect_page_run run = { .offset = 9 }, found = { .offset = 0, .length = 4096 };
	const struct vmsect_publish publish = { .section_fd = 12 };
	const struct vmsect_flush flush = { .offset = 1, .length = 2, .flags = 1 };
	struct vmsect_page_run got;
	uint32_t old = POISON;
	int fd = (int)POISON;

	(void)state;
	answers(NEW_FD, 0, NULL, 0);
	assert_int_equal(vmsect_guest_view(FD, &view, &fd), 0);
	asked(VMSECT_IOC_VIEW, &view);
	assert_int_equal(fd, NEW_FD);
	answers(0, 0, &protected, sizeof(protected));
	assert_int_equal(vmsect_guest_protect(FD, 1, 2, 3, &old), 0);
	asked(VMSECT_IOC_PROTECT, &protect);
	assert_int_equal(old, 6);
	answers(0, 0, NULL, 0);
	assert_int_equal(vmsect_guest_commit(FD, 1, 2, 3), 0);
	asked(VMSECT_IOC_COMMIT, &protect);
	assert_int_equal(vmsect_guest_reset(FD, 5, 6), 0);
	asked(VMSECT_IOC_RESET, &range);
	assert_int_equal(vmsect_guest_publish(FD, 12), 0);
	asked(VMSECT_IOC_PUBLISH, &publish);
	assert_int_equal(vmsect_guest_flush(FD, 1, 2, 1), 0);
	asked(VMSECT_IOC_FLUSH, &flush);
	answers(0, 0, &found, sizeof(found));
	assert_int_equal(vmsect_guest_query_pages(FD, 9, &got), 0);
	asked(VMSECT_IOC_QUERY_PAGES, &run);
	assert_int_equal(got.length, 4096);
}

static void queries_return_the_answer(void **state)
{
	const struct vmsect_section section = { .section_id = 3, .name = "s" }, no_section = { 0 };
	const struct vmsect_view_info info = { .length = 4096, .flags = 4 }, no_info = { 0 };
	struct vmsect_section got_section;
	struct vmsect_view_info got_info;

	(void)state;
	answers(0, 0, &section, sizeof(section));
	assert_int_equal(vmsect_guest_query(FD, &got_section), 0);
	asked(VMSECT_IOC_QUERY, &no_section);
	assert_memory_equal(&got_section, &section, sizeof(section));
	answers(0, 0, &info, sizeof(info));
	assert_int_equal(vmsect_guest_query_view(FD, &got_info), 0);
	asked(VMSECT_IOC_QUERY_VIEW, &no_info);
	assert_memory_equal(&got_info, &info, sizeof(info));
}

static void diff_goes_on_where_it_was(void **state)
{
	struct vmsect_range ranges[3];
	const struct vmsect_diff first = { .after = 4096,
					   .ranges = (uint64_t)(uintptr_t)ranges,
					   .count = 3 };
	struct vmsect_diff answer = { .after = 65536, .count = 3, .more = 1 };
	uint64_t after = 4096;
	uint32_t count = POISON;

	(void)state;
	answers(0, 0, &answer, sizeof(answer));
	assert_int_equal(vmsect_guest_diff(FD, &after, ranges, 3, &count), 1);
	asked(VMSECT_IOC_DIFF, &first);
	assert_int_equal(after, 65536);
	assert_int_equal(count, 3);
	answer.more = 0;
	answers(0, 0, &answer, sizeof(answer));
	assert_int_equal(vmsect_guest_diff(FD, &after, ranges, 3, &count), 0);
}

static void events_are_waited_for_and_read(void **state)
{
	struct vmsect_event sent = { .type = VMSECT_EVENT_NOTIFIED, .value = 42 };
	struct vmsect_event event;
	int ends[2];

	(void)state;
	memset(&event, 0xA5, sizeof(event));
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(vmsect_guest_wait(ends[0], 0), -ETIMEDOUT);
	assert_int_equal(vmsect_guest_read_event(ends[0], &event), -EAGAIN);
	assert_int_equal(write(ends[1], &sent, 5), 5);
	assert_int_equal(vmsect_guest_read_event(ends[0], &event), -EIO);
	assert_int_equal(event.type, POISON);
	assert_int_equal(write(ends[1], &sent, sizeof(sent)), sizeof(sent));
	assert_int_equal(vmsect_guest_wait(ends[0], -1), 0);
	assert_int_equal(vmsect_guest_read_event(ends[0], &event), 0);
	assert_memory_equal(&event, &sent, sizeof(event));
	(void)close(ends[1]);
	assert_int_equal(vmsect_guest_wait(ends[0], 1000), 0);
	assert_int_equal(vmsect_guest_read_event(ends[0], &event), -ENODEV);
	(void)close(ends[0]);
	assert_int_equal(vmsect_guest_wait(ends[0], 1000), -EBADF);
	assert_int_equal(vmsect_guest_read_event(ends[0], &event), -EBADF);
}

/* The ring's bell: what only costs the sleeper time is no error. */
static void the_bell_of_a_section_rings(void **state)
{
	static const struct {
		int error, result;
	} cases[] = {
		{ EAGAIN, 0 },	   { EHOSTDOWN, 0 },	{ ENXIO, 0 },
		{ EPERM, -EPERM }, { ENODEV, -ENODEV }, { EBADF, -EBADF },
	};
	struct vmsect_ring_section_bell bell = { .section_fd = FD, .events_fd = -1, .peer = 4 };
	const struct vmsect_notify expected = { .peer = 4 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		answers(-1, cases[i].error, NULL, 0);
		assert_int_equal(vmsect_ring_section_bell_ops.notify(&bell), cases[i].result);
	}
	answers(0, 0, NULL, 0);
	assert_int_equal(vmsect_ring_section_bell_ops.notify(&bell), 0);
	asked(VMSECT_IOC_NOTIFY, &expected);
}

static void the_bell_of_a_section_is_heard(void **state)
{
	const struct vmsect_event sent[] = { { .type = VMSECT_EVENT_NOTIFIED },
					     { .type = VMSECT_EVENT_PEER_LEFT, .peer = 2 },
					     { .type = VMSECT_EVENT_GONE } };
	struct vmsect_ring_section_bell bell = { .section_fd = FD };
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	bell.events_fd = ends[0];
	assert_int_equal(vmsect_ring_section_bell_ops.wait(&bell, 0), 0);
	assert_int_equal(write(ends[1], sent, sizeof(sent)), sizeof(sent));
	assert_int_equal(vmsect_ring_section_bell_ops.wait(&bell, 10000), 0);
	assert_int_equal(bell.peers_left, 0);
	assert_int_equal(vmsect_ring_section_bell_ops.wait(&bell, 10000), 0);
	assert_int_equal(bell.peers_left, 1);
	assert_int_equal(vmsect_ring_section_bell_ops.wait(&bell, 10000), -ENODEV);
	(void)close(ends[1]);
	assert_int_equal(vmsect_ring_section_bell_ops.wait(&bell, 10000), -ENODEV);
	(void)close(ends[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, leak_setup, leak_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(failures_write_nothing),	      TEST(long_names_do_not_reach_the_driver),
		TEST(create_asks_for_what_was_given), TEST(sections_ask_for_what_was_given),
		TEST(views_ask_for_what_was_given),   TEST(diff_goes_on_where_it_was),
		TEST(queries_return_the_answer),      TEST(events_are_waited_for_and_read),
		TEST(the_bell_of_a_section_rings),    TEST(the_bell_of_a_section_is_heard),
	};

	(void)alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests_name("guest_lib", tests, NULL, NULL);
}
