/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lifetimes of sections, handles and views; who is told of whom. */
#include "lib/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/registry.h"
#include "broker/rights.h"

#define NEWS_MAX 32

struct news {
	uint32_t to;
	enum vmsect_wire_event_type type;
	uint32_t who;
	uint64_t section;
};

struct fixture {
	struct registry registry;
	struct party a, b, c;
	struct news news[NEWS_MAX];
	unsigned int news_count;
	struct refusal refusal;
};

static void on_tell(void *arg, struct party *to, const struct registry_event *event)
{
	struct fixture *f = arg;

	assert_true(f->news_count < NEWS_MAX);
	f->news[f->news_count++] =
		(struct news){ to->id, event->type, event->peer, event->section };
}

static void expect_news(struct fixture *f, unsigned int index, const struct party *to,
			enum vmsect_wire_event_type type, uint32_t who)
{
	assert_true(index < f->news_count);
	assert_int_equal(f->news[index].to, to->id);
	assert_int_equal(f->news[index].type, type);
	assert_int_equal(f->news[index].who, who);
}

static void join(struct fixture *f, struct party *party, uid_t uid)
{
	*party = (struct party){ .kind = VMSECT_PEER_PROCESS, .subject = { .uid = uid } };
	assert_int_equal(registry_add_party(&f->registry, party, &f->refusal), 0);
}

static int setup(void **state)
{
	static struct fixture fixture;
	struct limits limits;

	memset(&fixture, 0, sizeof(fixture));
	limits_init(&limits, UINT64_C(1) << 40, 1u << 20);
	registry_init(&fixture.registry, &limits);
	fixture.registry.tell = on_tell;
	fixture.registry.tell_arg = &fixture;
	join(&fixture, &fixture.a, 1);
	join(&fixture, &fixture.b, 2);
	join(&fixture, &fixture.c, 2);
	*state = &fixture;
	return 0;
}

/* Everything is refunded, or account_deinit() stops us. */
static int teardown(void **state)
{
	struct fixture *f = *state;

	registry_remove_party(&f->registry, &f->a);
	registry_remove_party(&f->registry, &f->b);
	registry_remove_party(&f->registry, &f->c);
	registry_deinit(&f->registry);
	return 0;
}

static struct section *new_section(struct fixture *f, const char *name, bool permanent)
{
	const struct section_spec spec = {
		.name = name,
		.protection = PROTECTION_READWRITE,
		.permanent = permanent,
		.ownership = { .uid = 1, .gid = 1, .mode = 0600 },
		.backing = { .kind = BACKING_SHMEM,
			     .page_shift = 12,
			     .writable = true,
			     .size_bytes = 8192 },
	};
	struct section *section;

	assert_int_equal(registry_new_section(&f->registry, &spec, &section, &f->refusal), 0);
	section->backing.size_bytes = 8192;
	return section;
}

static struct handle *open_as(struct fixture *f, struct party *party, struct section *section)
{
	struct handle *handle;

	assert_int_equal(party_open(party, section, ACCESS_READ, &handle, &f->refusal), 0);
	return handle;
}

static struct view *map_as(struct fixture *f, struct handle *handle)
{
	const struct view_spec spec = { .protection = PROTECTION_READONLY, .length = 4096 };
	struct view *view;

	assert_int_equal(registry_map(&f->registry, handle, &spec, &view, &f->refusal), 0);
	return view;
}

static void test_temporary_goes_with_its_last_handle(void **state)
{
	struct fixture *f = *state;
	struct section *section = new_section(f, "s", false);
	struct handle *first = open_as(f, &f->a, section);
	struct handle *second = open_as(f, &f->b, section);

	registry_close(&f->registry, first);
	assert_ptr_equal(registry_find_section(&f->registry, "s"), section);
	registry_close(&f->registry, second);
	assert_null(registry_find_section(&f->registry, "s"));
	assert_null(f->registry.sections);
	assert_int_equal(account_used(&f->registry.account, 1, RESOURCE_BYTES), 0);
	assert_int_equal(account_used(&f->registry.account, 1, RESOURCE_SECTIONS), 0);
}

/* The name goes with the last handle although a view lives; a new one is unrelated. */
static void test_views_keep_memory_without_name(void **state)
{
	struct fixture *f = *state;
	struct section *section = new_section(f, "s", false);
	struct handle *handle = open_as(f, &f->a, section);
	struct view *view = map_as(f, handle);
	uint64_t id = section->id, view_id = view->id;
	struct section *other;

	registry_close(&f->registry, handle);
	assert_null(registry_find_section(&f->registry, "s"));
	assert_ptr_equal(registry_find_section_id(&f->registry, id), section);
	assert_string_equal(section->name, "");
	assert_int_equal(section->view_count, 1);
	other = new_section(f, "s", false);
	assert_int_not_equal(other->id, id);
	registry_free_section(&f->registry, other);
	assert_ptr_equal(registry_find_view(&f->registry, view_id), view);
	registry_unmap(&f->registry, view);
	assert_null(registry_find_section_id(&f->registry, id));
}

