/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is at the other end of a connection: the kernel's word, at connect time. */
#ifndef BROKER_CREDENTIALS_H
#define BROKER_CREDENTIALS_H

#include "broker/policy.h"

/* Fills in a cleared subject, whose groups the caller frees in any case.  -errno. */
int credentials_read(int fd, struct subject *subject);

#endif
