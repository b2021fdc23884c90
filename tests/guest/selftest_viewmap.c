// SPDX-License-Identifier: GPL-2.0-or-later
/* Views as memory: what each protection lets programs do with its mappings. */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RO VMSECT_GUEST_PROT_READONLY
#define RW VMSECT_GUEST_PROT_READWRITE
#define WC VMSECT_GUEST_PROT_WRITECOPY
#define XR VMSECT_GUEST_PROT_EXECUTE_READ
#define XRW VMSECT_GUEST_PROT_EXECUTE_READWRITE

#define MAP_RW (PROT_READ | PROT_WRITE)

static void readonly(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view;
	uint8_t *map, value;

	NEED_FD(section);
	view = view_open(section, 0, 0, RO);
	NEED_FD(view);
	EXPECT_EQ(map_try(view, MAP_RW, MAP_SHARED, 0), -EACCES);
	EXPECT_EQ(map_try(view, MAP_RW, MAP_PRIVATE, 0), 0);
	EXPECT_EQ(map_try(view, PROT_READ | PROT_EXEC, MAP_SHARED, 0), -EACCES);
	map = shared_map(view, 0, PAGE, PROT_READ);
	NEED_MAP(map);
	EXPECT(mprotect(map, PAGE, MAP_RW) < 0 && errno == EACCES);
	EXPECT_EQ(tap_store(map, 1), SIGSEGV);
	EXPECT_EQ(tap_load(map, &value), 0);
	EXPECT_EQ(value, 0);
	munmap(map, PAGE);
	close(view);
	close(section);
}

static void readwrite(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view;
	uint8_t *of_view, *of_section;

	NEED_FD(section);
	view = view_open(section, 3 * PAGE, 2 * PAGE, RW);
	NEED_FD(view);
	of_view = shared_map(view, PAGE, PAGE, MAP_RW);
	of_section = shared_map(section, 4 * PAGE, PAGE, MAP_RW);
	NEED_MAP(of_view);
	NEED_MAP(of_section);
	of_view[9] = 'a';
	EXPECT_EQ(of_section[9], 'a');
	of_section[10] = 'b';
	EXPECT_EQ(of_view[10], 'b');
	munmap(of_view, PAGE);
	munmap(of_section, PAGE);
	close(view);
	close(section);
}

/* Two copies of one section: live until they are written, then apart. */
static void writecopy(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), first, second;
	uint8_t *one, *same, *two;

	NEED_FD(section);
	first = view_open(section, 0, 0, WC);
	second = view_open(section, 0, 0, WC);
	NEED_FD(first);
	NEED_FD(second);
	one = shared_map(first, 0, 2 * PAGE, MAP_RW);
	same = shared_map(first, 0, 2 * PAGE, MAP_RW);
	two = shared_map(second, 0, 2 * PAGE, MAP_RW);
	NEED_MAP(one);
	NEED_MAP(same);
	NEED_MAP(two);
	EXPECT_EQ(pwrite(section, "live", 4, 0), 4);
	EXPECT(!memcmp(one, "live", 4) && !memcmp(two, "live", 4));
	one[0] = 'L';
	EXPECT(!memcmp(same, "Live", 4));
	EXPECT(!memcmp(two, "live", 4));
	EXPECT_EQ(pwrite(section, "next", 4, 0), 4);
	EXPECT(!memcmp(one, "Live", 4) && !memcmp(two, "next", 4));
	/* The page beside it is still the section's. */
	EXPECT_EQ(pwrite(section, "beside", 6, PAGE), 6);
	EXPECT(!memcmp(one + PAGE, "beside", 6));
	munmap(one, 2 * PAGE);
	munmap(same, 2 * PAGE);
	munmap(two, 2 * PAGE);
	close(first);
	close(second);
	close(section);
}

/* It is there, takes room, and may not be touched. */
static void noaccess(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view;
	uint8_t byte = POISON, *map;

	NEED_FD(section);
	view = view_open(section, 0, 0, VMSECT_GUEST_PROT_NOACCESS);
	NEED_FD(view);
	EXPECT(pread(view, &byte, 1, 0) < 0 && (errno == EBADF || errno == EACCES));
	EXPECT(pwrite(view, &byte, 1, 0) < 0 && (errno == EBADF || errno == EACCES));
	EXPECT_EQ(byte, POISON);
	EXPECT_EQ(map_try(view, MAP_RW, MAP_SHARED, 0), -EACCES);
	map = shared_map(view, 0, PAGE, PROT_READ);
	if (map) {
		EXPECT_EQ(tap_load(map, &byte), SIGSEGV);
		munmap(map, PAGE);
	}
	EXPECT_EQ(protect(view, 0, 0, RO), -EBADF);
	close(view);
	close(section);
}

/* mov $42, %eax; ret */
static const uint8_t answer_code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };

