/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Grants of a section, what their change takes away, and offers. */
#include "lib/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <vmsect/vmsect.h>

#include "broker/grant.h"
#include "broker/offer.h"
#include "broker/registry.h"
#include "broker/revoke.h"
#include "broker/rights.h"

#define NEWS_MAX 64

struct news {
	uint32_t to;
	struct registry_event event;
};

struct fixture {
	struct registry registry;
	struct party owner, five, six; /* uids 1, 5, 6 */
	struct refusal refusal;
	struct section *section; /* of uid 1, mode 0600 */
	struct handle *handle; /* the owner's */
	unsigned int changes, ends; /* of sections, handles, views, offers */
	unsigned int news_count;
	struct news news[NEWS_MAX];
};

static void on_tell(void *arg, struct party *to, const struct registry_event *event)
{
	struct fixture *f = arg;

	assert_true(f->news_count < NEWS_MAX);
	f->news[f->news_count++] = (struct news){ to->id, *event };
}

static void on_changed(void *arg, enum registry_object kind, const void *object)
{
	struct fixture *f = arg;

	(void)kind;
	(void)object;
	f->changes++;
}

static void on_gone(void *arg, enum registry_object kind, const void *object)
{
	struct fixture *f = arg;

	(void)kind;
	(void)object;
	f->ends++;
}

static unsigned int count_news(const struct fixture *f, const struct party *to, uint32_t type)
{
	unsigned int i, count = 0;

	for (i = 0; i < f->news_count; i++)
		count += f->news[i].to == to->id && f->news[i].event.type == type;
	return count;
}

static void join(struct fixture *f, struct party *party, uid_t uid)
{
	*party = (struct party){ .kind = VMSECT_PEER_PROCESS,
				 .subject = { .uid = uid, .gid = uid } };
	assert_int_equal(registry_add_party(&f->registry, party, &f->refusal), 0);
}

static struct handle *open_as(struct fixture *f, struct party *party, uint32_t access)
{
	struct handle *handle;

	assert_int_equal(party_open(party, f->section, access, &handle, &f->refusal), 0);
	return handle;
}

static struct view *map_as(struct fixture *f, struct handle *handle, uint32_t protection)
{
	const struct view_spec spec = { .protection = protection, .length = 4096 };
	struct view *view;

	assert_int_equal(registry_map(&f->registry, handle, &spec, &view, &f->refusal), 0);
	return view;
}

static int setup(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;
	const struct section_spec spec = {
		.name = "s",
		.protection = PROTECTION_READWRITE,
		.ownership = { .uid = 1, .gid = 1, .mode = 0600 },
		.backing = { .kind = BACKING_SHMEM, .page_shift = 12, .size_bytes = 8192 },
	};
	struct limits limits;

	memset(f, 0, sizeof(*f));
	limits_init(&limits, UINT64_C(1) << 40, 1u << 20);
	registry_init(&f->registry, &limits);
	join(f, &f->owner, 1);
	join(f, &f->five, 5);
	join(f, &f->six, 6);
	assert_int_equal(registry_new_section(&f->registry, &spec, &f->section, &f->refusal), 0);
	f->handle = open_as(f, &f->owner, ACCESS_ALL);
	f->registry.tell = on_tell;
	f->registry.tell_arg = f;
	f->registry.watch = (struct registry_watch){ on_changed, on_gone, f };
	*state = f;
	return 0;
}

/* All that was charged is refunded, or account_deinit() stops us. */
static int teardown(void **state)
{
	struct fixture *f = *state;

	registry_remove_party(&f->registry, &f->owner);
	registry_remove_party(&f->registry, &f->five);
	registry_remove_party(&f->registry, &f->six);
	assert_null(f->registry.sections);
	assert_null(f->registry.offers);
	assert_null(deadlines_first(&f->registry.deadlines));
	registry_deinit(&f->registry);
	return 0;
}

static struct vmsect_wire_grant grant_of(uint32_t uid, uint32_t access)
{
	return (struct vmsect_wire_grant){
		.grantee = VMSECT_GRANTEE_UID,
		.id = uid,
		.access = access,
	};
}

