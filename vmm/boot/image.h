/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel or initrd file: opened with care, read with a limit.
 *
 * A loader works on the bytes alone (struct image_bytes), so that tests and
 * fuzzers call it without a file.
 */
#ifndef BOOT_IMAGE_H
#define BOOT_IMAGE_H

#include <stdint.h>

#include "boot/boot_error.h"

struct image_bytes {
	const uint8_t *data;
	uint64_t bytes;
};

/*
 * Opens a regular, non-empty file of at most `max` bytes.  A FIFO, device or
 * directory is refused and never blocks.  The caller owns *ret_fd.
 */
int image_open(const char *path, uint64_t max, int *ret_fd, uint64_t *ret_bytes,
	       struct boot_error *error);

/* Reads exactly `bytes` from the start; -EIO if the file has become shorter. */
int image_read(int fd, void *to, uint64_t bytes, struct boot_error *error);

#endif
