// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmsect-conformance: the rules of sections as a program in a guest sees them,
 * through open, mmap, mprotect, msync and ioctl alone.  Each case has the id
 * that tests/conformance/scenarios has it under; those that need two VMs are in
 * the lab's story, which makes the sections:
 *
 *     new    memory of 16 pages that nobody has written, rw
 *     file   a data file of 2 pages, rw
 *     ro     a data file of 2 pages, a section to be read only, ro
 *     cow    a data file of 2 pages, cow
 *     odd    4090 bytes of memory, ro
 *     xr     memory that may be read and executed, ro
 *     xrw    memory that may be written as well, rw
 *
 * A view is a mapping here: MAP_SHARED of a node is a view of its mode, and
 * MAP_PRIVATE of any node is a writecopy view of this program alone.
 */
#include "guest/tap.h"
#include "vmsect_guest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096
#define PAGES_NEW 16
#define TIME_LIMIT_S 60

#define RO PROT_READ
#define RW (PROT_READ | PROT_WRITE)
#define XR (PROT_READ | PROT_EXEC)
#define XRW (PROT_READ | PROT_WRITE | PROT_EXEC)

/* Maps pages of a node; NULL with errno. */
static uint8_t *view_map(const char *name, int open_flags, int prot, int flags, size_t pages)
{
	void *addr;
	int fd;
	int err = vmsect_guest_open(name, open_flags, &fd);

	if (err) {
		errno = -err;
		return NULL;
	}
	addr = mmap(NULL, pages * PAGE, prot, flags, fd, 0);
	close(fd);
	return addr == MAP_FAILED ? NULL : addr;
}

static void expect_map(const char *name, int open_flags, int prot, int flags, int error)
{
	uint8_t *view = view_map(name, open_flags, prot, flags, 1);

	EXPECT_EQ(view ? 0 : errno, error);
	if (view)
		munmap(view, PAGE);
}

/* What becomes of a view's pages by mprotect. */
static void expect_protect(const char *name, int flags, int prot, int error)
{
	int open_flags = !strcmp(name, "ro") || flags == MAP_PRIVATE ? O_RDONLY : O_RDWR;
	int first = open_flags == O_RDWR || flags == MAP_PRIVATE ? RW : RO;
	uint8_t *view = view_map(name, open_flags, first, flags, 1), value;

	EXPECT(view);
	if (!view)
		return;
	EXPECT_EQ(mprotect(view, PAGE, prot) < 0 ? errno : 0, error);
	/* What was refused has changed nothing. */
	if (error || prot & PROT_READ)
		EXPECT_EQ(tap_load(view, &value), 0);
	else
		EXPECT_EQ(tap_load(view, &value), SIGSEGV);
	munmap(view, PAGE);
}

static bool all_zeros(const uint8_t *bytes, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (bytes[i])
			return false;
	return true;
}

static void bh_008(void)
{
	uint8_t *view = view_map("new", O_RDWR, RW, MAP_SHARED, PAGES_NEW);

	EXPECT(view && all_zeros(view, PAGES_NEW * PAGE));
	if (view)
		munmap(view, PAGES_NEW * PAGE);
}

static void bh_004(void)
{
	uint8_t *view = view_map("ro", O_RDONLY, RO, MAP_SHARED, 2);
	uint8_t before[2 * PAGE];

	EXPECT(view);
	if (!view)
		return;
	memcpy(before, view, sizeof(before));
	EXPECT_EQ(tap_store(view, 'x'), SIGSEGV);
	EXPECT(!memcmp(view, before, sizeof(before)));
	munmap(view, sizeof(before));
}

static void bh_010(void)
{
	uint8_t *view = view_map("file", O_RDWR, RW, MAP_SHARED, 2);

	EXPECT(view);
	if (!view)
		return;
	view[0] = 'x';
	EXPECT_EQ(msync(view, 2 * PAGE, MS_ASYNC), 0);
	EXPECT_EQ(msync(view, 2 * PAGE, MS_SYNC), 0);
	munmap(view, 2 * PAGE);
}

static void ha_005(void)
{
	expect_map("new", O_RDONLY, RW, MAP_SHARED, EACCES);
	expect_map("ro", O_RDWR, RW, MAP_SHARED, EACCES);
}

static void ha_006(void)
{
	struct vmsect_section section;
	int fd;

	NEED_EQ(vmsect_guest_open("odd", O_RDONLY, &fd), 0);
	EXPECT_EQ(vmsect_guest_query(fd, &section), 0);
	EXPECT_EQ(section.length, PAGE);
	close(fd);
	expect_map("odd", O_RDONLY, RO, MAP_SHARED, 0);
}

static void ha_007(void)
{
	expect_map("new", O_WRONLY, RO, MAP_SHARED, EACCES);
}

