/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What other programs are told of an export: first what cannot be, then the words
 * for each program, device and mode, to the byte.
 */
#include "lib/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/export.h"

#define SHM "/dev/shm/vmsect-web.1"
#define MIB (UINT64_C(1) << 20)

static const struct export_wish usual = {
	.program = EXPORT_FOR_QEMU,
	.qemu_version = QEMU_VERSION(7, 2),
	.size_bytes = 64 * MIB,
	.name = "web.1",
	.path = SHM,
};

static void expect_refused(struct export_wish wish, const char *part)
{
	char why[EXPORT_WHY_MAX] = "";

	assert_int_equal(export_check(&wish, why), -EINVAL);
	if (!strstr(why, part))
		fail_msg("'%s' does not say '%s'", why, part);
}

/* Texts that were printed: checks and frees. */
static void expect_text(const char *text, size_t size, const char *wanted, size_t wanted_size)
{
	if (size != wanted_size || memcmp(text, wanted, size) != 0)
		fail_msg("is:\n%s\nshould be:\n%s", text, wanted);
}

static void expect_sized(struct export_wish wish, enum export_words words, const char *wanted,
			 size_t wanted_size, const char *note)
{
	char *out = NULL, *notes = NULL;
	size_t out_size = 0, notes_size = 0;
	char why[EXPORT_WHY_MAX] = "";
	struct export_printer printer = {
		.out = open_memstream(&out, &out_size),
		.notes = open_memstream(&notes, &notes_size),
		.words = words,
	};

	assert_non_null(printer.out);
	assert_non_null(printer.notes);
	assert_int_equal(export_check(&wish, why), 0);
	assert_int_equal(export_print(&wish, &printer), 0);
	assert_int_equal(fclose(printer.out), 0);
	assert_int_equal(fclose(printer.notes), 0);
	expect_text(out, out_size, wanted, wanted_size);
	if (!note)
		assert_string_equal(notes, "");
	else if (!strstr(notes, note))
		fail_msg("'%s' does not say '%s'", notes, note);
	free(out);
	free(notes);
}

static void expect(struct export_wish wish, const char *wanted, const char *note)
{
	expect_sized(wish, EXPORT_WORDS_SHELL, wanted, strlen(wanted), note);
}

static void test_words_of_options(void **state)
{
	enum export_program program = EXPORT_FOR_NONE;
	enum export_device device = EXPORT_DEVICE_DEFAULT;
	enum export_mode mode = EXPORT_MODE_RW;

	(void)state;
	assert_false(export_parse_program("xen", &program));
	assert_false(export_parse_program("", &program));
	assert_true(export_parse_program("cloud-hypervisor", &program));
	assert_int_equal(program, EXPORT_FOR_CLOUD_HYPERVISOR);
	assert_false(export_parse_device("disk", &device));
	assert_true(export_parse_device("nvdimm", &device));
	assert_int_equal(device, EXPORT_DEVICE_NVDIMM);
	assert_false(export_parse_mode("RW", &mode));
	assert_true(export_parse_mode("cow", &mode));
	assert_int_equal(mode, EXPORT_MODE_COW);
}

