/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One step: from words to an operation and its outcomes.
 */
#ifndef CONFORMANCE_STEP_H
#define CONFORMANCE_STEP_H

#include "conformance/script.h"

/*
 * Makes a step of `words` (taken over, also on failure).  NULL, or what is
 * wrong.  step_deinit() in any case.
 */
const char *step_init(struct step *step, struct words *words);
void step_deinit(struct step *step);

/* A host process in every run. */
bool actor_is_always_host(const char *name);

#endif
