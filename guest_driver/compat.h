/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between kernels, from 5.10 on; nothing else in the driver asks
 * for a version.  Each helper has the name and the shape of the newest kernel
 * where it can, with a vmsect_ prefix.
 */
#ifndef VMSECT_COMPAT_H
#define VMSECT_COMPAT_H

#include <linux/device.h>
#include <linux/err.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/version.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#include <linux/pfn_t.h>
#endif

/* 5.17: virtio_reset_device() in place of a call through the operations. */
static inline void vmsect_reset_device(struct virtio_device *vdev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 17, 0)
	virtio_reset_device(vdev);
#else
	vdev->config->reset(vdev);
#endif
}

/* 6.2: the devnode callback of a class sees a constant device. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define VMSECT_DEVNODE_CONST const
#else
#define VMSECT_DEVNODE_CONST
#endif

/* 6.3: vma->vm_flags is written through functions. */
static inline void vmsect_vm_flags_mod(struct vm_area_struct *vma, vm_flags_t set, vm_flags_t clear)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
#endif
}

/* 6.11: an array of struct virtqueue_info in place of arrays of callbacks and of names. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define VMSECT_VQS_MAX 4

struct virtqueue_info {
	const char *name;
	vq_callback_t *callback;
	bool ctx;
};
#endif

static inline int vmsect_find_vqs(struct virtio_device *vdev, unsigned int count,
				  struct virtqueue *vqs[], struct virtqueue_info *info)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
	return virtio_find_vqs(vdev, count, vqs, info, NULL);
#else
	vq_callback_t *callbacks[VMSECT_VQS_MAX] = {};
	const char *names[VMSECT_VQS_MAX] = {};
	unsigned int i;

	if (count > VMSECT_VQS_MAX)
		return -EINVAL;
	for (i = 0; i < count; i++) {
		callbacks[i] = info[i].callback;
		names[i] = info[i].name;
	}
	return virtio_find_vqs(vdev, count, vqs, callbacks, names, NULL);
#endif
}

/* 6.17: pfn_t is gone. */
static inline vm_fault_t vmsect_insert_mixed(struct vm_fault *vmf, unsigned long pfn)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
	return vmf_insert_mixed(vmf->vma, vmf->address, pfn);
#else
	return vmf_insert_mixed(vmf->vma, vmf->address, __pfn_to_pfn_t(pfn, PFN_DEV));
#endif
}

/* Kernels without ZONE_DEVICE have no struct pages for device memory. */
#ifdef CONFIG_ZONE_DEVICE
static inline void *vmsect_memremap_pages(struct dev_pagemap *pgmap, int nid)
{
	return memremap_pages(pgmap, nid);
}

static inline void vmsect_memunmap_pages(struct dev_pagemap *pgmap)
{
	memunmap_pages(pgmap);
}
#else
static inline void *vmsect_memremap_pages(struct dev_pagemap *pgmap, int nid)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline void vmsect_memunmap_pages(struct dev_pagemap *pgmap)
{
}
#endif

#endif
