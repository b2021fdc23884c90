// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pages of a placed view.
 *
 * Where the kernel can, a view gets struct pages (64 bytes per 4 KiB of it), in
 * whole units of 2 MiB, so that its memory can be copied on write, pinned and
 * handed to devices as any other.  Else, or with struct_pages=0, it is mapped by
 * page frame number.  Both ways first reserve the range as write-back: what is
 * not reserved would be mapped uncached, in silence.
 *
 * Each page names the view's inode and its place in it, as a page of a file does.
 * Shared futexes take their key from that.
 *
 * Called by whoever places the view (handle.map_lock or a file that nobody has
 * yet) and by the reaper.
 */
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#ifdef CONFIG_X86
#include <asm/pgtable.h>
#include <asm/pgtable_types.h>
#endif

#include "vmsect_core.h"
#include "compat.h"

/* The smallest piece of a section of memory map that can be added or removed. */
#define PAGES_UNIT_BYTES SZ_2M

/* All of the view's room: what grows into it needs nothing more. */
static void pages_name(struct vmsect_view *view, struct address_space *mapping)
{
	struct page *page = pfn_to_page(PHYS_PFN(view->start));
	unsigned long i;

	for (i = 0; i < view->room; i++, page++) {
		page->mapping = mapping;
		page->index = i;
		cond_resched();
	}
}

static int pages_by_struct(struct vmsect_view *view, int nid)
{
	void *kaddr;

	if (!vmsect_use_pages)
		return -EOPNOTSUPP;
	if (!IS_ALIGNED(view->cover.start | (view->cover.end + 1), PAGES_UNIT_BYTES))
		return -EINVAL;
	memset(&view->pgmap, 0, sizeof(view->pgmap));
	view->pgmap.type = MEMORY_DEVICE_GENERIC;
	view->pgmap.range = view->cover;
	view->pgmap.nr_range = 1;
	kaddr = vmsect_memremap_pages(&view->pgmap, nid);
	if (IS_ERR(kaddr))
		return PTR_ERR(kaddr);
	view->kaddr = kaddr;
	view->has_pages = true;
	pages_name(view, view->inode->i_mapping);
	return 0;
}

static int pages_by_number(struct vmsect_view *view)
{
	view->kaddr = memremap(view->cover.start, range_len(&view->cover), MEMREMAP_WB);
	return view->kaddr ? 0 : -ENOMEM;
}

/**
 * vmsect_pages_get - make the memory of a placed view addressable
 * @view: placed, not live
 * @nid: its NUMA node
 *
 * Return: 0, or -ENOMEM with nothing changed.
 */
int vmsect_pages_get(struct vmsect_view *view, int nid)
{
	int err = pages_by_struct(view, nid);

	if (err) {
		pr_info_once("vmsect: no struct pages (%d): no O_DIRECT or pinning\n", err);
		err = pages_by_number(view);
	}
	return err;
}

/* Needs a view that is idle or was never mapped; once more is fine. */
void vmsect_pages_put(struct vmsect_view *view)
{
	if (!view->kaddr)
		return;
	if (view->has_pages) {
		pages_name(view, NULL);
		vmsect_memunmap_pages(&view->pgmap);
	} else {
		memunmap(view->kaddr);
	}
	view->kaddr = NULL;
}

/**
 * vmsect_pages_idle - whether no page is held by anybody
 * @view: zapped, and RCU synchronized since (lockless page table walkers)
 * @idle: pages known to have come back; 0 first
 *
 * A page that was found at its base count of one once can never be referenced
 * again, as all its references come from page tables that are empty and handlers
 * that refuse.  So the search of a view that ends goes on where it stopped.
 */
bool vmsect_pages_idle(const struct vmsect_view *view, unsigned long *idle)
{
	unsigned long pfn = PHYS_PFN(view->start);

	if (!view->has_pages || !view->kaddr)
		return true;
	for (; *idle < view->room; (*idle)++) {
		if (page_ref_count(pfn_to_page(pfn + *idle)) != 1)
			return false;
		cond_resched();
	}
	return true;
}

/* How the kernel really maps the view; user mappings take the same type. */
u32 vmsect_pages_cache(const struct vmsect_view *view)
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

/* Whether a mapping of the view can have entries of 2 MiB at all. */
bool vmsect_pages_can_be_huge(const struct vmsect_view *view)
{
	phys_addr_t first = ALIGN(view->start, VMSECT_HUGE_BYTES);

	return VMSECT_HAS_HUGE && vmsect_use_huge && view->has_pages &&
	       first + VMSECT_HUGE_BYTES <= view->start + ((u64)view->room << PAGE_SHIFT);
}
