/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual machine: everything it has, from KVM to the console.
 *
 * States: made (machine_new) -> running (machine_run) -> ended.  Owner:
 * main(), whose thread runs the event loop; each vCPU has a thread of its own.
 */
#ifndef MACHINE_H
#define MACHINE_H

struct config;
struct machine;

/* What machine_run() returns: the program's exit code. */
enum machine_exit {
	MACHINE_EXIT_OFF = 0, /* the guest powered off or reset */
	MACHINE_EXIT_FAILED = 1, /* the host could not go on */
	MACHINE_EXIT_USAGE = 2,
	MACHINE_EXIT_CRASHED = 3, /* triple fault */
	MACHINE_EXIT_QUOTA = 4, /* it copied more on write than it may */
	MACHINE_EXIT_SIGNAL = 128, /* plus the number */
};

/* config is borrowed and outlives it.  0, or -errno after one logged line. */
int machine_new(const struct config *config, struct machine **ret_machine);
struct machine *machine_free(struct machine *machine);

/* Runs the guest to its end; the exit code. */
int machine_run(struct machine *machine);

#endif
