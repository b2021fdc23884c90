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
#include <linux/fs.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/splice.h>
#include <linux/uio.h>
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

/*
 * Entries of 2 MiB that hold no reference need a page that is marked as device
 * memory in the entry (PFN_MAP), so that get_user_pages finds its way.  6.15 began
 * to take that away, for counted entries of compound pages; there the driver maps
 * 4 KiB at a time.
 */
#if defined(CONFIG_TRANSPARENT_HUGEPAGE) && defined(CONFIG_FS_DAX) &&                              \
	LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
#define VMSECT_HAS_HUGE 1
#else
#define VMSECT_HAS_HUGE 0
#endif
#define VMSECT_HUGE_SHIFT 21
#define VMSECT_HUGE_BYTES (1UL << VMSECT_HUGE_SHIFT)

#if VMSECT_HAS_HUGE
static inline vm_fault_t vmsect_insert_pmd(struct vm_fault *vmf, unsigned long pfn, bool write)
{
	return vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(pfn, PFN_DEV | PFN_MAP), write);
}

/* 6.6: an order in place of an enumeration. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
typedef unsigned int vmsect_fault_order;
static inline bool vmsect_is_pmd_order(vmsect_fault_order order)
{
	return order == PMD_ORDER;
}
#else
typedef enum page_entry_size vmsect_fault_order;
static inline bool vmsect_is_pmd_order(vmsect_fault_order order)
{
	return order == PE_SIZE_PMD;
}
#endif
#endif

/* 6.10: mm_get_unmapped_area() in place of a call through the mm. */
static inline unsigned long vmsect_get_unmapped_area(struct file *file, unsigned long addr,
						     unsigned long len, unsigned long pgoff,
						     unsigned long flags)
{
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
	return thp_get_unmapped_area(file, addr, len, pgoff, flags);
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	return mm_get_unmapped_area(current->mm, file, addr, len, pgoff, flags);
#else
	return current->mm->get_unmapped_area(file, addr, len, pgoff, flags);
#endif
}

/* 6.4: a fault may hold the mapping's lock alone. */
static inline void vmsect_release_fault_lock(struct vm_fault *vmf)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	release_fault_lock(vmf);
#else
	mmap_read_unlock(vmf->vma->vm_mm);
#endif
}

/* 5.16: how many bytes of a user's buffer could not be made writable. */
static inline size_t vmsect_fault_in_writeable(const struct iov_iter *iter, size_t bytes)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 16, 0)
	return fault_in_iov_iter_writeable(iter, bytes);
#else
	char __user *to;

	if (!iter_is_iovec(iter))
		return 0;
	to = (char __user *)iter->iov->iov_base + iter->iov_offset;
	bytes = min(bytes, iov_iter_single_seg_count(iter));
	return fault_in_pages_writeable(to, bytes) ? bytes : 0;
#endif
}

static inline size_t vmsect_fault_in_readable(struct iov_iter *iter, size_t bytes)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 16, 0)
	return fault_in_iov_iter_readable(iter, bytes);
#else
	return iov_iter_fault_in_readable(iter, bytes) ? bytes : 0;
#endif
}

/* 6.5: copy_splice_read() in place of generic_file_splice_read(). */
static inline ssize_t vmsect_splice_read(struct file *file, loff_t *pos,
					 struct pipe_inode_info *pipe, size_t len,
					 unsigned int flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	return copy_splice_read(file, pos, pipe, len, flags);
#else
	return generic_file_splice_read(file, pos, pipe, len, flags);
#endif
}

/* 5.12: a user namespace for setattr; 6.3: the mount's idmap. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define VMSECT_SETATTR_ARG struct mnt_idmap *idmap,
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(5, 12, 0)
#define VMSECT_SETATTR_ARG struct user_namespace *mnt_userns,
#else
#define VMSECT_SETATTR_ARG
#endif

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
