// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mappings of a view: what mmap allows, and faults.
 *
 * File offset 0 is the view's first byte.  A mapping may reach past the end, as
 * that of a file may; an access there is SIGBUS, until the view has grown.
 * Every fault checks anew, because the view can be revoked, pages be lost, and a
 * mapping moved at any time.
 *
 * Faults hand out 2 MiB at a time where the view, the address and the state of
 * all these pages allow it.  Such an entry holds no reference on its pages: it
 * is complete when the insert returns, so that who synchronizes vmsect_srcu and
 * zaps finds it.  A single page is entered later by the core; it is handed out
 * locked, with a reference.
 *
 * A shared page is entered read-only until a store to it (page_mkwrite): so
 * PROTECT can take the right to write away from mappings that have it, by
 * zapping.  The driver's refusals are for good errors: what enforces a
 * protection is the host's second-level page table.
 *
 * VM_DONTEXPAND, beside stopping growth by mremap, makes the core treat the
 * mapping as special: mlock leaves it alone, which would otherwise keep pages
 * in per-CPU batches that delay revocation.  VM_IO stays off, as it would stop
 * get_user_pages.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>

#include "vmsect_core.h"
#include "vmsect_trace.h"
#include "compat.h"

/* Whether the fault stores to the view itself, not to a private copy. */
static bool fault_writes(const struct vm_fault *vmf)
{
	return vmf->flags & FAULT_FLAG_WRITE && vmf->vma->vm_flags & VM_SHARED;
}

/* Waits for the end of a change, without the address space's lock if that may be. */
static vm_fault_t fault_wait(struct vmsect_view *view, struct vm_fault *vmf,
			     const struct vmsect_pages *pages)
{
	struct file *file;

	/* Who does not want to wait keeps the lock. */
	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	if (!(vmf->flags & FAULT_FLAG_ALLOW_RETRY)) {
		vmsect_view_wait_open(view, pages);
		return VM_FAULT_NOPAGE;
	}
	/* Without the lock the mapping may go, and the view with it. */
	file = get_file(vmf->vma->vm_file);
	vmsect_release_fault_lock(vmf);
	vmsect_view_wait_open(view, pages);
	fput(file);
	return VM_FAULT_RETRY;
}

/* Why these pages cannot be handed out; 0: they can.  In vmsect_srcu. */
static vm_fault_t fault_check(struct vmsect_view *view, const struct vmsect_pages *pages,
			      bool writes)
{
	u32 protection;

	if (vmsect_view_error(view) || pages->end > READ_ONCE(view->pages) ||
	    vmsect_losses_touch(&view->losses, pages))
		return VM_FAULT_SIGBUS;
	protection = vmsect_limits_get(&view->limits, pages->first);
	if (!vmsect_protection_reads(protection) ||
	    (writes && !vmsect_protection_writes(protection)))
		return VM_FAULT_SIGSEGV;
	return 0;
}

/*
 * The check of a single page.  The page is locked, and stays so until the core has
 * entered it: whoever takes pages away waits for that (vmsect_revoke.c).
 */
static vm_fault_t fault_check_page(struct vmsect_view *view, const struct vmsect_pages *pages,
				   bool writes, bool *ret_closed)
{
	int idx = srcu_read_lock(&vmsect_srcu);
	vm_fault_t ret = 0;

	*ret_closed = vmsect_view_is_closed(view, pages);
	if (!*ret_closed)
		ret = fault_check(view, pages, writes);
	srcu_read_unlock(&vmsect_srcu, idx);
	return ret;
}

/* The page with a reference, which keeps it there; NULL: there is none any more. */
static struct page *fault_get_page(struct vmsect_view *view, unsigned long pgoff)
{
	int idx = srcu_read_lock(&vmsect_srcu);
	struct page *page = NULL;

	if (pgoff < READ_ONCE(view->pages) && !vmsect_view_error(view)) {
		page = pfn_to_page(PHYS_PFN(view->start) + pgoff);
		get_page(page);
	}
	srcu_read_unlock(&vmsect_srcu, idx);
	return page;
}

