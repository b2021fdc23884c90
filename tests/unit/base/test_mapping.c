/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mappings: what is refused, what fails half way, limits, execute, loss of a
 * file's end.  The walk has a test of its own.
 */
#include "unit/base/mapping_bed.h"

#define TIME_LIMIT_S 120

static void bad_specs_are_refused(void **state)
{
	struct mapping mapping, poison;
	struct mapping_spec good, bad;
	struct bed bed;

	(void)state;
	memset(&poison, 0xa5, sizeof(poison));
	mapping = poison;
	bed_init(&bed, STORE_SHMEM, 4, 8);
	bed.spec.mode = MAPPING_READ;
	good = bed.spec;
#define REFUSED(change)                                                                            \
	do {                                                                                       \
		bad = good;                                                                        \
		bad.change;                                                                        \
		assert_int_equal(mapping_init(&mapping, &bad), -EINVAL);                           \
		assert_memory_equal(&mapping, &poison, sizeof(mapping));                           \
	} while (0)
	REFUSED(length = 0);
	REFUSED(length = 4097);
	REFUSED(length = 9 * SMALL);
	REFUSED(room = 8 * SMALL + 1);
	REFUSED(page_bytes = 0);
	REFUSED(page_bytes = 4095);
	REFUSED(start += 1);
	REFUSED(fd = -1);
	REFUSED(fd_offset = 1);
	REFUSED(fd_offset = UINT64_MAX - SMALL + 1);
	REFUSED(fd_offset = (uint64_t)INT64_MAX + 1 - SMALL);
	REFUSED(mode = (enum mapping_mode)4);
#undef REFUSED
	bed_begin(&bed, MAPPING_READ);
	bed_end(&bed);
	bed_deinit(&bed);
}

static void bad_ranges_are_refused(void **state)
{
	static const uint64_t ranges[][2] = {
		{ 0, 0 },
		{ 1, SMALL },
		{ 0, SMALL + 1 },
		{ 4 * SMALL, SMALL },
		{ 3 * SMALL, 2 * SMALL },
		{ 0, 5 * SMALL },
		{ SMALL, UINT64_MAX - SMALL + 1 },
		{ UINT64_MAX - SMALL + 1, SMALL },
	};
	uint64_t lost = POISON;
	struct bed bed;
	size_t i;

	(void)state;
	bed_init(&bed, STORE_SHMEM, 4, 8);
	bed_begin(&bed, MAPPING_COPY);
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		uint64_t offset = ranges[i][0], length = ranges[i][1];
		struct mapping_run run = { .offset = offset,
					   .length = length,
					   .mode = MAPPING_READ };

		assert_int_equal(mapping_protect(&bed.mapping, &run), -EINVAL);
		assert_int_equal(mapping_reset(&bed.mapping, offset, length), -EINVAL);
		assert_int_equal(mapping_bury(&bed.mapping, offset, length), -EINVAL);
		assert_int_equal(mapping_restore(&bed.mapping, offset, length, &lost), -EINVAL);
	}
	assert_int_equal(lost, POISON);
	assert_int_equal(bed_protect(&bed, 0, 1, (enum mapping_mode)4), -EINVAL);
	assert_int_equal(mapping_grow(&bed.mapping, 3 * SMALL), -EINVAL);
	assert_int_equal(mapping_grow(&bed.mapping, 9 * SMALL), -EINVAL);
	assert_int_equal(mapping_grow(&bed.mapping, 4 * SMALL + 1), -EINVAL);
	assert_int_equal(mapping_grow(&bed.mapping, 4 * SMALL), 0);
	assert_int_equal(bed.mapping.run_count, 1);
	bed_end(&bed);
	bed_deinit(&bed);
}

/* A view without access has no file at all. */
static void a_view_of_nothing(void **state)
{
	struct bed bed;

	(void)state;
	bed_init(&bed, STORE_SHMEM, 4, 4);
	bed.spec.fd = -1;
	bed_begin(&bed, MAPPING_NONE);
	assert_int_equal(bed_protect(&bed, 0, 1, MAPPING_READ), -EINVAL);
	assert_int_equal(bed_protect(&bed, 0, 1, MAPPING_NONE), 0);
	bed_end(&bed);
	bed_deinit(&bed);
}

