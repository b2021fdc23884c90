/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that must not be done twice.  A client whose broker was replaced
 * repeats what was not answered; the party notes the last such request that was
 * done and what it made, and the journal keeps that with the change itself.
 *
 * Cookies of these requests ascend.  All others (QUERY, LIST_*, EXTEND, FLUSH
 * and the like) come to the same when they are done again, and are.
 */
#ifndef BROKER_SESSION_ONCE_H
#define BROKER_SESSION_ONCE_H

#include "broker/session.h"

/* Positive outcome of session_once_check(). */
#define SESSION_E_DONE 2 /* it was done before; the reply is complete */

/*
 * May the request be run?  0; SESSION_E_DONE; -EINVAL (STATE) for a cookie from
 * before; what stands in the way of the same answer.
 */
int session_once_check(const struct session *session);

#endif
