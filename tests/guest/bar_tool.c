// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmsect-bar: an ivshmem device from a shell in a guest, by what every Linux has
 * in sysfs, without a driver for it.
 *
 *     vmsect-bar list                          DEVICE REVISION BAR0 BAR1 BAR2 bytes
 *     vmsect-bar read DEVICE OFFSET LENGTH     bytes of BAR 2, hexadecimal
 *     vmsect-bar write DEVICE OFFSET HEX
 *     vmsect-bar fill DEVICE OFFSET LENGTH BYTE
 *     vmsect-bar reg DEVICE OFFSET [VALUE]     a register of BAR 0, read or written
 *
 * DEVICE is a PCI address, or N for the Nth ivshmem device from 0 on.
 * Exit status: 0 done, 1 failed (one line on stderr), 2 usage.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEVICES "/sys/bus/pci/devices"
#define IVSHMEM_ID "0x1af4:0x1110"
#define PATH_BYTES 1024
#define NAME_BYTES 256
#define REGISTER_BYTES 256
#define BARS 3

static int failed(const char *what)
{
	fprintf(stderr, "vmsect-bar: %s: %s\n", what, strerror(errno));
	return EXIT_FAILURE;
}

static bool attribute(const char *device, const char *name, char *text, size_t room)
{
	char path[PATH_BYTES];
	FILE *file;
	bool got;

	snprintf(path, sizeof(path), DEVICES "/%s/%s", device, name);
	file = fopen(path, "re");
	if (!file)
		return false;
	got = fgets(text, (int)room, file) != NULL;
	fclose(file);
	if (got)
		text[strcspn(text, "\n")] = '\0';
	return got;
}

static bool is_ivshmem(const char *device)
{
	char vendor[16], id[16], both[33];

	if (!attribute(device, "vendor", vendor, sizeof(vendor)) ||
	    !attribute(device, "device", id, sizeof(id)))
		return false;
	snprintf(both, sizeof(both), "%s:%s", vendor, id);
	return strcmp(both, IVSHMEM_ID) == 0;
}

static int by_name(const struct dirent *entry)
{
	return is_ivshmem(entry->d_name);
}

/* The address of the Nth, or what is one already; false: there is none. */
static bool find(const char *which, char *device)
{
	struct dirent **entries = NULL;
	long at = strtol(which, NULL, 10);
	int count;
	bool found;

	if (strchr(which, ':')) {
		snprintf(device, NAME_BYTES, "%s", which);
		return is_ivshmem(device);
	}
	count = scandir(DEVICES, &entries, by_name, alphasort);
	found = at >= 0 && at < count;
	if (found)
		snprintf(device, NAME_BYTES, "%s", entries[at]->d_name);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return found;
}

static bool bar_bytes(const char *device, uint64_t bytes[BARS])
{
	char path[PATH_BYTES], line[PATH_BYTES], *at;
	uint64_t start, end;
	bool good = true;
	FILE *file;

	snprintf(path, sizeof(path), DEVICES "/%s/resource", device);
	file = fopen(path, "re");
	if (!file)
		return false;
	for (int i = 0; good && i < BARS; i++) {
		good = fgets(line, sizeof(line), file) != NULL;
		start = good ? strtoull(line, &at, 16) : 0;
		end = good ? strtoull(at, NULL, 16) : 0;
		bytes[i] = end ? end - start + 1 : 0;
	}
	fclose(file);
	return good;
}

static int cmd_list(void)
{
	char device[NAME_BYTES], which[16], revision[16];
	uint64_t bytes[BARS];

	for (int i = 0;; i++) {
		snprintf(which, sizeof(which), "%d", i);
		if (!find(which, device))
			return EXIT_SUCCESS;
		if (!attribute(device, "revision", revision, sizeof(revision)) ||
		    !bar_bytes(device, bytes))
			return failed(device);
		printf("%s %s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", device, revision, bytes[0],
		       bytes[1], bytes[2]);
	}
}

