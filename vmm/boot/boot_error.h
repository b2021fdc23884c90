/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a file cannot be booted, as a sentence without the file's name, which
 * the caller adds.
 */
#ifndef BOOT_BOOT_ERROR_H
#define BOOT_BOOT_ERROR_H

#define BOOT_ERROR_BYTES 256

struct boot_error {
	char text[BOOT_ERROR_BYTES];
};

void boot_error_set(struct boot_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Writes the sentence and is `result`, so that one line says and fails.  A
 * macro, so that the compiler sees the failure.
 */
#define boot_fail(error, result, ...) (boot_error_set((error), __VA_ARGS__), (result))

#endif
