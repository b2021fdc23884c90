/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See console.h.
 *
 * The first byte into an empty buffer writes to wake_fd; the main thread then
 * waits FLUSH_DELAY_US for more before it writes.  So a line that the guest
 * prints is one wake-up and one write.
 */
#include "dev/console.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/sys.h"
#include "dev/console_fd.h"

#define OUT_BYTES 0x40000u /* a power of two */
#define IN_BYTES 256u
#define FLUSH_DELAY_US 2000
#define FINAL_WAIT_MS 1000
#define ESCAPE 0x01 /* Ctrl-A */

struct console {
	struct console_guest guest;
	struct event_base *events; /* borrowed */
	int wake_fd; /* owned eventfd */
	struct event *wake_event;
	struct event *flush_timer;

	/* main thread */
	struct console_out out;
	struct event *out_event; /* armed while the reader is slow */
	struct console_tty tty;
	struct event *in_event;
	bool in_open;
	bool in_polled; /* the loop tells when there is input */
	bool escaped;
	bool fed; /* the guest has taken input */
	uint8_t in[IN_BYTES];
	size_t in_used;

	pthread_mutex_t lock;
	/* lock */
	uint8_t *ring; /* OUT_BYTES */
	uint32_t head, tail; /* free-running: written, taken */
	bool discard; /* no output, or its reader has gone */
	uint64_t dropped;
};

static void wake(const struct console *console)
{
	(void)eventfd_write(console->wake_fd, 1);
}

void console_output(struct console *console, uint8_t byte)
{
	bool first = false;

	(void)pthread_mutex_lock(&console->lock);
	if (!console->discard && console->head - console->tail < OUT_BYTES) {
		first = console->head == console->tail;
		console->ring[console->head++ % OUT_BYTES] = byte;
	} else if (!console->discard) {
		console->dropped++;
	}
	(void)pthread_mutex_unlock(&console->lock);
	if (first)
		wake(console);
}

void console_room(struct console *console)
{
	wake(console);
}

/* The bytes to write next: up to the end of the ring.  Only this thread takes. */
static size_t pending(struct console *console, const uint8_t **ret_data)
{
	uint32_t used, start;

	(void)pthread_mutex_lock(&console->lock);
	used = console->head - console->tail;
	start = console->tail % OUT_BYTES;
	(void)pthread_mutex_unlock(&console->lock);
	*ret_data = console->ring + start;
	return used < OUT_BYTES - start ? used : OUT_BYTES - start;
}

static void taken(struct console *console, size_t bytes)
{
	(void)pthread_mutex_lock(&console->lock);
	console->tail += (uint32_t)bytes;
	(void)pthread_mutex_unlock(&console->lock);
}

static void output_ends(struct console *console, int error)
{
	log_warning("serial output ends: %s", strerror(error));
	(void)pthread_mutex_lock(&console->lock);
	console->discard = true;
	console->tail = console->head;
	(void)pthread_mutex_unlock(&console->lock);
}

/* True when all is written (or never will be). */
static bool flush(struct console *console)
{
	const uint8_t *data;
	size_t bytes;

	while ((bytes = pending(console, &data)) > 0) {
		ssize_t done = console_out_write(&console->out, data, bytes);

		if (done == -EAGAIN)
			return false;
		if (done < 0)
			output_ends(console, (int)-done);
		else
			taken(console, (size_t)done);
	}
	return true;
}

/* The timer has run out, or the slow reader has read. */
static void on_flush(evutil_socket_t fd, short what, void *argument)
{
	struct console *console = argument;

	(void)fd;
	(void)what;
	if (!flush(console) && event_add(console->out_event, NULL) < 0)
		output_ends(console, EIO);
}

static void feed_guest(struct console *console)
{
	size_t done = console->guest.input(console->guest.owner, console->in, console->in_used);

	console->fed = console->fed || done > 0;
	console->in_used -= done;
	memmove(console->in, console->in + done, console->in_used);
}

/* Takes Ctrl-A sequences out of what a person types. */
static size_t unescape(struct console *console, uint8_t *data, size_t bytes)
{
	size_t kept = 0;

	for (size_t i = 0; i < bytes; i++) {
		bool was_escaped = console->escaped;

		console->escaped = !was_escaped && data[i] == ESCAPE;
		if (console->escaped)
			continue;
		if (was_escaped && data[i] == 'x')
			console->guest.quit(console->guest.owner);
		else
			data[kept++] = data[i];
	}
	return kept;
}

static void input_ends(struct console *console)
{
	console->in_open = false;
	if (console->in_polled)
		(void)event_del(console->in_event);
}

/* One read; the guest must have taken what came before. */
static bool read_input(struct console *console)
{
	ssize_t got = sys_retry(read(STDIN_FILENO, console->in, sizeof(console->in)));

	if (got == -EAGAIN)
		return false;
	if (got <= 0) {
		input_ends(console);
		return false;
	}
	console->in_used = (size_t)got;
	if (console->tty.changed)
		console->in_used = unescape(console, console->in, console->in_used);
	if (console->in_used)
		feed_guest(console);
	return true;
}

