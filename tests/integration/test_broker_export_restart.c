/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A broker is killed and another one takes over: exports are as they were, also
 * where the first one died between a name in the file system and the line of its
 * journal about it.
 */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/broker_fixture.h"
#include "lib/wire_export.h"
#include "lib/wire_resume.h"

#define BYTES 65536u
#define ALL_ACCESS (VMSECT_ACCESS_ALL & ~VMSECT_ACCESS_EXECUTE)

static const struct wire_export for_group = { .kind = VMSECT_EXPORT_PATH, .mode = 0640 };

/* The call before RESUME, which has taken a cookie of its own. */
#define AGAIN(client, call) ((client)->cookie -= 2, (call))

struct bed {
	struct broker_fixture broker;
	char folder[EXPORT_FOLDER_ROOM];
	char path[128]; /* of section "s" */
	char parked[128]; /* once park_name() was called */
	struct wire_client client;
	struct wire_identity who;
};

static void start(struct bed *bed)
{
	const char *args[] = { "--export-dir", bed->folder, "--resume-grace", "2", NULL };

	broker_fixture_start(&bed->broker, args);
}

static int bed_setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	broker_fixture_init(&bed->broker);
	export_folder_make(bed->folder);
	(void)snprintf(bed->path, sizeof(bed->path), "%s/vmsect-s", bed->folder);
	start(bed);
	wire_join_noted(&bed->client, bed->broker.socket_path, "owner", &bed->who);
	*state = bed;
	return 0;
}

/* Nothing is in the folder, however the broker and its sections ended. */
static int bed_teardown(void **state)
{
	struct bed *bed = *state;

	wire_close(&bed->client);
	broker_fixture_deinit(&bed->broker);
	export_folder_remove(bed->folder);
	free(bed);
	return 0;
}

static void make(struct bed *bed, uint32_t flags)
{
	const struct wire_create create = {
		.name = "s",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = BYTES,
		.access = ALL_ACCESS,
		.flags = VMSECT_CREATE_EXPORTABLE | flags,
		.mode = 0600,
	};

	assert_int_equal(wire_create(&bed->client, &create), 0);
}

/* Writes a byte through the handle that CREATE or OPEN has just given. */
static void put_byte(struct bed *bed, char byte)
{
	assert_int_equal(pwrite(bed->client.reply_fd, &byte, 1, 99), 1);
}

static char byte_at(const char *path)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char byte = 0;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, 99), 1);
	return byte;
}

static void restart(struct bed *bed)
{
	broker_fixture_kill(&bed->broker);
	start(bed);
}

static void park_name(struct bed *bed)
{
	struct stat st;

	assert_int_equal(stat(bed->path, &st), 0);
	(void)snprintf(bed->parked, sizeof(bed->parked), "%s/.vmsect-%" PRIu64, bed->folder,
		       (uint64_t)st.st_ino);
}

static uint32_t exports_of(struct wire_client *client)
{
	assert_int_equal(wire_list(client, VMSECT_OP_LIST_EXPORTS, 0, 0), 0);
	return client->reply.list.count;
}

/* Nobody is there to bring the memory back: the path is enough. */
static void test_memory_is_found_by_its_path(void **state)
{
	struct bed *bed = *state;
	struct vmsect_wire_export before;
	struct wire_client *client = &bed->client;

	make(bed, VMSECT_CREATE_PERMANENT);
	put_byte(bed, 'm');
	assert_int_equal(wire_export(client, 1, &for_group), 0);
	assert_int_equal(exports_of(client), 1);
	before = *wire_listed_export(client, 0);
	wire_close(client);
	restart(bed);
	assert_int_equal(byte_at(bed->path), 'm');
	wire_join(client, bed->broker.socket_path, "other", VMSECT_PEER_PROCESS);
	assert_int_equal(exports_of(client), 1);
	assert_memory_equal(wire_listed_export(client, 0), &before, sizeof(before));
	assert_int_equal(wire_open(client, "s", ALL_ACCESS), 0);
	put_byte(bed, 'n');
	assert_int_equal(byte_at(bed->path), 'n');
	/* Parked memory is found as well, and is public again when that is asked for. */
	assert_int_equal(wire_unexport(client, 1, VMSECT_EXPORT_PATH), 0);
	wire_close(client);
	restart(bed);
	wire_join(client, bed->broker.socket_path, "third", VMSECT_PEER_PROCESS);
	assert_int_equal(exports_of(client), 0);
	assert_int_equal(wire_open(client, "s", ALL_ACCESS), 0);
	assert_int_equal(wire_export(client, 1, &for_group), 0);
	assert_int_equal(byte_at(bed->path), 'n');
	assert_int_equal(wire_remove(client, "s"), 0);
}

/* A client that is back goes on where it was; what it asks for again is answered. */
static void test_requests_again(void **state)
{
	struct bed *bed = *state;
	struct wire_client *client = &bed->client;

	make(bed, 0);
	put_byte(bed, 'a');
	assert_int_equal(wire_export(client, 1, &for_group), 0);
	restart(bed);
	assert_int_equal(wire_resume(client, bed->broker.socket_path, &bed->who), 0);
	assert_int_equal(wire_wanted_count(client), 0);
	assert_int_equal(AGAIN(client, wire_export(client, 1, &for_group)), 0);
	assert_string_equal(wire_exported_path(client), bed->path);
	assert_int_equal(byte_at(bed->path), 'a');
	assert_int_equal(wire_unexport(client, 1, VMSECT_EXPORT_PATH), 0);
	restart(bed);
	assert_int_equal(wire_resume(client, bed->broker.socket_path, &bed->who), 0);
	assert_int_equal(AGAIN(client, wire_unexport(client, 1, VMSECT_EXPORT_PATH)), 0);
	assert_int_equal(wire_unexport(client, 1, VMSECT_EXPORT_PATH), -ENOENT);
}