static void test_permanent_stays_until_removed(void **state)
{
	struct fixture *f = *state;
	struct section *section = new_section(f, "s", true);
	struct handle *handle = open_as(f, &f->a, section);

	registry_close(&f->registry, handle);
	assert_ptr_equal(registry_find_section(&f->registry, "s"), section);
	handle = open_as(f, &f->b, section);
	registry_remove_section(&f->registry, section);
	assert_null(registry_find_section(&f->registry, "s"));
	assert_false(section->permanent);
	assert_true(section->generation > 1);
	registry_close(&f->registry, handle);
	assert_null(f->registry.sections);
}

static void test_remove_without_users(void **state)
{
	struct fixture *f = *state;
	struct section *section = new_section(f, "s", true);

	registry_remove_section(&f->registry, section);
	assert_null(f->registry.sections);
}

static void test_peers_are_told_once(void **state)
{
	struct fixture *f = *state;
	struct section *section = new_section(f, "s", false);
	uint32_t b = f->b.id;
	struct handle *handle, *again, *of_a;

	of_a = open_as(f, &f->a, section);
	assert_int_equal(f->news_count, 0);
	handle = open_as(f, &f->b, section);
	again = open_as(f, &f->b, section);
	assert_int_equal(f->news_count, 1);
	expect_news(f, 0, &f->a, VMSECT_WIRE_EVENT_PEER_JOINED, b);
	registry_close(&f->registry, handle);
	assert_int_equal(f->news_count, 1);
	(void)map_as(f, again);
	registry_close(&f->registry, again); /* its view stays: it left all the same */
	assert_int_equal(f->news_count, 2);
	expect_news(f, 1, &f->a, VMSECT_WIRE_EVENT_PEER_LEFT, b);
	(void)open_as(f, &f->b, section);
	assert_int_equal(f->news_count, 3);
	registry_remove_party(&f->registry, &f->b); /* death: once more, and once */
	assert_int_equal(f->news_count, 4);
	expect_news(f, 3, &f->a, VMSECT_WIRE_EVENT_PEER_LEFT, b);
	assert_int_equal(section->view_count, 0);
	assert_int_equal(section->handle_count, 1);
	registry_close(&f->registry, of_a);
	assert_int_equal(f->news_count, 4);
}

/* One who has only a view is no peer: not told, and not told of. */
static void test_views_alone_make_no_peer(void **state)
{
	struct fixture *f = *state;
	struct section *section = new_section(f, "s", true);
	struct handle *handle = open_as(f, &f->a, section);

	(void)map_as(f, handle);
	registry_close(&f->registry, handle);
	(void)open_as(f, &f->b, section);
	assert_int_equal(f->news_count, 0);
	registry_remove_party(&f->registry, &f->a);
	assert_int_equal(f->news_count, 0);
}

static void test_death_frees_all(void **state)
{
	struct fixture *f = *state;
	char name[16];
	int i;

	for (i = 0; i < 100; i++) {
		struct handle *handle;

		(void)snprintf(name, sizeof(name), "s%d", i);
		handle = open_as(f, &f->a, new_section(f, name, i % 2));
		(void)map_as(f, handle);
		(void)map_as(f, handle);
		if (i % 3 == 0)
			registry_close(&f->registry, handle);
	}
	registry_remove_party(&f->registry, &f->a);
	assert_int_equal(f->a.id, 0);
	assert_null(f->registry.views);
	assert_int_equal(HASH_COUNT(f->registry.sections), 50); /* the permanent ones */
	assert_int_equal(account_used(&f->registry.account, 1, RESOURCE_HANDLES), 0);
	assert_int_equal(account_used(&f->registry.account, 1, RESOURCE_VIEWS), 0);
	registry_remove_party(&f->registry, &f->a); /* twice is fine */
}

static void test_handles_belong_to_their_party(void **state)
{
	struct fixture *f = *state;
	struct section *section = new_section(f, "s", false);
	struct handle *handle = open_as(f, &f->a, section);

	assert_ptr_equal(party_find_handle(&f->a, handle->id), handle);
	assert_null(party_find_handle(&f->b, handle->id));
	assert_null(party_find_handle(&f->a, 0));
	assert_null(party_find_handle(&f->a, handle->id + 1));
}