static void set(struct fixture *f, uint32_t uid, uint32_t access)
{
	const struct vmsect_wire_grant grant = grant_of(uid, access);

	assert_int_equal(grant_set(&f->registry, f->section, &grant, &f->refusal), 0);
}

static void test_set_change_take_back(void **state)
{
	struct fixture *f = *state;
	const struct vmsect_wire_grant of_five = grant_of(5, 0), of_seven = grant_of(7, 0);
	uint64_t generation = f->section->generation;

	set(f, 5, ACCESS_READ);
	set(f, 6, ACCESS_READ);
	assert_int_equal(f->changes, 2);
	assert_true(f->section->generation > generation);
	set(f, 5, ACCESS_WRITE); /* the same entry */
	assert_int_equal(f->section->ownership.grant_count, 2);
	assert_int_equal(policy_access(&f->five, &f->section->ownership), ACCESS_WRITE);
	assert_int_equal(account_used(&f->registry.account, 1, RESOURCE_GRANTS), 2);
	assert_int_equal(grant_take_back(&f->registry, f->section, &of_seven, &f->refusal),
			 -ENOENT);
	assert_int_equal(grant_take_back(&f->registry, f->section, &of_five, &f->refusal), 0);
	assert_int_equal(grant_take_back(&f->registry, f->section, &of_five, &f->refusal), -ENOENT);
	assert_int_equal(policy_access(&f->five, &f->section->ownership), 0);
	assert_int_equal(policy_access(&f->six, &f->section->ownership), ACCESS_READ);
	assert_int_equal(account_used(&f->registry.account, 1, RESOURCE_GRANTS), 1);
}

static void test_bounds(void **state)
{
	struct fixture *f = *state;
	struct vmsect_wire_grant more = grant_of(1000, ACCESS_READ);
	uint32_t i;

	f->registry.account.limits.user[RESOURCE_GRANTS] = 1;
	set(f, 2000, ACCESS_READ);
	assert_int_equal(grant_set(&f->registry, f->section, &more, &f->refusal), -EDQUOT);
	assert_int_equal(f->section->ownership.grant_count, 1);
	f->registry.account.limits.user[RESOURCE_GRANTS] = 1000;
	for (i = 1; i < VMSECT_GRANTS_MAX; i++)
		set(f, i, ACCESS_READ);
	assert_int_equal(grant_set(&f->registry, f->section, &more, &f->refusal), -EDQUOT);
	assert_int_equal(f->refusal.detail, VMSECT_DETAIL_LIMIT);
	set(f, 3, ACCESS_WRITE); /* changing one is fine */
}

static struct revoke_count revoke_of(struct fixture *f, uint32_t uid)
{
	const struct vmsect_wire_grant grant = grant_of(uid, 0);
	struct revoke_count count;

	revoke_by_grant(&f->registry, f->section, &grant, &f->owner, &count);
	return count;
}