static void a_mode_the_descriptor_forbids(void **state)
{
	char path[64];
	struct bed bed;
	int fd;

	(void)state;
	bed_init(&bed, STORE_SHMEM, 4, 4);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", bed.fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	bed.spec.fd = fd;
	bed.spec.mode = MAPPING_WRITE;
	assert_int_equal(mapping_init(&bed.mapping, &bed.spec), -EACCES);
	bed_begin(&bed, MAPPING_COPY);
	assert_int_equal(bed_write(&bed, 1, 'p'), 0);
	assert_int_equal(bed_protect(&bed, 0, 4, MAPPING_WRITE), -EACCES);
	assert_int_equal(bed_read(&bed, 1), 'p');
	assert_int_equal(bed_write(&bed, 2, 'q'), 0);
	assert_int_equal(mapping_private_pages(&bed.mapping), 2);
	bed_end(&bed);
	(void)close(fd);
	bed_deinit(&bed);
}

/* Every second page is another run: the last one that fits, and the one that does not. */
static void too_many_runs(void **state)
{
	uint64_t pages = MAPPING_RUNS_MAX + 4, i;
	struct bed bed;

	(void)state;
	bed_init(&bed, STORE_SHMEM, pages, pages);
	bed_fill_all(&bed);
	bed_begin(&bed, MAPPING_READ);
	for (i = 1; bed.mapping.run_count + 2 <= MAPPING_RUNS_MAX; i += 2)
		assert_int_equal(bed_protect(&bed, i, 1, MAPPING_NONE), 0);
	assert_int_equal(bed_protect(&bed, i, 1, MAPPING_NONE), -E2BIG);
	assert_int_equal(bed_read(&bed, i), bed_byte(LEAD_PAGES + i));
	/* One that joins its neighbour always fits. */
	assert_int_equal(bed_protect(&bed, i - 1, 1, MAPPING_NONE), 0);
	assert_int_equal(bed_protect(&bed, 0, pages, MAPPING_WRITE), 0);
	assert_int_equal(bed.mapping.run_count, 1);
	bed_end(&bed);
	bed_deinit(&bed);
}

/* The number that a file of /proc begins with. */
static unsigned long first_number(const char *path)
{
	FILE *file = fopen(path, "re");
	char text[64];

	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	(void)fclose(file);
	return strtoul(text, NULL, 10);
}

static void limit_addresses(rlim_t more)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	if (more)
		limit.rlim_cur = first_number("/proc/self/statm") * SMALL + more;
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
}

/*
 * Three runs are to become shared; the memory of addresses is enough for the
 * first and not for the last.
 */
static void a_failure_half_way_is_undone(void **state)
{
	struct mapping_run none = { .offset = 4 * SMALL,
				    .length = 4 * SMALL,
				    .mode = MAPPING_NONE };
	struct mapping_run write = { .offset = 0, .length = 2048 * SMALL, .mode = MAPPING_WRITE };
	struct bed bed;

	(void)state;
	bed_init(&bed, STORE_SHMEM, 2048, 2048);
	bed_fill_all(&bed);
	bed_begin(&bed, MAPPING_COPY);
	assert_int_equal(bed_write(&bed, 1, 'p'), 0);
	assert_int_equal(bed_write(&bed, 5, 'q'), 0);
	assert_int_equal(mapping_protect(&bed.mapping, &none), 0);
	limit_addresses(1024 * SMALL);
	assert_int_equal(mapping_protect(&bed.mapping, &write), -ENOMEM);
	limit_addresses(0);
	assert_int_equal(bed.mapping.run_count, 3);
	assert_int_equal(bed_read(&bed, 1), 'p');
	assert_int_equal(bed_read(&bed, 5), -EFAULT);
	/* Still copied, before and behind: the file has what it had. */
	assert_int_equal(bed_write(&bed, 0, 'x'), 0);
	assert_int_equal(bed_write(&bed, 2047, 'y'), 0);
	assert_int_equal(mapping_reset(&bed.mapping, 0, 2048 * SMALL), 0);
	assert_int_equal(bed_read(&bed, 0), bed_byte(LEAD_PAGES));
	assert_int_equal(bed_read(&bed, 1), bed_byte(LEAD_PAGES + 1));
	assert_int_equal(bed_read(&bed, 2047), bed_byte(LEAD_PAGES + 2047));
	/* And then it is possible. */
	assert_int_equal(mapping_protect(&bed.mapping, &write), 0);
	assert_int_equal(bed_write(&bed, 5, 'z'), 0);
	assert_int_equal(mapping_private_pages(&bed.mapping), 0);
	bed_end(&bed);
	bed_deinit(&bed);
}

