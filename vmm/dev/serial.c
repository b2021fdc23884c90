/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See serial.h.  Register names are those of the National PC16550D.
 *
 * A driver that starts clears the FIFO and so loses what came before.  That is
 * right for a line, and bad for a script on standard input: so input waits
 * until the guest listens, which means that it has enabled the interrupt for
 * received bytes or does nothing but read the line status.
 */
#include "dev/serial.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bus/bus.h"

enum serial_register {
	REG_DATA = 0, /* RBR and THR; DLL with DLAB */
	REG_IER = 1, /* DLM with DLAB */
	REG_IIR = 2, /* FCR on write */
	REG_LCR = 3,
	REG_MCR = 4,
	REG_LSR = 5,
	REG_MSR = 6,
	REG_SCR = 7,
};

#define IER_RECEIVED 0x01u
#define IER_TRANSMITTED 0x02u
#define IER_MASK 0x0fu
#define IIR_NONE 0x01u
#define IIR_TRANSMITTED 0x02u
#define IIR_RECEIVED 0x04u
#define IIR_FIFO 0xc0u
#define FCR_ENABLE 0x01u
#define FCR_CLEAR_INPUT 0x02u
#define LCR_DLAB 0x80u
#define MCR_MASK 0x1fu
#define MCR_LOOP 0x10u
#define LSR_RECEIVED 0x01u
#define LSR_OVERRUN 0x02u
#define LSR_EMPTY 0x60u /* THRE and TEMT */
#define MSR_CONNECTED 0xb0u /* DCD, DSR, CTS */

#define FIFO_BYTES 16u
#define DIVISOR_9600 12u
#define POLLS_TO_LISTEN 16u

struct serial {
	struct serial_host host;
	pthread_mutex_t lock;
	/* lock */
	uint8_t ier, lcr, mcr, scr;
	uint8_t divisor[2];
	bool fifo_on;
	bool overrun;
	bool transmitted; /* the "transmitter empty" interrupt is pending */
	bool level; /* of the interrupt line */
	uint8_t fifo[FIFO_BYTES];
	uint32_t fifo_used;
	bool input_waits; /* the host has more for the FIFO */
	uint32_t polls; /* reads of the line status since another access */
};

/* What the current access asks for once the lock is dropped. */
struct serial_after {
	bool output;
	uint8_t byte;
	bool room;
};

int serial_new(const struct serial_host *host, struct serial **ret_serial)
{
	AUTO_FREE struct serial *serial = calloc(1, sizeof(*serial));
	int result;

	if (!serial)
		return -ENOMEM;
	serial->host = *host;
	serial->divisor[0] = DIVISOR_9600;
	result = -pthread_mutex_init(&serial->lock, NULL);
	if (result < 0)
		return result;
	*ret_serial = steal_ptr(&serial);
	return 0;
}

struct serial *serial_free(struct serial *serial)
{
	if (!serial)
		return NULL;
	(void)pthread_mutex_destroy(&serial->lock);
	free(serial);
	return NULL;
}

static uint32_t fifo_room(const struct serial *serial)
{
	uint32_t room = serial->fifo_on ? FIFO_BYTES : 1;

	return serial->fifo_used < room ? room - serial->fifo_used : 0;
}

/* The interrupt with the highest priority. */
static uint8_t cause(const struct serial *serial)
{
	if ((serial->ier & IER_RECEIVED) && serial->fifo_used)
		return IIR_RECEIVED;
	if ((serial->ier & IER_TRANSMITTED) && serial->transmitted)
		return IIR_TRANSMITTED;
	return IIR_NONE;
}

static void update_line(struct serial *serial)
{
	bool level = cause(serial) != IIR_NONE;

	if (level == serial->level)
		return;
	serial->level = level;
	serial->host.line(serial->host.owner, level);
}

static bool listens(const struct serial *serial)
{
	if (serial->mcr & MCR_LOOP)
		return false;
	return (serial->ier & IER_RECEIVED) || serial->polls >= POLLS_TO_LISTEN;
}

/* Once the FIFO is empty, not for each byte. */
static void ask_for_more(struct serial *serial, struct serial_after *after)
{
	if (!serial->input_waits || serial->fifo_used || !listens(serial))
		return;
	serial->input_waits = false;
	after->room = true;
}

/* A guest that polls for input reads line status and, in between, data. */
static void count_polls(struct serial *serial, uint64_t offset)
{
	if (offset != REG_LSR)
		serial->polls = offset == REG_DATA ? serial->polls : 0;
	else if (serial->polls < POLLS_TO_LISTEN)
		serial->polls++;
}

static uint8_t take_byte(struct serial *serial)
{
	uint8_t byte;

	if (serial->fifo_used == 0)
		return 0;
	byte = serial->fifo[0];
	serial->fifo_used--;
	memmove(serial->fifo, serial->fifo + 1, serial->fifo_used);
	return byte;
}

static uint8_t read_iir(struct serial *serial)
{
	uint8_t value = cause(serial);

	if (value == IIR_TRANSMITTED)
		serial->transmitted = false;
	return (uint8_t)(value | (serial->fifo_on ? IIR_FIFO : 0));
}

