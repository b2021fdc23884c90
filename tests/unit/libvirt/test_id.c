/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ids of sections: legal for QEMU and libvirt, and each section has its own.
 */
#include "libvirt/id.h"

#include <stdbool.h>
#include <string.h>

#include "lib/check.h"

static void plain_names_stay(void **state)
{
	char id[ID_ROOM];

	(void)state;
	id_make(id, ID_DEVICE, "Weights-7");
	assert_string_equal(id, "vmsect-Weights-7");
	id_make(id, ID_ALIAS, "Weights-7");
	assert_string_equal(id, "ua-vmsect-Weights-7");
	id_make(id, ID_MEMORY, "Weights-7");
	assert_string_equal(id, "vmsect_memory-Weights-7");
}

static void other_bytes_are_written_out(void **state)
{
	char id[ID_ROOM];

	(void)state;
	id_make(id, ID_DEVICE, "a._+@:b");
	assert_string_equal(id, "vmsect-a_2e_5f_2b_40_3ab");
}

/* What libvirt takes in an alias; QEMU takes more. */
static bool is_legal(const char *id)
{
	return !id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")];
}

static void the_longest_name_fits(void **state)
{
	char name[NAME_LENGTH_MAX + 1];
	char id[ID_ROOM];

	(void)state;
	memset(name, ':', NAME_LENGTH_MAX);
	name[NAME_LENGTH_MAX] = 0;
	assert_true(name_is_legal(name, NAME_LENGTH_MAX));
	id_make(id, ID_MEMORY, name);
	assert_int_equal(strlen(id), strlen("vmsect_memory-") + 3u * NAME_LENGTH_MAX);
	assert_true(is_legal(id));
}

/* A name must not be able to look like another one's id. */
static void no_two_are_the_same(void **state)
{
	static const char *const names[] = { "a.", "a_2e", "a_", "a_5f", "memory-a", "_memory-a" };
	char ids[2 * ARRAY_SIZE(names)][ID_ROOM];
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		id_make(ids[2 * i], ID_DEVICE, names[i]);
		id_make(ids[2 * i + 1], ID_MEMORY, names[i]);
	}
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		assert_true(is_legal(ids[i]));
		for (j = 0; j < i; j++)
			assert_string_not_equal(ids[i], ids[j]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_names_stay),
		cmocka_unit_test(other_bytes_are_written_out),
		cmocka_unit_test(the_longest_name_fits),
		cmocka_unit_test(no_two_are_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