/* Handles go, views are marked, and only those of whom the entry is. */
static void test_revoke(void **state)
{
	struct fixture *f = *state;
	struct handle *reads, *writes, *of_six;
	struct view *read_view, *write_view;
	struct revoke_count count;
	uint32_t id;

	set(f, 5, ACCESS_READ | ACCESS_WRITE);
	reads = open_as(f, &f->five, ACCESS_READ);
	writes = open_as(f, &f->five, ACCESS_READ | ACCESS_WRITE);
	id = writes->id;
	of_six = open_as(f, &f->six, ACCESS_WRITE); /* passed to it, say */
	read_view = map_as(f, reads, PROTECTION_READONLY);
	write_view = map_as(f, writes, PROTECTION_READWRITE);
	set(f, 5, ACCESS_READ);
	count = revoke_of(f, 5);
	assert_int_equal(count.handles, 1);
	assert_int_equal(count.views, 1);
	assert_ptr_equal(party_find_handle(&f->five, reads->id), reads);
	assert_null(party_find_handle(&f->five, id));
	assert_true(party_is_revoked(&f->five, id));
	assert_false(party_is_revoked(&f->five, reads->id));
	assert_ptr_equal(party_find_handle(&f->six, of_six->id), of_six);
	assert_int_equal(read_view->flags, 0);
	assert_int_equal(write_view->flags, VMSECT_VIEW_REVOKED);
	assert_int_equal(f->section->handle_count, 3);
	assert_int_equal(f->section->view_count, 2);
	assert_int_equal(count_news(f, &f->five, VMSECT_WIRE_EVENT_REVOKE_HANDLE), 1);
	assert_int_equal(count_news(f, &f->five, VMSECT_WIRE_EVENT_REVOKE_VIEW), 1);
	assert_int_equal(count_news(f, &f->six, VMSECT_WIRE_EVENT_REVOKE_HANDLE), 0);
	/* Once is enough. */
	count = revoke_of(f, 5);
	assert_int_equal(count.handles + count.views, 0);
	/* The number stays charged and taken until it is closed. */
	assert_int_equal(account_used(&f->registry.account, 5, RESOURCE_HANDLES), 2);
	f->five.next_handle = id - 1;
	assert_int_not_equal(open_as(f, &f->five, ACCESS_READ)->id, id);
	assert_true(party_forget_revoked(&f->five, id));
	assert_false(party_forget_revoked(&f->five, id));
	assert_int_equal(account_used(&f->registry.account, 5, RESOURCE_HANDLES), 2);
	registry_unmap(&f->registry, write_view);
}

/* One that left with its last handle is a peer no more, though its view is there. */
static void test_revoked_is_no_peer(void **state)
{
	struct fixture *f = *state;
	struct handle *handle;

	set(f, 5, ACCESS_READ);
	handle = open_as(f, &f->five, ACCESS_READ);
	(void)map_as(f, handle, PROTECTION_READONLY);
	set(f, 5, 0);
	assert_int_equal(revoke_of(f, 5).handles, 1);
	assert_int_equal(count_news(f, &f->owner, VMSECT_WIRE_EVENT_PEER_LEFT), 1);
	/* A name goes with its last handle, and a revoked one is none. */
	registry_close(&f->registry, f->handle);
	assert_null(registry_find_section(&f->registry, "s"));
	assert_non_null(f->registry.sections);
	registry_remove_party(&f->registry, &f->five);
	assert_null(f->registry.sections);
}

static void test_caller_and_root_keep_theirs(void **state)
{
	struct fixture *f = *state;
	const struct vmsect_wire_grant of_one = grant_of(1, 0), of_root = grant_of(0, 0);
	struct revoke_count count;
	struct party root, other;

	join(f, &root, 0);
	join(f, &other, 1);
	(void)open_as(f, &root, ACCESS_ALL);
	(void)open_as(f, &other, ACCESS_ALL);
	f->section->ownership.mode = 0;
	set(f, 1, 0);
	set(f, 0, 0);
	revoke_by_grant(&f->registry, f->section, &of_one, &f->owner, &count);
	assert_int_equal(count.handles, 0); /* the owner's entry decides nothing */
	revoke_by_grant(&f->registry, f->section, &of_root, &f->owner, &count);
	assert_int_equal(count.handles, 0);
	registry_remove_party(&f->registry, &root);
	registry_remove_party(&f->registry, &other);
}

static struct offer *offer_to(struct fixture *f, struct party *from, struct party *to)
{
	const struct offer_spec spec = {
		.access = ACCESS_READ,
		.from = from->id,
		.to = to->id,
		.section = f->section,
	};
	struct offer *offer;

	assert_int_equal(offer_add(&f->registry, &spec, &offer, &f->refusal), 0);
	return offer;
}

static void test_offers_end_with_parties(void **state)
{
	struct fixture *f = *state;
	struct party seven;
	uint64_t first;

	join(f, &seven, 7);
	first = offer_to(f, &f->owner, &seven)->id;
	(void)offer_to(f, &seven, &f->five);
	assert_int_equal(offer_to(f, &f->owner, &f->five)->id, first + 2);
	assert_int_equal(account_used(&f->registry.account, 7, RESOURCE_OFFERS), 1);
	f->ends = 0;
	registry_remove_party(&f->registry, &seven);
	assert_int_equal(f->ends, 3); /* two offers and the party */
	assert_int_equal(HASH_COUNT(f->registry.offers), 1);
	assert_null(offer_find(&f->registry, first));
	offer_tell(&f->registry, offer_find(&f->registry, first + 2));
	assert_int_equal(f->news[f->news_count - 1].to, f->five.id);
	assert_int_equal(f->news[f->news_count - 1].event.value, first + 2);
	assert_int_equal(f->news[f->news_count - 1].event.length, ACCESS_READ);
}

