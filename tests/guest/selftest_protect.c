// SPDX-License-Identifier: GPL-2.0-or-later
/* PROTECT and QUERY_PAGES: protections of pages, for every program that maps them. */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NA VMSECT_GUEST_PROT_NOACCESS
#define RO VMSECT_GUEST_PROT_READONLY
#define RW VMSECT_GUEST_PROT_READWRITE
#define WC VMSECT_GUEST_PROT_WRITECOPY
#define X VMSECT_GUEST_PROT_EXECUTE
#define XR VMSECT_GUEST_PROT_EXECUTE_READ
#define XRW VMSECT_GUEST_PROT_EXECUTE_READWRITE
#define XWC VMSECT_GUEST_PROT_EXECUTE_WRITECOPY

/* A section, a view of all of it and a mapping of that; close_all() ends it. */
struct bed {
	int section, view;
	uint8_t *map;
};

static int bed_open(struct bed *bed, uint32_t protection)
{
	bed->section = scratch_open(&(struct scratch){ 0 });
	if (bed->section < 0)
		return bed->section;
	bed->view = view_open(bed->section, 0, 0, protection);
	if (bed->view < 0)
		return bed->view;
	bed->map = shared_map(bed->view, 0, SCRATCH_BYTES, PROT_READ | PROT_WRITE);
	return bed->map ? 0 : -errno;
}

static void bed_close(struct bed *bed)
{
	munmap(bed->map, SCRATCH_BYTES);
	close(bed->view);
	close(bed->section);
}

static void refused_values(void)
{
	struct bed bed;
	int err = bed_open(&bed, RW);

	NEED_FD(err);
	EXPECT_EQ(protect(bed.view, 0, PAGE, 0), -EINVAL);
	EXPECT_EQ(protect(bed.view, 0, PAGE, 9), -EINVAL);
	EXPECT_EQ(protect(bed.view, 0, PAGE, UINT32_MAX), -EINVAL);
	EXPECT_EQ(protect(bed.view, SCRATCH_BYTES, 0, RO), -EINVAL);
	EXPECT_EQ(protect(bed.view, SCRATCH_BYTES, 1, RO), -EINVAL);
	EXPECT_EQ(protect(bed.view, 0, SCRATCH_BYTES + 1, RO), -EINVAL);
	EXPECT_EQ(protect(bed.view, PAGE, UINT64_MAX, RO), -EINVAL);
	EXPECT_EQ(protect(bed.view, UINT64_MAX, 2, RO), -EINVAL);
	/* All or nothing. */
	EXPECT_EQ(tap_store(bed.map, 1), 0);
	bed_close(&bed);
}

static void refused_descriptor(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), reads, view;

	NEED_FD(section);
	reads = duplicate(section, VMSECT_GUEST_ACCESS_READ);
	NEED_FD(reads);
	EXPECT_EQ(protect(reads, 0, PAGE, NA), -EBADF);
	view = view_open(section, 0, 0, RO);
	NEED_FD(view);
	EXPECT_EQ(protect(view, 0, PAGE, NA), -EBADF);
	close(view);
	close(reads);
	close(section);
}

static void refused_no_change(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view;
	struct vmsect_view_request want = { .protection = RW,
					    .flags = VMSECT_GUEST_VIEW_F_NO_CHANGE };

	NEED_FD(section);
	view = call(section, VMSECT_IOC_VIEW, &want);
	NEED_FD(view);
	EXPECT_EQ(protect(view, 0, PAGE, RO), -EINVAL);
	EXPECT_EQ(protect(view, 0, PAGE, RW), -EINVAL);
	close(view);
	close(section);
}

static void refused_not_committed(void)
{
	int section = scratch_open(&(struct scratch){ .flags = VMSECT_GUEST_CREATE_F_RESERVE });
	int view;

	NEED_FD(section);
	view = view_open(section, 0, 0, RW);
	NEED_FD(view);
	EXPECT_EQ(protect(view, 0, PAGE, RO), -EINVAL);
	close(view);
	close(section);
}

static void expect_bound(uint32_t mapped, uint32_t allowed)
{
	int section = scratch_open(&(struct scratch){ .protection = XRW }), view;
	uint32_t wanted;

	NEED_FD(section);
	view = view_open(section, 0, 0, mapped);
	NEED_FD(view);
	for (wanted = NA; wanted <= XWC; wanted++) {
		int err = protect(view, 0, PAGE, wanted);

		if (err != (allowed & 1U << wanted ? 0 : -EACCES))
			tap_note("mapped %u, wanted %u: %d", mapped, wanted, err);
		EXPECT_EQ(err, allowed & 1U << wanted ? 0 : -EACCES);
	}
	close(view);
	close(section);
}

static void bounds(void)
{
	const uint32_t plain = 1U << NA | 1U << RO | 1U << WC;

	expect_bound(RW, plain | 1U << RW);
	expect_bound(WC, plain);
	expect_bound(XRW, plain | 1U << RW | 1U << X | 1U << XR | 1U << XRW | 1U << XWC);
	expect_bound(XWC, plain | 1U << X | 1U << XR | 1U << XWC);
}

