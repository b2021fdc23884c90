/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is an answer the outcome that a step names?
 */
#ifndef CONFORMANCE_EXPECT_H
#define CONFORMANCE_EXPECT_H

#include "conformance/run.h"

/* The reply is read only.  Fields `key=?name` are kept if it matches. */
bool expect_matches(struct run *run, const struct step *step, const char *reply);

#endif
