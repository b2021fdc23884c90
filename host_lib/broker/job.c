/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See job.h. */
#include "broker/job.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/sys.h"

#define WORKERS 2u
#define WAKE_TRIES 8

TAILQ_HEAD(job_list, job);

struct worker {
	struct broker_jobs *jobs;
	pthread_t thread;
	const struct job *job; /* that it runs, or NULL; under the lock */
};

struct broker_jobs {
	jobs_ended ended;
	void *arg; /* borrowed */
	int fd; /* owned eventfd: something has ended */
	struct event *event; /* owned */
	unsigned int started; /* workers */
	struct worker workers[WORKERS];
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t more; /* a job came or a key became free, or stop */
	struct job_list waiting;
	struct job_list over;
	bool stop;
};

static bool key_is_busy(const struct broker_jobs *jobs, uint64_t key)
{
	unsigned int i;

	for (i = 0; key && i < WORKERS; i++) {
		if (jobs->workers[i].job && jobs->workers[i].job->key == key)
			return true;
	}
	return false;
}

static bool user_is_busy(const struct broker_jobs *jobs, uid_t uid)
{
	unsigned int i;

	for (i = 0; i < WORKERS; i++) {
		if (jobs->workers[i].job && jobs->workers[i].job->uid == uid)
			return true;
	}
	return false;
}

static struct job *find_job(const struct broker_jobs *jobs, bool any_user)
{
	struct job *job;

	TAILQ_FOREACH (job, &jobs->waiting, of_jobs) {
		if (!key_is_busy(jobs, job->key) && (any_user || !user_is_busy(jobs, job->uid)))
			return job;
	}
	return NULL;
}

/*
 * The first that may run now, taken off the list; NULL: none.  One of a user for
 * whom nothing runs comes first: nobody's many jobs keep the others waiting.
 */
static struct job *take_job(struct broker_jobs *jobs)
{
	struct job *job = find_job(jobs, false);

	if (!job)
		job = find_job(jobs, true);
	if (job)
		TAILQ_REMOVE(&jobs->waiting, job, of_jobs);
	return job;
}

/* Should not fail, the counter is far from its end; a wake-up that is lost is a client that waits.
 */
static void wake_loop(const struct broker_jobs *jobs)
{
	int tries = WAKE_TRIES;

	while (eventfd_write(jobs->fd, 1) < 0 && tries--)
		continue;
}

/* Runs one job without the lock, which is held before and after. */
static void work_on(struct worker *worker, struct job *job)
{
	struct broker_jobs *jobs = worker->jobs;

	worker->job = job;
	pthread_mutex_unlock(&jobs->lock);
	job->run(job);
	pthread_mutex_lock(&jobs->lock);
	worker->job = NULL;
	TAILQ_INSERT_TAIL(&jobs->over, job, of_jobs);
	wake_loop(jobs);
	pthread_cond_broadcast(&jobs->more);
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct broker_jobs *jobs = worker->jobs;
	struct job *job;

	pthread_mutex_lock(&jobs->lock);
	while (!jobs->stop) {
		job = take_job(jobs);
		if (job)
			work_on(worker, job);
		else
			pthread_cond_wait(&jobs->more, &jobs->lock);
	}
	pthread_mutex_unlock(&jobs->lock);
	return NULL;
}

static struct job *take_over(struct broker_jobs *jobs)
{
	struct job *job;

	pthread_mutex_lock(&jobs->lock);
	job = TAILQ_FIRST(&jobs->over);
	if (job)
		TAILQ_REMOVE(&jobs->over, job, of_jobs);
	pthread_mutex_unlock(&jobs->lock);
	return job;
}

static void on_over(evutil_socket_t fd, short what, void *arg)
{
	struct broker_jobs *jobs = arg;
	eventfd_t count;
	struct job *job;

	(void)what;
	(void)eventfd_read(fd, &count);
	while ((job = take_over(jobs)))
		jobs->ended(jobs->arg, job);
}

