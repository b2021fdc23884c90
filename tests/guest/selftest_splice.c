// SPDX-License-Identifier: GPL-2.0-or-later
/* splice, sendfile and the like, which move bytes without a buffer of the program. */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT "moved without a buffer"
#define TEXT_BYTES ((ssize_t)sizeof(TEXT) - 1)

static int section_with_text(off_t offset)
{
	int section = scratch_open(&(struct scratch){ 0 });

	if (section >= 0)
		EXPECT_EQ(pwrite(section, TEXT, TEXT_BYTES, offset), TEXT_BYTES);
	return section;
}

static void expect_text(int fd, off_t offset)
{
	char text[64] = { 0 };

	EXPECT_EQ(pread(fd, text, TEXT_BYTES, offset), TEXT_BYTES);
	EXPECT(!strcmp(text, TEXT));
}

static void splice_there_and_back(void)
{
	int section = section_with_text(PAGE - 5), pipes[2];
	off_t from = PAGE - 5, to = 3 * PAGE - 7;

	NEED_FD(section);
	NEED_EQ(pipe(pipes), 0);
	EXPECT_EQ(splice(section, &from, pipes[1], NULL, TEXT_BYTES, 0), TEXT_BYTES);
	EXPECT_EQ(from, PAGE - 5 + TEXT_BYTES);
	EXPECT_EQ(splice(pipes[0], NULL, section, &to, TEXT_BYTES, 0), TEXT_BYTES);
	expect_text(section, 3 * PAGE - 7);
	close(pipes[0]);
	close(pipes[1]);
	close(section);
}

/* What is in the pipe is a copy of then, not a window on now. */
static void splice_takes_a_copy(void)
{
	int section = section_with_text(0), pipes[2];
	char text[64] = { 0 };
	off_t from = 0;

	NEED_FD(section);
	NEED_EQ(pipe(pipes), 0);
	EXPECT_EQ(splice(section, &from, pipes[1], NULL, TEXT_BYTES, 0), TEXT_BYTES);
	EXPECT_EQ(pwrite(section, "overwritten", 11, 0), 11);
	close(section);
	EXPECT_EQ(read(pipes[0], text, sizeof(text)), TEXT_BYTES);
	EXPECT(!strcmp(text, TEXT));
	close(pipes[0]);
	close(pipes[1]);
}

static void splice_ends(void)
{
	int section = section_with_text(0), pipes[2];
	off_t at_end = SCRATCH_BYTES, near_end = SCRATCH_BYTES - 3;

	NEED_FD(section);
	NEED_EQ(pipe(pipes), 0);
	EXPECT_EQ(splice(section, &at_end, pipes[1], NULL, 10, 0), 0);
	EXPECT_EQ(splice(section, &near_end, pipes[1], NULL, 10, 0), 3);
	EXPECT(splice(pipes[0], NULL, section, &at_end, 3, 0) < 0 && errno == ENOSPC);
	close(pipes[0]);
	close(pipes[1]);
	close(section);
}

static void splice_refused(void)
{
	int section = section_with_text(0), reads, writes, pipes[2];
	off_t offset = 0;

	NEED_FD(section);
	reads = duplicate(section, VMSECT_GUEST_ACCESS_READ);
	writes = duplicate(section, VMSECT_GUEST_ACCESS_WRITE);
	NEED_FD(reads);
	NEED_FD(writes);
	NEED_EQ(pipe(pipes), 0);
	EXPECT_EQ(write(pipes[1], "x", 1), 1);
	EXPECT(splice(pipes[0], NULL, reads, &offset, 1, 0) < 0 && errno == EBADF);
	EXPECT(splice(writes, &offset, pipes[1], NULL, 1, 0) < 0 && errno == EBADF);
	close(pipes[0]);
	close(pipes[1]);
	close(writes);
	close(reads);
	close(section);
}

/* From a section to a file, and from the file to a section. */
static void sendfile_both_ways(void)
{
	int section = section_with_text(2 * PAGE), other = scratch_open(&(struct scratch){ 0 });
	char path[] = "/tmp/selftest.XXXXXX";
	int file = mkstemp(path);
	off_t from = 2 * PAGE;

	NEED_FD(section);
	NEED_FD(other);
	NEED_FD(file);
	unlink(path);
	EXPECT_EQ(sendfile(file, section, &from, TEXT_BYTES), TEXT_BYTES);
	expect_text(file, 0);
	from = 0;
	EXPECT_EQ(lseek(other, PAGE, SEEK_SET), PAGE);
	EXPECT_EQ(sendfile(other, file, &from, TEXT_BYTES), TEXT_BYTES);
	expect_text(other, PAGE);
	close(file);
	close(other);
	close(section);
}

static void sendfile_to_socket(void)
{
	int section = section_with_text(0), sockets[2];
	char text[64] = { 0 };
	off_t from = 0;

	NEED_FD(section);
	NEED_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	EXPECT_EQ(sendfile(sockets[1], section, &from, TEXT_BYTES), TEXT_BYTES);
	EXPECT_EQ(read(sockets[0], text, sizeof(text)), TEXT_BYTES);
	EXPECT(!strcmp(text, TEXT));
	close(sockets[0]);
	close(sockets[1]);
	close(section);
}

/* Nodes and views are files to these calls as well. */
static void of_node_and_view(void)
{
	int section = section_with_text(PAGE), view, node, pipes[2];
	off_t from = 0;

	NEED_FD(section);
	view = view_open(section, PAGE, 0, VMSECT_GUEST_PROT_READONLY);
	NEED_FD(view);
	NEED_EQ(pipe(pipes), 0);
	EXPECT_EQ(splice(view, &from, pipes[1], NULL, TEXT_BYTES, 0), TEXT_BYTES);
	if (subjects[VMSECT_MODE_RO].name[0] && !subject_open(VMSECT_MODE_RO, O_RDONLY, &node)) {
		from = 0;
		EXPECT_EQ(splice(node, &from, pipes[1], NULL, 16, 0), 16);
		close(node);
	}
	close(pipes[0]);
	close(pipes[1]);
	close(view);
	close(section);
}

static const struct tap_case cases[] = {
	{ "splice: not open for that is EBADF", splice_refused },
	{ "splice: there and back", splice_there_and_back },
	{ "splice: what is in the pipe does not change", splice_takes_a_copy },
	{ "splice: ends at the end", splice_ends },
	{ "splice: of a node and of a view", of_node_and_view },
	{ "sendfile: to a file and from one", sendfile_both_ways },
	{ "sendfile: to a socket", sendfile_to_socket },
};

const struct tap_group group_splice = TAP_GROUP("splice", cases);