/* All of a BAR; NULL with errno. */
static volatile uint8_t *map_bar(const char *device, int bar, size_t bytes)
{
	char path[PATH_BYTES];
	void *addr;
	int fd;

	snprintf(path, sizeof(path), DEVICES "/%s/enable", device);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	/* A driver has enabled it already. */
	if (fd < 0 || (write(fd, "1", 1) != 1 && errno != EBUSY))
		return NULL;
	close(fd);
	snprintf(path, sizeof(path), DEVICES "/%s/resource%d", device, bar);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	addr = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return addr == MAP_FAILED ? NULL : addr;
}

/* The memory at an offset, if so much is there. */
static volatile uint8_t *memory_at(const char *device, const char *offset, uint64_t length)
{
	uint64_t bytes[BARS], at = strtoull(offset, NULL, 0);
	volatile uint8_t *memory;

	if (!bar_bytes(device, bytes))
		return NULL;
	errno = ERANGE;
	if (at > bytes[2] || length > bytes[2] - at)
		return NULL;
	memory = map_bar(device, 2, bytes[2]);
	return memory ? memory + at : NULL;
}

static int cmd_read(const char *device, char **args)
{
	uint64_t length = strtoull(args[1], NULL, 0);
	volatile uint8_t *memory = memory_at(device, args[0], length);

	if (!memory)
		return failed(device);
	for (uint64_t i = 0; i < length; i++)
		printf("%02x", memory[i]);
	printf("\n");
	return EXIT_SUCCESS;
}

static int cmd_write(const char *device, char **args)
{
	uint64_t length = strlen(args[1]) / 2;
	volatile uint8_t *memory = memory_at(device, args[0], length);
	char digits[3] = "";

	if (!memory)
		return failed(device);
	for (uint64_t i = 0; i < length; i++) {
		memcpy(digits, args[1] + 2 * i, 2);
		memory[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return EXIT_SUCCESS;
}

static int cmd_fill(const char *device, char **args)
{
	uint64_t length = strtoull(args[1], NULL, 0);
	volatile uint8_t *memory = memory_at(device, args[0], length);
	uint8_t byte = (uint8_t)strtoul(args[2], NULL, 0);

	if (!memory)
		return failed(device);
	for (uint64_t i = 0; i < length; i++)
		memory[i] = byte;
	return EXIT_SUCCESS;
}

static int cmd_reg(const char *device, char **args)
{
	uint64_t at = strtoull(args[0], NULL, 0);
	volatile uint8_t *registers = map_bar(device, 0, REGISTER_BYTES);
	volatile uint32_t *reg;

	if (!registers || at > REGISTER_BYTES - sizeof(*reg))
		return failed(device);
	reg = (volatile uint32_t *)(volatile void *)(registers + at);
	if (args[1])
		*reg = (uint32_t)strtoul(args[1], NULL, 0);
	else
		printf("%" PRIu32 "\n", *reg);
	return EXIT_SUCCESS;
}

static const struct {
	const char *name;
	int (*run)(const char *device, char **args);
	int least, most; /* arguments behind the device */
} commands[] = {
	{ "read", cmd_read, 2, 2 },
	{ "write", cmd_write, 2, 2 },
	{ "fill", cmd_fill, 3, 3 },
	{ "reg", cmd_reg, 1, 2 },
};

int main(int argc, char **argv)
{
	char device[NAME_BYTES];

	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return cmd_list();
	for (size_t i = 0; argc > 2 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name) != 0 || argc - 3 < commands[i].least ||
		    argc - 3 > commands[i].most)
			continue;
		errno = ENODEV;
		if (!find(argv[2], device))
			return failed(argv[2]);
		return commands[i].run(device, argv + 3);
	}
	fprintf(stderr, "usage: vmsect-bar list | read|write|fill|reg DEVICE ARGUMENTS\n");
	return 2;
}
