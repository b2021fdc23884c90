/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk that fails once: the section keeps the error for ever, everybody with
 * a handle hears of it, and no later flush succeeds.
 */
#include "lib/check.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "broker/job.h"
#include "broker/rights.h"
#include "lib/leak.h"

#define EVENTS_MAX 8

static int sync_errno; /* of the next fdatasync() alone */

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
	int error = __atomic_exchange_n(&sync_errno, 0, __ATOMIC_SEQ_CST);

	if (!error)
		return __real_fdatasync(fd);
	errno = error;
	return -1;
}

struct fixture {
	struct leak_guard *guard;
	struct event_base *base;
	struct registry registry;
	struct party parties[2];
	struct section *section;
	struct broker_jobs *jobs;
	struct reply *reply;
	struct refusal refusal;
	int result;
	bool is_over;
	unsigned int event_count;
	struct registry_event events[EVENTS_MAX];
	uint32_t told[EVENTS_MAX];
};

static void on_tell(void *arg, struct party *to, const struct registry_event *event)
{
	struct fixture *f = arg;

	assert_true(f->event_count < EVENTS_MAX);
	f->told[f->event_count] = to->id;
	f->events[f->event_count++] = *event;
}

static void on_ended(void *arg, struct job *job)
{
	struct fixture *f = arg;
	const struct session session = {
		.registry = &f->registry,
		.party = registry_find_party(&f->registry, job->party),
		.request = &job->request,
		.reply = f->reply,
		.refusal = &f->refusal,
	};

	f->result = job->finish(job, &session);
	f->is_over = true;
	job_end(&f->registry, job);
	(void)event_base_loopbreak(f->base);
}

static void make_section(struct fixture *f)
{
	const struct section_spec spec = {
		.name = "s",
		.protection = PROTECTION_READWRITE,
		.ownership = { .mode = 0600 },
		.backing = { .kind = BACKING_FILE, .page_shift = 12, .writable = true },
	};
	char path[] = "/tmp/vmsect-test-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);
	struct handle *handle;
	unsigned int i;

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(ftruncate(fd, 8192), 0);
	assert_int_equal(registry_new_section(&f->registry, &spec, &f->section, &f->refusal), 0);
	f->section->backing.rw_fd = fd;
	f->section->backing.size_bytes = 8192;
	for (i = 0; i < 2; i++) {
		assert_int_equal(registry_add_party(&f->registry, &f->parties[i], &f->refusal), 0);
		assert_int_equal(
			party_open(&f->parties[i], f->section, ACCESS_READ, &handle, &f->refusal),
			0);
	}
	f->event_count = 0;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct limits limits;

	assert_non_null(f);
	f->guard = leak_guard_new();
	f->reply = calloc(1, sizeof(*f->reply));
	assert_non_null(f->reply);
	limits_init(&limits, UINT64_C(1) << 33, 65536);
	registry_init(&f->registry, &limits);
	f->registry.tell = on_tell;
	f->registry.tell_arg = f;
	f->base = loop_new();
	f->jobs = jobs_new(f->base, on_ended, f);
	assert_non_null(f->jobs);
	make_section(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	f->registry.tell = NULL;
	f->jobs = jobs_free(f->jobs);
	registry_remove_party(&f->registry, &f->parties[0]);
	registry_remove_party(&f->registry, &f->parties[1]);
	registry_deinit(&f->registry);
	event_base_free(f->base);
	free(f->reply);
	leak_guard_check(f->guard);
	free(f);
	return 0;
}

/* One FLUSH of the first party, to its end. */
static int flush(struct fixture *f, uint32_t flags)
{
	const struct request request = {
		.flush = { .hdr.op = VMSECT_OP_FLUSH, .handle = 1, .flags = flags },
	};
	const struct session session = {
		.registry = &f->registry,
		.jobs = f->jobs,
		.party = &f->parties[0],
		.request = &request,
		.reply = f->reply,
		.refusal = &f->refusal,
	};
	int r = session_flush(&session);

	if (r != SESSION_E_LATER)
		return r;
	f->is_over = false;
	while (!f->is_over)
		assert_int_equal(event_base_dispatch(f->base), 0);
	return f->result;
}

static void test_error_stays(void **state)
{
	struct fixture *f = *state;
	uint64_t generation = f->section->generation;

	assert_int_equal(flush(f, VMSECT_FLUSH_DURABLE), 0);
	assert_int_equal(f->event_count, 0);
	sync_errno = EIO;
	assert_int_equal(flush(f, VMSECT_FLUSH_DURABLE), -EIO);
	assert_int_equal(f->refusal.detail, VMSECT_DETAIL_IO);
	assert_int_equal(f->section->io_error, EIO);
	assert_int_equal(f->section->generation, generation + 1);
	assert_int_equal(f->event_count, 2);
	assert_int_equal(f->events[0].type, VMSECT_WIRE_EVENT_IO_ERROR);
	assert_int_equal(f->events[0].value, EIO);
	assert_int_equal(f->events[0].section, f->section->id);
	assert_int_not_equal(f->told[0], f->told[1]);
	/* The disk is well again, the data is not. */
	assert_int_equal(flush(f, VMSECT_FLUSH_DURABLE), -EIO);
	assert_int_equal(flush(f, 0), -EIO);
	assert_int_equal(f->refusal.detail, VMSECT_DETAIL_IO);
	assert_int_equal(f->event_count, 2);
}

/* The first error is the one that stays. */
static void test_first_error_stays(void **state)
{
	struct fixture *f = *state;

	sync_errno = ENOSPC;
	assert_int_equal(flush(f, VMSECT_FLUSH_DURABLE), -ENOSPC);
	sync_errno = EIO;
	assert_int_equal(flush(f, VMSECT_FLUSH_DURABLE), -ENOSPC);
	assert_int_equal(f->event_count, 2);
	sync_errno = 0;
}

static void *nothing(void *arg)
{
	return arg;
}

/* A sanitizer has a thread of its own from the first one on: before anything is counted. */
static int start_a_thread(void **state)
{
	pthread_t thread;

	(void)state;
	return pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_error_stays),
		TEST(test_first_error_stays),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, start_a_thread, NULL);
}
