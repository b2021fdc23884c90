// SPDX-License-Identifier: GPL-2.0-or-later
/* What must be refused, and with which error. */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static int any_subject_open(int *ret_fd)
{
	int err = -ENOENT;
	uint32_t mode;

	for (mode = VMSECT_MODE_RO; err && mode <= VMSECT_MODE_COW; mode++)
		if (subjects[mode].name[0])
			err = subject_open(mode, O_RDONLY, ret_fd);
	return err;
}

static void refused_ioctl_unknown(void)
{
	int ctl, fd;

	NEED_EQ(vmsect_guest_open(VMSECT_GUEST_CTL, O_RDONLY, &ctl), 0);
	EXPECT_EQ(call(ctl, _IO(VMSECT_IOC_MAGIC, 0x7f), NULL), -ENOTTY);
	EXPECT_EQ(call(ctl, _IO('T', 1), NULL), -ENOTTY);
	/* The right number with another size is another command. */
	EXPECT_EQ(call(ctl, _IOR(VMSECT_IOC_MAGIC, 0x00, char), NULL), -ENOTTY);
	close(ctl);
	NEED_EQ(any_subject_open(&fd), 0);
	EXPECT_EQ(call(fd, _IO(VMSECT_IOC_MAGIC, 0x7f), NULL), -ENOTTY);
	close(fd);
}

static void refused_ioctl_wrong_node(void)
{
	struct vmsect_section section;
	struct vmsect_info info;
	int ctl, fd;

	NEED_EQ(vmsect_guest_open(VMSECT_GUEST_CTL, O_RDONLY, &ctl), 0);
	EXPECT_EQ(vmsect_guest_query(ctl, &section), -ENOTTY);
	close(ctl);
	NEED_EQ(any_subject_open(&fd), 0);
	EXPECT_EQ(vmsect_guest_info(fd, &info), -ENOTTY);
	EXPECT_EQ(vmsect_guest_list(fd, 0, &section), -ENOTTY);
	close(fd);
}

static bool is_poisoned(const struct vmsect_section *section)
{
	const uint8_t *byte = (const uint8_t *)section;
	size_t i;

	for (i = 0; i < sizeof(*section); i++)
		if (byte[i] != POISON)
			return false;
	return true;
}

static void expect_list_refused(int ctl, uint32_t index, uint32_t reserved, int error)
{
	struct vmsect_list list;

	memset(&list, POISON, sizeof(list));
	list.index = index;
	list.reserved = reserved;
	EXPECT_EQ(call(ctl, VMSECT_IOC_LIST, &list), error);
	EXPECT(is_poisoned(&list.section));
}

static void refused_list_reserved(void)
{
	int ctl;

	NEED_EQ(vmsect_guest_open(VMSECT_GUEST_CTL, O_RDONLY, &ctl), 0);
	expect_list_refused(ctl, 0, 1, -EINVAL);
	expect_list_refused(ctl, 0, 1U << 31, -EINVAL);
	close(ctl);
}

static void refused_list_past_end(void)
{
	struct vmsect_info info;
	int ctl;

	NEED_EQ(vmsect_guest_open(VMSECT_GUEST_CTL, O_RDONLY, &ctl), 0);
	NEED_EQ(vmsect_guest_info(ctl, &info), 0);
	expect_list_refused(ctl, info.sections, 0, -ENOENT);
	expect_list_refused(ctl, 1U << 31, 0, -ENOENT);
	expect_list_refused(ctl, UINT32_MAX, 0, -ENOENT);
	close(ctl);
}

static void refused_ioctl_bad_pointer(void)
{
	void *nowhere = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int ctl, fd;

	NEED_EQ(vmsect_guest_open(VMSECT_GUEST_CTL, O_RDONLY, &ctl), 0);
	EXPECT_EQ(call(ctl, VMSECT_IOC_INFO, nowhere), -EFAULT);
	EXPECT_EQ(call(ctl, VMSECT_IOC_LIST, nowhere), -EFAULT);
	close(ctl);
	NEED_EQ(any_subject_open(&fd), 0);
	EXPECT_EQ(call(fd, VMSECT_IOC_QUERY, nowhere), -EFAULT);
	close(fd);
	munmap(nowhere, PAGE);
}

