/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal's file: what is kept comes back the same, whatever its end has
 * suffered; who may have it; what becomes of one that cannot be used.
 */
#include "unit/broker/restore_bed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "lib/leak.h"

#define UNITS_MAX 32

/* The registry as it was when the journal had that many bytes. */
struct unit {
	size_t size;
	struct journal_buffer image;
};

struct fixture {
	struct leak_guard *guard;
	char folder[64];
	char path[96];
	struct registry registry;
	struct party a, b;
	struct journal *journal;
	struct unit units[UNITS_MAX];
	size_t unit_count;
};

static void on_object(void *arg, enum registry_object kind, const void *object)
{
	struct fixture *f = arg;

	if (f->journal)
		journal_mark(f->journal, kind, object);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->guard = leak_guard_new();
	(void)snprintf(f->folder, sizeof(f->folder), "/tmp/vmsect-journal-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	(void)snprintf(f->path, sizeof(f->path), "%s/j", f->folder);
	bed_registry(&f->registry);
	f->registry.broker_generation = 7;
	f->registry.watch = (struct registry_watch){ on_object, on_object, f };
	*state = f;
	return 0;
}

static void forget_units(struct fixture *f)
{
	size_t i;

	for (i = 0; i < f->unit_count; i++)
		journal_buffer_deinit(&f->units[i].image);
	f->unit_count = 0;
}

static void remove_file(const struct fixture *f, const char *tail)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s%s", f->path, tail);
	(void)unlink(path);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	f->journal = journal_close(f->journal, false);
	registry_remove_party(&f->registry, &f->a);
	registry_remove_party(&f->registry, &f->b);
	registry_deinit(&f->registry);
	forget_units(f);
	remove_file(f, "");
	remove_file(f, ".unusable");
	assert_int_equal(rmdir(f->folder), 0);
	leak_guard_check(f->guard);
	free(f);
	return 0;
}

static void open_and_start(struct fixture *f)
{
	assert_int_equal(journal_open(f->path, &f->journal), 0);
	assert_int_equal(journal_start(f->journal, &f->registry), 0);
}

static size_t file_size(const struct fixture *f)
{
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	return (size_t)st.st_size;
}

static void end_unit(struct fixture *f)
{
	struct unit *unit = &f->units[f->unit_count++];

	assert_true(f->unit_count <= UNITS_MAX);
	journal_end_unit(f->journal);
	unit->size = file_size(f);
	bed_image(&f->registry, &unit->image);
}

/* A bit of everything, one unit after another. */
static void live(struct fixture *f)
{
	struct registry *registry = &f->registry;
	struct section *one, *two;
	struct handle *handle, *second;
	struct view *view;

	end_unit(f);
	bed_join(registry, &f->a, 1);
	end_unit(f);
	bed_join(registry, &f->b, 2);
	one = bed_section(registry, "one");
	handle = bed_open(&f->a, one, ACCESS_ALL);
	end_unit(f);
	bed_commit(registry, one, 3);
	bed_commit(registry, one, 9);
	end_unit(f);
	bed_grant(registry, one, 5);
	bed_grant(registry, one, 6);
	end_unit(f);
	view = bed_map(registry, handle, PROTECTION_WRITECOPY);
	end_unit(f);
	two = bed_section(registry, "");
	second = bed_open(&f->b, two, ACCESS_READ);
	(void)bed_offer(registry, one, &f->a, &f->b);
	end_unit(f);
	view->private_pages = 2;
	registry_changed(registry, REGISTRY_VIEW, view);
	(void)bed_map(registry, second, PROTECTION_READONLY);
	end_unit(f);
	registry_close_revoked(registry, bed_open(&f->a, two, ACCESS_READ));
	registry_close(registry, second);
	end_unit(f);
	offer_end(registry, registry->offers);
	registry_remove_section(registry, one);
	end_unit(f);
	registry_unmap(registry, view);
	f->a.last_cookie = 99;
	f->a.last_result = 1;
	registry_changed(registry, REGISTRY_PARTY, &f->a);
	end_unit(f);
	registry_remove_party(registry, &f->b);
	end_unit(f);
}

static void expect_restored(const struct unit *unit, const void *bytes, size_t size)
{
	struct journal_buffer image = { 0 };
	struct bed_copy copy;

	bed_restore(&copy, bytes, size);
	assert_int_equal(copy.outcome, 0);
	assert_int_equal(copy.result.left_out, 0);
	assert_int_equal(copy.result.torn_bytes, size - unit->size);
	bed_image(&copy.registry, &image);
	assert_int_equal(image.size, unit->image.size);
	assert_memory_equal(image.bytes, unit->image.bytes, image.size);
	journal_buffer_deinit(&image);
	bed_drop(&copy);
}

/* Cut off at every byte: the last whole unit holds. */
static void test_torn_at_every_byte(void **state)
{
	struct fixture *f = *state;
	AUTO_FREE void *bytes = NULL;
	size_t size = 0, cut, unit = 0;

	open_and_start(f);
	live(f);
	assert_int_equal(journal_read(f->journal, &bytes, &size), 0);
	assert_int_equal(size, f->units[f->unit_count - 1].size);
	for (cut = f->units[0].size; cut <= size; cut++) {
		while (unit + 1 < f->unit_count && f->units[unit + 1].size <= cut)
			unit++;
		expect_restored(&f->units[unit], bytes, cut);
	}
	assert_int_equal(unit, f->unit_count - 1);
}

