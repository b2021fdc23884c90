/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rules of vmsect_connect() for finding the socket.
 *
 * In a program that runs with more rights than its caller, the environment is
 * the caller's and is not asked.
 */
#include "lib/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"

#define SOCKET_NAME "broker.sock"
#define SYSTEM_SOCKET "/run/vmsect/" SOCKET_NAME

static int place_add(struct place_list *places, enum place_kind kind, const char *folder,
		     const char *file)
{
	struct place *place = &places->places[places->count];
	int length;

	place->kind = kind;
	length = snprintf(place->path, sizeof(place->path), "%s%s", folder, file);
	if (length < 0 || (size_t)length >= sizeof(place->path))
		return -ENAMETOOLONG;
	places->count++;
	return 0;
}

/* The folder for run-time files of this user exists and is theirs. */
static bool runtime_folder_exists(const char *folder)
{
	struct stat status;

	return !lstat(folder, &status) && S_ISDIR(status.st_mode) && status.st_uid == geteuid();
}

static int place_add_user(struct place_list *places)
{
	const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
	char folder[64];

	if (runtime && *runtime == '/')
		return place_add(places, PLACE_USER, runtime, "/vmsect/" SOCKET_NAME);
	(void)snprintf(folder, sizeof(folder), "/run/user/%u", geteuid());
	if (runtime_folder_exists(folder))
		return place_add(places, PLACE_USER, folder, "/vmsect/" SOCKET_NAME);
	(void)snprintf(folder, sizeof(folder), "/tmp/vmsect-%u", geteuid());
	return place_add(places, PLACE_USER, folder, "/" SOCKET_NAME);
}

int places_find(const char *socket_path, struct place_list *ret_places)
{
	const char *from_environment = secure_getenv("VMSECT_SOCKET");
	struct place_list places = { .count = 0 };
	int r = 0;

	if (socket_path) {
		r = place_add(&places, PLACE_GIVEN, socket_path, "");
	} else if (from_environment && *from_environment) {
		places.from_environment = true;
		r = place_add(&places, PLACE_GIVEN, from_environment, "");
	} else {
		bool root = geteuid() == 0;

		if (root)
			r = place_add(&places, PLACE_SYSTEM, SYSTEM_SOCKET, "");
		if (!r)
			r = place_add_user(&places);
		if (!r && !root)
			r = place_add(&places, PLACE_SYSTEM, SYSTEM_SOCKET, "");
	}
	if (!r)
		*ret_places = places;
	return r;
}

const struct place *place_to_start(const struct place_list *places)
{
	size_t i;

	for (i = 0; i + 1 < places->count; i++) {
		if (places->places[i].kind != PLACE_SYSTEM)
			break;
	}
	return &places->places[i];
}

/* A user's place always has a folder. */
static void place_folder(const struct place *place, char folder[static PLACE_PATH_MAX])
{
	const char *slash = strrchr(place->path, '/');
	size_t length = slash ? (size_t)(slash - place->path) : 0;

	memcpy(folder, place->path, length);
	folder[length] = 0;
}

int place_prepare(const struct place *place)
{
	char folder[PLACE_PATH_MAX];
	int r;

	if (place->kind != PLACE_USER)
		return 0;
	place_folder(place, folder);
	r = sys_result(mkdir(folder, 0700));
	return r == -EEXIST || !r ? place_check(place) : r;
}

int place_check(const struct place *place)
{
	char folder[PLACE_PATH_MAX];
	struct stat status;
	int r;

	if (place->kind != PLACE_USER)
		return 0;
	place_folder(place, folder);
	r = sys_result(lstat(folder, &status));
	if (r < 0)
		return r;
	if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || status.st_mode & 022)
		return -EACCES;
	return 0;
}