static void readonly_pages(void)
{
	struct vmsect_protect arg = { .offset = PAGE + 1, .length = 1, .protection = RO };
	struct bed bed;
	int err = bed_open(&bed, RW);
	uint8_t value;

	NEED_FD(err);
	memset(bed.map, 7, SCRATCH_BYTES);
	NEED_EQ(call(bed.view, VMSECT_IOC_PROTECT, &arg), 0);
	EXPECT_EQ(arg.old, RW);
	EXPECT_EQ(tap_store(bed.map + PAGE, 8), SIGSEGV);
	EXPECT_EQ(tap_store(bed.map + 2 * PAGE - 1, 8), SIGSEGV);
	EXPECT_EQ(tap_load(bed.map + PAGE, &value), 0);
	EXPECT_EQ(value, 7);
	EXPECT_EQ(tap_store(bed.map + PAGE - 1, 8), 0);
	EXPECT_EQ(tap_store(bed.map + 2 * PAGE, 8), 0);
	arg = (struct vmsect_protect){ .offset = PAGE, .length = PAGE, .protection = RW };
	NEED_EQ(call(bed.view, VMSECT_IOC_PROTECT, &arg), 0);
	EXPECT_EQ(arg.old, RO);
	EXPECT_EQ(tap_store(bed.map + PAGE, 9), 0);
	EXPECT_EQ(bed.map[PAGE], 9);
	bed_close(&bed);
}

static void noaccess_pages(void)
{
	struct bed bed;
	int err = bed_open(&bed, RW);
	uint8_t value = POISON;

	NEED_FD(err);
	memset(bed.map, 7, SCRATCH_BYTES);
	NEED_EQ(protect(bed.view, 2 * PAGE, 2 * PAGE, NA), 0);
	EXPECT_EQ(tap_load(bed.map + 2 * PAGE, &value), SIGSEGV);
	EXPECT_EQ(tap_store(bed.map + 3 * PAGE, 1), SIGSEGV);
	EXPECT_EQ(value, POISON);
	EXPECT_EQ(tap_load(bed.map + 4 * PAGE, &value), 0);
	/* Without the view the bytes are there. */
	EXPECT_EQ(pread(bed.section, &value, 1, 2 * PAGE), 1);
	EXPECT_EQ(value, 7);
	NEED_EQ(protect(bed.view, 2 * PAGE, PAGE, RO), 0);
	EXPECT_EQ(tap_load(bed.map + 2 * PAGE, &value), 0);
	EXPECT_EQ(value, 7);
	EXPECT_EQ(tap_store(bed.map + 2 * PAGE, 1), SIGSEGV);
	NEED_EQ(protect(bed.view, 0, 0, RW), 0);
	EXPECT_EQ(tap_store(bed.map + 3 * PAGE, 1), 0);
	bed_close(&bed);
}

/* Stores are the VM's own from then on, and stay so when the page is RW again. */
static void writecopy_pages(void)
{
	struct bed bed;
	int err = bed_open(&bed, RW);
	struct vmsect_range page = { .length = PAGE };
	uint8_t value = 0;

	NEED_FD(err);
	bed.map[0] = 1;
	NEED_EQ(protect(bed.view, 0, PAGE, WC), 0);
	bed.map[0] = 2;
	EXPECT_EQ(pread(bed.section, &value, 1, 0), 1);
	EXPECT_EQ(value, 1);
	NEED_EQ(protect(bed.view, 0, PAGE, RW), 0);
	EXPECT_EQ(bed.map[0], 2);
	EXPECT_EQ(call(bed.view, VMSECT_IOC_RESET, &page), 0);
	EXPECT_EQ(bed.map[0], 1);
	bed.map[0] = 3;
	EXPECT_EQ(pread(bed.section, &value, 1, 0), 1);
	EXPECT_EQ(value, 3);
	bed_close(&bed);
}

static int child_touches(void *context)
{
	struct bed *bed = context;
	uint8_t value;

	return tap_load(bed->map, &value) == 0 && tap_store(bed->map, 1) == SIGSEGV &&
			       tap_load(bed->map + PAGE, &value) == SIGSEGV
		       ? 0
		       : 1;
}

