/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps without an actor: files by plain system calls, deaths, the broker.
 */
#ifndef CONFORMANCE_WORLD_H
#define CONFORMANCE_WORLD_H

#include "conformance/run.h"

/* Does what the line says (which is taken apart). */
void world_do(struct run *run, char *line, struct reply *reply);

#endif