static uint8_t read_lsr(struct serial *serial)
{
	uint8_t value = LSR_EMPTY;

	if (serial->fifo_used)
		value |= LSR_RECEIVED;
	if (serial->overrun)
		value |= LSR_OVERRUN;
	serial->overrun = false;
	return value;
}

/* In loop mode the modem inputs are the modem outputs. */
static uint8_t read_msr(const struct serial *serial)
{
	uint8_t mcr = serial->mcr;

	if (!(mcr & MCR_LOOP))
		return MSR_CONNECTED;
	return (uint8_t)((mcr & 0x01 ? 0x20 : 0) | (mcr & 0x02 ? 0x10 : 0) |
			 (mcr & 0x04 ? 0x40 : 0) | (mcr & 0x08 ? 0x80 : 0));
}

static uint8_t read_register(struct serial *serial, uint64_t offset)
{
	bool dlab = serial->lcr & LCR_DLAB;

	switch ((enum serial_register)offset) {
	case REG_DATA:
		return dlab ? serial->divisor[0] : take_byte(serial);
	case REG_IER:
		return dlab ? serial->divisor[1] : serial->ier;
	case REG_IIR:
		return read_iir(serial);
	case REG_LCR:
		return serial->lcr;
	case REG_MCR:
		return serial->mcr;
	case REG_LSR:
		return read_lsr(serial);
	case REG_MSR:
		return read_msr(serial);
	case REG_SCR:
		return serial->scr;
	}
	return 0;
}

static void write_data(struct serial *serial, uint8_t value, struct serial_after *after)
{
	serial->transmitted = true;
	if (!(serial->mcr & MCR_LOOP)) {
		after->output = true;
		after->byte = value;
	} else if (fifo_room(serial)) {
		serial->fifo[serial->fifo_used++] = value;
	} else {
		serial->overrun = true;
	}
}

static void write_ier(struct serial *serial, uint8_t value)
{
	/* Enabling it with an empty transmitter is an interrupt of its own. */
	if ((value & IER_TRANSMITTED) && !(serial->ier & IER_TRANSMITTED))
		serial->transmitted = true;
	serial->ier = value & IER_MASK;
}

static void write_fcr(struct serial *serial, uint8_t value)
{
	bool on = value & FCR_ENABLE;

	/*
	 * A byte that waits survives the change to FIFO mode: Linux makes it
	 * after it has enabled the interrupt.
	 */
	if ((value & FCR_CLEAR_INPUT) || (serial->fifo_on && !on))
		serial->fifo_used = 0;
	serial->fifo_on = on;
}

static void write_register(struct serial *serial, uint64_t offset, uint8_t value,
			   struct serial_after *after)
{
	bool dlab = serial->lcr & LCR_DLAB;

	switch ((enum serial_register)offset) {
	case REG_DATA:
		if (dlab)
			serial->divisor[0] = value;
		else
			write_data(serial, value, after);
		break;
	case REG_IER:
		if (dlab)
			serial->divisor[1] = value;
		else
			write_ier(serial, value);
		break;
	case REG_IIR:
		write_fcr(serial, value);
		break;
	case REG_LCR:
		serial->lcr = value;
		break;
	case REG_MCR:
		serial->mcr = value & MCR_MASK;
		break;
	case REG_SCR:
		serial->scr = value;
		break;
	case REG_LSR:
	case REG_MSR:
		break; /* read-only */
	}
}

static void finish(struct serial *serial, const struct serial_after *after)
{
	if (after->output)
		serial->host.output(serial->host.owner, after->byte);
	if (after->room)
		serial->host.room(serial->host.owner);
}

/* An access of several bytes is as many of one byte, as on the ISA bus. */
static void serial_read(void *device, uint64_t offset, void *data, uint32_t bytes)
{
	struct serial *serial = device;
	uint8_t *to = data;

	for (uint32_t i = 0; i < bytes; i++) {
		struct serial_after after = { 0 };

		(void)pthread_mutex_lock(&serial->lock);
		to[i] = read_register(serial, offset + i);
		count_polls(serial, offset + i);
		ask_for_more(serial, &after);
		update_line(serial);
		(void)pthread_mutex_unlock(&serial->lock);
		finish(serial, &after);
	}
}

static void serial_write(void *device, uint64_t offset, const void *data, uint32_t bytes)
{
	struct serial *serial = device;
	const uint8_t *from = data;

	for (uint32_t i = 0; i < bytes; i++) {
		struct serial_after after = { 0 };

		(void)pthread_mutex_lock(&serial->lock);
		write_register(serial, offset + i, from[i], &after);
		serial->polls = 0;
		ask_for_more(serial, &after);
		update_line(serial);
		(void)pthread_mutex_unlock(&serial->lock);
		finish(serial, &after);
	}
}

const struct bus_ops serial_bus_ops = {
	.read = serial_read,
	.write = serial_write,
};

size_t serial_input(struct serial *serial, const uint8_t *data, size_t bytes)
{
	size_t taken;

	(void)pthread_mutex_lock(&serial->lock);
	taken = listens(serial) ? fifo_room(serial) : 0;
	if (taken > bytes)
		taken = bytes;
	memcpy(serial->fifo + serial->fifo_used, data, taken);
	serial->fifo_used += (uint32_t)taken;
	serial->input_waits = taken < bytes;
	update_line(serial);
	(void)pthread_mutex_unlock(&serial->lock);
	return taken;
}
