/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A real vmsectd in a private folder.  It is started in the foreground and told
 * to send READY=1, so that its start needs no waiting by time.
 *
 * Binaries are found in $VMSECT_BIN_DIR, or in ../bin beside the test program.
 */
#ifndef TESTS_LIB_BROKER_FIXTURE_H
#define TESTS_LIB_BROKER_FIXTURE_H

#include <sys/types.h>

#define BROKER_ARGS_MAX 16

struct leak_guard;

struct broker_fixture {
	char folder[64]; /* mode 0711, removed at the end */
	char socket_path[100];
	char log_path[100]; /* its stderr */
	pid_t pid; /* 0: not running */
	struct leak_guard *guard; /* owned */
};

/* The path of one of our programs; fails the test if there is none. */
void fixture_program(const char *name, char *path, size_t room);

/* A folder for tests of starting: no broker yet. */
void broker_fixture_init(struct broker_fixture *fixture);

/* Starts the broker with more arguments (ends with NULL; NULL: none) and waits for READY=1. */
void broker_fixture_start(struct broker_fixture *fixture, const char *const *args);

/*
 * Lets every uid connect: for tests in which children change theirs.  Needs
 * root.
 */
void broker_fixture_open_to_all(struct broker_fixture *fixture);

/* SIGTERM; the broker must end with 0. */
void broker_fixture_stop(struct broker_fixture *fixture);

/* SIGKILL. */
void broker_fixture_kill(struct broker_fixture *fixture);

/* Stops what runs, removes the folder, checks for leaks of the test itself. */
void broker_fixture_deinit(struct broker_fixture *fixture);

/* Its descriptors now. */
size_t broker_fixture_fds(const struct broker_fixture *fixture);

/* Text of the log file; free it. */
char *broker_fixture_log(const struct broker_fixture *fixture);

/* cmocka setup and teardown; *state is a started fixture. */
int broker_setup(void **state);
int broker_teardown(void **state);

/* Waits for a child, at most 10 s, and returns its wait status. */
int fixture_wait(pid_t pid);

#endif
