// SPDX-License-Identifier: LGPL-2.1-or-later
/* See kv_table.h. */
#include "kv_table.h"

#include <stdbool.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "seqlock.h"

#define KV_MAGIC 0x3154564bu /* "KVT1" */
#define KV_LINE 64u

enum kv_state { KV_EMPTY, KV_USED, KV_REMOVED };

/* Copied as words. */
struct kv_entry {
	uint8_t state; /* enum kv_state */
	uint8_t key_bytes;
	uint16_t value_bytes;
	uint32_t reserved;
	char key[KV_KEY_MAX];
	char value[KV_VALUE_MAX];
	uint64_t hash; /* XXH3 of all before */
};
#define ENTRY_WORDS (sizeof(struct kv_entry) / sizeof(uint64_t))

union kv_words {
	struct kv_entry entry;
	uint64_t words[ENTRY_WORDS];
};

struct kv_bucket {
	uint64_t sequence;
	uint64_t words[ENTRY_WORDS];
	uint64_t pad[2];
};

struct kv_shared {
	/* Constant. */
	uint32_t magic; /* stored last */
	uint32_t buckets; /* a power of two */
	uint8_t constant_line[56];
	/* The writer's. */
	uint32_t generation;
	uint32_t reserved;
	uint64_t journal_place; /* bucket + 1 of the change under way; 0: none */
	uint64_t journal_words[ENTRY_WORDS];
	uint8_t writer_pad[8];
	struct kv_bucket bucket[];
};

_Static_assert(sizeof(struct kv_entry) % 8 == 0, "entries are whole words");
_Static_assert(sizeof(struct kv_bucket) == 256, "buckets are whole lines");
_Static_assert(offsetof(struct kv_shared, bucket) % KV_LINE == 0, "buckets are whole lines");

static uint64_t entry_hash(const struct kv_entry *entry)
{
	return XXH3_64bits(entry, offsetof(struct kv_entry, hash));
}

/* Of a private copy. */
static bool entry_is_possible(const struct kv_entry *entry)
{
	if (entry->state == KV_EMPTY)
		return true;
	return entry->state <= KV_REMOVED && entry->key_bytes && entry->key_bytes <= KV_KEY_MAX &&
	       entry->value_bytes <= KV_VALUE_MAX && entry->hash == entry_hash(entry);
}

static int key_check(const char *key, size_t *ret_bytes)
{
	size_t bytes = strnlen(key, KV_KEY_MAX + 1);

	if (!bytes || bytes > KV_KEY_MAX)
		return -EINVAL;
	*ret_bytes = bytes;
	return 0;
}

int kv_format(void *memory, size_t bytes)
{
	struct kv_shared *shared = memory;
	size_t room;
	uint32_t buckets = KV_PROBES;

	if (!memory || (uintptr_t)memory % KV_LINE)
		return -EINVAL;
	if (bytes < sizeof(*shared) + KV_PROBES * sizeof(struct kv_bucket))
		return -ENOSPC;
	room = (bytes - sizeof(*shared)) / sizeof(struct kv_bucket);
	while (buckets < UINT32_C(1) << 30 && (size_t)buckets * 2 <= room)
		buckets *= 2;
	__atomic_exchange_n(&shared->magic, 0, __ATOMIC_SEQ_CST);
	memset(&shared->buckets, 0, sizeof(*shared) - offsetof(struct kv_shared, buckets));
	memset(shared->bucket, 0, buckets * sizeof(struct kv_bucket));
	shared->buckets = buckets;
	/* Pairs with the load in kv_open(). */
	__atomic_store_n(&shared->magic, KV_MAGIC, __ATOMIC_RELEASE);
	return 0;
}

