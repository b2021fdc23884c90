/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random numbers of guest programs that can be had again.  A generator belongs
 * to one thread; those of a program all come from one printed seed, which
 * VMSECT_SEED gives: in the environment, and so also on the kernel's command
 * line, since the kernel makes such a word part of init's environment.
 */
#ifndef TESTS_GUEST_CHANCE_H
#define TESTS_GUEST_CHANCE_H

#include <stdint.h>

struct chance {
	uint64_t state;
};

/* The seed to use, printed as a TAP comment. */
uint64_t chance_seed(void);
/* Generator number `stream` of that seed. */
void chance_init(struct chance *chance, uint64_t seed, uint64_t stream);
uint64_t chance_next(struct chance *chance);
/* 0 to below - 1; below is not 0. */
uint32_t chance_below(struct chance *chance, uint32_t below);

#endif
