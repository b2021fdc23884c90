/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines before the first case: what the file needs.
 */
#ifndef CONFORMANCE_HEADER_H
#define CONFORMANCE_HEADER_H

#include "conformance/script.h"

/* NULL, or what is wrong with the line. */
const char *header_line(struct script *script, const struct words *words);

#endif