static int kv_open(struct kv_table *table, void *memory, size_t bytes)
{
	struct kv_shared *shared = memory;
	uint32_t magic;

	if (!memory || (uintptr_t)memory % KV_LINE)
		return -EINVAL;
	if (bytes < sizeof(*shared))
		return -EPROTO;
	magic = __atomic_load_n(&shared->magic, __ATOMIC_ACQUIRE);
	if (magic != KV_MAGIC)
		return magic ? -EPROTO : -ENOENT;
	/* Once: it bounds every access from now on. */
	table->buckets = __atomic_load_n(&shared->buckets, __ATOMIC_RELAXED);
	if (table->buckets < KV_PROBES || (table->buckets & (table->buckets - 1)) ||
	    table->buckets > (bytes - sizeof(*shared)) / sizeof(struct kv_bucket))
		return -EPROTO;
	table->shared = shared;
	return 0;
}

int kv_open_reader(struct kv_table *ret_table, const void *memory, size_t bytes)
{
	struct kv_table table = { 0 };
	/* Nothing is written through a reader's table. */
	int err = kv_open(&table, (void *)(uintptr_t)memory, bytes);

	if (!err)
		*ret_table = table;
	return err;
}

static struct kv_bucket *bucket_at(const struct kv_table *table, uint64_t place)
{
	return &table->shared->bucket[place & (table->buckets - 1)];
}

/* A private copy of a bucket; -EAGAIN, -EPROTO. */
static int bucket_read(const struct kv_table *table, uint64_t place, union kv_words *ret_copy)
{
	const struct kv_bucket *bucket = bucket_at(table, place);
	uint64_t sequence;
	int err = seqlock_read(&bucket->sequence, bucket->words, ret_copy->words, ENTRY_WORDS,
			       &sequence);

	if (err)
		return err;
	return entry_is_possible(&ret_copy->entry) ? 0 : -EPROTO;
}

static void bucket_write(struct kv_bucket *bucket, const union kv_words *copy)
{
	/* Odd already if a predecessor died here. */
	uint64_t odd = seqlock_peek(&bucket->sequence) | 1;

	seqlock_write_begin(&bucket->sequence, odd);
	seqlock_write_words(bucket->words, copy->words, ENTRY_WORDS);
	seqlock_write_end(&bucket->sequence, odd + 1);
}

/* The change is decided once journal_place is stored: then it is made, by whoever. */
static void change(struct kv_table *table, uint64_t place, union kv_words *copy)
{
	struct kv_shared *shared = table->shared;

	copy->entry.hash = entry_hash(&copy->entry);
	seqlock_write_words(shared->journal_words, copy->words, ENTRY_WORDS);
	__atomic_store_n(&shared->journal_place, (place & (table->buckets - 1)) + 1,
			 __ATOMIC_RELEASE);
	bucket_write(bucket_at(table, place), copy);
	__atomic_store_n(&shared->journal_place, 0, __ATOMIC_RELEASE);
}

/* A bucket that is odd and in no journal, which no honest writer leaves: emptied. */
static void sweep(struct kv_table *table)
{
	const union kv_words removed = { .entry = { .state = KV_EMPTY } };

	for (uint32_t i = 0; i < table->buckets; i++) {
		if (seqlock_peek(&table->shared->bucket[i].sequence) & 1) {
			bucket_write(&table->shared->bucket[i], &removed);
			table->repaired++;
		}
	}
}

static void repair(struct kv_table *table)
{
	struct kv_shared *shared = table->shared;
	uint64_t place = __atomic_load_n(&shared->journal_place, __ATOMIC_ACQUIRE);
	union kv_words copy;

	for (size_t i = 0; i < ENTRY_WORDS; i++)
		copy.words[i] = __atomic_load_n(&shared->journal_words[i], __ATOMIC_RELAXED);
	if (place && place <= table->buckets && entry_is_possible(&copy.entry)) {
		bucket_write(bucket_at(table, place - 1), &copy);
		table->repaired++;
	}
	__atomic_store_n(&shared->journal_place, 0, __ATOMIC_RELEASE);
	sweep(table);
}