/* An offer keeps no section alive, and ends with it. */
static void test_offers_end_with_the_section(void **state)
{
	struct fixture *f = *state;

	(void)offer_to(f, &f->owner, &f->five);
	registry_close(&f->registry, f->handle);
	assert_null(f->registry.sections);
	assert_null(f->registry.offers);
	assert_int_equal(account_used(&f->registry.account, 1, RESOURCE_OFFERS), 0);
}

static void test_offers_end_with_the_right(void **state)
{
	struct fixture *f = *state;
	uint64_t from, to, of_six;

	set(f, 5, ACCESS_READ);
	from = offer_to(f, &f->five, &f->six)->id;
	to = offer_to(f, &f->owner, &f->five)->id;
	of_six = offer_to(f, &f->owner, &f->six)->id;
	set(f, 5, 0);
	(void)revoke_of(f, 5);
	assert_null(offer_find(&f->registry, from));
	assert_null(offer_find(&f->registry, to));
	assert_non_null(offer_find(&f->registry, of_six));
}

static void test_offer_limit(void **state)
{
	struct fixture *f = *state;
	const struct offer_spec spec = {
		.access = ACCESS_READ,
		.from = f->owner.id,
		.to = f->five.id,
		.section = f->section,
	};
	struct offer *offer = NULL;

	f->registry.account.limits.user[RESOURCE_OFFERS] = 1;
	(void)offer_to(f, &f->owner, &f->five);
	assert_int_equal(offer_add(&f->registry, &spec, &offer, &f->refusal), -EDQUOT);
	assert_null(offer);
}

/* Writecopy views are charged for all that they may copy, once. */
static void test_private_pages_are_charged(void **state)
{
	struct fixture *f = *state;
	struct account *account = &f->registry.account;
	struct view_spec spec = { .protection = PROTECTION_WRITECOPY, .length = 4096 };
	struct view *view, *other = NULL;

	account->limits.user[RESOURCE_PRIVATE] = 20480;
	view = map_as(f, f->handle, PROTECTION_READONLY);
	assert_int_equal(account_used(account, 1, RESOURCE_PRIVATE), 0);
	assert_int_equal(registry_charge_private(&f->registry, view, &f->refusal), 0);
	assert_int_equal(registry_charge_private(&f->registry, view, &f->refusal), 0);
	assert_int_equal(account_used(account, 1, RESOURCE_PRIVATE), 4096);
	spec.room = 16384; /* it may grow so far */
	assert_int_equal(registry_map(&f->registry, f->handle, &spec, &other, &f->refusal), 0);
	assert_int_equal(account_used(account, 1, RESOURCE_PRIVATE), 20480);
	registry_unmap(&f->registry, view);
	spec.room = 0;
	spec.length = 8192;
	f->ends = 0;
	assert_int_equal(registry_map(&f->registry, f->handle, &spec, &view, &f->refusal), -EDQUOT);
	assert_int_equal(f->refusal.detail, VMSECT_DETAIL_LIMIT);
	assert_int_equal(f->section->view_count, 1);
	assert_int_equal(f->ends, 0);
	registry_unmap(&f->registry, other);
	assert_int_equal(account_used(account, 1, RESOURCE_PRIVATE), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_set_change_take_back),
		TEST(test_bounds),
		TEST(test_revoke),
		TEST(test_revoked_is_no_peer),
		TEST(test_caller_and_root_keep_theirs),
		TEST(test_offers_end_with_parties),
		TEST(test_offers_end_with_the_section),
		TEST(test_offers_end_with_the_right),
		TEST(test_offer_limit),
		TEST(test_private_pages_are_charged),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
