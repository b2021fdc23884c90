/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that wait for a disk.  A few threads run the part that waits, which
 * is system calls on descriptors of its own and nothing of the broker's; the
 * rest is done by the loop, before and after.
 *
 * A job owns what it needs: a copy of the request, the party's id (the party
 * may be gone when it ends), descriptors, memory.  A section that it works on
 * is pinned.  Jobs start in the order in which they came, but for those of one
 * `key`, of which one runs at a time, and those of a user for whom another runs
 * already, which let other users' pass.  How many may wait is limited per user
 * (RESOURCE_JOBS).
 *
 * Threads: run() is called by a worker, everything else by the loop's thread.
 * One lock, over the lists; it is never held across a call out of job.c.
 */
#ifndef BROKER_JOB_H
#define BROKER_JOB_H

#include <stdint.h>
#include <sys/queue.h>

#include "broker/session.h"

struct event_base;

struct job {
	/* Set by who makes it; it is embedded in that one's object. */
	void (*run)(struct job *job);
	/*
	 * As session_run(), but later: session->party is NULL if it is gone.  Called
	 * also for a job that was not run as the broker ends; `status` is -ECANCELED.
	 */
	int (*finish)(struct job *job, const struct session *session);
	void (*free)(struct job *job);
	uint64_t key; /* 0: may run beside all others */
	int status; /* 0 or -errno, of run() */
	/* Set by jobs_start(). */
	struct request request;
	uint32_t party;
	uint64_t party_serial;
	uid_t uid;
	struct section *section; /* pinned, or NULL */
	TAILQ_ENTRY(job) of_jobs;
};

typedef void (*jobs_ended)(void *arg, struct job *job);

/* A pool without threads yet.  `ended` is called in the loop and calls job_end().  NULL: no memory.
 */
struct broker_jobs *jobs_new(struct event_base *base, jobs_ended ended, void *arg);

/* Waits for jobs that run, ends all, joins the threads.  NULL is fine; returns NULL. */
struct broker_jobs *jobs_free(struct broker_jobs *jobs);

/*
 * Takes the job on success: SESSION_E_LATER.  `section` may be NULL.
 * -EDQUOT (LIMIT), -ENOMEM, -EAGAIN: the caller still has it.
 */
int jobs_start(const struct session *session, struct job *job, struct section *section);

/* Who asked for it; NULL: gone, though another may have its number by now. */
struct party *job_party(const struct registry *registry, const struct job *job);

/* What jobs_ended does at last: gives up the charge and the pin, frees. */
void job_end(struct registry *registry, struct job *job);

#endif
