/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each command line that `vmsect export` prints for QEMU starts a real QEMU: every
 * kind of section, every mode, every device, both machines; QMP says what QEMU has
 * made of it.  Then guests that write: read-only is read-only, a copy is a copy,
 * and the file's mode holds against a QEMU that is told something else.
 */
#include "lib/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "interop/export_words.h"
#include "interop/qemu.h"
#include "interop/qmp.h"
#include "kvm/bed.h"
#include "kvm/vm_fixture.h"

#define LIMIT_S 600
#define BYTES (UINT64_C(4) << 20)
#define OTHER_ID 4711u
#define WORD UINT64_C(0x1122334455667788)

static const char *const modes[] = { "rw", "ro", "cow" };
static const char *const devices[] = { "ivshmem", "pmem", "nvdimm" };
static const char *const machines[] = { "pc,nvdimm=on", "q35,nvdimm=on" };

/* A section of the test's own: names in /dev/shm are the host's. */
static const char *section_name(void)
{
	static char name[32];

	(void)snprintf(name, sizeof(name), "interop%d", getpid());
	return name;
}

static struct vmsect_section *make(struct bed *bed, enum vmsect_backing backing, const char *path)
{
	const struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = section_name(),
		.backing = backing,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = BYTES,
		.path = path,
		.flags = path ? 0 : VMSECT_CREATE_EXPORTABLE,
		.access = VMSECT_ACCESS_ALL & ~VMSECT_ACCESS_EXECUTE,
	};
	struct vmsect_section *section = NULL;

	if (vmsect_section_create(bed->client, &options, &section) < 0)
		fail_msg("%s", vmsect_client_error(bed->client));
	return section;
}

/* A mode that lets QEMU copy also where it has to write for that; a data file has its own. */
static void get_words(struct export_words *words, struct bed *bed, const char *mode,
		      const char *device, bool is_file)
{
	bool writes = strcmp(mode, "ro") != 0;
	const char *const options[] = {
		section_name(), "--for",    "qemu", "--mode",
		mode,		"--device", device, is_file || !writes ? NULL : "--perm",
		"0660",		NULL,
	};

	export_words_get(words, bed, options);
}

static json_t *get_property(struct qmp *qmp, const char *path, const char *property)
{
	return qmp_ask(qmp, "qom-get", json_pack("{s:s, s:s}", "path", path, "property", property));
}

static void expect_flag(struct qmp *qmp, const char *property, bool wanted)
{
	char path[64];
	json_t *value;

	(void)snprintf(path, sizeof(path), "/objects/vmsect_%s", section_name());
	value = get_property(qmp, path, property);
	assert_true(json_is_boolean(value));
	if (json_is_true(value) != wanted)
		fail_msg("%s is not %d", property, wanted);
	json_decref(value);
}

/* As query-memdev shows the one backend that we have given beside the machine's RAM. */
static void expect_memdev(struct qmp *qmp, const char *mode)
{
	json_t *list = qmp_ask(qmp, "query-memdev", NULL), *entry;
	bool found = false;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		const char *id = json_string_value(json_object_get(entry, "id"));

		if (!id || strncmp(id, "vmsect_", 7) != 0)
			continue;
		found = true;
		assert_int_equal(json_integer_value(json_object_get(entry, "size")), BYTES);
		assert_int_equal(json_is_true(json_object_get(entry, "share")),
				 strcmp(mode, "cow") != 0);
	}
	assert_true(found);
	json_decref(list);
}

/* Memory devices are mapped from the start: QEMU's map shows whether the guest may write. */
static void expect_region(struct qmp *qmp, const char *mode, const char *device)
{
	json_t *tree = qmp_ask(qmp, "human-monitor-command",
			       json_pack("{s:s}", "command-line", "info mtree -f"));
	const char *wanted = strcmp(mode, "ro") ? "ram)" : "rom)";
	char *text = strdup(json_string_value(tree)), *line, *rest;
	bool found = false;

	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (!strstr(line, "vmsect_"))
			continue;
		found = true;
		if (!strstr(line, wanted))
			fail_msg("%s %s: '%s' is not %s", mode, device, line, wanted);
	}
	assert_true(found);
	free(text);
	json_decref(tree);
}

