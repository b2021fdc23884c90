// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A view: where it is in the window, its pages, and how it is taken away.
 *
 * Where the kernel can, the view gets struct pages (64 bytes per 4 KiB of it),
 * in whole units of 2 MiB, so that its memory can be copied on write, pinned
 * and handed to devices as any other.  Else, or with struct_pages=0, it is
 * mapped by page frame number.  Both ways first reserve the range as
 * write-back: what is not reserved would be mapped uncached, in silence.
 *
 * A view that the host took away (taken) keeps its pages, which are a hole of the
 * window by then: no fault gives them out any more.
 *
 * States: placed (set_range), live (init), revoked (no fault succeeds any
 * more), idle (no page is held), released.
 *
 * Revocation.  After view.revoked is set and vmsect_srcu is synchronized, no
 * fault handler hands out a page.  One that did so before may not have entered
 * it in the page table yet, but holds a reference on it.  So zapping and
 * counting alternate until every page is back at its base count of one: a page
 * that was found at one after a zap and an RCU grace period (lockless page
 * table walkers) can never be referenced again, as all its references come
 * from page tables that are empty and handlers that refuse.  Private copies are
 * zapped as well, as when a file is truncated.
 */
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#ifdef CONFIG_X86
#include <asm/pgtable.h>
#include <asm/pgtable_types.h>
#endif

#include "vmsect_core.h"
#include "compat.h"

/* The smallest piece of a section of memory map that can be added or removed. */
#define PAGES_UNIT_BYTES SZ_2M

DEFINE_SRCU(vmsect_srcu);

/* What programs may do with a view of this protection; false: nothing that maps. */
static bool view_set_protection(struct vmsect_view *view, u32 protection)
{
	view->executable = protection >= VMSECT_DEV_PROT_EXECUTE;
	switch (protection) {
	case VMSECT_DEV_PROT_READONLY:
	case VMSECT_DEV_PROT_EXECUTE_READ:
		view->mode = VMSECT_MODE_RO;
		return true;
	case VMSECT_DEV_PROT_READWRITE:
	case VMSECT_DEV_PROT_EXECUTE_READWRITE:
		view->mode = VMSECT_MODE_RW;
		return true;
	case VMSECT_DEV_PROT_WRITECOPY:
	case VMSECT_DEV_PROT_EXECUTE_WRITECOPY:
		view->mode = VMSECT_MODE_COW;
		return true;
	default:
		return false;
	}
}

/**
 * vmsect_view_set_range - place a view as the device says
 * @view: an empty view
 * @vd: the device whose window it is in
 * @dv: the device's description, a private copy
 *
 * Return: 0, -EACCES for a protection that gives nothing to map, -EINVAL for a
 * range that is empty, unaligned or, with its room, not wholly inside the window.
 */
int vmsect_view_set_range(struct vmsect_view *view, const struct vmsect_device *vd,
			  const struct vmsect_dev_view *dv)
{
	u64 unit = max_t(u64, 1ULL << vd->align_shift, PAGE_SIZE);
	u64 offset = le64_to_cpu(dv->window_offset);
	u64 length = le64_to_cpu(dv->length);
	u64 room = max(le64_to_cpu(dv->room), length);
	u64 end, cover_end;

	if (!view_set_protection(view, le32_to_cpu(dv->protection)))
		return -EACCES;
	if (!length || ((offset | length | room) & ~PAGE_MASK))
		return -EINVAL;
	if (check_add_overflow(offset, room, &end) || check_add_overflow(end, unit - 1, &cover_end))
		return -EINVAL;
	cover_end &= ~(unit - 1);
	if (cover_end > vd->window_bytes)
		return -EINVAL;
	/* The window itself was checked not to wrap. */
	view->start = vd->window.start + offset;
	view->pages = length >> PAGE_SHIFT;
	view->room = room >> PAGE_SHIFT;
	vmsect_losses_init(&view->losses);
	view->cover.start = vd->window.start + (offset & ~(unit - 1));
	view->cover.end = vd->window.start + cover_end - 1;
	return 0;
}

static int view_get_pages(struct vmsect_view *view, struct device *dev)
{
	void *kaddr;

	if (!IS_ALIGNED(view->cover.start | (view->cover.end + 1), PAGES_UNIT_BYTES))
		return -EINVAL;
	view->pgmap.type = MEMORY_DEVICE_GENERIC;
	view->pgmap.range = view->cover;
	view->pgmap.nr_range = 1;
	kaddr = vmsect_memremap_pages(&view->pgmap, dev_to_node(dev));
	if (IS_ERR(kaddr))
		return PTR_ERR(kaddr);
	view->kaddr = kaddr;
	view->has_pages = true;
	return 0;
}