static void refused_open_unknown_name(void)
{
	char longest[VMSECT_GUEST_NAME_MAX + 2];
	int fd = -77;

	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	EXPECT_EQ(vmsect_guest_open(longest, O_RDONLY, &fd), -EINVAL);
	EXPECT_EQ(vmsect_guest_open("", O_RDONLY, &fd), -EINVAL);
	EXPECT_EQ(vmsect_guest_open("a/b", O_RDONLY, &fd), -EINVAL);
	EXPECT_EQ(vmsect_guest_open("..", O_RDONLY, &fd), -EINVAL);
	EXPECT_EQ(vmsect_guest_open("no-such-section", O_RDONLY, &fd), -ENOENT);
	EXPECT_EQ(fd, -77);
}

static void refused_open_ro_for_writing(void)
{
	int fd = -77;

	SKIP_UNLESS_HAVE(VMSECT_MODE_RO);
	EXPECT_EQ(subject_open(VMSECT_MODE_RO, O_RDWR, &fd), -EACCES);
	EXPECT_EQ(subject_open(VMSECT_MODE_RO, O_WRONLY, &fd), -EACCES);
	EXPECT_EQ(fd, -77);
}

static void refused_shared_write_of_ro(void)
{
	int fd;

	SKIP_UNLESS_HAVE(VMSECT_MODE_RO);
	NEED_EQ(subject_open(VMSECT_MODE_RO, O_RDONLY, &fd), 0);
	EXPECT_EQ(map_try(fd, PROT_READ | PROT_WRITE, MAP_SHARED, 0), -EACCES);
	EXPECT_EQ(map_try(fd, PROT_WRITE, MAP_SHARED, 0), -EACCES);
	EXPECT_EQ(map_try(fd, PROT_WRITE, MAP_SHARED_VALIDATE, 0), -EACCES);
	close(fd);
}

/* A shared mapping that was made readable cannot become writable. */
static void expect_mprotect_refused(uint32_t mode, int prot)
{
	struct vmsect_guest_mapping map;
	uint8_t value;
	int fd;

	NEED_EQ(subject_open(mode, O_RDONLY, &fd), 0);
	NEED_EQ(vmsect_guest_map(fd, VMSECT_GUEST_READ, 0, PAGE, &map), 0);
	EXPECT(mprotect(map.addr, PAGE, prot) < 0 && errno == EACCES);
	EXPECT_EQ(tap_load(map.addr, &value), 0);
	EXPECT_EQ(tap_store(map.addr, value), SIGSEGV);
	vmsect_guest_unmap(&map);
	close(fd);
}

static void refused_mprotect_of_ro(void)
{
	SKIP_UNLESS_HAVE(VMSECT_MODE_RO);
	expect_mprotect_refused(VMSECT_MODE_RO, PROT_READ | PROT_WRITE);
	expect_mprotect_refused(VMSECT_MODE_RO, PROT_WRITE);
}

static void refused_shared_write_of_readonly_fd(void)
{
	int fd;

	SKIP_UNLESS_HAVE(VMSECT_MODE_RW);
	NEED_EQ(subject_open(VMSECT_MODE_RW, O_RDONLY, &fd), 0);
	EXPECT_EQ(map_try(fd, PROT_READ | PROT_WRITE, MAP_SHARED, 0), -EACCES);
	close(fd);
	expect_mprotect_refused(VMSECT_MODE_RW, PROT_READ | PROT_WRITE);
}

static void expect_exec_refused(uint32_t mode)
{
	int fd;

	if (!subjects[mode].name[0])
		return;
	NEED_EQ(subject_open(mode, O_RDONLY, &fd), 0);
	EXPECT_EQ(map_try(fd, PROT_READ | PROT_EXEC, MAP_SHARED, 0), -EACCES);
	EXPECT_EQ(map_try(fd, PROT_READ | PROT_EXEC, MAP_PRIVATE, 0), -EACCES);
	close(fd);
	expect_mprotect_refused(mode, PROT_READ | PROT_EXEC);
}

static void refused_exec(void)
{
	expect_exec_refused(VMSECT_MODE_RO);
	expect_exec_refused(VMSECT_MODE_RW);
	expect_exec_refused(VMSECT_MODE_COW);
}