static void um_001(void)
{
	uint8_t *view = view_map("ro", O_RDONLY, RO, MAP_SHARED, 2), value;

	EXPECT(view);
	if (!view)
		return;
	EXPECT_EQ(munmap(view, 2 * PAGE), 0);
	EXPECT_EQ(tap_load(view + PAGE, &value), SIGSEGV);
}

static void um_007(void)
{
	uint8_t *view = view_map("new", O_RDWR, RW, MAP_SHARED, 1), value = 0;

	EXPECT(view);
	if (!view)
		return;
	view[0] = 'x';
	EXPECT_EQ(munmap(view, PAGE), 0);
	EXPECT_EQ(tap_load(view, &value), SIGSEGV);
	EXPECT_EQ(tap_store(view, 'y'), SIGSEGV);
	view = view_map("new", O_RDONLY, RO, MAP_SHARED, 1);
	EXPECT(view && view[0] == 'x');
	if (view)
		munmap(view, PAGE);
}

/* The VM's own copy, and the page beside it, which still is the section's. */
static void cw_001(void)
{
	uint8_t *view = view_map("cow", O_RDWR, RW, MAP_SHARED, 2), *other, before;

	other = view_map("cow", O_RDONLY, RO, MAP_SHARED, 2);
	EXPECT(view && other);
	if (!view || !other)
		return;
	before = view[PAGE];
	view[0] = 'x';
	EXPECT_EQ(view[0], 'x');
	EXPECT_EQ(other[0], 'x');
	EXPECT_EQ(view[PAGE], before);
	munmap(view, 2 * PAGE);
	munmap(other, 2 * PAGE);
}

static void cw_004(void)
{
	uint8_t *view = view_map("cow", O_RDWR, RW, MAP_SHARED, 1);

	EXPECT(view);
	if (!view)
		return;
	view[1] = 'y';
	EXPECT_EQ(mprotect(view, PAGE, RO), 0);
	EXPECT_EQ(view[1], 'y');
	EXPECT_EQ(tap_store(view + 1, 'z'), SIGSEGV);
	EXPECT_EQ(mprotect(view, PAGE, RW), 0);
	EXPECT_EQ(view[1], 'y');
	munmap(view, PAGE);
}

static void cw_006(void)
{
	uint8_t *view = view_map("ro", O_RDONLY, RW, MAP_PRIVATE, 1);
	uint8_t *section = view_map("ro", O_RDONLY, RO, MAP_SHARED, 1), before;

	EXPECT(view && section);
	if (!view || !section)
		return;
	before = section[0];
	view[0] = (uint8_t)~before;
	EXPECT_EQ(view[0], (uint8_t)~before);
	EXPECT_EQ(section[0], before);
	munmap(view, PAGE);
	munmap(section, PAGE);
}

static void cw_008(void)
{
	uint8_t *view = view_map("ro", O_RDONLY, RW, MAP_PRIVATE, 1), before;

	EXPECT(view);
	if (!view)
		return;
	before = view[0];
	view[0] = (uint8_t)~before;
	munmap(view, PAGE);
	view = view_map("ro", O_RDONLY, RW, MAP_PRIVATE, 1);
	EXPECT(view && view[0] == before);
	if (view)
		munmap(view, PAGE);
}

/* The section's protection, and what views of it may have. */
static void pm_001(void)
{
	expect_map("ro", O_RDONLY, PROT_NONE, MAP_SHARED, 0);
}

static void pm_002(void)
{
	expect_map("ro", O_RDONLY, RO, MAP_SHARED, 0);
}

static void pm_003(void)
{
	expect_map("ro", O_RDONLY, RW, MAP_SHARED, EACCES);
}

static void pm_004(void)
{
	expect_map("ro", O_RDONLY, RW, MAP_PRIVATE, 0);
}

static void pm_007(void)
{
	expect_map("ro", O_RDONLY, XRW, MAP_SHARED, EACCES);
}

static void pm_010(void)
{
	expect_map("new", O_RDWR, RO, MAP_SHARED, 0);
}

static void pm_011(void)
{
	expect_map("new", O_RDWR, RW, MAP_SHARED, 0);
}

static void pm_015(void)
{
	expect_map("new", O_RDWR, XRW, MAP_SHARED, EACCES);
}

static void pm_034(void)
{
	expect_map("xr", O_RDONLY, RO, MAP_SHARED, 0);
}

static void pm_035(void)
{
	expect_map("xr", O_RDWR, RW, MAP_SHARED, EACCES);
	expect_map("xr", O_RDONLY, RW, MAP_SHARED, EACCES);
}

static void pm_036(void)
{
	expect_map("xr", O_RDONLY, RW, MAP_PRIVATE, 0);
}

static void pm_041(void)
{
	expect_map("xrw", O_RDWR, PROT_NONE, MAP_SHARED, 0);
}

static void pm_043(void)
{
	expect_map("xrw", O_RDWR, RW, MAP_SHARED, 0);
}

