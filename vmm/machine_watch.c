/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks several times a second for vCPUs that are stuck inside KVM on a lost
 * page (kvm/fault_watch.h) and lets the window mend what is lost.  A search
 * that finds nothing is not repeated at once: it may cost as much as the
 * window is large, and a guest can bring it about.
 */
#include <errno.h>
#include <string.h>

#include <event2/event.h>

#include "base/log.h"
#include "kvm/fault_watch.h"
#include "machine_impl.h"
#include "mem/windows.h"

#define WATCH_MS 200u
#define PAUSE_MAX 64u /* rounds: about 13 s */

/* Asks every watch, so that each counts from now on. */
static bool any_stuck(struct machine *machine)
{
	bool stuck = false;

	for (uint32_t i = 0; i < machine->vcpu_count; i++)
		if (machine->watches[i] && fault_watch_is_stuck(machine->watches[i]))
			stuck = true;
	return stuck;
}

static void mend(struct machine *machine)
{
	uint32_t found = windows_sweep(machine->windows);

	if (found) {
		log_debug("a vCPU was stuck on a lost page; views mended: %u", found);
		machine->watch_pause_next = 1;
		return;
	}
	machine->watch_pause = machine->watch_pause_next;
	if (machine->watch_pause_next < PAUSE_MAX)
		machine->watch_pause_next *= 2;
}

static void on_watch(evutil_socket_t fd, short what, void *argument)
{
	struct machine *machine = argument;
	bool stuck = any_stuck(machine);

	(void)fd;
	(void)what;
	if (machine->watch_pause > 0)
		machine->watch_pause--;
	else if (stuck)
		mend(machine);
	else
		machine->watch_pause_next = 1;
}

int machine_watch_init(struct machine *machine)
{
	struct timeval period = loop_ms(WATCH_MS);

	machine->watch_pause_next = 1;
	for (uint32_t i = 0; i < machine->vcpu_count; i++) {
		int result = fault_watch_new(machine->vcpus[i], &machine->watches[i]);

		if (result == -ENOTSUP) {
			log_debug("this KVM does not count faults: lost pages may stop a vCPU");
			return 0;
		}
		if (result < 0)
			return result;
	}
	machine->watch_event = event_new(machine->events, -1, EV_PERSIST, on_watch, machine);
	if (!machine->watch_event || event_add(machine->watch_event, &period) < 0)
		return -ENOMEM;
	return 0;
}

void machine_watch_deinit(struct machine *machine)
{
	if (machine->watch_event)
		event_free(machine->watch_event);
	for (uint32_t i = 0; i < machine->vcpu_count; i++)
		machine->watches[i] = fault_watch_free(machine->watches[i]);
}