static void expect_offsets_refused(uint32_t mode)
{
	/* A 32-bit libc itself refuses offsets of more than 44 bits. */
	const int far = sizeof(long) == 4 ? -EINVAL : -ENXIO;
	uint64_t length = subjects[mode].length;
	int fd;

	if (!subjects[mode].name[0])
		return;
	NEED_EQ(subject_open(mode, O_RDONLY, &fd), 0);
	EXPECT_EQ(map_try(fd, PROT_READ, MAP_SHARED, length), -ENXIO);
	EXPECT_EQ(map_try(fd, PROT_READ, MAP_PRIVATE, length), -ENXIO);
	EXPECT_EQ(map_try(fd, PROT_READ, MAP_SHARED, 1ULL << 46), far);
	EXPECT_EQ(map_try(fd, PROT_READ, MAP_SHARED, INT64_MAX - PAGE + 1), far);
	EXPECT_EQ(map_try(fd, PROT_READ, MAP_SHARED, 1), -EINVAL);
	EXPECT_EQ(map_try(fd, PROT_READ, MAP_SHARED, length - PAGE), 0);
	close(fd);
}

static void refused_map_offsets(void)
{
	expect_offsets_refused(VMSECT_MODE_RO);
	expect_offsets_refused(VMSECT_MODE_RW);
	expect_offsets_refused(VMSECT_MODE_COW);
}

static void refused_map_of_ctl(void)
{
	int ctl;

	NEED_EQ(vmsect_guest_open(VMSECT_GUEST_CTL, O_RDONLY, &ctl), 0);
	EXPECT_EQ(map_try(ctl, PROT_READ, MAP_SHARED, 0), -ENODEV);
	close(ctl);
}

static void expect_sigbus_past_end(uint32_t mode)
{
	struct vmsect_guest_mapping map;
	uint8_t value = POISON;
	int fd;

	if (!subjects[mode].name[0])
		return;
	NEED_EQ(subject_open(mode, O_RDONLY, &fd), 0);
	NEED_EQ(vmsect_guest_map(fd, VMSECT_GUEST_READ, subjects[mode].length - PAGE, 3 * PAGE,
				 &map),
		0);
	EXPECT_EQ(tap_load((uint8_t *)map.addr + PAGE, &value), SIGBUS);
	EXPECT_EQ(tap_load((uint8_t *)map.addr + 2 * PAGE, &value), SIGBUS);
	EXPECT_EQ(value, POISON);
	EXPECT_EQ(tap_load((uint8_t *)map.addr + PAGE - 1, &value), 0);
	vmsect_guest_unmap(&map);
	close(fd);
}

static void refused_access_past_end(void)
{
	expect_sigbus_past_end(VMSECT_MODE_RO);
	expect_sigbus_past_end(VMSECT_MODE_RW);
	expect_sigbus_past_end(VMSECT_MODE_COW);
}

static void refused_mremap_growth(void)
{
	struct vmsect_guest_mapping map;
	int fd;

	NEED_EQ(any_subject_open(&fd), 0);
	NEED_EQ(vmsect_guest_map(fd, VMSECT_GUEST_READ, 0, PAGE, &map), 0);
	EXPECT(mremap(map.addr, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
	vmsect_guest_unmap(&map);
	close(fd);
}

static const struct tap_case cases[] = {
	{ "an unknown ioctl is ENOTTY", refused_ioctl_unknown },
	{ "the other node's ioctl is ENOTTY", refused_ioctl_wrong_node },
	{ "LIST with a reserved field is EINVAL", refused_list_reserved },
	{ "LIST past the last is ENOENT", refused_list_past_end },
	{ "a bad pointer is EFAULT", refused_ioctl_bad_pointer },
	{ "an unknown name is ENOENT, a bad one EINVAL", refused_open_unknown_name },
	{ "ro does not open for writing", refused_open_ro_for_writing },
	{ "ro refuses PROT_WRITE with MAP_SHARED", refused_shared_write_of_ro },
	{ "mprotect cannot lift that", refused_mprotect_of_ro },
	{ "an O_RDONLY fd does not map shared for writing", refused_shared_write_of_readonly_fd },
	{ "PROT_EXEC is EACCES", refused_exec },
	{ "offsets past the end, unaligned, at the top", refused_map_offsets },
	{ "the control node does not map", refused_map_of_ctl },
	{ "access past the end is SIGBUS", refused_access_past_end },
	{ "mremap does not grow a mapping", refused_mremap_growth },
};

const struct tap_group group_refused = TAP_GROUP("refused", cases);
