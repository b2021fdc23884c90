/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs: order, keys, limits, pins, and the end of the pool with work left. */
#include "lib/check.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "broker/job.h"
#include "broker/rights.h"
#include "lib/leak.h"

#define JOBS_MAX 64

struct fixture {
	struct leak_guard *guard;
	struct event_base *base;
	struct broker_jobs *jobs;
	struct registry registry;
	struct party party;
	struct refusal refusal;
	struct request request;
	unsigned int wanted; /* the loop ends when so many have ended */
	unsigned int ended;
	unsigned int order[JOBS_MAX]; /* numbers as they ended */
	int status[JOBS_MAX];
	bool had_party[JOBS_MAX];
};

struct test_job {
	struct job job;
	struct fixture *fixture;
	unsigned int number;
	sem_t *wait; /* posted by the test; NULL: does not wait */
	sem_t *running; /* told that it runs, or NULL */
	unsigned int *inside; /* how many of a key are in there */
};

static unsigned int freed;

static void run(struct job *job)
{
	struct test_job *self = (struct test_job *)job;

	if (self->inside)
		assert_int_equal(__atomic_add_fetch(self->inside, 1, __ATOMIC_RELAXED), 1);
	if (self->running)
		(void)sem_post(self->running);
	if (self->wait)
		while (sem_wait(self->wait) < 0)
			continue;
	if (self->inside)
		(void)__atomic_sub_fetch(self->inside, 1, __ATOMIC_RELAXED);
	job->status = (int)self->number;
}

static int finish(struct job *job, const struct session *session)
{
	struct test_job *self = (struct test_job *)job;
	struct fixture *f = self->fixture;

	f->status[f->ended] = job->status;
	f->had_party[f->ended] = session->party;
	f->order[f->ended++] = self->number;
	return 0;
}

static void free_job(struct job *job)
{
	freed++;
	free(job);
}

static void on_ended(void *arg, struct job *job)
{
	struct fixture *f = arg;
	struct session session = {
		.registry = &f->registry,
		.party = job_party(&f->registry, job),
	};

	assert_int_equal(job->finish(job, &session), 0);
	job_end(&f->registry, job);
	if (f->ended == f->wanted)
		(void)event_base_loopbreak(f->base);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct limits limits;

	assert_non_null(f);
	f->guard = leak_guard_new();
	limits_init(&limits, UINT64_C(1) << 33, 65536);
	registry_init(&f->registry, &limits);
	f->party.subject.uid = 7;
	assert_int_equal(registry_add_party(&f->registry, &f->party, &f->refusal), 0);
	f->base = loop_new();
	assert_non_null(f->base);
	f->jobs = jobs_new(f->base, on_ended, f);
	assert_non_null(f->jobs);
	freed = 0;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	f->jobs = jobs_free(f->jobs);
	registry_remove_party(&f->registry, &f->party);
	registry_deinit(&f->registry);
	event_base_free(f->base);
	leak_guard_check(f->guard);
	free(f);
	return 0;
}

static int start(struct fixture *f, const struct test_job *like, struct section *section)
{
	const struct session session = {
		.registry = &f->registry,
		.jobs = f->jobs,
		.party = &f->party,
		.request = &f->request,
		.refusal = &f->refusal,
	};
	struct test_job *job = malloc(sizeof(*job));
	int r;

	assert_non_null(job);
	*job = *like;
	job->fixture = f;
	job->job.run = run;
	job->job.finish = finish;
	job->job.free = free_job;
	r = jobs_start(&session, &job->job, section);
	if (r < 0)
		free(job);
	return r;
}

static void loop_until(struct fixture *f, unsigned int wanted)
{
	f->wanted = wanted;
	while (f->ended < wanted)
		assert_int_equal(event_base_dispatch(f->base), 0);
}

static void test_many(void **state)
{
	struct fixture *f = *state;
	unsigned int i, sum = 0;

	f->request.cookie = 17;
	for (i = 1; i <= JOBS_MAX; i++)
		assert_int_equal(start(f, &(struct test_job){ .number = i }, NULL),
				 SESSION_E_LATER);
	loop_until(f, JOBS_MAX);
	for (i = 0; i < JOBS_MAX; i++) {
		sum += f->order[i];
		assert_int_equal(f->status[i], f->order[i]);
		assert_true(f->had_party[i]);
	}
	assert_int_equal(sum, JOBS_MAX * (JOBS_MAX + 1) / 2);
	assert_int_equal(freed, JOBS_MAX);
	assert_int_equal(account_used(&f->registry.account, 7, RESOURCE_JOBS), 0);
}