int kv_open_writer(struct kv_table *ret_table, void *memory, size_t bytes)
{
	struct kv_table table = { 0 };
	int err = kv_open(&table, memory, bytes);

	if (err)
		return err;
	table.generation = __atomic_add_fetch(&table.shared->generation, 1, __ATOMIC_SEQ_CST);
	if (!table.generation)
		table.generation =
			__atomic_add_fetch(&table.shared->generation, 1, __ATOMIC_SEQ_CST);
	repair(&table);
	*ret_table = table;
	return 0;
}

/*
 * The bucket of a key: 0 and its copy.  -ENOENT: it is in none; *ret_free is the first
 * that could take it, or UINT64_MAX.
 */
static int find(const struct kv_table *table, const char *key, union kv_words *copy,
		uint64_t *ret_place, uint64_t *ret_free)
{
	size_t bytes;
	int err = key_check(key, &bytes);
	uint64_t place;

	if (err)
		return err;
	*ret_free = UINT64_MAX;
	place = XXH3_64bits(key, bytes) & (table->buckets - 1);
	for (uint64_t end = place + KV_PROBES; place < end; place++) {
		err = bucket_read(table, place, copy);
		if (err)
			return err;
		if (copy->entry.state != KV_USED && *ret_free == UINT64_MAX)
			*ret_free = place;
		if (copy->entry.state == KV_EMPTY)
			return -ENOENT;
		if (copy->entry.state == KV_USED && copy->entry.key_bytes == bytes &&
		    !memcmp(copy->entry.key, key, bytes)) {
			*ret_place = place;
			return 0;
		}
	}
	return -ENOENT;
}

int kv_get(const struct kv_table *table, const char *key, void *value, uint32_t room,
	   uint32_t *ret_bytes)
{
	uint64_t place, free_place;
	union kv_words copy;
	int err = find(table, key, &copy, &place, &free_place);

	if (err)
		return err;
	if (copy.entry.value_bytes > room)
		return -EMSGSIZE;
	memcpy(value, copy.entry.value, copy.entry.value_bytes);
	*ret_bytes = copy.entry.value_bytes;
	return 0;
}

/* May this table be written through? */
static int writer_check(const struct kv_table *table)
{
	if (!table->generation)
		return -EPERM;
	if (__atomic_load_n(&table->shared->generation, __ATOMIC_RELAXED) != table->generation)
		return -ESTALE;
	return 0;
}

int kv_put(struct kv_table *table, const char *key, const void *value, uint32_t bytes)
{
	union kv_words copy, changed = { .entry = { .state = KV_USED } };
	uint64_t place, free_place;
	int err = writer_check(table);

	if (err)
		return err;
	if (bytes > KV_VALUE_MAX)
		return -EINVAL;
	err = find(table, key, &copy, &place, &free_place);
	if (err == -ENOENT) {
		place = free_place;
		err = place == UINT64_MAX ? -ENOSPC : 0;
	}
	if (err)
		return err;
	changed.entry.key_bytes = (uint8_t)strnlen(key, KV_KEY_MAX);
	changed.entry.value_bytes = (uint16_t)bytes;
	memcpy(changed.entry.key, key, changed.entry.key_bytes);
	if (bytes)
		memcpy(changed.entry.value, value, bytes);
	change(table, place, &changed);
	return 0;
}

int kv_remove(struct kv_table *table, const char *key)
{
	uint64_t place, free_place;
	union kv_words copy;
	int err = writer_check(table);

	if (!err)
		err = find(table, key, &copy, &place, &free_place);
	if (err)
		return err;
	copy.entry.state = KV_REMOVED;
	change(table, place, &copy);
	return 0;
}

int kv_next(const struct kv_table *table, uint32_t *cursor, char ret_key[KV_KEY_MAX + 1])
{
	union kv_words copy;
	int err;

	while (*cursor < table->buckets) {
		err = bucket_read(table, (*cursor)++, &copy);
		if (err)
			return err;
		if (copy.entry.state != KV_USED)
			continue;
		memcpy(ret_key, copy.entry.key, copy.entry.key_bytes);
		ret_key[copy.entry.key_bytes] = 0;
		return 0;
	}
	return -ENOENT;
}