/*
 * Takes mappings until the kernel has no more; the first `spare` are given
 * back.  Every second page of a range has another protection.
 */
static unsigned char *use_up_mappings(unsigned long most, uint64_t spare, size_t *ret_bytes)
{
	size_t bytes = (most + 64) * SMALL, i;
	unsigned char *start =
		mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_true(start != MAP_FAILED);
	for (i = 1; i < bytes / SMALL; i += 2) {
		if (mprotect(start + i * SMALL, SMALL, PROT_READ) < 0)
			break;
	}
	assert_true(i < bytes / SMALL);
	assert_int_equal(mprotect(start, spare * SMALL, PROT_NONE), 0);
	*ret_bytes = bytes;
	return start;
}

static void assert_copies(const struct bed *bed)
{
	uint64_t i;

	assert_int_equal(bed->mapping.run_count, 1);
	assert_int_equal(bed->mapping.runs[0].mode, MAPPING_COPY);
	for (i = 0; i < 64; i++)
		assert_int_equal(bed_read(bed, i), i % 4 ? bed_byte(LEAD_PAGES + i) : 'p');
	assert_int_equal(mapping_private_pages(&bed->mapping), 16);
}

/* The change with more mappings at each turn; how often it failed. */
static int protect_until_it_fits(struct bed *bed, unsigned long most)
{
	unsigned char *used;
	size_t used_bytes;
	int failures = 0, r = -ENOMEM;

	for (uint64_t spare = 2; r < 0; spare += 2) {
		used = use_up_mappings(most, spare, &used_bytes);
		r = bed_protect(bed, 0, 64, MAPPING_WRITE);
		assert_int_equal(munmap(used, used_bytes), 0);
		if (r < 0) {
			assert_int_equal(r, -ENOMEM);
			assert_copies(bed);
			failures++;
		}
	}
	return failures;
}

/* At the kernel's limit of mappings: what fails is undone, and burying does not fail. */
static void too_many_mappings(void **state)
{
	unsigned long most = first_number("/proc/sys/vm/max_map_count");
	unsigned char *used;
	size_t used_bytes;
	struct bed bed;
	uint64_t i;

	(void)state;
	if (most > 1u << 18)
		skip();
	bed_init(&bed, STORE_SHMEM, 64, 64);
	bed_fill_all(&bed);
	bed_begin(&bed, MAPPING_COPY);
	for (i = 0; i < 64; i += 4)
		assert_int_equal(bed_write(&bed, i, 'p'), 0);
	assert_true(protect_until_it_fits(&bed, most) > 3);
	assert_int_equal(bed_protect(&bed, 0, 64, MAPPING_COPY), 0);
	/* All of it is copied on write, also where the way back led. */
	for (i = 0; i < 64; i++)
		assert_int_equal(bed_write(&bed, i, 'c'), 0);
	assert_int_equal(mapping_private_pages(&bed.mapping), 64);
	used = use_up_mappings(most, 0, &used_bytes);
	assert_int_equal(mapping_bury(&bed.mapping, 0, 64 * SMALL), 0);
	assert_int_equal(munmap(used, used_bytes), 0);
	assert_int_equal(bed_read(&bed, 3), 0);
	bed_end(&bed);
	bed_deinit(&bed);
}

/* The protection of a line of /proc/self/maps ("7f00-7f10 rw-s ..."), if it has the address. */
static bool line_prot(const char *line, uintptr_t address, char prot[static 5])
{
	char *end;
	unsigned long from = strtoul(line, &end, 16), to;

	if (*end != '-')
		return false;
	to = strtoul(end + 1, &end, 16);
	if (*end != ' ' || address < from || address >= to)
		return false;
	memcpy(prot, end + 1, 4);
	return true;
}

