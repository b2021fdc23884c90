/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run for each call of a profile, each in a process of its own and two at a
 * time, so that one that fails says so and the others still run.
 */
#ifndef TESTS_FAULTS_RUNS_H
#define TESTS_FAULTS_RUNS_H

#include <stdbool.h>

#include "tracer.h"

/* True: something was refused.  Fails by an assertion. */
typedef bool (*run_one)(const void *arg, const struct injection *injection);

/*
 * With `fails` each call fails once (FAULTS_ALL: with every errno), else it is
 * the last one.  The test fails if any run did.
 */
void runs_do(const struct call_profile *profile, bool fails, run_one one, const void *arg);

#endif
