/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Journals that are not what a broker would write: of another version or boot,
 * with records that make no sense, or with any bytes at all.  VMSECT_SEED
 * repeats a run.
 */
#include "unit/broker/restore_bed.h"

#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"
#include "base/parse.h"
#include "broker/journal_scan.h"
#include "lib/leak.h"

#define ROUNDS 3000

/* A journal in memory, of a registry with two clients. */
struct fixture {
	struct leak_guard *guard;
	struct registry registry;
	struct party a, b;
	struct section *section;
	struct journal_buffer journal;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct handle *handle;

	assert_non_null(f);
	f->guard = leak_guard_new();
	bed_registry(&f->registry);
	f->registry.broker_generation = 7;
	bed_join(&f->registry, &f->a, 1);
	bed_join(&f->registry, &f->b, 2);
	f->section = bed_section(&f->registry, "one");
	handle = bed_open(&f->a, f->section, ACCESS_ALL);
	(void)bed_open(&f->b, f->section, ACCESS_READ);
	(void)bed_map(&f->registry, handle, PROTECTION_WRITECOPY);
	(void)bed_map(&f->registry, handle, PROTECTION_READONLY);
	(void)bed_offer(&f->registry, f->section, &f->a, &f->b);
	bed_commit(&f->registry, f->section, 3);
	bed_commit(&f->registry, f->section, 5);
	bed_grant(&f->registry, f->section, 4);
	registry_close_revoked(&f->registry, bed_open(&f->a, f->section, ACCESS_READ));
	bed_image(&f->registry, &f->journal);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	registry_remove_party(&f->registry, &f->a);
	registry_remove_party(&f->registry, &f->b);
	registry_deinit(&f->registry);
	journal_buffer_deinit(&f->journal);
	leak_guard_check(f->guard);
	free(f);
	return 0;
}

/* The head of the first record of a type. */
static struct journal_head *find_record(struct fixture *f, uint32_t type)
{
	unsigned char *at = f->journal.bytes;
	struct journal_head *head = (struct journal_head *)at;

	while (head->type != type) {
		at += sizeof(*head) + head->length;
		assert_true(at < f->journal.bytes + f->journal.size);
		head = (struct journal_head *)at;
	}
	return head;
}

static void seal(struct journal_head *head)
{
	head->crc = journal_crc(head, head + 1);
}

static void expect_outcome(const struct fixture *f, int outcome)
{
	struct bed_copy copy;

	bed_restore(&copy, f->journal.bytes, f->journal.size);
	assert_int_equal(copy.outcome, outcome);
	assert_null(copy.registry.parties);
	assert_null(copy.registry.sections);
	bed_drop(&copy);
}

static void test_other_version(void **state)
{
	struct fixture *f = *state;
	struct journal_head *head = find_record(f, JOURNAL_HEADER);
	struct bed_copy copy;

	((struct journal_header *)(head + 1))->version = JOURNAL_VERSION + 1;
	expect_outcome(f, RESTORE_E_DAMAGED); /* its sum is wrong */
	seal(head);
	expect_outcome(f, RESTORE_E_VERSION);
	bed_restore(&copy, f->journal.bytes, f->journal.size);
	assert_int_equal(copy.result.version, JOURNAL_VERSION + 1);
	bed_drop(&copy);
	/* Another version may have another header. */
	head->length += 8;
	seal(head);
	expect_outcome(f, RESTORE_E_VERSION);
}

static void test_other_boot(void **state)
{
	struct fixture *f = *state;
	struct journal_head *head = find_record(f, JOURNAL_HEADER);

	((struct journal_header *)(head + 1))->boot_id[0] ^= 1;
	seal(head);
	expect_outcome(f, RESTORE_E_NOTHING);
}

static void expect_left_out(struct fixture *f, struct journal_head *head, size_t left_out)
{
	struct bed_copy copy;

	seal(head);
	bed_restore(&copy, f->journal.bytes, f->journal.size);
	assert_int_equal(copy.outcome, 0);
	assert_int_equal(copy.result.left_out, left_out);
	bed_drop(&copy);
}

/* Without the section go two handles, two views and the offer. */
static void test_section_without_sense(void **state)
{
	struct fixture *f = *state;
	struct journal_head *head = find_record(f, JOURNAL_SECTION);
	struct journal_section *record = (struct journal_section *)(head + 1);
	const struct journal_section good = *record;

	expect_left_out(f, head, 0);
	record->size_bytes = 0;
	expect_left_out(f, head, 6);
	record->size_bytes = UINT64_MAX;
	expect_left_out(f, head, 6);
	*record = good;
	record->ino = 0;
	expect_left_out(f, head, 6);
	*record = good;
	record->page_shift = 63;
	expect_left_out(f, head, 6);
	*record = good;
	record->ranges++;
	expect_left_out(f, head, 6);
	*record = good;
	record->grants = UINT32_MAX;
	expect_left_out(f, head, 6);
	*record = good;
	memset(record->path, 'x', sizeof(record->path));
	expect_left_out(f, head, 6);
	*record = good;
	record->name[0] = '/';
	expect_left_out(f, head, 6);
	*record = good;
	record->backing_kind = 9;
	expect_left_out(f, head, 6);
}

