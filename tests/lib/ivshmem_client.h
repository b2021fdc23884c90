/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of the ivshmem server protocol, that looks at every byte.  What
 * cannot happen fails the test.
 */
#ifndef TESTS_LIB_IVSHMEM_CLIENT_H
#define TESTS_LIB_IVSHMEM_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#define IVSHMEM_MEMORY (-1)
#define IVSHMEM_VECTORS_MAX 64

struct ivshmem_message {
	int64_t value;
	int fd; /* the receiver's, or -1 */
};

/* What a stream has. */
enum ivshmem_outcome {
	IVSHMEM_MESSAGE,
	IVSHMEM_NOTHING, /* now */
	IVSHMEM_END,
};

/* The next message, if one is there. */
enum ivshmem_outcome ivshmem_receive(int socket, struct ivshmem_message *ret_message);

/* The same, waited for at most 10 s. */
enum ivshmem_outcome ivshmem_wait(int socket, struct ivshmem_message *ret_message);

/* Waits for a message of that value, without a descriptor. */
void ivshmem_expect(int socket, int64_t value);

/* Waits for one with a descriptor, which is the caller's. */
int ivshmem_expect_fd(int socket, int64_t value);

/* Waits for `count` of them. */
void ivshmem_expect_fds(int socket, int64_t value, int *fds, unsigned int count);

/* Version and ID, which is returned; with `has_memory` the section's descriptor. */
uint32_t ivshmem_greet(int socket, bool has_memory, int *ret_memory);

void ivshmem_close_fds(int *fds, unsigned int count);

/* Rings, and what was rung (waited for at most 10 s; 0: nothing). */
void ivshmem_ring(int bell);
uint64_t ivshmem_take(int bell);
bool ivshmem_is_rung(int bell);

/* Connects to a stream socket; -errno. */
int ivshmem_connect(const char *path);

#endif
