/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A broker that lies: a thread that listens in a box, says a proper HELLO and
 * answers each later request as the test's script wants.
 */
#ifndef TESTS_LIB_FAKE_BROKER_H
#define TESTS_LIB_FAKE_BROKER_H

#include <pthread.h>
#include <stddef.h>

#include <vmsect/vmsect_proto.h>

#include "lib/client_fixture.h"

/* Answers one request on the socket; 0 ends the connection. */
typedef int fake_answer(int socket, const struct vmsect_msg_hdr *request);

struct fake_broker {
	int listener; /* owned */
	fake_answer *hello; /* NULL: a proper one */
	fake_answer *answer;
	pthread_t thread;
};

/* Listens at the box's socket; serves one connection. */
void fake_broker_start(struct fake_broker *fake, const struct box *box);

/* Waits until its one client has gone. */
void fake_broker_stop(struct fake_broker *fake);

/* The header of a good reply of that size to the request. */
struct vmsect_msg_hdr fake_header(const struct vmsect_msg_hdr *request, size_t size);

/* A good reply to CREATE and OPEN: a read-only handle of 4096 bytes called "x". */
struct vmsect_rep_handle fake_handle(const struct vmsect_msg_hdr *request);

/* Sends a reply with `nfds` copies of a descriptor that is open with `mode`. */
int fake_send(int socket, const void *data, size_t size, unsigned int nfds, int mode);

#endif