static void pm_044(void)
{
	expect_map("xrw", O_RDONLY, RW, MAP_PRIVATE, 0);
}

/* What pages of a view may become. */
static void vp_009(void)
{
	expect_protect("ro", MAP_SHARED, PROT_NONE, 0);
}

static void vp_011(void)
{
	expect_protect("ro", MAP_SHARED, RW, EACCES);
}

static void vp_012(void)
{
	uint8_t *view = view_map("ro", O_RDONLY, RO, MAP_PRIVATE, 1);

	EXPECT(view);
	if (!view)
		return;
	EXPECT_EQ(mprotect(view, PAGE, RW), 0);
	EXPECT_EQ(tap_store(view, 'x'), 0);
	munmap(view, PAGE);
}

static void vp_014(void)
{
	expect_protect("ro", MAP_SHARED, XR, EACCES);
}

static void vp_015(void)
{
	expect_protect("ro", MAP_SHARED, XRW, EACCES);
}

static void vp_018(void)
{
	expect_protect("new", MAP_SHARED, RO, 0);
}

static void vp_021(void)
{
	expect_protect("new", MAP_SHARED, PROT_EXEC, EACCES);
}

static void vp_025(void)
{
	expect_protect("cow", MAP_SHARED, PROT_NONE, 0);
	expect_protect("ro", MAP_PRIVATE, PROT_NONE, 0);
}

static void vp_026(void)
{
	expect_protect("cow", MAP_SHARED, RO, 0);
	expect_protect("ro", MAP_PRIVATE, RO, 0);
}

static void vp_029(void)
{
	expect_protect("cow", MAP_SHARED, PROT_EXEC, EACCES);
}

static void vp_030(void)
{
	expect_protect("cow", MAP_SHARED, XR, EACCES);
}

static void vp_032(void)
{
	expect_protect("cow", MAP_SHARED, XRW, EACCES);
	expect_protect("ro", MAP_PRIVATE, XRW, EACCES);
}

static const struct tap_case cases[] = {
	{ "BH-008 a new section is zeros", bh_008 },
	{ "BH-004 a write to a readonly view changes nothing", bh_004 },
	{ "BH-010 FL-001 a data view can be flushed", bh_010 },
	{ "HA-005 what was opened to read does not write", ha_005 },
	{ "HA-006 it maps readonly", ha_006 },
	{ "HA-007 write access alone does not read", ha_007 },
	{ "UM-001 a view goes when it is unmapped", um_001 },
	{ "UM-007 what was unmapped is not there any more", um_007 },
	{ "CW-001 the first write copies one page", cw_001 },
	{ "CW-004 a page that was copied stays so", cw_004 },
	{ "CW-006 copies need read access and no more", cw_006 },
	{ "CW-008 copies end with the view", cw_008 },
	{ "PM-001 readonly section, noaccess view: yes", pm_001 },
	{ "PM-002 readonly section, readonly view: yes", pm_002 },
	{ "PM-003 readonly section, readwrite view: the section forbids it", pm_003 },
	{ "PM-004 readonly section, writecopy view: yes", pm_004 },
	{ "PM-007 readonly section, execute-readwrite view: the section forbids it", pm_007 },
	{ "PM-010 readwrite section, readonly view: yes", pm_010 },
	{ "PM-011 readwrite section, readwrite view: yes", pm_011 },
	{ "PM-015 readwrite section, execute-readwrite view: the section forbids it", pm_015 },
	{ "PM-034 execute-read section, readonly view: yes", pm_034 },
	{ "PM-035 execute-read section, readwrite view: the section forbids it", pm_035 },
	{ "PM-036 execute-read section, writecopy view: yes", pm_036 },
	{ "PM-041 execute-readwrite section, noaccess view: yes", pm_041 },
	{ "PM-043 execute-readwrite section, readwrite view: yes", pm_043 },
	{ "PM-044 execute-readwrite section, writecopy view: yes", pm_044 },
	{ "VP-009 mapped readonly, may become noaccess", vp_009 },
	{ "VP-011 mapped readonly, never becomes readwrite", vp_011 },
	{ "VP-012 mapped readonly, may become writecopy", vp_012 },
	{ "VP-014 mapped readonly, never becomes execute-read", vp_014 },
	{ "VP-015 mapped readonly, never becomes execute-readwrite", vp_015 },
	{ "VP-018 mapped readwrite, may become readonly", vp_018 },
	{ "VP-021 mapped readwrite, never becomes execute", vp_021 },
	{ "VP-025 mapped writecopy, may become noaccess", vp_025 },
	{ "VP-026 mapped writecopy, may become readonly", vp_026 },
	{ "VP-029 mapped writecopy, never becomes execute", vp_029 },
	{ "VP-030 mapped writecopy, never becomes execute-read", vp_030 },
	{ "VP-032 mapped writecopy, never becomes execute-writecopy", vp_032 },
};

int main(void)
{
	alarm(TIME_LIMIT_S);
	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