/* The name is there, the line of the journal is not: nobody was told of it. */
static void test_killed_before_the_line_of_export(void **state)
{
	struct bed *bed = *state;
	struct wire_client *client = &bed->client;
	AUTO_FD int memory = -1;
	char link[64];
	struct stat st;

	make(bed, 0);
	memory = steal_fd(&client->reply_fd);
	broker_fixture_kill(&bed->broker);
	assert_int_equal(fchmod(memory, 0666), 0);
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", memory);
	assert_int_equal(linkat(AT_FDCWD, link, AT_FDCWD, bed->path, AT_SYMLINK_FOLLOW), 0);
	park_name(bed);
	start(bed);
	assert_int_equal(access(bed->path, F_OK), -1);
	assert_int_equal(lstat(bed->parked, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(wire_resume(client, bed->broker.socket_path, &bed->who), 0);
	assert_int_equal(wire_wanted_count(client), 0); /* its name has led to the memory */
	assert_int_equal(exports_of(client), 0);
	assert_int_equal(wire_export(client, 1, &for_group), 0);
	assert_int_equal(access(bed->path, F_OK), 0);
}

/* The name was moved, the journal still has the other one: the journal is right. */
static void test_killed_before_the_line_of_unexport(void **state)
{
	struct bed *bed = *state;
	struct wire_client *client = &bed->client;

	make(bed, 0);
	put_byte(bed, 'u');
	assert_int_equal(wire_export(client, 1, &for_group), 0);
	park_name(bed);
	broker_fixture_kill(&bed->broker);
	assert_int_equal(rename(bed->path, bed->parked), 0);
	start(bed);
	assert_int_equal(byte_at(bed->path), 'u');
	assert_int_equal(wire_resume(client, bed->broker.socket_path, &bed->who), 0);
	assert_int_equal(exports_of(client), 1);
	assert_int_equal(wire_unexport(client, 1, VMSECT_EXPORT_PATH), 0);
	broker_fixture_kill(&bed->broker);
	assert_int_equal(rename(bed->parked, bed->path), 0);
	start(bed);
	assert_int_equal(access(bed->path, F_OK), -1);
	assert_int_equal(access(bed->parked, F_OK), 0);
	assert_int_equal(wire_resume(client, bed->broker.socket_path, &bed->who), 0);
	assert_int_equal(exports_of(client), 0);
}

/* Somebody has removed the path: it is no export any more, and the log says so. */
static void test_path_has_gone(void **state)
{
	struct bed *bed = *state;
	struct wire_client *client = &bed->client;
	AUTO_FD int memory = -1;
	AUTO_FREE char *log = NULL;

	make(bed, 0);
	memory = steal_fd(&client->reply_fd);
	assert_int_equal(wire_export(client, 1, &for_group), 0);
	broker_fixture_kill(&bed->broker);
	assert_int_equal(unlink(bed->path), 0);
	start(bed);
	assert_int_equal(wire_resume(client, bed->broker.socket_path, &bed->who), 0);
	assert_int_equal(wire_hand_back(client, wire_wanted(client, 0), memory), 0);
	assert_int_equal(exports_of(client), 0);
	/* A file that has lost its last name does not get another. */
	assert_int_equal(wire_export(client, 1, &for_group), -ENOENT);
	log = broker_fixture_log(&bed->broker);
	assert_non_null(strstr(log, "is not at"));
}

/* The next broker removes what its sections leave behind. */
static void test_nobody_comes_back(void **state)
{
	struct bed *bed = *state;
	struct wire_client *client = &bed->client;

	make(bed, 0);
	assert_int_equal(wire_export(client, 1, &for_group), 0);
	broker_fixture_kill(&bed->broker);
	wire_close(client);
	/* Its process lives, so that only the grace ends it; a stop ends it sooner. */
	start(bed);
	assert_int_equal(access(bed->path, F_OK), 0);
	wire_join(client, bed->broker.socket_path, "new", VMSECT_PEER_PROCESS);
	while (!wire_open(client, "s", VMSECT_ACCESS_QUERY)) {
		assert_int_equal(wire_close_handle(client, client->reply.handle.handle), 0);
		assert_int_equal(usleep(20000), 0); /* until the grace is over */
	}
	assert_int_equal(client->reply.hdr.status, -ENOENT);
	assert_int_equal(access(bed->path, F_OK), -1);
}

/* An end on purpose leaves for the next broker what it will have; then it goes. */
static void test_stop_and_start(void **state)
{
	struct bed *bed = *state;
	struct wire_client *client = &bed->client;

	make(bed, VMSECT_CREATE_PERMANENT);
	put_byte(bed, 's');
	assert_int_equal(wire_export(client, 1, &for_group), 0);
	wire_close(client);
	broker_fixture_stop(&bed->broker);
	assert_int_equal(byte_at(bed->path), 's');
	start(bed);
	wire_join(client, bed->broker.socket_path, "new", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_open(client, "s", VMSECT_ACCESS_READ), 0);
	assert_int_equal(exports_of(client), 1);
	assert_int_equal(wire_remove(client, "s"), 0);
	assert_int_equal(access(bed->path, F_OK), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(memory_is_found_by_its_path),
		TEST(requests_again),
		TEST(killed_before_the_line_of_export),
		TEST(killed_before_the_line_of_unexport),
		TEST(path_has_gone),
		TEST(nobody_comes_back),
		TEST(stop_and_start),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