static void test_versions(void **state)
{
	static const char *const wrong[] = {
		"", "8", "8.", ".2", "a.b", "8.123", "12345.1", "-1.2"
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(export_parse_version(wrong[i]), 0);
	assert_int_equal(export_parse_version("7.2"), QEMU_VERSION(7, 2));
	assert_int_equal(export_parse_version("8.2.1 (Debian)"), QEMU_VERSION_ROM);
	assert_true(export_parse_version("10.0") > QEMU_VERSION_ROM);
	assert_true(export_parse_version("7.2") < QEMU_VERSION_ROM);
}

static void test_qemu_cannot(void **state)
{
	struct export_wish wish = usual;

	(void)state;
	wish.size_bytes = 3 * MIB;
	expect_refused(wish, "power of two");
	wish.size_bytes = 4097;
	expect_refused(wish, "whole pages");
	wish.device = EXPORT_DEVICE_PMEM;
	expect_refused(wish, "whole pages");
	wish = usual;
	wish.mode = EXPORT_MODE_COW;
	expect_refused(wish, "QEMU 7.2 opens the file for writing");
	wish.program = EXPORT_FOR_LIBVIRT;
	expect_refused(wish, "--perm");
	wish = usual;
	wish.vectors = 65;
	expect_refused(wish, "64");
	wish.vectors = 2;
	wish.device = EXPORT_DEVICE_PMEM;
	expect_refused(wish, "only ivshmem");
	wish.device = EXPORT_DEVICE_IVSHMEM;
	wish.mode = EXPORT_MODE_RO;
	expect_refused(wish, "for writing");
	wish = usual;
	wish.id = "1st";
	expect_refused(wish, "letter");
	wish.id = "a,b";
	expect_refused(wish, "letters, digits");
}

#define OBJECT "-object\nmemory-backend-file,id=vmsect_web_1,size=67108864,mem-path=" SHM
#define IVSHMEM "\n-device\nivshmem-plain,id=vmsect_web_1,memdev=vmsect_web_1\n"
#define PMEM "\n-device\nvirtio-pmem-pci,id=vmsect_web_1,memdev=vmsect_web_1\n"
#define NVDIMM "\n-device\nnvdimm,id=vmsect_web_1,memdev=vmsect_web_1"

static void test_qemu_shared(void **state)
{
	struct export_wish wish = usual;

	(void)state;
	expect(wish, OBJECT ",share=on" IVSHMEM, NULL);
	wish.is_huge = true;
	expect(wish, OBJECT ",share=on,prealloc=on" IVSHMEM, NULL);
	wish.is_huge = false;
	wish.device = EXPORT_DEVICE_PMEM;
	expect(wish, OBJECT ",share=on" PMEM, "maxmem=");
	wish.device = EXPORT_DEVICE_NVDIMM;
	expect(wish, OBJECT ",share=on" NVDIMM "\n", "nvdimm=on");
}

static void test_qemu_read_only(void **state)
{
	struct export_wish wish = usual;

	(void)state;
	wish.mode = EXPORT_MODE_RO;
	wish.is_huge = true; /* is not taken at once: that would write */
	expect(wish, OBJECT ",share=on,readonly=on" IVSHMEM, NULL);
	wish.qemu_version = QEMU_VERSION_ROM;
	expect(wish, OBJECT ",share=on,readonly=on" IVSHMEM, NULL);
	wish.device = EXPORT_DEVICE_NVDIMM;
	expect(wish, OBJECT ",share=on,readonly=on" NVDIMM ",unarmed=on\n", "nvdimm=on");
	wish.device = EXPORT_DEVICE_PMEM;
	expect(wish, OBJECT ",share=on,readonly=on" PMEM, "dropped");
}

static void test_qemu_copies(void **state)
{
	struct export_wish wish = usual;

	(void)state;
	wish.mode = EXPORT_MODE_COW;
	wish.may_write = true;
	expect(wish, OBJECT ",share=off" IVSHMEM, "opens the file for writing");
	wish.may_write = false;
	wish.qemu_version = QEMU_VERSION_ROM;
	expect(wish, OBJECT ",share=off,readonly=on,rom=off" IVSHMEM, NULL);
	wish.device = EXPORT_DEVICE_NVDIMM; /* which may be written: it is armed */
	expect(wish, OBJECT ",share=off,readonly=on,rom=off" NVDIMM "\n", "maxmem=");
}

static void test_qemu_doorbell(void **state)
{
	struct export_wish wish = usual;

	(void)state;
	wish.vectors = 4;
	wish.id = "bell";
	wish.path = "/run/vmsect/doorbell/web.1";
	expect(wish,
	       "-chardev\nsocket,id=bell,path=/run/vmsect/doorbell/web.1\n"
	       "-device\nivshmem-doorbell,id=bell,chardev=bell,vectors=4\n",
	       NULL);
}

/* Commas are QEMU's, blanks and quotes the shell's; the shell has the last word. */
static void test_quoting(void **state)
{
	static const char raw[] =
		"-object\0memory-backend-file,id=i,size=67108864,mem-path=/a b,,c'd"
		",share=on\0-device\0ivshmem-plain,id=i,memdev=i";
	struct export_wish wish = usual;

	(void)state;
	wish.path = "/a b,c'd";
	wish.id = "i";
	expect(wish,
	       "-object\n'memory-backend-file,id=i,size=67108864,mem-path=/a b,,c'\\''d,share=on'\n"
	       "-device\nivshmem-plain,id=i,memdev=i\n",
	       NULL);
	expect_sized(wish, EXPORT_WORDS_NUL, raw, sizeof(raw), NULL);
}

/* What is printed is what a shell and xargs make of it. */
static void expect_by(const char *command, const char *path)
{
	struct export_wish wish = { .program = EXPORT_FOR_NONE, .path = path };
	struct export_printer printer = { .words = EXPORT_WORDS_SHELL };
	char line[512], read_back[256] = "";
	FILE *pipe;

	(void)snprintf(line, sizeof(line), "%s", command);
	printer.out = fopen("words", "we");
	assert_non_null(printer.out);
	assert_int_equal(export_print(&wish, &printer), 0);
	assert_int_equal(fclose(printer.out), 0);
	pipe = popen(line, "re"); /* NOLINT(cert-env33-c): the shell is what is tested */
	assert_non_null(pipe);
	read_back[fread(read_back, 1, sizeof(read_back) - 1, pipe)] = '\0';
	assert_int_equal(pclose(pipe), 0);
	assert_string_equal(read_back, path);
}

static void test_shell_and_xargs(void **state)
{
	static const char *const paths[] = {
		"/plain", "/with blank", "/it's", "/\"quoted\"", "/back\\slash", "/$HOME`id`;*?",
	};
	char folder[] = "/tmp/vmsect-test-XXXXXX", before[256];
	size_t i;

	(void)state;
	assert_non_null(getcwd(before, sizeof(before)));
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		expect_by("xargs printf %s <words", paths[i]);
		expect_by("eval \"printf %s $(cat words)\"", paths[i]);
	}
	assert_int_equal(unlink("words"), 0);
	assert_int_equal(chdir(before), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void test_libvirt_shmem(void **state)
{
	static const char shmem[] = "<shmem name='vmsect-web.1' role='peer'>\n"
				    "  <model type='ivshmem-plain'/>\n"
				    "  <size unit='M'>64</size>\n"
				    "</shmem>\n";
	static const char bell[] = "<shmem name='web.1'>\n"
				   "  <model type='ivshmem-doorbell'/>\n"
				   "  <server path='/run/a&amp;b&lt;&apos;/web.1'/>\n"
				   "  <msi vectors='2' ioeventfd='on'/>\n"
				   "</shmem>\n";
	struct export_wish wish = usual;

	(void)state;
	wish.program = EXPORT_FOR_LIBVIRT;
	expect(wish, shmem, NULL);
	wish.vectors = 2;
	wish.path = "/run/a&b<'/web.1";
	expect(wish, bell, NULL);
}

#define COMMANDLINE(path, options)                                                                 \
	"<qemu:commandline>\n"                                                                     \
	"  <qemu:arg value='-object'/>\n"                                                          \
	"  <qemu:arg value='memory-backend-file,id=i,size=67108864,mem-path=" path options "'/>\n" \
	"  <qemu:arg value='-device'/>\n"                                                          \
	"  <qemu:arg value='ivshmem-plain,id=i,memdev=i'/>\n"                                      \
	"</qemu:commandline>\n"

/* What <shmem> cannot say: a mode, another folder, less than 1 MiB. */
static void test_libvirt_commandline(void **state)
{
	struct export_wish wish = usual;

	(void)state;
	wish.program = EXPORT_FOR_LIBVIRT;
	wish.id = "i";
	wish.mode = EXPORT_MODE_RO;
	expect(wish, COMMANDLINE(SHM, ",share=on,readonly=on"), "\" r,'");
	wish.mode = EXPORT_MODE_COW;
	wish.may_write = true;
	expect(wish, COMMANDLINE(SHM, ",share=off"), "\" rw,'");
	wish.qemu_version = QEMU_VERSION_ROM;
	expect(wish, COMMANDLINE(SHM, ",share=off,readonly=on,rom=off"), "\" r,'");
	wish.mode = EXPORT_MODE_RW;
	wish.path = "/var/lib/it's";
	expect(wish, COMMANDLINE("/var/lib/it&apos;s", ",share=on"), "AppArmor");
	wish.path = "/dev/shm/sub/x";
	expect(wish, COMMANDLINE("/dev/shm/sub/x", ",share=on"), "xmlns:qemu");
}

static void test_firecracker(void **state)
{
	struct export_wish wish = usual;

	(void)state;
	wish.program = EXPORT_FOR_FIRECRACKER;
	wish.mode = EXPORT_MODE_COW;
	expect_refused(wish, "the file itself");
	wish.mode = EXPORT_MODE_RW;
	wish.device = EXPORT_DEVICE_IVSHMEM;
	expect_refused(wish, "pmem devices alone");
	wish.device = EXPORT_DEVICE_DEFAULT;
	wish.id = "a-b";
	expect_refused(wish, "letters, digits and _");
	wish.id = NULL;
	wish.path = "/a \"b\"";
	expect(wish,
	       "{\n  \"pmem\": [\n    {\n      \"id\": \"vmsect_web_1\",\n"
	       "      \"path_on_host\": \"/a \\\"b\\\"\",\n      \"root_device\": false,\n"
	       "      \"read_only\": false\n    }\n  ]\n}\n",
	       NULL);
	wish.as_api = true;
	wish.mode = EXPORT_MODE_RO;
	wish.path = SHM;
	wish.size_bytes = 12288;
	expect(wish,
	       "{\n  \"id\": \"vmsect_web_1\",\n  \"path_on_host\": \"" SHM "\",\n"
	       "  \"root_device\": false,\n  \"read_only\": true\n}\n",
	       "behind byte 12288");
}

static void test_cloud_hypervisor(void **state)
{
	struct export_wish wish = usual;

	(void)state;
	wish.program = EXPORT_FOR_CLOUD_HYPERVISOR;
	wish.mode = EXPORT_MODE_RO;
	expect_refused(wish, "--mode cow");
	wish.mode = EXPORT_MODE_RW;
	wish.size_bytes = 3 * MIB;
	expect_refused(wish, "multiples of 2 MiB");
	wish.device = EXPORT_DEVICE_IVSHMEM;
	expect_refused(wish, "power of two");
	wish.size_bytes = 4 * MIB;
	wish.mode = EXPORT_MODE_COW;
	expect_refused(wish, "always writes");
	wish.mode = EXPORT_MODE_RW;
	wish.vectors = 1;
	expect_refused(wish, "no doorbell");
	wish.vectors = 0;
	expect(wish, "--ivshmem\npath=" SHM ",size=4194304\n", "built with");
	wish.device = EXPORT_DEVICE_NVDIMM;
	expect_refused(wish, "pmem and ivshmem");
	wish.device = EXPORT_DEVICE_PMEM;
	wish.path = "/a,b";
	expect_refused(wish, "cannot be told");
	wish.path = SHM;
	expect(wish, "--pmem\nfile=" SHM ",size=4194304,id=vmsect_web_1\n", NULL);
	wish.mode = EXPORT_MODE_COW;
	expect(wish, "--pmem\nfile=" SHM ",size=4194304,discard_writes=on,id=vmsect_web_1\n", NULL);
}

static void test_path_alone(void **state)
{
	struct export_wish wish = usual;

	(void)state;
	wish.program = EXPORT_FOR_NONE;
	wish.size_bytes = 5; /* is nobody's business */
	expect(wish, SHM "\n", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_of_options),    cmocka_unit_test(test_versions),
		cmocka_unit_test(test_qemu_cannot),	    cmocka_unit_test(test_qemu_shared),
		cmocka_unit_test(test_qemu_read_only),	    cmocka_unit_test(test_qemu_copies),
		cmocka_unit_test(test_qemu_doorbell),	    cmocka_unit_test(test_quoting),
		cmocka_unit_test(test_shell_and_xargs),	    cmocka_unit_test(test_libvirt_shmem),
		cmocka_unit_test(test_libvirt_commandline), cmocka_unit_test(test_firecracker),
		cmocka_unit_test(test_cloud_hypervisor),    cmocka_unit_test(test_path_alone),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
