/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ivshmem device, shared by
 *
 *   ivshmem.c        life: the PCI function and its BARs
 *   ivshmem_regs.c   registers, on vCPU threads
 *   ivshmem_bell.c   what the broker's stream says, on the io thread
 *
 * Private to dev/ivshmem*.c.
 */
#ifndef DEV_IVSHMEM_IMPL_H
#define DEV_IVSHMEM_IMPL_H

#include <pthread.h>
#include <stdbool.h>

#include "base/log.h"
#include "bus/bus.h"
#include "dev/ivshmem.h"
#include "dev/ivshmem_link.h"
#include "dev/ivshmem_peers.h"

#define IVSHMEM_REGISTER_BYTES 256u
#define IVSHMEM_DOORBELL 0x0Cu

struct event;
struct msix;
struct pci_device;

/* What the stream is to say next. */
enum ivshmem_bell_state {
	IVSHMEM_BELL_VERSION,
	IVSHMEM_BELL_ID,
	IVSHMEM_BELL_PEERS,
};

struct ivshmem {
	/* Constant. */
	struct ivshmem_env env;
	struct ivshmem_info info; /* its name is borrowed */
	struct pci_device *pci; /* owned */
	struct msix *msix; /* owned; NULL: plain, or without interrupts */

	pthread_mutex_t lock;
	uint32_t mask; /* registers; lock */
	uint32_t status; /* lock */
	struct ivshmem_peers peers; /* lock */
	struct ivshmem_counters counters; /* lock */

	/* io thread */
	struct ivshmem_link link;
	enum ivshmem_bell_state state;
	uint32_t own; /* vectors of our own that the stream has told */
	bool is_revoked;
	struct event *event; /* owned; NULL: no stream */
	struct event *again; /* owned: a timer, to ask for a stream; or NULL */
	unsigned int again_ms; /* of the next one */
	struct log_limit log_limit;
};

/* ivshmem_regs.c; the device is a struct ivshmem. */
extern const struct bus_ops ivshmem_register_ops;

/* ivshmem_bell.c: connects and hears of all who are there; 0 or -errno. */
int ivshmem_bell_init(struct ivshmem *ivshmem);

#endif