/* Jobs of one key run one after another, in their order; others overtake them. */
static void test_keys(void **state)
{
	struct fixture *f = *state;
	struct test_job job = { .number = 1 };
	unsigned int inside = 0;
	sem_t wait;

	assert_int_equal(sem_init(&wait, 0, 0), 0);
	job.job.key = 5;
	job.wait = &wait;
	job.inside = &inside;
	assert_int_equal(start(f, &job, NULL), SESSION_E_LATER);
	job.number = 2;
	assert_int_equal(start(f, &job, NULL), SESSION_E_LATER);
	assert_int_equal(start(f, &(struct test_job){ .number = 3 }, NULL), SESSION_E_LATER);
	loop_until(f, 1);
	assert_int_equal(f->order[0], 3);
	assert_int_equal(sem_post(&wait), 0);
	loop_until(f, 2);
	assert_int_equal(f->order[1], 1);
	assert_int_equal(sem_post(&wait), 0);
	loop_until(f, 3);
	assert_int_equal(f->order[2], 2);
	(void)sem_destroy(&wait);
}

/* Both workers are one user's, and more of his wait: another's comes next. */
static void test_users_take_turns(void **state)
{
	struct fixture *f = *state;
	struct test_job job = { .number = 1 };
	sem_t wait, running;
	unsigned int i;

	assert_int_equal(sem_init(&wait, 0, 0), 0);
	assert_int_equal(sem_init(&running, 0, 0), 0);
	job.wait = &wait;
	job.running = &running;
	for (i = 1; i <= 4; i++) {
		job.number = i;
		assert_int_equal(start(f, &job, NULL), SESSION_E_LATER);
	}
	for (i = 0; i < 2; i++) {
		while (sem_wait(&running) < 0)
			continue;
	}
	f->party.subject.uid = 8;
	assert_int_equal(start(f, &(struct test_job){ .number = 5 }, NULL), SESSION_E_LATER);
	f->party.subject.uid = 7;
	assert_int_equal(sem_post(&wait), 0);
	loop_until(f, 2);
	assert_true(f->order[0] <= 2);
	assert_int_equal(f->order[1], 5);
	for (i = 0; i < 3; i++)
		assert_int_equal(sem_post(&wait), 0);
	loop_until(f, 5);
	(void)sem_destroy(&wait);
	(void)sem_destroy(&running);
}

static void test_limit(void **state)
{
	struct fixture *f = *state;
	struct test_job job = { .number = 1 };

	f->registry.account.limits.user[RESOURCE_JOBS] = 2;
	assert_int_equal(start(f, &job, NULL), SESSION_E_LATER);
	assert_int_equal(start(f, &job, NULL), SESSION_E_LATER);
	assert_int_equal(start(f, &job, NULL), -EDQUOT);
	assert_int_equal(f->refusal.detail, VMSECT_DETAIL_LIMIT);
	loop_until(f, 2);
	assert_int_equal(start(f, &job, NULL), SESSION_E_LATER);
	loop_until(f, 3);
}

static const struct section_spec spec = {
	.name = "s",
	.protection = PROTECTION_READWRITE,
	.ownership = { .uid = 7, .mode = 0600 },
	.backing = { .kind = BACKING_SHMEM, .page_shift = 12, .size_bytes = 4096 },
};

/* A section whose last handle goes lives on until the job has ended, without its name. */
static void test_pinned_section(void **state)
{
	struct fixture *f = *state;
	struct test_job job = { .number = 1 };
	struct section *section;
	struct handle *handle;
	sem_t wait;

	assert_int_equal(sem_init(&wait, 0, 0), 0);
	job.wait = &wait;
	assert_int_equal(registry_new_section(&f->registry, &spec, &section, &f->refusal), 0);
	assert_int_equal(party_open(&f->party, section, ACCESS_READ, &handle, &f->refusal), 0);
	assert_int_equal(start(f, &job, section), SESSION_E_LATER);
	registry_close(&f->registry, handle);
	assert_ptr_equal(f->registry.sections, section);
	assert_null(registry_find_section(&f->registry, "s"));
	assert_int_equal(sem_post(&wait), 0);
	loop_until(f, 1);
	assert_null(f->registry.sections);
	(void)sem_destroy(&wait);
}

/* The end waits for what runs; what does not run yet never does. */
static void test_end_with_work_left(void **state)
{
	struct fixture *f = *state;
	struct test_job job = { .number = 1 };
	sem_t running;
	unsigned int i;

	assert_int_equal(sem_init(&running, 0, 0), 0);
	job.running = &running;
	job.job.key = 9;
	for (i = 1; i <= 20; i++) {
		job.number = i;
		assert_int_equal(start(f, &job, NULL), SESSION_E_LATER);
	}
	while (sem_wait(&running) < 0)
		continue;
	registry_remove_party(&f->registry, &f->party);
	f->jobs = jobs_free(f->jobs);
	assert_int_equal(f->ended, 20);
	assert_int_equal(freed, 20);
	assert_int_equal(f->status[0], 1);
	for (i = 0; i < 20; i++) {
		assert_true(f->status[i] == (int)f->order[i] || f->status[i] == -ECANCELED);
		assert_false(f->had_party[i]);
	}
	assert_int_equal(account_used(&f->registry.account, 7, RESOURCE_JOBS), 0);
	(void)sem_destroy(&running);
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
		TEST(test_many),  TEST(test_keys),	     TEST(test_users_take_turns),
		TEST(test_limit), TEST(test_pinned_section), TEST(test_end_with_work_left),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, start_a_thread, NULL);
}