static void try_one(struct bed *bed, const char *mode, const char *device, bool is_file)
{
	AUTO(export_words_deinit) struct export_words words = { 0 };
	bool is_ro = strcmp(mode, "ro") == 0;
	struct qmp qmp;

	get_words(&words, bed, mode, device, is_file);
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		const struct qmp_config config = { .machine = machines[i], .words = words.word };

		if (qmp_start(&qmp, &config) < 0)
			fail_msg("%s %s on %s does not start; see %s", mode, device, machines[i],
				 qmp.log);
		expect_memdev(&qmp, mode);
		expect_flag(&qmp, "share", strcmp(mode, "cow") != 0);
		if (is_ro)
			expect_flag(&qmp, "readonly", true);
		if (strcmp(device, "ivshmem") != 0)
			expect_region(&qmp, mode, device);
		qmp_end(&qmp);
	}
}

static void try_all(struct bed *bed, bool is_file)
{
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		for (size_t j = 0; j < ARRAY_SIZE(devices); j++)
			try_one(bed, modes[i], devices[j], is_file);
}

static void test_data_file(void **state)
{
	struct bed *bed = *state;
	struct vmsect_section *section;
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/data", bed->broker.folder);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, BYTES), 0);
	fd_close(fd);
	section = make(bed, VMSECT_BACKING_FILE, path);
	try_all(bed, true);
	vmsect_section_close(section);
	assert_int_equal(unlink(path), 0);
}

static void test_memory(void **state)
{
	struct bed *bed = *state;
	struct vmsect_section *section = make(bed, VMSECT_BACKING_SHMEM, NULL);

	try_all(bed, false);
	vmsect_section_close(section);
}

/* A mount of the test's own, beside those that the host may have. */
static void huge_path(const struct bed *bed, char path[128])
{
	(void)snprintf(path, 128, "%s/huge", bed->broker.folder);
}

static int huge_setup(void **state)
{
	char path[128];
	int r = bed_setup(state);

	if (r)
		return r;
	huge_path(*state, path);
	(void)mkdir(path, 0755);
	(void)mount("none", path, "hugetlbfs", 0, "pagesize=2M,mode=0755"); /* skipped if not */
	return 0;
}

static int huge_teardown(void **state)
{
	char path[128];

	huge_path(*state, path);
	(void)umount2(path, MNT_DETACH);
	(void)rmdir(path);
	return bed_teardown(state);
}

static void test_huge_pages(void **state)
{
	struct bed *bed = *state;
	struct vmsect_section *section;

	if (geteuid())
		skip();
	/* The section's own, and those of a QEMU that copies. */
	bed_need_huge_pages(bed, (long)(2 * BYTES / BED_HUGE_BYTES));
	section = make(bed, VMSECT_BACKING_HUGETLB, NULL);
	try_all(bed, false);
	vmsect_section_close(section);
}

/* QEMU finds the socket, and becomes a peer of the section. */
static void test_doorbell(void **state)
{
	struct bed *bed = *state;
	AUTO(export_words_deinit) struct export_words words = { 0 };
	const char *const options[] = {
		section_name(), "--for", "qemu", "--vectors", "4", NULL,
	};
	struct vmsect_section *section = make(bed, VMSECT_BACKING_SHMEM, NULL);
	struct vmsect_peer_info *peers = NULL;
	size_t count = 0;
	struct qmp qmp;

	export_words_get(&words, bed, options);
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		const struct qmp_config config = { .machine = machines[i], .words = words.word };

		if (qmp_start(&qmp, &config) < 0)
			fail_msg("a doorbell on %s does not start; see %s", machines[i], qmp.log);
		assert_int_equal(vmsect_list_section_peers(bed->client,
							   vmsect_section_info(section)->id, &peers,
							   &count),
				 0);
		assert_int_equal(count, 2); /* and this program */
		free(peers);
		qmp_end(&qmp);
	}
	vmsect_section_close(section);
}

/* A guest's ivshmem device on the section, in that mode. */
static struct vm_fixture *start_guest(struct bed *bed, const char *mode)
{
	AUTO(export_words_deinit) struct export_words words = { 0 };

