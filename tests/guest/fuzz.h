/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect-ioctl-fuzz: what its files share.
 *
 *   fuzz_fds      descriptors that all threads use: nodes, sections, views, events,
 *                 and some that are not the driver's.  A thread replaces and closes
 *                 what another is in the middle of using; that is the point.
 *   fuzz_thread   a thread: generator, mappings, the call that it is in
 *   fuzz_command  an ioctl of the UAPI and how to fill its argument in sensibly
 */
#ifndef TESTS_GUEST_FUZZ_H
#define TESTS_GUEST_FUZZ_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/chance.h"

#define FUZZ_FDS 48
#define FUZZ_MAPS 6
#define FUZZ_NAMES 8
/* Larger than the argument of any command. */
#define FUZZ_ARGUMENT_MAX 512

struct fuzz_map {
	uint8_t *addr;
	size_t length;
};

struct fuzz_thread {
	struct chance chance;
	struct fuzz_map maps[FUZZ_MAPS];
	_Alignas(8) uint8_t argument[FUZZ_ARGUMENT_MAX];
	uint64_t ranges[64];
	/* For who watches: how many steps, and in which it is. */
	atomic_ulong steps;
	_Atomic(const char *) doing;
};

/* fuzz_fds.c */
/* Opens what there is from the start; names of sections to use. */
void fuzz_fds_init(const char *const *names, size_t count);
int fuzz_fd_any(struct chance *chance);
/* Takes fd over, in the place of another; -1 is none. */
void fuzz_fd_put(struct chance *chance, int fd);
void fuzz_fds_close_some(struct chance *chance, uint32_t count);
void fuzz_fds_close_all(void);
const char *fuzz_name_any(struct chance *chance);
int fuzz_node_open(const char *name, int flags);

/* fuzz_argument.c */
struct fuzz_command {
	const char *name;
	unsigned long number; /* of ioctl(2) */
	bool gives_fd;
	void (*fill)(struct fuzz_thread *thread, void *argument);
};

extern const struct fuzz_command fuzz_commands[];
extern const size_t fuzz_command_count;
/* A number that might be an edge of something. */
uint64_t fuzz_number(struct chance *chance);
/* An argument for the command, filled in, or a pointer that is no good. */
void *fuzz_argument(struct fuzz_thread *thread, const struct fuzz_command *command);
void fuzz_argument_init(void);

/* fuzz_memory.c, fuzz_steps.c: one random call. */
void fuzz_step_map(struct fuzz_thread *thread);
void fuzz_step_touch(struct fuzz_thread *thread);
void fuzz_step_reshape(struct fuzz_thread *thread);
void fuzz_step_unmap(struct fuzz_thread *thread);
void fuzz_step(struct fuzz_thread *thread);
/* What a thread has mapped; NULL if nothing. */
const struct fuzz_map *fuzz_map_any(struct fuzz_thread *thread);
void fuzz_maps_drop(struct fuzz_thread *thread);

#endif