static vm_fault_t fault_by_struct(struct vmsect_view *view, struct vm_fault *vmf,
				  const struct vmsect_pages *pages)
{
	struct page *page = fault_get_page(view, vmf->pgoff);
	vm_fault_t ret;
	bool closed;

	if (!page)
		return VM_FAULT_SIGBUS;
	lock_page(page);
	ret = fault_check_page(view, pages, fault_writes(vmf), &closed);
	if (!closed && !ret) {
		vmf->page = page;
		return VM_FAULT_LOCKED;
	}
	unlock_page(page);
	put_page(page);
	return closed ? fault_wait(view, vmf, pages) : ret;
}

/* The entry is made here, inside vmsect_srcu. */
static vm_fault_t fault_by_number(struct vmsect_view *view, struct vm_fault *vmf,
				  const struct vmsect_pages *pages)
{
	int idx = srcu_read_lock(&vmsect_srcu);
	bool closed = vmsect_view_is_closed(view, pages);
	vm_fault_t ret = closed ? 0 : fault_check(view, pages, fault_writes(vmf));

	if (!closed && !ret)
		ret = vmsect_insert_mixed(vmf, PHYS_PFN(view->start) + vmf->pgoff);
	srcu_read_unlock(&vmsect_srcu, idx);
	return closed ? fault_wait(view, vmf, pages) : ret;
}

static vm_fault_t view_fault(struct vm_fault *vmf)
{
	struct vmsect_view *view = vmf->vma->vm_private_data;
	const struct vmsect_pages pages = { vmf->pgoff, vmf->pgoff + 1 };
	vm_fault_t ret = view->has_pages ? fault_by_struct(view, vmf, &pages)
					 : fault_by_number(view, vmf, &pages);

	/* Without the lock vmf is not ours any more, and perhaps not the view. */
	if (ret & VM_FAULT_RETRY)
		return ret;
	atomic64_inc(&view->handle->counts.faults);
	trace_vmsect_fault(view, vmf, PAGE_SHIFT, ret);
	return ret;
}

/* The first store to a shared page that is entered read-only, or about to be entered. */
static vm_fault_t view_mkwrite(struct vm_fault *vmf)
{
	struct vmsect_view *view = vmf->vma->vm_private_data;
	const struct vmsect_pages pages = { vmf->pgoff, vmf->pgoff + 1 };
	vm_fault_t ret;
	bool closed;

	if (view->has_pages)
		lock_page(vmf->page);
	ret = fault_check_page(view, &pages, true, &closed);
	if (!closed && !ret)
		return view->has_pages ? VM_FAULT_LOCKED : 0;
	if (view->has_pages)
		unlock_page(vmf->page);
	if (closed)
		vmsect_view_wait_open(view, &pages);
	return closed ? VM_FAULT_NOPAGE : ret;
}

#if VMSECT_HAS_HUGE
/* The pages of the 2 MiB around a fault; false: they do not line up, or are not all mapped. */
static bool huge_pages(const struct vmsect_view *view, const struct vm_fault *vmf,
		       struct vmsect_pages *ret_pages)
{
	unsigned long addr = vmf->address & PMD_MASK;
	unsigned long before = (vmf->address - addr) >> PAGE_SHIFT;
	unsigned long count = PMD_SIZE >> PAGE_SHIFT;

	if (addr < vmf->vma->vm_start || vmf->vma->vm_end - addr < PMD_SIZE || vmf->pgoff < before)
		return false;
	ret_pages->first = vmf->pgoff - before;
	ret_pages->end = ret_pages->first + count;
	return IS_ALIGNED(PHYS_PFN(view->start) + ret_pages->first, count);
}

/* Private stores copy single pages. */
static bool huge_allowed(const struct vmsect_view *view, const struct vm_fault *vmf)
{
	return view->has_pages && vmsect_use_huge &&
	       (!(vmf->flags & FAULT_FLAG_WRITE) || vmf->vma->vm_flags & VM_SHARED);
}

