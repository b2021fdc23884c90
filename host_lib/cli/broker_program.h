/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The broker's program.  It maps a section's file for moments, to prepare and to
 * publish; the protocol does not tell which process it is.
 */
#ifndef CLI_BROKER_PROGRAM_H
#define CLI_BROKER_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

/* True if the process runs the vmsectd that belongs to this program. */
bool is_broker_program(pid_t pid);

#endif