/* Numbers of handles wrap; neither 0 nor one in use is given again. */
static void test_handle_numbers_wrap(void **state)
{
	struct fixture *f = *state;
	struct section *section = new_section(f, "s", false);
	struct handle *first = open_as(f, &f->a, section);

	assert_int_equal(first->id, 1);
	f->a.next_handle = UINT32_MAX;
	assert_int_equal(open_as(f, &f->a, section)->id, 2);
}

static void test_party_numbers_wrap(void **state)
{
	struct fixture *f = *state;
	struct party next;

	f->registry.last_party_id = VMSECT_PEER_MAX;
	join(f, &next, 5);
	assert_int_equal(next.id, 4); /* 0 is none; 1, 2, 3 are in use */
	registry_remove_party(&f->registry, &next);
}

static void test_limits_change_nothing(void **state)
{
	struct fixture *f = *state;
	struct section *section = new_section(f, "s", false);
	struct handle *handle = open_as(f, &f->a, section);
	const struct view_spec spec = { .protection = PROTECTION_READONLY, .length = 4096 };
	struct handle *ret_handle = NULL;
	struct view *ret_view = NULL;

	f->registry.account.limits.user[RESOURCE_HANDLES] = 1;
	f->registry.account.limits.user[RESOURCE_VIEWS] = 0;
	assert_int_equal(party_open(&f->a, section, ACCESS_READ, &ret_handle, &f->refusal),
			 -EDQUOT);
	assert_int_equal(registry_map(&f->registry, handle, &spec, &ret_view, &f->refusal),
			 -EDQUOT);
	assert_null(ret_handle);
	assert_null(ret_view);
	assert_int_equal(section->handle_count, 1);
	assert_int_equal(section->view_count, 0);
}

static void test_section_limits_refund(void **state)
{
	struct fixture *f = *state;
	const struct section_spec spec = {
		.name = "x",
		.ownership = { .uid = 9 },
		.backing = { .kind = BACKING_SHMEM, .size_bytes = 8192 },
	};
	struct account *account = &f->registry.account;
	struct section *section = NULL;

	account->limits.user[RESOURCE_BYTES] = 8191;
	assert_int_equal(registry_new_section(&f->registry, &spec, &section, &f->refusal), -EDQUOT);
	account->limits.user[RESOURCE_BYTES] = 8192;
	account->limits.user[RESOURCE_DESCRIPTORS] = 0;
	assert_int_equal(registry_new_section(&f->registry, &spec, &section, &f->refusal), -EDQUOT);
	assert_null(section);
	assert_null(registry_find_section(&f->registry, "x"));
	assert_int_equal(account_used(account, 9, RESOURCE_SECTIONS), 0);
	assert_int_equal(account_used(account, 9, RESOURCE_BYTES), 0);
}

/* A draft is charged for and cannot be found; its id is of the time when it is listed. */
static void test_drafts(void **state)
{
	static const struct section_spec spec = {
		.name = "d",
		.protection = PROTECTION_READWRITE,
		.ownership = { .uid = 9 },
		.backing = { .kind = BACKING_SHMEM, .page_shift = 12, .size_bytes = 8192 },
	};
	struct fixture *f = *state;
	struct section *first = NULL, *second = NULL;

	assert_int_equal(registry_draft_section(&f->registry, &spec, &first, &f->refusal), 0);
	assert_int_equal(registry_draft_section(&f->registry, &spec, &second, &f->refusal), 0);
	assert_null(registry_find_section(&f->registry, "d"));
	assert_null(f->registry.sections);
	assert_int_equal(account_used(&f->registry.account, 9, RESOURCE_BYTES), 16384);
	assert_int_equal(registry_list_section(&f->registry, second, &f->refusal), 0);
	assert_int_equal(second->id, 1);
	assert_int_equal(registry_list_section(&f->registry, first, &f->refusal), -EEXIST);
	assert_int_equal(f->refusal.detail, VMSECT_DETAIL_NAME);
	registry_free_section(&f->registry, first);
	assert_ptr_equal(registry_find_section(&f->registry, "d"), second);
	assert_int_equal(account_used(&f->registry.account, 9, RESOURCE_BYTES), 8192);
	registry_free_section(&f->registry, second);
	assert_int_equal(account_used(&f->registry.account, 9, RESOURCE_BYTES), 0);
}

