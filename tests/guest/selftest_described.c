// SPDX-License-Identifier: GPL-2.0-or-later
/* What the driver says of its sections: INFO, LIST, QUERY, sysfs, mode bits. */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const mode_names[] = { "none", "ro", "rw", "cow" };

static void described_info(void)
{
	struct vmsect_info info;
	int ctl;

	memset(&info, 0xa5, sizeof(info));
	NEED_EQ(vmsect_guest_open(VMSECT_GUEST_CTL, O_RDONLY, &ctl), 0);
	NEED_EQ(vmsect_guest_info(ctl, &info), 0);
	EXPECT(info.window_bytes > 0 && info.window_bytes % PAGE == 0);
	EXPECT(info.max_views >= info.sections);
	EXPECT(info.align_shift >= 12);
	EXPECT_EQ(info.reserved[0], 0);
	EXPECT_EQ(info.reserved[1], 0);
	close(ctl);
}

static void expect_sane(const struct vmsect_section *s)
{
	EXPECT(strnlen(s->name, sizeof(s->name)) < sizeof(s->name));
	EXPECT(s->section_id != 0);
	EXPECT(s->length > 0 && s->length % PAGE == 0);
	EXPECT(s->mode >= VMSECT_MODE_RO && s->mode <= VMSECT_MODE_COW);
	EXPECT(s->backing >= VMSECT_BACKING_FILE && s->backing <= VMSECT_BACKING_DIRECTORY);
	EXPECT_EQ(s->cache, VMSECT_CACHE_WRITE_BACK);
	EXPECT(s->has_pages <= 1);
	EXPECT_EQ(s->reserved[0] | s->reserved[1], 0);
	EXPECT_EQ(s->offset, 0);
	EXPECT_EQ(s->private_bytes, 0);
	EXPECT(s->huge_shift == 12 || s->huge_shift == 21);
	EXPECT(s->max_bytes >= s->size_bytes || s->backing == VMSECT_BACKING_FILE);
	EXPECT(s->access && !(s->access & ~0x7fU));
	EXPECT(s->protection >= VMSECT_GUEST_PROT_NOACCESS &&
	       s->protection <= VMSECT_GUEST_PROT_EXECUTE_WRITECOPY);
}

static void described_list(void)
{
	struct vmsect_section section;
	struct vmsect_info info;
	uint32_t count = 0;
	int ctl;

	NEED_EQ(vmsect_guest_open(VMSECT_GUEST_CTL, O_RDONLY, &ctl), 0);
	NEED_EQ(vmsect_guest_info(ctl, &info), 0);
	for (; !vmsect_guest_list(ctl, count, &section); count++) {
		tap_note("%s: %s, %llu bytes, has_pages %u", section.name,
			 mode_names[section.mode & 3], (unsigned long long)section.size_bytes,
			 section.has_pages);
		expect_sane(&section);
	}
	EXPECT_EQ(count, info.sections);
	close(ctl);
}

static void expect_query_agrees(const struct vmsect_section *listed)
{
	struct vmsect_section asked, same;
	int fd;

	memset(&asked, 0xa5, sizeof(asked));
	NEED_EQ(vmsect_guest_open(listed->name, O_RDONLY, &fd), 0);
	NEED_EQ(vmsect_guest_query(fd, &asked), 0);
	close(fd);
	EXPECT(asked.denied_writes >= listed->denied_writes);
	/* The host may have counted since; all else stays. */
	same = *listed;
	same.denied_writes = asked.denied_writes;
	same.private_bytes = asked.private_bytes;
	EXPECT(!memcmp(&asked, &same, sizeof(asked)));
}

static void described_query(void)
{
	uint32_t mode;

	for (mode = VMSECT_MODE_RO; mode <= VMSECT_MODE_COW; mode++)
		if (subjects[mode].name[0])
			expect_query_agrees(&subjects[mode]);
}

static void attribute_read(const char *name, const char *attribute, char ret_text[64])
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/vmsect/%s/%s", name, attribute);
	ret_text[0] = '\0';
	file = fopen(path, "re");
	if (!file)
		return;
	if (!fgets(ret_text, 64, file))
		ret_text[0] = '\0';
	ret_text[strcspn(ret_text, "\n")] = '\0';
	fclose(file);
}

static void expect_sysfs_agrees(const struct vmsect_section *s)
{
	char text[64];

	attribute_read(s->name, "mode", text);
	EXPECT(!strcmp(text, mode_names[s->mode]));
	attribute_read(s->name, "size", text);
	EXPECT_EQ(strtoull(text, NULL, 10), s->size_bytes);
	attribute_read(s->name, "generation", text);
	EXPECT_EQ(strtoull(text, NULL, 10), s->generation);
	attribute_read(s->name, "cache", text);
	EXPECT(!strcmp(text, "write-back"));
	attribute_read(s->name, "backing", text);
	EXPECT(text[0] != '\0' && strcmp(text, "unknown") != 0);
	attribute_read(s->name, "has_pages", text);
	EXPECT_EQ(strtoull(text, NULL, 10), s->has_pages);
	attribute_read(s->name, "peers_joined", text);
	EXPECT(text[0] != '\0');
	attribute_read(s->name, "peers_left", text);
	EXPECT(text[0] != '\0');
	attribute_read(s->name, "page_errors", text);
	EXPECT(!strcmp(text, "0"));
	attribute_read(s->name, "revoked", text);
	EXPECT(!strcmp(text, "0"));
}

static void described_sysfs(void)
{
	uint32_t mode;

	for (mode = VMSECT_MODE_RO; mode <= VMSECT_MODE_COW; mode++)
		if (subjects[mode].name[0])
			expect_sysfs_agrees(&subjects[mode]);
}

/* udev may narrow the bits; nothing may give a ro node a write bit. */
static void expect_node_mode(const struct vmsect_section *s)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "/dev/vmsect/%s", s->name);
	NEED_EQ(stat(path, &st), 0);
	EXPECT(S_ISCHR(st.st_mode));
	EXPECT(s->mode != VMSECT_MODE_RO || !(st.st_mode & 0222));
}

static void described_node_modes(void)
{
	uint32_t mode;

	for (mode = VMSECT_MODE_RO; mode <= VMSECT_MODE_COW; mode++)
		if (subjects[mode].name[0])
			expect_node_mode(&subjects[mode]);
}

static const struct tap_case cases[] = {
	{ "INFO", described_info },
	{ "LIST", described_list },
	{ "QUERY agrees with LIST", described_query },
	{ "sysfs agrees with LIST", described_sysfs },
	{ "mode bits follow the attachment", described_node_modes },
};

const struct tap_group group_described = TAP_GROUP("described", cases);
