/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a broker may listen.  Pure but for the environment and one lstat().
 */
#ifndef LIB_PLACE_H
#define LIB_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#define PLACES_MAX 3u
#define PLACE_PATH_MAX 108u /* what a socket address can hold */

enum place_kind {
	PLACE_GIVEN, /* named by the caller or by $VMSECT_SOCKET; taken as it is */
	PLACE_USER, /* of this user alone; its folder must be */
	PLACE_SYSTEM, /* /run/vmsect, which only root can make */
};

struct place {
	enum place_kind kind;
	char path[PLACE_PATH_MAX];
};

struct place_list {
	struct place places[PLACES_MAX];
	size_t count; /* at least 1 */
	bool from_environment; /* $VMSECT_SOCKET */
};

/* The places in the order in which they are tried.  0 or -ENAMETOOLONG. */
int places_find(const char *socket_path, struct place_list *ret_places);

/* Where to start a broker: the given place, else the first of the user. */
const struct place *place_to_start(const struct place_list *places);

/*
 * May its folder be trusted?  0; -ENOENT there is none; -EACCES it belongs to
 * someone else or others may write in it, so that a broker there may be a
 * stranger's.
 */
int place_check(const struct place *place);

/* Makes its folder if need be, and checks it as place_check() does. */
int place_prepare(const struct place *place);

#endif