static vm_fault_t view_huge_fault(struct vm_fault *vmf, vmsect_fault_order order)
{
	struct vmsect_view *view = vmf->vma->vm_private_data;
	vm_fault_t ret = VM_FAULT_FALLBACK;
	struct vmsect_pages pages;
	int idx;

	if (!vmsect_is_pmd_order(order) || !huge_allowed(view, vmf) ||
	    !huge_pages(view, vmf, &pages))
		return VM_FAULT_FALLBACK;
	idx = srcu_read_lock(&vmsect_srcu);
	/* What is not all alike, or not there, is decided page by page. */
	if (!vmsect_view_is_closed(view, &pages) && vmsect_limits_uniform(&view->limits, &pages) &&
	    !fault_check(view, &pages, fault_writes(vmf)))
		ret = vmsect_insert_pmd(vmf, PHYS_PFN(view->start) + pages.first,
					fault_writes(vmf));
	srcu_read_unlock(&vmsect_srcu, idx);
	if (ret == VM_FAULT_NOPAGE)
		atomic64_inc(&view->handle->counts.huge_faults);
	trace_vmsect_fault(view, vmf, PMD_SHIFT, ret);
	return ret;
}
#endif

static const struct vm_operations_struct view_vm_ops = {
	.fault = view_fault,
	.page_mkwrite = view_mkwrite,
	.pfn_mkwrite = view_mkwrite,
#if VMSECT_HAS_HUGE
	.huge_fault = view_huge_fault,
#endif
};

/*
 * A view whose protection is fixed needs to hear of no store.  From 6.5 on the kernel
 * pins shared pages for long (vfio, registered buffers) only where nobody wants to.
 */
static const struct vm_operations_struct fixed_view_vm_ops = {
	.fault = view_fault,
#if VMSECT_HAS_HUGE
	.huge_fault = view_huge_fault,
#endif
};

/* The VM_MAY bits that a mapping of the view must not have. */
static vm_flags_t view_forbidden(const struct vmsect_view *view, const struct vm_area_struct *vma)
{
	vm_flags_t forbidden = 0;

	if (view->mode == VMSECT_MODE_RO && (vma->vm_flags & VM_MAYSHARE))
		forbidden |= VM_MAYWRITE;
	if (!view->executable)
		forbidden |= VM_MAYEXEC;
	return forbidden;
}

/**
 * vmsect_view_mmap - set a mapping up
 * @view: live; stays while the mapping's file does
 * @vma: the mapping
 *
 * Return: 0; -ENODEV after the device has gone; -EACCES after the host has taken
 * the view; -ENXIO for a mapping wholly past the end; -EOVERFLOW for one that
 * wraps; -EACCES for PROT_WRITE with MAP_SHARED of a read-only view and for
 * PROT_EXEC of one that is not executable.
 */
int vmsect_view_mmap(struct vmsect_view *view, struct vm_area_struct *vma)
{
	vm_flags_t forbidden = view_forbidden(view, vma);
	vm_flags_t set = VM_DONTDUMP | VM_DONTEXPAND;
	unsigned long end;
	int err = vmsect_view_error(view);

	if (err)
		return err;
	if (check_add_overflow(vma->vm_pgoff, vma_pages(vma), &end))
		return -EOVERFLOW;
	if (vma->vm_pgoff >= READ_ONCE(view->pages))
		return -ENXIO;
	/* VM_READ and so on are the VM_MAY bits shifted right by four. */
	if (vma->vm_flags & (forbidden >> 4))
		return -EACCES;
	if (!view->has_pages)
		set |= VM_MIXEDMAP;
	vmsect_vm_flags_mod(vma, set, forbidden);
	vma->vm_private_data = view;
	vma->vm_ops = view->flags & VMSECT_VIEW_F_NO_CHANGE ? &fixed_view_vm_ops : &view_vm_ops;
	return 0;
}

/* An address at which 2 MiB of it are 2 MiB of guest physical memory. */
unsigned long vmsect_view_unmapped_area(struct vmsect_view *view, struct file *file,
					unsigned long addr, unsigned long len, unsigned long pgoff,
					unsigned long flags)
{
	unsigned long shift = 0;

	if (vmsect_pages_can_be_huge(view))
		shift = PHYS_PFN(view->start) & ((VMSECT_HUGE_BYTES >> PAGE_SHIFT) - 1);
	return vmsect_get_unmapped_area(file, addr, len, pgoff + shift, flags);
}
