/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folders of tests with all that is in them. */
#ifndef TESTS_LIB_TREE_H
#define TESTS_LIB_TREE_H

/* Removes a folder and what is below it; fails the test if it cannot. */
void tree_remove(const char *path);

#endif
