/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 16550A serial port: eight registers, a FIFO for input; output is handed on
 * at once, so the transmitter is always empty.
 *
 * Owner: struct machine.  vCPU threads access the registers, the main thread
 * feeds input; `lock` protects the state.  It is held while line() is called
 * (so that levels arrive in order) and not while output() or room() are.
 * Lock order: serial, then the kvm/ leaves.
 */
#ifndef DEV_SERIAL_H
#define DEV_SERIAL_H

#include <stddef.h>
#include <stdint.h>

struct bus_ops;
struct serial;

#define SERIAL_PORTS 8

/* Called on vCPU threads, line() also on the main thread; none may block. */
struct serial_host {
	void *owner;
	void (*output)(void *owner, uint8_t byte);
	void (*line)(void *owner, int level);
	/* Input that did not fit may fit now. */
	void (*room)(void *owner);
};

extern const struct bus_ops serial_bus_ops; /* device: struct serial */

/* host is copied. */
int serial_new(const struct serial_host *host, struct serial **ret_serial);
struct serial *serial_free(struct serial *serial);

/* Bytes received on the line; how many were taken, the rest comes after room(). */
size_t serial_input(struct serial *serial, const uint8_t *data, size_t bytes);

#endif