static void prot_of(const unsigned char *address, char prot[static 5])
{
	FILE *file = fopen("/proc/self/maps", "re");
	char line[512];

	assert_non_null(file);
	memset(prot, 0, 5);
	while (fgets(line, sizeof(line), file)) {
		if (line_prot(line, (uintptr_t)address, prot))
			break;
	}
	(void)fclose(file);
}

static void execute_is_a_part_of_the_mode(void **state)
{
	static const struct {
		enum mapping_mode mode;
		bool execute;
		const char *prot;
	} rows[] = {
		{ MAPPING_READ, true, "r-xp" },	  { MAPPING_WRITE, true, "rwxs" },
		{ MAPPING_COPY, true, "rwxp" },	  { MAPPING_NONE, true, "---p" },
		{ MAPPING_WRITE, false, "rw-s" }, { MAPPING_READ, false, "r--p" },
	};
	struct mapping_run run = { .offset = 0, .length = 4 * SMALL, .mode = MAPPING_NONE };
	char prot[5];
	struct bed bed;
	size_t i;

	(void)state;
	bed_init(&bed, STORE_SHMEM, 4, 8);
	bed.spec.execute = true;
	bed_begin(&bed, MAPPING_READ);
	prot_of(bed.spec.start, prot);
	assert_string_equal(prot, "r-xp");
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		run.mode = rows[i].mode;
		run.execute = rows[i].execute;
		assert_int_equal(mapping_protect(&bed.mapping, &run), 0);
		prot_of(bed.spec.start, prot);
		if (rows[i].mode != MAPPING_NONE)
			assert_string_equal(prot, rows[i].prot);
		else
			assert_memory_equal(prot, "---", 3);
	}
	/* What differs in its tag alone stays apart. */
	run.tag = 7;
	run.length = SMALL;
	assert_int_equal(mapping_protect(&bed.mapping, &run), 0);
	assert_int_equal(bed.mapping.run_count, 2);
	assert_int_equal(mapping_run_at(&bed.mapping, 0).tag, 7);
	/* What grows has the mode of the beginning. */
	assert_int_equal(mapping_grow(&bed.mapping, 8 * SMALL), 0);
	assert_true(mapping_run_at(&bed.mapping, 4 * SMALL).execute);
	assert_false(mapping_run_at(&bed.mapping, 3 * SMALL).execute);
	bed_end(&bed);
	bed_deinit(&bed);
}

