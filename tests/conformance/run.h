/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run of a file: its broker, its actors, and the case that is on.
 *
 * One thread.  `run` owns all it names but the script.
 */
#ifndef CONFORMANCE_RUN_H
#define CONFORMANCE_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "conformance/process.h"
#include "conformance/script.h"
#include "lib/broker_fixture.h"
#include "lib/huge_pages.h"

#define CASE_MS 10000
#define CAPTURES_MAX 16

struct capture {
	char name[32];
	char value[128];
};

struct run {
	const struct script *script;
	bool is_vm;
	bool is_verbose;
	struct broker_fixture broker;
	struct huge_pages huge;
	bool has_disk; /* something is mounted at `files` */
	char files[80]; /* folder of data files */
	struct actor *actors;

	/* Of the case. */
	const struct scenario *scenario;
	unsigned int number; /* of the case in the file */
	int64_t until_ms;
	struct capture capture[CAPTURES_MAX];
	size_t captures;
	char why[1024]; /* it failed */
};

/*
 * Prepares for the file's cases.  NULL, or why they are skipped here; run_end()
 * in any case.
 */
const char *run_begin(struct run *run);
void run_end(struct run *run);

/* True if the case did as it says; else run->why. */
bool run_case(struct run *run, const struct scenario *scenario);

/* The last word on the VMs: NULL, or what is wrong. */
const char *run_check_vms(struct run *run);

/* Starts the broker with the file's options. */
void run_start_broker(struct run *run);

/* The actor of that name, which is started if it is not there; NULL: why. */
struct actor *run_actor(struct run *run, const char *name);

/* The value of $NAME, or NULL. */
const char *run_value(const struct run *run, const char *name);
void run_keep(struct run *run, const char *name, const char *value);

__attribute__((format(printf, 2, 3))) bool run_fail(struct run *run, const char *format, ...);

#endif