static int run_code(const uint8_t *code)
{
	int (*function)(void);

	memcpy(&function, &code, sizeof(function));
	return function();
}

static void executable(void)
{
	int section = scratch_open(&(struct scratch){ .protection = XRW }), runs, plain;
	uint8_t *code;

	NEED_FD(section);
	EXPECT_EQ(pwrite(section, answer_code, sizeof(answer_code), 0),
		  (long long)sizeof(answer_code));
	runs = view_open(section, 0, PAGE, XR);
	plain = view_open(section, 0, PAGE, RW);
	NEED_FD(runs);
	NEED_FD(plain);
	code = shared_map(runs, 0, PAGE, PROT_READ | PROT_EXEC);
	NEED_MAP(code);
	EXPECT_EQ(run_code(code), 42);
	EXPECT_EQ(pwrite(plain, "\x2b", 1, 1), 1);
	EXPECT_EQ(run_code(code), 43);
	EXPECT(mprotect(code, PAGE, PROT_READ | PROT_WRITE) < 0 && errno == EACCES);
	/* A view that is not executable is not, whatever the section is. */
	EXPECT_EQ(map_try(plain, PROT_READ | PROT_EXEC, MAP_SHARED, 0), -EACCES);
	EXPECT_EQ(map_try(plain, PROT_READ | PROT_EXEC, MAP_PRIVATE, 0), -EACCES);
	munmap(code, PAGE);
	close(plain);
	close(runs);
	close(section);
}

/* Code that is written where it runs. */
static void executable_and_writable(void)
{
	int section = scratch_open(&(struct scratch){ .protection = XRW }), view;
	uint8_t *code;

	NEED_FD(section);
	view = view_open(section, 0, PAGE, XRW);
	NEED_FD(view);
	code = shared_map(view, 0, PAGE, MAP_RW | PROT_EXEC);
	NEED_MAP(code);
	memcpy(code, answer_code, sizeof(answer_code));
	EXPECT_EQ(run_code(code), 42);
	munmap(code, PAGE);
	close(view);
	close(section);
}

/* Offsets are those of the view; past its end there is nothing of the section. */
static void ends(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view;
	uint8_t *map, value = POISON;

	NEED_FD(section);
	view = view_open(section, PAGE, 2 * PAGE, RW);
	NEED_FD(view);
	EXPECT_EQ(map_try(view, PROT_READ, MAP_SHARED, 2 * PAGE), -ENXIO);
	EXPECT_EQ(map_try(view, PROT_READ, MAP_SHARED, PAGE), 0);
	map = shared_map(view, 0, 4 * PAGE, MAP_RW);
	NEED_MAP(map);
	EXPECT_EQ(tap_store(map + 2 * PAGE - 1, 1), 0);
	EXPECT_EQ(tap_load(map + 2 * PAGE, &value), SIGBUS);
	EXPECT_EQ(tap_store(map + 3 * PAGE, 1), SIGBUS);
	EXPECT_EQ(value, POISON);
	munmap(map, 4 * PAGE);
	EXPECT_EQ(pread(section, &value, 1, 3 * PAGE - 1), 1);
	EXPECT_EQ(value, 1);
	EXPECT_EQ(pread(section, &value, 1, 4 * PAGE), 1);
	EXPECT_EQ(value, 0);
	close(view);
	close(section);
}

/* Every byte of a view at an odd page, through mappings of every size. */
static void bytes_are_right(void)
{
	int section = scratch_open(&(struct scratch){ .bytes = 64 * PAGE }), view, pages;
	uint8_t byte[1] = { 0 };

	NEED_FD(section);
	for (pages = 0; pages < 64; pages++) {
		byte[0] = (uint8_t)(pages + 1);
		EXPECT_EQ(pwrite(section, byte, 1, (off_t)pages * PAGE), 1);
	}
	view = view_open(section, 13 * PAGE, 50 * PAGE, RO);
	NEED_FD(view);
	for (pages = 0; pages < 50; pages++) {
		uint8_t *map = shared_map(view, (uint64_t)pages * PAGE, (size_t)(50 - pages) * PAGE,
					  PROT_READ);

		NEED_MAP(map);
		EXPECT_EQ(map[0], 13 + pages + 1);
		EXPECT_EQ(map[(49 - pages) * PAGE], 63);
		munmap(map, (size_t)(50 - pages) * PAGE);
	}
	close(view);
	close(section);
}

static const struct tap_case cases[] = {
	{ "a readonly view", readonly },
	{ "a readwrite view of a part", readwrite },
	{ "writecopy views: live, then apart", writecopy },
	{ "a noaccess view", noaccess },
	{ "an executable view runs what the section has", executable },
	{ "code that is written where it runs", executable_and_writable },
	{ "past the end of a view is SIGBUS", ends },
	{ "pages of a view are those of the section", bytes_are_right },
};

const struct tap_group group_viewmap = TAP_GROUP("viewmap", cases);
