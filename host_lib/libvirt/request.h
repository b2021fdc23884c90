/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is asked for on the command line; read once, then constant.  The texts
 * are argv's.
 */
#ifndef VMSECT_LIBVIRT_REQUEST_H
#define VMSECT_LIBVIRT_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

enum request_verb {
	VERB_ATTACH,
	VERB_DETACH,
};

enum request_mode {
	MODE_RO,
	MODE_RW,
	MODE_COW,
};

enum request_device {
	DEVICE_IVSHMEM,
	DEVICE_NVDIMM,
	DEVICE_PMEM,
	DEVICE_DOORBELL, /* ivshmem with interrupts */
};

struct request {
	enum request_verb verb;
	const char *domain;
	const char *section;
	const char *uri; /* NULL: the system's QEMU driver */
	const char *socket_path; /* NULL: the usual places */
	enum request_mode mode;
	enum request_device device;
	uint32_t vectors; /* doorbell: 1 to 64; else 0 */
	uint32_t timeout_s; /* how long a guest may take to let go */
};

/* What request_parse() found. */
enum request_result {
	REQUEST_OK,
	REQUEST_STOP, /* help or version was printed */
	REQUEST_WRONG, /* was said */
};

enum request_result request_parse(struct request *request, int argc, char **argv);

const char *request_mode_word(enum request_mode mode);

#endif
