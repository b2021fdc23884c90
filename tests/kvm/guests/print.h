/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines in and out of the serial port.
 */
#ifndef GUEST_PRINT_H
#define GUEST_PRINT_H

#include <stdint.h>

/* Turns the port and its receive interrupt on. */
void serial_init(void);

/* %s %c %u %x %lu %lx; goes out at once.  CPU 0 only. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Waits for a line; what does not fit is dropped.  Its length. */
uint32_t serial_line(char *line, uint32_t bytes);

#endif
