// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mappings of a view: what mmap allows, and faults.
 *
 * File offset 0 is the view's first byte.  A mapping may reach past the end, as
 * that of a file may; an access there is SIGBUS, until the view has grown.
 * Every fault checks anew, because the view can be revoked or taken, pages be
 * lost, and a mapping moved at any time.
 *
 * The driver's refusals (EACCES) are for good errors: what enforces a read-only
 * view is the host's second-level page table.
 *
 * VM_DONTEXPAND, beside stopping growth by mremap, makes the core treat the
 * mapping as special: mlock leaves it alone, which would otherwise keep pages
 * in per-CPU batches that delay revocation.  VM_IO stays off, as it would stop
 * get_user_pages.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/overflow.h>

#include "vmsect_core.h"
#include "compat.h"

/* A page by its place in the view; the caller is inside vmsect_srcu. */
static vm_fault_t view_fault_page(struct vmsect_view *view, struct vm_fault *vmf)
{
	unsigned long pfn = PHYS_PFN(view->start) + vmf->pgoff;

	/*
	 * The pfn insert is complete when it returns, so that revocation, which
	 * waits for us, finds and zaps it.  A page is entered later by the core,
	 * and the reference tells revocation of it.
	 */
	if (!view->has_pages)
		return vmsect_insert_mixed(vmf, pfn);
	vmf->page = pfn_to_page(pfn);
	get_page(vmf->page);
	return 0;
}

static vm_fault_t view_fault(struct vm_fault *vmf)
{
	struct vmsect_view *view = vmf->vma->vm_private_data;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	int idx = srcu_read_lock(&vmsect_srcu);

	if (!READ_ONCE(view->revoked) && !READ_ONCE(view->taken) &&
	    vmf->pgoff < READ_ONCE(view->pages) && !vmsect_losses_has(&view->losses, vmf->pgoff))
		ret = view_fault_page(view, vmf);
	srcu_read_unlock(&vmsect_srcu, idx);
	return ret;
}

static const struct vm_operations_struct view_vm_ops = {
	.fault = view_fault,
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
 * @view: the view; stays while the mapping's file does
 * @vma: the mapping
 *
 * Return: 0, -ENODEV after the device has gone, -EACCES after the host has taken
 * the view, -ENXIO for a mapping wholly
 * past the end, -EOVERFLOW for one that wraps, -EACCES for PROT_WRITE with
 * MAP_SHARED of a read-only view and for PROT_EXEC of one that is not executable.
 */
int vmsect_view_mmap(struct vmsect_view *view, struct vm_area_struct *vma)
{
	vm_flags_t forbidden = view_forbidden(view, vma);
	vm_flags_t set = VM_DONTDUMP | VM_DONTEXPAND;
	unsigned long end;

	if (READ_ONCE(view->revoked))
		return -ENODEV;
	if (READ_ONCE(view->taken))
		return -EACCES;
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
	vma->vm_ops = &view_vm_ops;
	return 0;
}