/* Whoever maps it: mappings made before and after, private ones, other processes. */
static void for_all(void)
{
	struct bed bed;
	int err = bed_open(&bed, RW);
	uint8_t *copy, *later, value;

	NEED_FD(err);
	copy = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, bed.view, 0);
	NEED_MAP(copy != MAP_FAILED);
	memset(bed.map, 7, 2 * PAGE);
	copy[PAGE] = 6;
	NEED_EQ(protect(bed.view, 0, PAGE, RO), 0);
	NEED_EQ(protect(bed.view, PAGE, PAGE, NA), 0);
	EXPECT_EQ(in_child(child_touches, &bed), 0);
	later = shared_map(bed.view, 0, 2 * PAGE, PROT_READ | PROT_WRITE);
	NEED_MAP(later);
	EXPECT_EQ(tap_store(later, 1), SIGSEGV);
	EXPECT_EQ(tap_load(later + PAGE, &value), SIGSEGV);
	/* A process's own copy of a page is its own. */
	EXPECT_EQ(tap_store(copy, 5), 0);
	EXPECT_EQ(bed.map[0], 7);
	EXPECT_EQ(tap_load(bed.map, &value), 0);
	munmap(later, 2 * PAGE);
	munmap(copy, 2 * PAGE);
	bed_close(&bed);
}

/* The view's mark, the section's default view and other views are apart. */
static void of_default_view(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view;
	uint8_t *map;

	NEED_FD(section);
	map = shared_map(section, 0, PAGE, PROT_READ | PROT_WRITE);
	NEED_MAP(map);
	view = view_open(section, 0, 0, RW);
	NEED_FD(view);
	NEED_EQ(protect(section, 0, PAGE, RO), 0);
	EXPECT_EQ(tap_store(map, 1), SIGSEGV);
	EXPECT_EQ(pwrite(view, "x", 1, 0), 1);
	EXPECT_EQ(map[0], 'x');
	NEED_EQ(protect(section, 0, PAGE, RW), 0);
	EXPECT_EQ(tap_store(map, 1), 0);
	munmap(map, PAGE);
	close(view);
	close(section);
}

static void query_protection_now(void)
{
	struct vmsect_view_info info;
	struct bed bed;
	int err = bed_open(&bed, RW);

	NEED_FD(err);
	NEED_EQ(protect(bed.view, 0, PAGE, RO), 0);
	NEED_EQ(call(bed.view, VMSECT_IOC_QUERY_VIEW, &info), 0);
	EXPECT_EQ(info.protection, RW);
	EXPECT_EQ(info.protection_now, 0);
	NEED_EQ(protect(bed.view, 0, 0, RO), 0);
	NEED_EQ(call(bed.view, VMSECT_IOC_QUERY_VIEW, &info), 0);
	EXPECT_EQ(info.protection_now, RO);
	bed_close(&bed);
}

static void expect_run(int fd, uint64_t at, uint64_t offset, uint64_t end, uint32_t protection)
{
	struct vmsect_page_run run = { .offset = at };

	NEED_EQ(call(fd, VMSECT_IOC_QUERY_PAGES, &run), 0);
	EXPECT(run.offset >= offset && run.offset <= at);
	EXPECT(run.length > 0 && run.offset + run.length <= end);
	EXPECT_EQ(run.protection, protection);
	EXPECT_EQ(run.flags, VMSECT_GUEST_PAGES_F_COMMITTED);
}

static void query_pages(void)
{
	struct vmsect_page_run past = { .offset = SCRATCH_BYTES };
	struct bed bed;
	int err = bed_open(&bed, RW);

	NEED_FD(err);
	EXPECT_EQ(call(bed.view, VMSECT_IOC_QUERY_PAGES, &past), -EINVAL);
	past.offset = UINT64_MAX;
	EXPECT_EQ(call(bed.view, VMSECT_IOC_QUERY_PAGES, &past), -EINVAL);
	expect_run(bed.view, 0, 0, SCRATCH_BYTES, RW);
	NEED_EQ(protect(bed.view, 2 * PAGE, 2 * PAGE, RO), 0);
	expect_run(bed.view, 1, 0, 2 * PAGE, RW);
	expect_run(bed.view, 2 * PAGE, 2 * PAGE, 4 * PAGE, RO);
	expect_run(bed.view, 4 * PAGE - 1, 2 * PAGE, 4 * PAGE, RO);
	expect_run(bed.view, 5 * PAGE + 3, 4 * PAGE, SCRATCH_BYTES, RW);
	bed_close(&bed);
}

static const struct tap_case cases[] = {
	{ "PROTECT: what is no protection or not in the view is EINVAL", refused_values },
	{ "PROTECT: not open to write is EBADF", refused_descriptor },
	{ "PROTECT: of a NO_CHANGE view is EINVAL", refused_no_change },
	{ "PROTECT: of pages that are not committed is EINVAL", refused_not_committed },
	{ "PROTECT: beyond the bound of the view is EACCES", bounds },
	{ "PROTECT: readonly pages", readonly_pages },
	{ "PROTECT: noaccess pages", noaccess_pages },
	{ "PROTECT: writecopy pages", writecopy_pages },
	{ "PROTECT: holds for every mapping", for_all },
	{ "PROTECT: of a section is of its default view", of_default_view },
	{ "QUERY_VIEW: says whether protections differ", query_protection_now },
	{ "QUERY_PAGES: runs of like pages, EINVAL past the end", query_pages },
};

const struct tap_group group_protect = TAP_GROUP("protect", cases);