static void test_reserve_is_charged_by_commits(void **state)
{
	static const struct section_spec spec = {
		.name = "r",
		.reserve = true,
		.ownership = { .uid = 9 },
		.backing = { .kind = BACKING_SHMEM, .page_shift = 12, .size_bytes = 1u << 20 },
	};
	struct fixture *f = *state;
	struct account *account = &f->registry.account;
	struct section *section = NULL;

	account->limits.user[RESOURCE_BYTES] = 8192;
	assert_int_equal(registry_new_section(&f->registry, &spec, &section, &f->refusal), 0);
	assert_int_equal(account_used(account, 9, RESOURCE_BYTES), 0);
	assert_int_equal(registry_charge_bytes(&f->registry, section, 8192, &f->refusal), 0);
	assert_int_equal(registry_charge_bytes(&f->registry, section, 1, &f->refusal), -EDQUOT);
	registry_refund_bytes(&f->registry, section, 4096);
	assert_int_equal(registry_hold_bytes(&f->registry, section, 4096, &f->refusal), 0);
	assert_int_equal(section->charged_bytes, 4096); /* not the section's yet */
	assert_int_equal(registry_hold_bytes(&f->registry, section, 1, &f->refusal), -EDQUOT);
	registry_settle_bytes(&f->registry, section, 4096, 1000);
	assert_int_equal(section->charged_bytes, 5096);
	assert_int_equal(account_used(account, 9, RESOURCE_BYTES), 5096);
	registry_refund_bytes(&f->registry, section, 1000);
	assert_int_equal(section->charged_bytes, 4096);
	assert_int_equal(account_used(account, 9, RESOURCE_BYTES), 4096);
	registry_free_section(&f->registry, section);
	assert_int_equal(account_used(account, 9, RESOURCE_BYTES), 0);
}

struct watched {
	unsigned int changed[REGISTRY_OFFER + 1];
	unsigned int gone[REGISTRY_OFFER + 1];
};

static void on_changed(void *arg, enum registry_object kind, const void *object)
{
	assert_non_null(object);
	((struct watched *)arg)->changed[kind]++;
}

static void on_gone(void *arg, enum registry_object kind, const void *object)
{
	assert_non_null(object);
	((struct watched *)arg)->gone[kind]++;
}

/* Whoever keeps a copy hears of each object's beginning and end. */
static void test_watch(void **state)
{
	struct fixture *f = *state;
	struct watched watched = { 0 };
	struct party party;
	struct section *section;
	struct handle *handle;

	f->registry.watch = (struct registry_watch){ on_changed, on_gone, &watched };
	join(f, &party, 5);
	assert_int_equal(watched.changed[REGISTRY_PARTY], 1);
	section = new_section(f, "w", true);
	assert_true(watched.changed[REGISTRY_SECTION] > 0);
	handle = open_as(f, &party, section);
	assert_true(watched.changed[REGISTRY_HANDLE] > 0);
	(void)map_as(f, handle);
	assert_true(watched.changed[REGISTRY_VIEW] > 0);
	watched.changed[REGISTRY_SECTION] = 0;
	registry_remove_section(&f->registry, section);
	assert_true(watched.changed[REGISTRY_SECTION] > 0);
	registry_remove_party(&f->registry, &party);
	assert_int_equal(watched.gone[REGISTRY_VIEW], 1);
	assert_int_equal(watched.gone[REGISTRY_HANDLE], 1);
	assert_int_equal(watched.gone[REGISTRY_SECTION], 1);
	assert_int_equal(watched.gone[REGISTRY_PARTY], 1);
	f->registry.watch = (struct registry_watch){ 0 };
}

static void test_hundred_thousand_sections(void **state)
{
	struct fixture *f = *state;
	char name[32];
	int i;

	for (i = 0; i < 100000; i++) {
		(void)snprintf(name, sizeof(name), "section-%d", i);
		(void)open_as(f, &f->a, new_section(f, name, false));
	}
	for (i = 0; i < 100000; i++) {
		(void)snprintf(name, sizeof(name), "section-%d", i);
		assert_non_null(registry_find_section(&f->registry, name));
	}
	registry_remove_party(&f->registry, &f->a);
	assert_null(f->registry.sections);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_temporary_goes_with_its_last_handle),
		TEST(test_views_keep_memory_without_name),
		TEST(test_permanent_stays_until_removed),
		TEST(test_remove_without_users),
		TEST(test_peers_are_told_once),
		TEST(test_views_alone_make_no_peer),
		TEST(test_death_frees_all),
		TEST(test_handles_belong_to_their_party),
		TEST(test_handle_numbers_wrap),
		TEST(test_party_numbers_wrap),
		TEST(test_limits_change_nothing),
		TEST(test_section_limits_refund),
		TEST(test_drafts),
		TEST(test_reserve_is_charged_by_commits),
		TEST(test_watch),
		TEST(test_hundred_thousand_sections),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