/* The first unit comes with the file's name: shorter than that, it is no journal. */
static void test_torn_beginning(void **state)
{
	struct fixture *f = *state;
	AUTO_FREE void *bytes = NULL;
	size_t size = 0, cut;
	struct bed_copy copy;

	open_and_start(f);
	assert_int_equal(journal_read(f->journal, &bytes, &size), 0);
	for (cut = 0; cut < size; cut++) {
		bed_restore(&copy, bytes, cut);
		assert_true(copy.outcome == 0 ||
			    copy.outcome == (cut ? RESTORE_E_DAMAGED : RESTORE_E_NOTHING));
		assert_int_equal(copy.result.parties + copy.result.sections, 0);
		bed_drop(&copy);
	}
}

/* Any byte of the last unit is another one: the unit does not count. */
static void test_damaged_end(void **state)
{
	struct fixture *f = *state;
	AUTO_FREE void *bytes = NULL;
	const struct unit *before;
	size_t size = 0, at;

	open_and_start(f);
	live(f);
	assert_int_equal(journal_read(f->journal, &bytes, &size), 0);
	before = &f->units[f->unit_count - 2];
	for (at = before->size; at < size; at++) {
		((unsigned char *)bytes)[at] ^= 0x10;
		expect_restored(before, bytes, size);
		((unsigned char *)bytes)[at] ^= 0x10;
	}
}

static void test_written_anew(void **state)
{
	struct fixture *f = *state;
	AUTO_FREE void *bytes = NULL;
	size_t size = 0, before, largest = 0;
	struct section *section;
	struct unit *last;
	int i;

	open_and_start(f);
	live(f);
	section = bed_section(&f->registry, "s");
	(void)bed_open(&f->a, section, ACCESS_READ);
	for (i = 0; i < 4000; i++) {
		registry_close(&f->registry, bed_open(&f->a, section, ACCESS_READ));
		registry_changed(&f->registry, REGISTRY_SECTION, section);
		before = file_size(f);
		journal_end_unit(f->journal);
		largest = before > largest ? before : largest;
	}
	/* About 2 kB each: it was written anew, more than once. */
	assert_in_range(largest, 1u << 20, (1u << 20) + (1u << 16));
	end_unit(f);
	last = &f->units[f->unit_count - 1];
	assert_int_equal(journal_read(f->journal, &bytes, &size), 0);
	expect_restored(last, bytes, size);
}

/* No room: the broker goes on, and writes all of it when there is room again. */
static void test_full_disk(void **state)
{
	struct fixture *f = *state;
	AUTO_FREE void *bytes = NULL;
	struct rlimit unlimited, limit;
	size_t size = 0;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
	open_and_start(f);
	bed_join(&f->registry, &f->a, 1);
	end_unit(f);
	limit = (struct rlimit){ .rlim_cur = f->units[0].size + 10,
				 .rlim_max = unlimited.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	bed_join(&f->registry, &f->b, 2);
	end_unit(f);
	registry_remove_party(&f->registry, &f->b);
	bed_join(&f->registry, &f->b, 3);
	end_unit(f);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
	/* What is there is whole: what there was before. */
	assert_int_equal(journal_read(f->journal, &bytes, &size), 0);
	expect_restored(&f->units[0], bytes, size);
	free(steal_ptr(&bytes));
	end_unit(f); /* nothing new, and yet */
	assert_int_equal(journal_read(f->journal, &bytes, &size), 0);
	expect_restored(&f->units[3], bytes, size);
}

static void test_locked(void **state)
{
	struct fixture *f = *state;
	struct journal *other = NULL;
	int i;

	open_and_start(f);
	for (i = 0; i < 2; i++) {
		assert_int_equal(journal_open(f->path, &other), -EBUSY);
		assert_int_equal(journal_start(f->journal, &f->registry), 0); /* another file */
	}
	f->journal = journal_close(f->journal, true);
	assert_int_equal(journal_open(f->path, &other), 0);
	other = journal_close(other, false);
	assert_int_equal(access(f->path, F_OK), -1);
}

static void expect_moved_aside(struct fixture *f)
{
	char aside[128];
	struct stat st;

	(void)snprintf(aside, sizeof(aside), "%s.unusable", f->path);
	assert_int_equal(journal_open(f->path, &f->journal), 0);
	assert_int_equal(lstat(aside, &st), 0);
	assert_int_equal(lstat(f->path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 0);
	f->journal = journal_close(f->journal, false);
	assert_int_equal(remove(aside), 0);
}

/* Whatever others may have put there is not read. */
static void test_not_our_file(void **state)
{
	struct fixture *f = *state;
	char other[128];
	int fd;

	(void)snprintf(other, sizeof(other), "%s/other", f->folder);
	assert_int_equal(symlink(other, f->path), 0);
	expect_moved_aside(f);
	assert_int_equal(access(other, F_OK), -1);
	assert_int_equal(mkdir(f->path, 0700), 0);
	expect_moved_aside(f);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	expect_moved_aside(f);
	fd = open(f->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(fchmod(fd, 0620), 0); /* the group could have written it */
	fd_close(fd);
	expect_moved_aside(f);
	fd = open(f->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	fd_close(fd);
	assert_int_equal(link(f->path, other), 0);
	expect_moved_aside(f);
	assert_int_equal(unlink(other), 0);
	if (geteuid())
		return;
	fd = open(f->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(fchown(fd, 4711, 4711), 0);
	fd_close(fd);
	expect_moved_aside(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_torn_at_every_byte), TEST(test_torn_beginning), TEST(test_damaged_end),
		TEST(test_written_anew),       TEST(test_full_disk),	  TEST(test_locked),
		TEST(test_not_our_file),
	};

	(void)alarm(100);
	(void)signal(SIGXFSZ, SIG_IGN);
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