static void test_others_without_sense(void **state)
{
	struct fixture *f = *state;
	struct journal_head *head = find_record(f, JOURNAL_VIEW);
	struct journal_view *view = (struct journal_view *)(head + 1);
	struct journal_handle *handle;
	struct journal_offer *offer;

	view->offset = UINT64_MAX - BED_PAGE + 1;
	expect_left_out(f, head, 1);
	view->offset = 16 * BED_PAGE;
	expect_left_out(f, head, 1);
	head = find_record(f, JOURNAL_HANDLE);
	handle = (struct journal_handle *)(head + 1);
	handle->access = 0x100;
	expect_left_out(f, head, 2);
	handle->access = ACCESS_ALL;
	handle->key.party = 77;
	expect_left_out(f, head, 2);
	head = find_record(f, JOURNAL_OFFER);
	offer = (struct journal_offer *)(head + 1);
	offer->to = 77;
	expect_left_out(f, head, 3);
}

/* Its handle and its views go with it, and the offer. */
static void test_party_without_sense(void **state)
{
	struct fixture *f = *state;
	struct journal_head *head = find_record(f, JOURNAL_PARTY);
	struct journal_party *record = (struct journal_party *)(head + 1);

	record->key.id = VMSECT_PEER_MAX + 1;
	expect_left_out(f, head, 5);
	record->key.id = f->a.id;
	expect_left_out(f, head, 0);
	record->kind = VMSECT_PEER_IVSHMEM; /* ends with its broker */
	expect_left_out(f, head, 5);
}

static uint64_t draw(uint64_t *seed)
{
	/* xorshift64* */
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * UINT64_C(0x2545f4914f6cdd1d);
}

static uint64_t draw_seed(void)
{
	const char *text = getenv("VMSECT_SEED");
	uint32_t seed = 0;

	if (!text || parse_u32(text, UINT32_MAX, &seed) < 0)
		assert_int_equal(getrandom(&seed, sizeof(seed), 0), sizeof(seed));
	print_message("VMSECT_SEED=%u\n", seed);
	return seed | UINT64_C(1) << 32;
}

/* All sums are right again. */
static void seal_all(unsigned char *bytes, size_t size)
{
	struct journal_head head;
	size_t at = 0;

	while (size - at >= sizeof(head)) {
		memcpy(&head, bytes + at, sizeof(head));
		if (head.length > size - at - sizeof(head))
			return;
		head.crc = journal_crc(&head, bytes + at + sizeof(head));
		memcpy(bytes + at, &head, sizeof(head));
		at += sizeof(head) + head.length;
	}
}

/* Whatever comes, it is refunded, and is the same when it is kept and read again. */
static void try_bytes(const unsigned char *bytes, size_t size)
{
	struct journal_buffer first = { 0 }, second = { 0 };
	struct bed_copy copy, again;

	bed_restore(&copy, bytes, size);
	if (!copy.outcome) {
		bed_image(&copy.registry, &first);
		bed_restore(&again, first.bytes, first.size);
		assert_int_equal(again.outcome, 0);
		assert_int_equal(again.result.left_out, 0);
		bed_image(&again.registry, &second);
		assert_int_equal(first.size, second.size);
		assert_memory_equal(first.bytes, second.bytes, first.size);
		bed_drop(&again);
	}
	journal_buffer_deinit(&first);
	journal_buffer_deinit(&second);
	bed_drop(&copy);
}

static void test_random_changes(void **state)
{
	struct fixture *f = *state;
	unsigned char *bytes = malloc(f->journal.size);
	uint64_t seed = draw_seed();
	size_t at;
	int round, flips;

	assert_non_null(bytes);
	for (round = 0; round < ROUNDS; round++) {
		memcpy(bytes, f->journal.bytes, f->journal.size);
		for (flips = (int)(draw(&seed) % 8); flips >= 0; flips--) {
			at = draw(&seed) % f->journal.size;
			bytes[at] = draw(&seed) & 1 ? (unsigned char)draw(&seed)
						    : (unsigned char)(bytes[at] ^ 1);
		}
		if (draw(&seed) % 8)
			seal_all(bytes, f->journal.size);
		try_bytes(bytes, f->journal.size);
	}
	free(bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_other_version),	  TEST(test_other_boot),
		TEST(test_section_without_sense), TEST(test_others_without_sense),
		TEST(test_party_without_sense),	  TEST(test_random_changes),
	};

	(void)alarm(100);
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