static void on_input(evutil_socket_t fd, short what, void *argument)
{
	struct console *console = argument;

	(void)fd;
	(void)what;
	(void)read_input(console);
	if (console->in_open && console->in_used)
		(void)event_del(console->in_event); /* until on_wake() */
}

/* The guest may have room again. */
static void pump_input(struct console *console)
{
	if (console->in_used)
		feed_guest(console);
	if (!console->in_open || console->in_used)
		return;
	if (console->in_polled)
		(void)event_add(console->in_event, NULL);
	else
		while (!console->in_used && read_input(console))
			;
}

/* The wake-up is FLUSH_DELAY_US old. */
static void on_timer(evutil_socket_t fd, short what, void *argument)
{
	struct console *console = argument;

	on_flush(fd, what, argument);
	if (!console->fed)
		pump_input(console);
}

static void on_wake(evutil_socket_t fd, short what, void *argument)
{
	static const struct timeval delay = { .tv_usec = FLUSH_DELAY_US };
	struct console *console = argument;
	const uint8_t *data;
	eventfd_t count;

	(void)what;
	(void)eventfd_read(fd, &count);
	if ((pending(console, &data) && !event_pending(console->out_event, EV_WRITE, NULL)) ||
	    !console->fed)
		(void)event_add(console->flush_timer, &delay);
	/*
	 * A driver that probes enables interrupts for a moment and loses what
	 * comes then, so the first input waits until that is over.
	 */
	if (console->fed)
		pump_input(console);
}

static int open_target(struct console *console, const char *target)
{
	if (strcmp(target, "none") == 0) {
		console->discard = true;
		return 0;
	}
	if (strcmp(target, "stdio") != 0)
		return console_out_path(target, &console->out);
	console->in_open = true;
	return console_out_stdio(&console->out);
}

static int make_events(struct console *console)
{
	struct event_base *events = console->events;

	console->wake_event =
		event_new(events, console->wake_fd, EV_READ | EV_PERSIST, on_wake, console);
	console->flush_timer = evtimer_new(events, on_timer, console);
	console->out_event = event_new(events, console->out.fd, EV_WRITE, on_flush, console);
	console->in_event =
		event_new(events, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, console);
	if (!console->wake_event || !console->flush_timer || !console->out_event ||
	    !console->in_event || event_add(console->wake_event, NULL) < 0)
		return -ENOMEM;
	if (!console->in_open)
		return 0;
	console_tty_raw(&console->tty);
	console->in_polled = console_fd_can_wait(STDIN_FILENO);
	if (console->in_polled)
		return event_add(console->in_event, NULL) < 0 ? -ENOMEM : 0;
	wake(console);
	return 0;
}

static int console_setup(struct console *console, const char *target)
{
	int result = -pthread_mutex_init(&console->lock, NULL);

	if (result < 0)
		return result;
	console->wake_fd = sys_result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	if (console->wake_fd < 0)
		return console->wake_fd;
	console->ring = malloc(OUT_BYTES);
	if (!console->ring)
		return -ENOMEM;
	result = open_target(console, target);
	return result < 0 ? result : make_events(console);
}

int console_new(struct event_base *events, const char *target, const struct console_guest *guest,
		struct console **ret_console)
{
	struct console *console = calloc(1, sizeof(*console));
	int result;

	if (!console)
		return -ENOMEM;
	console->guest = *guest;
	console->events = events;
	console->wake_fd = -1;
	console->out.fd = -1;
	result = console_setup(console, target);
	if (result < 0) {
		log_error("serial port to %s: %s", target, strerror(-result));
		(void)console_free(console);
		return result;
	}
	*ret_console = console;
	return 0;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Writes the tail; gives a reader that does not read one second. */
static void flush_finally(struct console *console)
{
	uint64_t end = now_ms() + FINAL_WAIT_MS;
	uint64_t now = now_ms();

	while (!flush(console) && now < end) {
		struct pollfd ready = { .fd = console->out.fd, .events = POLLOUT };

		(void)poll(&ready, 1, (int)(end - now));
		now = now_ms();
	}
	console->dropped += console->head - console->tail;
	if (console->dropped)
		log_warning("serial output: %" PRIu64 " bytes dropped, the reader is too slow",
			    console->dropped);
}

static struct event *event_drop(struct event *event)
{
	if (event)
		event_free(event);
	return NULL;
}

struct console *console_free(struct console *console)
{
	if (!console)
		return NULL;
	if (console->out.fd >= 0 && console->ring)
		flush_finally(console);
	console->wake_event = event_drop(console->wake_event);
	console->flush_timer = event_drop(console->flush_timer);
	console->out_event = event_drop(console->out_event);
	console->in_event = event_drop(console->in_event);
	console_tty_restore(&console->tty);
	(void)fd_close(console->out.fd);
	(void)fd_close(console->wake_fd);
	(void)pthread_mutex_destroy(&console->lock);
	free(console->ring);
	free(console);
	return NULL;
}