/* A reader through a descriptor that could write is no writer for the kernel. */
static void readers_do_not_hinder_a_seal(void **state)
{
	struct bed bed;

	(void)state;
	bed_init(&bed, STORE_SHMEM, 4, 4);
	bed_begin(&bed, MAPPING_WRITE);
	assert_int_equal(fcntl(bed.fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	assert_int_equal(bed_protect(&bed, 0, 4, MAPPING_READ), 0);
	assert_int_equal(fcntl(bed.fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	assert_int_equal(bed_protect(&bed, 0, 4, MAPPING_WRITE), -EPERM);
	assert_int_equal(bed_read(&bed, 0), 0);
	assert_int_equal(bed_protect(&bed, 0, 4, MAPPING_COPY), 0);
	assert_int_equal(bed_write(&bed, 0, 'w'), 0);
	bed_end(&bed);
	bed_deinit(&bed);
}

static void a_file_shrinks_and_grows_again(void **state)
{
	uint64_t lost = POISON;
	struct bed bed;

	(void)state;
	bed_init(&bed, STORE_FILE, 8, 8);
	bed_fill_all(&bed);
	bed_begin(&bed, MAPPING_WRITE);
	/* The end is in the middle of page 3 of the view. */
	assert_int_equal(ftruncate(bed.fd, (off_t)((LEAD_PAGES + 3) * SMALL + 100)), 0);
	assert_int_equal(bed_read(&bed, 4), -EFAULT);
	assert_int_equal(mapping_bury(&bed.mapping, 2 * SMALL, 6 * SMALL), 0);
	assert_int_equal(bed_write(&bed, 4, 't'), 0);
	assert_int_equal(bed_read(&bed, 4), 't');
	assert_int_equal(mapping_restore(&bed.mapping, 0, 8 * SMALL, &lost), 0);
	assert_int_equal(lost, 4);
	assert_false(mapping_is_lost(&bed.mapping, 3 * SMALL));
	assert_true(mapping_is_lost(&bed.mapping, 4 * SMALL));
	assert_int_equal(bed_read(&bed, 2), bed_byte(LEAD_PAGES + 2));
	assert_int_equal(bed_read(&bed, 4), 't');
	assert_int_equal(ftruncate(bed.fd, (off_t)(bed.file_pages * SMALL)), 0);
	assert_int_equal(mapping_restore(&bed.mapping, 5 * SMALL, SMALL, &lost), 0);
	assert_int_equal(lost, 0);
	assert_int_equal(bed_read(&bed, 4), 't');
	assert_int_equal(bed_write(&bed, 5, 'f'), 0);
	assert_int_equal(mapping_restore(&bed.mapping, 0, 8 * SMALL, &lost), 0);
	assert_int_equal(lost, 0);
	assert_int_equal(bed_read(&bed, 4), 0);
	bed_end(&bed);
	bed_deinit(&bed);
}

/* Without userfaultfd there is no view of a RESERVE section: a file takes none. */
static void reserve_needs_userfaultfd(void **state)
{
	struct bed bed;

	(void)state;
	bed_init(&bed, STORE_FILE, 4, 4);
	bed.spec.reserve = true;
	bed.spec.mode = MAPPING_WRITE;
	assert_int_equal(mapping_init(&bed.mapping, &bed.spec), -EOPNOTSUPP);
	assert_int_equal(bed_read(&bed, 0), -EFAULT);
	bed_deinit(&bed);
}

/* Commits are seen through every descriptor and mode, and nobody commits by touching. */
static void check_reserve(enum bed_store store)
{
	struct stat status;
	char path[64];
	struct bed bed;
	bool committed;
	int fd;

	bed_init(&bed, store, 8, 8);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", bed.fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	bed.spec.fd = fd;
	bed.spec.reserve = true;
	bed_begin(&bed, MAPPING_READ);
	assert_int_equal(bed_read(&bed, 2), -EFAULT);
	assert_int_equal(mapping_commit_run(&bed.mapping, 0, 8 * bed.page, &committed),
			 8 * bed.page);
	assert_false(committed);
	bed_commit(&bed, 2);
	bed_commit(&bed, 3);
	assert_int_equal(bed_read(&bed, 2), 0);
	assert_int_equal(mapping_commit_run(&bed.mapping, 0, 8 * bed.page, &committed),
			 2 * bed.page);
	assert_false(committed);
	assert_int_equal(mapping_commit_run(&bed.mapping, 2 * bed.page, 6 * bed.page, &committed),
			 2 * bed.page);
	assert_true(committed);
	assert_int_equal(bed_protect(&bed, 0, 8, MAPPING_COPY), 0);
	assert_int_equal(bed_write(&bed, 1, 'x'), -EFAULT);
	assert_int_equal(bed_write(&bed, 2, 'x'), 0);
	/* A page without access is committed all the same. */
	assert_int_equal(bed_protect(&bed, 0, 8, MAPPING_NONE), 0);
	assert_true(mapping_is_committed(&bed.mapping, 3 * bed.page));
	assert_false(mapping_is_committed(&bed.mapping, 4 * bed.page));
	assert_int_equal(fstat(bed.fd, &status), 0);
	assert_int_equal(status.st_blocks * 512, 2 * bed.page);
	bed_end(&bed);
	(void)close(fd);
	bed_deinit(&bed);
}

static void reserve_through_a_read_only_descriptor(void **state)
{
	(void)state;
	check_reserve(STORE_SHMEM);
}

static void reserve_of_huge_pages(void **state)
{
	struct huge_pages huge = HUGE_PAGES_NONE;

	(void)state;
	if (!huge_pages_take(&huge, 12))
		skip();
	check_reserve(STORE_HUGE);
	huge_pages_give_back(&huge);
}

/* Neither reading ahead nor reclaim changes what is private. */
static void prefetch_does_not_copy(void **state)
{
	struct bed bed;

	(void)state;
	bed_init(&bed, STORE_FILE, 64, 64);
	bed_fill_all(&bed);
	bed_begin(&bed, MAPPING_COPY);
	assert_int_equal(madvise(bed.spec.start, 64 * SMALL, MADV_POPULATE_READ), 0);
	assert_int_equal(mapping_private_pages(&bed.mapping), 0);
	assert_int_equal(bed_write(&bed, 10, 'x'), 0);
	(void)madvise(bed.spec.start, 64 * SMALL, MADV_PAGEOUT);
	assert_int_equal(mapping_private_pages(&bed.mapping), 1);
	assert_int_equal(bed_read(&bed, 10), 'x');
	bed_end(&bed);
	bed_deinit(&bed);
}

/* A page that nobody has touched yet is the file's, too, until the own first write. */
static void huge_pages_are_live(void **state)
{
	struct huge_pages huge = HUGE_PAGES_NONE;
	struct bed bed;

	(void)state;
	if (!huge_pages_take(&huge, 10))
		skip();
	bed_init(&bed, STORE_HUGE, 2, 3);
	bed_begin(&bed, MAPPING_COPY);
	assert_int_equal(bed_read(&bed, 0), 0);
	assert_int_equal(mapping_private_pages(&bed.mapping), 0);
	bed_fill(&bed, LEAD_PAGES, 'l');
	assert_int_equal(bed_read(&bed, 0), 'l');
	assert_int_equal(mapping_grow(&bed.mapping, 3 * bed.page), 0);
	assert_int_equal(bed_read(&bed, 2), 0);
	bed_fill(&bed, LEAD_PAGES + 2, 'm');
	assert_int_equal(bed_read(&bed, 2), 'm');
	bed_end(&bed);
	bed_deinit(&bed);
	huge_pages_give_back(&huge);
}

/* No pages are left for copies: the change is refused, and nothing has happened. */
static void huge_pages_run_out(void **state)
{
	struct huge_pages huge = HUGE_PAGES_NONE;
	struct bed bed;
	long unused;

	(void)state;
	if (!huge_pages_take(&huge, 4))
		skip();
	bed_init(&bed, STORE_HUGE, 2, 2);
	bed_fill_all(&bed);
	bed_begin(&bed, MAPPING_READ);
	unused = huge_pages_free();
	if (unused < 2) {
		assert_int_equal(bed_protect(&bed, 0, 2, MAPPING_COPY), -ENOMEM);
		assert_int_equal(bed_read(&bed, 1), bed_byte(LEAD_PAGES + 1));
	} else {
		assert_int_equal(bed_protect(&bed, 0, 2, MAPPING_COPY), 0);
		assert_int_equal(huge_pages_free(), unused - 2);
		assert_int_equal(bed_protect(&bed, 0, 2, MAPPING_READ), 0);
		assert_int_equal(huge_pages_free(), unused);
	}
	bed_end(&bed);
	bed_deinit(&bed);
	huge_pages_give_back(&huge);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_specs_are_refused),
		cmocka_unit_test(bad_ranges_are_refused),
		cmocka_unit_test(a_view_of_nothing),
		cmocka_unit_test(a_mode_the_descriptor_forbids),
		cmocka_unit_test(too_many_runs),
		cmocka_unit_test(a_failure_half_way_is_undone),
		cmocka_unit_test(too_many_mappings),
		cmocka_unit_test(execute_is_a_part_of_the_mode),
		cmocka_unit_test(readers_do_not_hinder_a_seal),
		cmocka_unit_test(a_file_shrinks_and_grows_again),
		cmocka_unit_test(reserve_needs_userfaultfd),
		cmocka_unit_test(reserve_through_a_read_only_descriptor),
		cmocka_unit_test(reserve_of_huge_pages),
		cmocka_unit_test(prefetch_does_not_copy),
		cmocka_unit_test(huge_pages_are_live),
		cmocka_unit_test(huge_pages_run_out),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests_name("base_mapping", tests, NULL, NULL);
}