	get_words(&words, bed, mode, "ivshmem", false);
	return qemu_start(bed, mode, words.word);
}

static uint64_t load(struct vm_fixture *vm, uint64_t at)
{
	return vm_number(vm, "value", "r64 @0x%llx", (unsigned long long)at);
}

static void store(struct vm_fixture *vm, uint64_t at, uint64_t value)
{
	(void)vm_ok(vm, "w64 @0x%llx 0x%llx", (unsigned long long)at, (unsigned long long)value);
}

/* The guest writes: where does it arrive? */
static void test_guests_that_write(void **state)
{
	struct bed *bed = *state;
	struct vmsect_section *section = make(bed, VMSECT_BACKING_SHMEM, NULL);
	struct vmsect_view *view;
	volatile uint64_t *words;
	struct vm_fixture *vm;
	uint64_t at;

	assert_int_equal(vmsect_view_map(section,
					 &(struct vmsect_map_options){
						 .size = sizeof(struct vmsect_map_options),
						 .protection = VMSECT_PROT_READWRITE },
					 &view),
			 0);
	words = vmsect_view_address(view);
	words[0] = WORD;
	words[512] = WORD;
	vm = start_guest(bed, "ro");
	at = vm_number(vm, "memory", "ivshmem");
	assert_true(load(vm, at) == WORD);
	store(vm, at, 1);
	assert_true(load(vm, at) == WORD); /* it was dropped */
	assert_true(words[0] == WORD);
	vm_kill(vm);
	vm = start_guest(bed, "cow");
	at = vm_number(vm, "memory", "ivshmem");
	store(vm, at, 2);
	assert_true(load(vm, at) == 2);
	assert_true(words[0] == WORD);
	words[512] = 3; /* a page that it has not copied yet */
	assert_true(load(vm, at + 4096) == 3);
	vm_kill(vm);
	assert_true(words[0] == WORD);
	vm = start_guest(bed, "rw");
	at = vm_number(vm, "memory", "ivshmem");
	store(vm, at + BYTES - 8, 4);
	assert_true(words[BYTES / 8 - 1] == 4);
	words[1] = 5;
	assert_true(load(vm, at + 8) == 5);
	vm_kill(vm);
	vmsect_view_unmap(view);
	vmsect_section_close(section);
}

/* A QEMU of another user, who may only read: what it is told does not matter. */
static void test_a_mode_that_holds(void **state)
{
	static const char lie[] =
		"memory-backend-file,id=m,size=4M,share=on,mem-path=/dev/shm/vmsect-";
	struct bed *bed = *state;
	AUTO(export_words_deinit) struct export_words words = { 0 };
	char object[128], group[16];
	const char *const lying[] = { "-object", object, "-device", "ivshmem-plain,memdev=m",
				      NULL };
	const char *const options[] = {
		section_name(), "--for", "qemu", "--mode", "ro", "-g", group, NULL,
	};
	struct qmp_config config = { .machine = machines[0], .words = lying, .id = OTHER_ID };
	struct vmsect_section *section;
	struct qmp qmp;

	if (geteuid())
		skip();
	(void)snprintf(object, sizeof(object), "%s%s", lie, section_name());
	(void)snprintf(group, sizeof(group), "%u", OTHER_ID);
	section = make(bed, VMSECT_BACKING_SHMEM, NULL);
	export_words_get(&words, bed, options);
	assert_int_equal(qmp_start(&qmp, &config), -1);
	assert_true(qmp_said(&qmp, "Permission denied"));
	qmp_end(&qmp);
	config.words = words.word;
	assert_int_equal(qmp_start(&qmp, &config), 0);
	expect_flag(&qmp, "readonly", true);
	qmp_end(&qmp);
	vmsect_section_close(section);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(data_file),
		TEST(memory),
		cmocka_unit_test_setup_teardown(test_huge_pages, huge_setup, huge_teardown),
		TEST(doorbell),
		TEST(guests_that_write),
		TEST(a_mode_that_holds),
	};
	int result = interop_begin(LIMIT_S);

	return result ? result : cmocka_run_group_tests(tests, NULL, NULL);
}
