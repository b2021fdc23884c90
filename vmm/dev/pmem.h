/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtio-pmem device (virtio id 27, VIRTIO 1.3 section 5.19): one section as
 * persistent memory, which Linux' own driver shows as /dev/pmemN.
 *
 * The section's view is at place 0 of a window that the device puts at a guest
 * address and nowhere else.  Linux takes such memory in units of 2 MiB, so the
 * rest of the last unit is padding: memory of this VM alone, zeros at first,
 * which never reaches the section.
 *
 * A flush is answered 0 only if every store that the guest made before it is
 * durable.  The first that cannot be makes the device fail, for good: the kernel
 * tells of a failed write-back once and then takes the pages for clean, so no
 * later success proves anything for what was lost.  A reset does not mend it.
 * What has no durable place (the page file, private pages, what cannot be
 * written) has nothing to sync and is answered at once.
 *
 * States: sound, failed.  Owner: struct machine; everything happens on the io
 * thread, which runs env.events.  A data file has a thread that waits for the
 * disk, see dev/pmem_sync.h.
 */
#ifndef DEV_PMEM_H
#define DEV_PMEM_H

#include <stdint.h>

#include "mem/window.h"
#include "virtio/virtio_pci.h"

#define PMEM_ALIGN WINDOW_UNIT_BYTES

struct pmem;
struct pmem_sync_calls;

struct pmem_info {
	const char *name; /* of the section, for messages; borrowed */
	uint64_t bytes; /* of the section */
	uint64_t gpa; /* a multiple of 2 MiB */
	struct window *window; /* borrowed; outlives the device; no shorter than pmem_bytes() */
	enum window_mode mode; /* of its view */
	int io_error; /* -errno: it could not be written back before; 0 */
	int fd; /* of the data file, borrowed for the call; -1: nothing to sync */
	const struct pmem_sync_calls *calls; /* NULL: the system's */
};

/* What the guest sees of a section of so many bytes: whole units.  0: too large. */
uint64_t pmem_bytes(uint64_t bytes);

/*
 * Puts the device on the PCI bus and the window at its address.  env is borrowed
 * in its parts.  0 or -errno: -EINVAL (alignment, length, mode), -EACCES and
 * others of open(2) (the file cannot be opened for the device alone), -EEXIST
 * (addresses), -ENOSPC (slots, PCI), -ENOMEM.
 */
int pmem_new(const struct virtio_pci_env *env, const struct pmem_info *info,
	     struct pmem **ret_pmem);
/* All vCPUs have ended.  Waits for a sync that is on its way.  NULL is fine; returns NULL. */
struct pmem *pmem_free(struct pmem *pmem);

/* The section was taken away, the window is a hole: the device fails. */
void pmem_revoked(struct pmem *pmem);

struct pmem_counters {
	uint64_t requests;
	uint64_t refused; /* answered with an error, or not answerable */
	uint64_t malformed; /* of these: too short, or of an unknown type */
	uint64_t syncs; /* begun */
	uint64_t merged; /* requests that a sync served beside its first */
	uint64_t breaks; /* times in DEVICE_NEEDS_RESET */
	int error; /* -errno of the failure; 0: sound */
};
void pmem_counters(const struct pmem *pmem, struct pmem_counters *ret_counters);

#endif
