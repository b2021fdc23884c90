/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of a machine, for machine.c and machine_run.c only. */
#ifndef MACHINE_IMPL_H
#define MACHINE_IMPL_H

#include <stdatomic.h>

#include "base/event.h"
#include "boot/entry.h"
#include "config.h"
#include "dev/power.h"
#include "kvm/vcpu.h"
#include "kvm/vm.h"
#include "machine.h"
#include "mem/guest_mem.h"

struct bus;
struct console;
struct fault_watch;
struct hotplug;
struct irq_table;
struct ivshmem;
struct pci_bus;
struct pmem;
struct section_attached;
struct section_dev;
struct serial;
struct vmsect_client;
struct windows;

#define MACHINE_RUNS (-1) /* no exit code yet */

/* A section as an ivshmem device. */
struct machine_ivshmem {
	struct machine *machine;
	struct ivshmem *ivshmem; /* owned */
	size_t index; /* the section device's, see section_dev_attached() */
	uint32_t slot; /* on the PCI bus */
};

struct machine {
	const struct config *config; /* borrowed */

	/* Constant while the guest runs; each part has its own locking. */
	struct event_base *events;
	struct vm vm;
	struct guest_mem mem;
	struct irq_table *irq;
	struct bus *pio;
	struct bus *mmio;
	struct pci_bus *pci;
	struct windows *windows;
	struct vmsect_client *client;
	struct section_dev *section_dev;
	struct hotplug *hotplug;
	struct machine_ivshmem ivshmem[SECTION_DEVICES_MAX];
	uint32_t ivshmem_count;
	struct pmem *pmem[SECTION_DEVICES_MAX];
	uint32_t pmem_count;
	uint64_t pmem_bytes; /* of guest addresses, from LAYOUT_PMEM_START on */
	struct console *console;
	struct serial *serial;
	struct power power;
	struct entry entry;
	uint32_t vcpu_count;
	struct vcpu *vcpus[CONFIG_CPUS_MAX];

	/* main thread */
	struct loop_signals signals;
	struct event *stop_event;
	int stop_fd; /* owned eventfd; any thread writes */
	struct event *watch_event;
	struct fault_watch *watches[CONFIG_CPUS_MAX]; /* NULL: KVM does not count */
	uint32_t watch_pause; /* rounds to skip, ... */
	uint32_t watch_pause_next; /* ... and how many the next time */

	atomic_int exit_code; /* MACHINE_RUNS until the first machine_stop() */
};

/* machine_run.c */
extern const struct vcpu_ops machine_vcpu_ops; /* owner: struct machine */
int machine_loop_init(struct machine *machine);
void machine_loop_deinit(struct machine *machine);
/* Any thread; the first call decides. */
void machine_stop(struct machine *machine, int exit_code);
void machine_power_ended(void *owner, enum power_end end, int exit_code);

/* machine_devices.c */
int machine_devices_init(struct machine *machine);
void machine_devices_deinit(struct machine *machine);

/* machine_pmem.c */
int machine_pmem_add(struct machine *machine, size_t index,
		     const struct section_attached *attached);
void machine_pmem_deinit(struct machine *machine);

/* machine_watch.c */
int machine_watch_init(struct machine *machine);
void machine_watch_deinit(struct machine *machine);

#endif