static int view_get_pfns(struct vmsect_view *view)
{
	view->kaddr = memremap(view->cover.start, range_len(&view->cover), MEMREMAP_WB);
	return view->kaddr ? 0 : -ENOMEM;
}

/* How the kernel really maps the view; user mappings take the same type. */
static u32 view_cache_type(const struct vmsect_view *view)
{
#ifdef CONFIG_X86
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)view->kaddr, &level);
	pteval_t bits;

	if (!pte)
		return VMSECT_CACHE_UNKNOWN;
	bits = level == PG_LEVEL_4K ? _PAGE_CACHE_MASK : _PAGE_LARGE_CACHE_MASK;
	/* Linux keeps entry 0 of the PAT as write-back. */
	return pte_val(*pte) & bits ? VMSECT_CACHE_OTHER : VMSECT_CACHE_WRITE_BACK;
#else
	return VMSECT_CACHE_UNKNOWN;
#endif
}

/**
 * vmsect_view_init - make a placed view ready for mappings
 * @view: placed by vmsect_view_set_range()
 * @dev: for the NUMA node and for messages
 * @sb: where its inode lives
 *
 * Return: 0 or -errno; on failure the view is empty again, and
 * vmsect_view_release() and vmsect_view_put_inode() do nothing.
 */
int vmsect_view_init(struct vmsect_view *view, struct device *dev, struct super_block *sb)
{
	struct inode *inode;
	int err = -EOPNOTSUPP;

	if (vmsect_use_pages)
		err = view_get_pages(view, dev);
	if (err) {
		dev_info(dev, "no struct pages (%d): no O_DIRECT or pinning\n", err);
		err = view_get_pfns(view);
	}
	if (err)
		return err;
	inode = alloc_anon_inode(sb);
	if (IS_ERR(inode)) {
		vmsect_view_release(view);
		return PTR_ERR(inode);
	}
	view->inode = inode;
	view->cache = view_cache_type(view);
	if (view->cache == VMSECT_CACHE_OTHER)
		dev_warn(dev, "not mapped write-back: the VM's memory types are wrong, expect it "
			      "to be slow\n");
	return 0;
}

void vmsect_view_release(struct vmsect_view *view)
{
	if (!view->kaddr)
		return;
	if (view->has_pages)
		vmsect_memunmap_pages(&view->pgmap);
	else
		memunmap(view->kaddr);
	view->kaddr = NULL;
}

void vmsect_view_put_inode(struct vmsect_view *view)
{
	iput(view->inode);
	view->inode = NULL;
}

void vmsect_view_zap(struct vmsect_view *view)
{
	if (view->inode)
		unmap_mapping_range(view->inode->i_mapping, 0, 0, 1);
}

void vmsect_view_take(struct vmsect_view *view)
{
	WRITE_ONCE(view->taken, true);
	synchronize_srcu(&vmsect_srcu);
	vmsect_view_zap(view);
}

/* The range of the view that bytes are in, whole pages; false: none of it. */
static bool view_pages(const struct vmsect_view *view, u64 offset, u64 length,
		       struct vmsect_pages *ret_pages)
{
	u64 bytes = (u64)READ_ONCE(view->pages) << PAGE_SHIFT;

	if (!length || offset >= bytes)
		return false;
	length = min(length, bytes - offset);
	ret_pages->first = offset >> PAGE_SHIFT;
	ret_pages->end = (offset + length + PAGE_SIZE - 1) >> PAGE_SHIFT;
	return true;
}

/* Private copies that programs have made of lost pages are whole and stay. */
void vmsect_view_lose(struct vmsect_view *view, u64 offset, u64 length)
{
	struct vmsect_pages pages;

	if (!view_pages(view, offset, length, &pages))
		return;
	vmsect_losses_add(&view->losses, &pages);
	synchronize_srcu(&vmsect_srcu);
	unmap_mapping_range(view->inode->i_mapping, (loff_t)pages.first << PAGE_SHIFT,
			    (loff_t)(pages.end - pages.first) << PAGE_SHIFT, 0);
}

void vmsect_view_grow(struct vmsect_view *view, u64 length)
{
	u64 pages = length >> PAGE_SHIFT;

	if (length & ~PAGE_MASK || pages > view->room)
		return;
	/* It never shrinks: files that are open may be mapped to the end. */
	if (pages > view->pages)
		WRITE_ONCE(view->pages, pages);
}

bool vmsect_view_is_idle(struct vmsect_view *view)
{
	unsigned long pfn = PHYS_PFN(view->start);

	if (!view->has_pages)
		return true;
	for (; view->idle < view->pages; view->idle++) {
		if (page_ref_count(pfn_to_page(pfn + view->idle)) != 1)
			return false;
		cond_resched();
	}
	return true;
}
