/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A box: a real broker in a folder of its own, and what clients need to be
 * tested against it: libvmsect's objects, files, programs that are run.  One
 * box for each test; its end checks for leaks.  A test has 60 s.
 */
#ifndef TESTS_LIB_CLIENT_FIXTURE_H
#define TESTS_LIB_CLIENT_FIXTURE_H

#include "lib/check.h"

#include <vmsect/vmsect.h>

#include "lib/broker_fixture.h"

#define BOX_OUTPUT_MAX 65536

struct box {
	struct broker_fixture broker;
	char out[BOX_OUTPUT_MAX]; /* of the last program, NUL-terminated */
	char err[BOX_OUTPUT_MAX];
};

/* cmocka's: *state is the box. */
int box_setup(void **state);
int box_setup_without_broker(void **state);
int box_teardown(void **state);

/* A client of the box's broker; the test fails if there is none. */
struct vmsect_client *box_connect(struct box *box, const char *name);

/* A section of shmem, or of a file in the box (with `bytes` of content), all rights. */
struct vmsect_section *box_section(struct vmsect_client *client, const char *name, uint64_t bytes);
struct vmsect_section *box_file_section(struct box *box, struct vmsect_client *client,
					const char *name, uint64_t bytes);

/* A section as the options say; the test fails if it is refused. */
struct vmsect_section *box_create(struct vmsect_client *client,
				  const struct vmsect_create_options *options);

/* A view of the whole section; the test fails if it is refused. */
struct vmsect_view *box_map(struct vmsect_section *section, enum vmsect_protection protection);

/* The result of trying to map it so; on success it is unmapped again. */
int box_try_map(struct vmsect_section *section, enum vmsect_protection protection);

/* A path in the box; valid until the next call. */
const char *box_path(const struct box *box, const char *name);

/* Makes a file of `bytes` bytes; byte i is box_byte(i). */
void box_write_file(const struct box *box, const char *name, uint64_t bytes);
unsigned char box_byte(uint64_t offset);

/*
 * Runs a program (absolute, or from the folder of our programs) with the words
 * that follow as its arguments, and with the box's socket in its environment
 * unless one is set there.  Returns its exit status; what it printed is in
 * box->out and box->err.
 */
#define box_run(box, ...) box_run_words(box, (const char *const[]){ __VA_ARGS__, NULL })
int box_run_words(struct box *box, const char *const *words);

/*
 * Loads a byte, or stores one, as the mapping there allows: a byte, or 0; or
 * -EFAULT where a program would get a signal.
 */
int box_load(const volatile unsigned char *address);
int box_store(volatile unsigned char *address, unsigned char byte);

/* The next event of this type, waited for; others before it are dropped. */
struct vmsect_event box_wait_event_of(struct vmsect_client *client, enum vmsect_event_type type);

/* The next event of the client, waited for. */
struct vmsect_event box_wait_event(struct vmsect_client *client);

#endif
