/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A broker that lies: a thread that listens in a box and answers each request
 * as the test's script wants, or else properly.
 */
#ifndef TESTS_LIB_FAKE_BROKER_H
#define TESTS_LIB_FAKE_BROKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include <vmsect/vmsect_proto.h>

#include "lib/client_fixture.h"

#define FAKE_REQUESTS_MAX 64u

/* A request as it came. */
union fake_request {
	struct vmsect_msg_hdr hdr;
	struct vmsect_req_resume resume;
	struct vmsect_req_hand_back hand_back;
	struct vmsect_req_unmap unmap;
	struct vmsect_req_open open;
	unsigned char bytes[512];
};

/* Answers one request on the socket; 0 ends the connection. */
typedef int fake_answer(int socket, const struct vmsect_msg_hdr *request);

struct fake_broker {
	int listener; /* owned */
	fake_answer *hello; /* NULL: a proper one, as are the next two */
	fake_answer *resume;
	fake_answer *answer;
	pthread_t thread;
	atomic_uint connections;
	/* For the test to look at after fake_broker_stop(): */
	unsigned int request_count;
	union fake_request requests[FAKE_REQUESTS_MAX];
	int handed_back_mode; /* O_RDONLY or O_RDWR: of the last HAND_BACK's descriptor */
};

/* Listens at the box's socket; serves one connection after another. */
void fake_broker_start(struct fake_broker *fake, const struct box *box);

/* Takes no more connections, and waits until the last client has gone. */
void fake_broker_stop(struct fake_broker *fake);

/* A client of it; the test fails if there is none. */
struct vmsect_client *fake_connect(const struct box *box, int reconnect_ms);

/* Proper answers: to HELLO, to RESUME (nothing is to be handed back), a header only, an errno. */
int fake_hello(int socket, const struct vmsect_msg_hdr *request);
int fake_resume(int socket, const struct vmsect_msg_hdr *request);
int fake_done(int socket, const struct vmsect_msg_hdr *request);
int fake_error(int socket, const struct vmsect_msg_hdr *request, int status);

/* None. */
int fake_hang_up(int socket, const struct vmsect_msg_hdr *request);
int fake_silence(int socket, const struct vmsect_msg_hdr *request);

/* None to so many requests, then proper ones. */
extern atomic_int fake_hang_ups;
int fake_hang_up_at_first(int socket, const struct vmsect_msg_hdr *request);

/* The header of a good reply of that size to the request. */
struct vmsect_msg_hdr fake_header(const struct vmsect_msg_hdr *request, size_t size);

/* A good reply to CREATE and OPEN: a read-only handle of 4096 bytes called "x". */
struct vmsect_rep_handle fake_handle(const struct vmsect_msg_hdr *request);

/* Sends a reply with `nfds` copies of a descriptor that is open with `mode`. */
int fake_send(int socket, const void *data, size_t size, unsigned int nfds, int mode);

#endif
