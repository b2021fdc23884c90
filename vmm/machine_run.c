/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine while it runs: what a vCPU asks of it, and how it ends.
 *
 * End: whoever decides (guest, signal, failure) stores the exit code, tells
 * every vCPU not to enter the guest again, and wakes the main thread, which
 * leaves its loop, kicks the vCPUs out and joins them.
 */
#include "machine_impl.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>

#include <event2/event.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/sys.h"
#include "bus/bus.h"
#include "mem/windows.h"

void machine_stop(struct machine *machine, int exit_code)
{
	int runs = MACHINE_RUNS;

	if (!atomic_compare_exchange_strong(&machine->exit_code, &runs, exit_code))
		return;
	for (uint32_t i = 0; i < machine->vcpu_count; i++)
		vcpu_stop(machine->vcpus[i]);
	(void)eventfd_write(machine->stop_fd, 1);
}

void machine_power_ended(void *owner, enum power_end end, int exit_code)
{
	static const char *const texts[] = {
		[POWER_END_OFF] = "powered off",
		[POWER_END_RESET] = "reset",
		[POWER_END_DEBUG] = "ended by debug exit",
	};

	log_debug("the guest has %s", texts[end]);
	machine_stop(owner, end == POWER_END_DEBUG ? exit_code : MACHINE_EXIT_OFF);
}

static void access_port(void *owner, uint16_t port, void *data, uint32_t bytes, bool is_write)
{
	struct machine *machine = owner;

	/* A port without a device reads as ones and ignores writes. */
	if (is_write)
		(void)bus_write(machine->pio, port, data, bytes);
	else
		(void)bus_read(machine->pio, port, data, bytes);
}

static void access_memory(void *owner, uint64_t gpa, void *data, uint32_t bytes, bool is_write)
{
	struct machine *machine = owner;
	struct window *window = windows_at(machine->windows, gpa);

	/* The window decides what the access gives, and counts it. */
	if (window)
		(void)window_fault(window, gpa, is_write, data, bytes);
	else if (is_write)
		(void)bus_write(machine->mmio, gpa, data, bytes);
	else
		(void)bus_read(machine->mmio, gpa, data, bytes);
}

static bool mend_memory(void *owner)
{
	struct machine *machine = owner;

	return windows_sweep(machine->windows) > 0;
}

static void count_undecodable(void *owner)
{
	struct machine *machine = owner;

	windows_count_undecodable(machine->windows);
}

static void vcpu_ended(void *owner, enum vcpu_end end)
{
	machine_stop(owner, end == VCPU_END_CRASHED ? MACHINE_EXIT_CRASHED : MACHINE_EXIT_FAILED);
}

const struct vcpu_ops machine_vcpu_ops = {
	.port = access_port,
	.memory = access_memory,
	.mend = mend_memory,
	.undecodable = count_undecodable,
	.ended = vcpu_ended,
};

static void on_stop(evutil_socket_t fd, short what, void *argument)
{
	struct machine *machine = argument;

	(void)fd;
	(void)what;
	(void)event_base_loopbreak(machine->events);
}

static void on_signal(int signal, void *argument)
{
	log_debug("signal %d: stopping", signal);
	machine_stop(argument, MACHINE_EXIT_SIGNAL + signal);
}

int machine_loop_init(struct machine *machine)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

	machine->stop_fd = sys_result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	if (machine->stop_fd < 0)
		return machine->stop_fd;
	machine->events = loop_new();
	if (!machine->events)
		return -ENOMEM;
	machine->stop_event = event_new(machine->events, machine->stop_fd, EV_READ | EV_PERSIST,
					on_stop, machine);
	if (!machine->stop_event || event_add(machine->stop_event, NULL) < 0)
		return -ENOMEM;
	machine->signals.call = on_signal;
	machine->signals.arg = machine;
	return loop_signals_init(&machine->signals, machine->events, numbers,
				 sizeof(numbers) / sizeof(numbers[0]));
}

void machine_loop_deinit(struct machine *machine)
{
	loop_signals_deinit(&machine->signals);
	if (machine->stop_event)
		event_free(machine->stop_event);
	if (machine->events)
		event_base_free(machine->events);
	fd_cleanup(&machine->stop_fd);
}

static void start_vcpus(struct machine *machine)
{
	for (uint32_t i = 0; i < machine->vcpu_count; i++) {
		int result = vcpu_start(machine->vcpus[i]);

		if (result == 0)
			continue;
		log_error("cannot start vCPU %u: %s", i, strerror(-result));
		machine_stop(machine, MACHINE_EXIT_FAILED);
		return;
	}
}

int machine_run(struct machine *machine)
{
	start_vcpus(machine);
	if (event_base_dispatch(machine->events) < 0) {
		log_error("the event loop failed");
		machine_stop(machine, MACHINE_EXIT_FAILED);
	}
	for (uint32_t i = 0; i < machine->vcpu_count; i++)
		vcpu_kick(machine->vcpus[i]);
	for (uint32_t i = 0; i < machine->vcpu_count; i++)
		vcpu_join(machine->vcpus[i]);
	return atomic_load(&machine->exit_code);
}
