/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QEMU machine that does not run: it is there to be asked by QMP what it has made
 * of its command line.  What cannot happen fails the test; the time limit is the
 * program's.  One thread.
 */
#ifndef TESTS_INTEROP_QMP_H
#define TESTS_INTEROP_QMP_H

#include <jansson.h>
#include <stdio.h>
#include <sys/types.h>

struct qmp {
	pid_t pid; /* 0: has ended */
	FILE *in; /* its QMP input; owned, as is the next */
	FILE *out;
	char log[64]; /* path of its stderr */
};

struct qmp_config {
	const char *machine; /* with its options */
	const char *const *words; /* more of them, NULL ends */
	uid_t id; /* user and group that it runs as; 0: the test's own */
};

/* Starts it.  0, or -1: it has ended by itself, and qmp_said() tells why. */
int qmp_start(struct qmp *qmp, const struct qmp_config *config);

/* A command and what it returns, which is the caller's.  `arguments` is taken; may be NULL. */
json_t *qmp_ask(struct qmp *qmp, const char *command, json_t *arguments);

/* Is that text in what it has said on its stderr? */
int qmp_said(const struct qmp *qmp, const char *text);

/* Quits if it runs, with exit status 0, and removes its log. */
void qmp_end(struct qmp *qmp);

#endif
