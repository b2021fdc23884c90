/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See ivshmem.h. */
#include "dev/ivshmem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus/msix.h"
#include "bus/pci.h"
#include "dev/ivshmem_impl.h"
#include "mem/window.h"

#define VENDOR 0x1AF4
#define DEVICE 0x1110
#define SUBSYSTEM 0x1100
#define CLASS_RAM 0x050000
#define REVISION 1

#define BAR_REGISTERS 0
#define BAR_MSIX 1
#define BAR_MEMORY 2

#define LINES_BURST 4u

static void config_written(void *owner, uint32_t offset, uint32_t bytes)
{
	struct ivshmem *ivshmem = owner;

	if (ivshmem->msix)
		msix_config_written(ivshmem->msix, offset, bytes);
}

static const struct pci_device_ops device_ops = { NULL, config_written };

/* The doorbells follow the registers. */
static int registers_moved(void *device, uint64_t gpa)
{
	struct ivshmem *ivshmem = device;

	pthread_mutex_lock(&ivshmem->lock);
	ivshmem_peers_moved(&ivshmem->peers,
			    gpa == PCI_NOWHERE ? PCI_NOWHERE : gpa + IVSHMEM_DOORBELL);
	pthread_mutex_unlock(&ivshmem->lock);
	return 0;
}

static int memory_moved(void *window, uint64_t gpa)
{
	return window_set_base(window, gpa);
}

static int add_bars(struct ivshmem *ivshmem)
{
	const struct pci_bar registers = {
		.index = BAR_REGISTERS,
		.kind = PCI_BAR_MEM32,
		.bytes = IVSHMEM_REGISTER_BYTES,
		.ops = &ivshmem_register_ops,
		.device = ivshmem,
		.on_map = registers_moved,
	};
	const struct pci_bar memory = {
		.index = BAR_MEMORY,
		.kind = PCI_BAR_MEM64,
		.bytes = window_bytes(ivshmem->info.window),
		.device = ivshmem->info.window,
		.on_map = memory_moved,
	};
	int result = pci_device_add_bar(ivshmem->pci, &registers);

	if (result == 0 && ivshmem->info.vectors && ivshmem->env.irq)
		result = msix_new(ivshmem->pci, ivshmem->env.irq, BAR_MSIX, ivshmem->info.vectors,
				  &ivshmem->msix);
	return result < 0 ? result : pci_device_add_bar(ivshmem->pci, &memory);
}

static int add_function(struct ivshmem *ivshmem)
{
	const struct pci_identity identity = {
		.vendor = VENDOR,
		.device = DEVICE,
		.subsystem_vendor = VENDOR,
		.subsystem = SUBSYSTEM,
		.class_code = CLASS_RAM,
		.revision = REVISION,
	};
	int result =
		pci_device_new(ivshmem->env.pci, &identity, &device_ops, ivshmem, &ivshmem->pci);

	return result < 0 ? result : add_bars(ivshmem);
}

static int fill(struct ivshmem *ivshmem)
{
	const char *what = "be put on the PCI bus";
	int result = add_function(ivshmem);

	if (result == 0 && ivshmem->info.vectors) {
		what = "have its doorbell";
		result = ivshmem_bell_init(ivshmem);
	}
	if (result < 0)
		log_error("section %s: the ivshmem device cannot %s: %s", ivshmem->info.name, what,
			  strerror(-result));
	return result;
}

int ivshmem_new(const struct ivshmem_env *env, const struct ivshmem_info *info,
		struct ivshmem **ret_ivshmem)
{
	struct ivshmem *ivshmem;
	int result;

	if (info->vectors > IVSHMEM_VECTORS_MAX)
		return -EINVAL;
	ivshmem = calloc(1, sizeof(*ivshmem));
	if (!ivshmem)
		return -ENOMEM;
	result = -pthread_mutex_init(&ivshmem->lock, NULL);
	if (result < 0) {
		free(ivshmem);
		return result;
	}
	ivshmem->env = *env;
	ivshmem->info = *info;
	ivshmem->log_limit.burst = LINES_BURST;
	ivshmem_link_clear(&ivshmem->link);
	ivshmem_peers_init(&ivshmem->peers, env->vm, info->vectors);
	result = fill(ivshmem);
	if (result < 0) {
		(void)ivshmem_free(ivshmem);
		return result;
	}
	*ret_ivshmem = ivshmem;
	return 0;
}

uint32_t ivshmem_slot(const struct ivshmem *ivshmem)
{
	return pci_device_slot(ivshmem->pci);
}

void ivshmem_unplug(struct ivshmem *ivshmem)
{
	/* First the function, so that nothing reaches the rest any more. */
	ivshmem->pci = pci_device_free(ivshmem->pci);
	ivshmem_revoked(ivshmem);
}

struct ivshmem *ivshmem_free(struct ivshmem *ivshmem)
{
	if (!ivshmem)
		return NULL;
	ivshmem_unplug(ivshmem);
	ivshmem->msix = msix_free(ivshmem->msix);
	pthread_mutex_destroy(&ivshmem->lock);
	free(ivshmem);
	return NULL;
}

void ivshmem_counters(struct ivshmem *ivshmem, struct ivshmem_counters *ret_counters)
{
	pthread_mutex_lock(&ivshmem->lock);
	*ret_counters = ivshmem->counters;
	pthread_mutex_unlock(&ivshmem->lock);
}
