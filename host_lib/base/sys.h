/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The syscall edge: errno becomes -errno here and does not exist above.
 */
#ifndef BASE_SYS_H
#define BASE_SYS_H

#include <errno.h>

/* The result of a call that returns -1 and sets errno: >= 0 or -errno. */
#define sys_result(call)                                                                           \
	({                                                                                         \
		__typeof__(call) result_ = (call);                                                 \
		result_ < 0 ? (typeof(result_))-errno : result_;                                   \
	})

/* The same, repeated while a signal cuts it short. */
#define sys_retry(call)                                                                            \
	({                                                                                         \
		__typeof__(call) result_;                                                          \
		do                                                                                 \
			result_ = (call);                                                          \
		while (result_ < 0 && errno == EINTR);                                             \
		result_ < 0 ? (typeof(result_))-errno : result_;                                   \
	})

#endif
