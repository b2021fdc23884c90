/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The section device (virtio id 63): the sections of a VM, as
 * guest_driver/uapi/vmsect_dev.h and docs/device-spec.md define them.
 *
 * The attachments of the VM's configuration are opened and mapped when the
 * device is made, and stay for its life.  A driver opens and maps more through
 * the control queue; a reset of the device drops what the driver made, unless it
 * was told to hold it.
 *
 * Owner: struct machine.  Everything happens on the io thread, which runs
 * env.events; requests that need the broker wait for it there, but for FLUSH
 * and PUBLISH, which wait for disks, and NOTIFY, of which there are many.  The window is the only
 * object shared with vCPU threads and has its own lock.
 */
#ifndef DEV_SECTION_DEV_H
#define DEV_SECTION_DEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem/windows.h"

/* Sections with a device of their own: PCI slots but the bridge's and the section device's. */
#define SECTION_DEVICES_MAX 30

struct bus;
struct event_base;
struct guest_mem;
struct irq_table;
struct pci_bus;
struct section_dev;
struct vm;
struct vmsect_client;

/* What the VM's configuration says beyond its attachments. */
struct section_dev_policy {
	bool allow_create; /* the driver may make sections ... */
	uint64_t create_bytes; /* ... of so much in all; 0: no bound of ours */
	uint64_t cow_quota; /* bytes of private pages of all views; 0: no bound */
	void (*stop)(void *owner); /* ends the VM over a quota; NULL: it is only told */
	void *owner; /* borrowed */
};

/* All borrowed; they outlive the device. */
struct section_dev_env {
	struct vm *vm; /* NULL in tests */
	struct guest_mem *mem;
	struct irq_table *irq;
	struct bus *mmio;
	struct pci_bus *pci;
	struct windows *windows; /* sections with a device of their own add to them */
	struct window *window; /* the section device's, of these */
	struct event_base *events;
	struct vmsect_client *client; /* NULL: no broker, no attachments */
	struct section_dev_policy policy;
};

enum section_attach_mode {
	SECTION_ATTACH_RO,
	SECTION_ATTACH_RW,
	SECTION_ATTACH_COW,
};

/* How the guest is shown a section. */
enum section_attach_as {
	SECTION_AS_NATIVE, /* by the section device */
	SECTION_AS_IVSHMEM, /* by an ivshmem device of its own */
	SECTION_AS_PMEM, /* by a virtio-pmem device of its own */
};

struct section_attach {
	const char *name; /* borrowed from the configuration */
	enum section_attach_mode mode;
	uint64_t at; /* NATIVE: offset in the window, or WINDOW_ANY */
	uint64_t cow_quota; /* bytes of private pages; 0: no bound of its own */
	enum section_attach_as as;
	uint32_t vectors; /* IVSHMEM: of its doorbell; 0: it has none */
};

/* The VM's attachments, in the order of its configuration. */
struct section_attach_list {
	const struct section_attach *items;
	size_t count;
};

/* Room for a sentence about a failure. */
struct section_error {
	char *text;
	size_t room;
};

/*
 * Puts the device on the PCI bus and maps the attachments.  0 or -errno, then
 * `error` holds a sentence that names the section and says why.
 */
int section_dev_new(const struct section_dev_env *env, const struct section_attach_list *attach,
		    const struct section_error *error, struct section_dev **ret_dev);

/*
 * An attachment with a device of its own.  The section device has its handle
 * and its view, so that revocation, quotas and reports are as for any other.
 */
struct section_attached {
	const struct section_attach *attach;
	struct window *window; /* the view is at place 0 of it */
	uint64_t bytes; /* of the view */
	struct vmsect_section *section; /* borrowed; lives as long as the section device */
};
/* The index-th of them, in the order of the configuration; false past the last. */
bool section_dev_attached(struct section_dev *dev, size_t index,
			  struct section_attached *ret_attached);

/* Gives its view and its handle back: its device has left the guest. */
void section_dev_release(struct section_dev *dev, size_t index);

/* On the io thread. */
struct section_device_ops {
	/* The section was taken away: the window is a hole by now.  Perhaps twice. */
	void (*revoked)(void *owner);
	/* A broker that knows this VM is back: what was asked of the last one is to be asked anew.
	 */
	void (*reconnected)(void *owner);
};
/* ops: NULL ends it. */
void section_dev_follow(struct section_dev *dev, size_t index, const struct section_device_ops *ops,
			void *owner);

/* All vCPUs have ended.  NULL is fine; returns NULL. */
struct section_dev *section_dev_free(struct section_dev *dev);

struct section_dev_counters {
	uint64_t requests;
	uint64_t refused; /* requests answered with an error */
	uint64_t events;
	uint64_t events_lost;
	uint64_t breaks; /* times in DEVICE_NEEDS_RESET */
	uint64_t quota_hits; /* times that an overlay grew past a quota */
	uint64_t notify_limited; /* notifications that came too fast, for us or for the broker */
};
void section_dev_counters(const struct section_dev *dev, struct section_dev_counters *ret_counters);

#endif
