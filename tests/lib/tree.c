/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See tree.h. */
#include "lib/tree.h"

#include <ftw.h>
#include <stdio.h>

#include "lib/check.h"

#define DESCRIPTORS_MAX 8

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

void tree_remove(const char *path)
{
	assert_int_equal(nftw(path, remove_one, DESCRIPTORS_MAX, FTW_DEPTH | FTW_PHYS), 0);
}
