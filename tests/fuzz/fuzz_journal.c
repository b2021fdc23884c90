/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as the journal of the broker before.  The sums are made right and
 * the boot is made this one, so that what they guard is reached.  What is
 * restored must be refunded when it goes, and must come to the same when it is
 * kept and read again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "broker/journal_boot.h"
#include "broker/journal_buffer.h"
#include "broker/restore.h"
#include "broker/restore_grace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

struct copy {
	struct registry registry;
	struct restore_grace grace;
	struct restore_result result;
};

static int copy_init(struct copy *copy, const void *bytes, size_t size)
{
	struct limits limits;

	memset(copy, 0, sizeof(*copy));
	limits_init(&limits, UINT64_C(1) << 40, 1u << 20);
	registry_init(&copy->registry, &limits);
	restore_grace_init(&copy->grace, &copy->registry);
	return restore_registry(&copy->registry, &copy->grace.absents, bytes, size, &copy->result);
}

/* account_deinit() asserts that all is refunded. */
static void copy_deinit(struct copy *copy)
{
	restore_grace_deinit(&copy->grace);
	registry_deinit(&copy->registry);
}

static void repair(unsigned char *bytes, size_t size)
{
	struct journal_header header;
	struct journal_head head;
	size_t at = 0;

	if (size >= sizeof(head) + sizeof(header)) {
		memcpy(&header, bytes + sizeof(head), sizeof(header));
		journal_boot_id(header.boot_id);
		memcpy(bytes + sizeof(head), &header, sizeof(header));
	}
	while (size - at >= sizeof(head)) {
		memcpy(&head, bytes + at, sizeof(head));
		head.magic = JOURNAL_MAGIC;
		if (head.length > size - at - sizeof(head))
			return;
		head.crc = journal_crc(&head, bytes + at + sizeof(head));
		memcpy(bytes + at, &head, sizeof(head));
		at += sizeof(head) + head.length;
	}
}

static void image_of(const struct copy *copy, struct journal_buffer *image)
{
	char boot_id[JOURNAL_BOOT_ID_BYTES];

	journal_boot_id(boot_id);
	journal_put_all(image, &copy->registry, boot_id);
	require(!image->failed);
}

static void try_twice(const unsigned char *bytes, size_t size)
{
	struct journal_buffer first = { 0 }, second = { 0 };
	struct copy copy, again;

	if (!copy_init(&copy, bytes, size)) {
		image_of(&copy, &first);
		require(!copy_init(&again, first.bytes, first.size));
		require(!again.result.left_out);
		image_of(&again, &second);
		require(first.size == second.size);
		require(!memcmp(first.bytes, second.bytes, first.size));
		copy_deinit(&again);
	}
	copy_deinit(&copy);
	journal_buffer_deinit(&first);
	journal_buffer_deinit(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *bytes;

	if (!size)
		return 0;
	bytes = malloc(size > 1 ? size - 1 : 1);
	require(bytes != NULL);
	memcpy(bytes, data + 1, size - 1);
	if (data[0] % 4)
		repair(bytes, size - 1);
	log_init("fuzz", LOG_LEVEL_ERROR);
	try_twice(bytes, size - 1);
	free(bytes);
	return 0;
}