static int jobs_watch(struct broker_jobs *jobs, struct event_base *base)
{
	jobs->fd = sys_result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	if (jobs->fd < 0)
		return jobs->fd;
	jobs->event = event_new(base, jobs->fd, EV_READ | EV_PERSIST, on_over, jobs);
	return jobs->event && !event_add(jobs->event, NULL) ? 0 : -ENOMEM;
}

struct broker_jobs *jobs_new(struct event_base *base, jobs_ended ended, void *arg)
{
	struct broker_jobs *jobs = calloc(1, sizeof(*jobs));

	if (!jobs)
		return NULL;
	jobs->ended = ended;
	jobs->arg = arg;
	jobs->fd = -1;
	TAILQ_INIT(&jobs->waiting);
	TAILQ_INIT(&jobs->over);
	pthread_mutex_init(&jobs->lock, NULL);
	pthread_cond_init(&jobs->more, NULL);
	return jobs_watch(jobs, base) < 0 ? jobs_free(jobs) : jobs;
}

/* Nothing runs any more: what waits will not. */
static void cancel_waiting(struct broker_jobs *jobs)
{
	struct job *job;

	while ((job = TAILQ_FIRST(&jobs->waiting))) {
		TAILQ_REMOVE(&jobs->waiting, job, of_jobs);
		job->status = -ECANCELED;
		TAILQ_INSERT_TAIL(&jobs->over, job, of_jobs);
	}
}

static void join_workers(struct broker_jobs *jobs)
{
	pthread_mutex_lock(&jobs->lock);
	jobs->stop = true;
	pthread_cond_broadcast(&jobs->more);
	pthread_mutex_unlock(&jobs->lock);
	while (jobs->started)
		(void)pthread_join(jobs->workers[--jobs->started].thread, NULL);
}

struct broker_jobs *jobs_free(struct broker_jobs *jobs)
{
	struct job *job;

	if (!jobs)
		return NULL;
	join_workers(jobs);
	cancel_waiting(jobs);
	while ((job = take_over(jobs)))
		jobs->ended(jobs->arg, job);
	if (jobs->event)
		event_free(jobs->event);
	fd_close(jobs->fd);
	pthread_cond_destroy(&jobs->more);
	pthread_mutex_destroy(&jobs->lock);
	free(jobs);
	return NULL;
}

/* All threads are started by the first job.  One is enough to go on. */
static int start_workers(struct broker_jobs *jobs)
{
	struct worker *worker;
	int r;

	while (jobs->started < WORKERS) {
		worker = &jobs->workers[jobs->started];
		worker->jobs = jobs;
		r = pthread_create(&worker->thread, NULL, work, worker);
		if (r) {
			log_warning("no thread for what waits for disks: error %d", r);
			return jobs->started ? 0 : -EAGAIN;
		}
		jobs->started++;
	}
	return 0;
}

int jobs_start(const struct session *session, struct job *job, struct section *section)
{
	struct broker_jobs *jobs = session->jobs;
	uid_t uid = session->party->subject.uid;
	int r;

	r = account_charge(&session->registry->account, uid, RESOURCE_JOBS, 1, session->refusal);
	if (r < 0)
		return r;
	r = start_workers(jobs);
	if (r < 0) {
		account_refund(&session->registry->account, uid, RESOURCE_JOBS, 1);
		return refuse(session->refusal, r, VMSECT_DETAIL_NONE,
			      "the broker has no thread for this");
	}
	job->request = *session->request;
	job->party = session->party->id;
	job->party_serial = session->party->serial;
	job->uid = uid;
	job->section = section;
	if (section)
		section->pins++;
	pthread_mutex_lock(&jobs->lock);
	TAILQ_INSERT_TAIL(&jobs->waiting, job, of_jobs);
	pthread_cond_broadcast(&jobs->more);
	pthread_mutex_unlock(&jobs->lock);
	return SESSION_E_LATER;
}

struct party *job_party(const struct registry *registry, const struct job *job)
{
	struct party *party = registry_find_party(registry, job->party);

	return party && party->serial == job->party_serial ? party : NULL;
}

void job_end(struct registry *registry, struct job *job)
{
	account_refund(&registry->account, job->uid, RESOURCE_JOBS, 1);
	if (job->section)
		registry_unpin(registry, job->section);
	job->free(job);
}
