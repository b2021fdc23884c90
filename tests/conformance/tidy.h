/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After a case: everything is given back, and nothing may be left.
 */
#ifndef CONFORMANCE_TIDY_H
#define CONFORMANCE_TIDY_H

#include "conformance/run.h"

/* False, and run->why if there is none yet: something stayed. */
bool tidy_case(struct run *run);

#endif
