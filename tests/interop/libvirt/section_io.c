/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * section-io: a host process that has a section through libvmsect.
 *
 *     section-io NAME read OFFSET LENGTH     its bytes in hex
 *     section-io NAME write OFFSET HEX
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vmsect/vmsect.h>

static int fail(const char *what, struct vmsect_client *client)
{
	(void)fprintf(stderr, "section-io: %s: %s\n", what,
		      client ? vmsect_client_error(client) : "no broker");
	return 1;
}

static unsigned char byte_of(const char *hex)
{
	const char digits[] = { hex[0], hex[1], 0 };

	return (unsigned char)strtoul(digits, NULL, 16);
}

static int work(struct vmsect_view *view, char **argv)
{
	unsigned char *at = (unsigned char *)vmsect_view_address(view) + strtoul(argv[3], NULL, 0);
	size_t left = vmsect_view_length(view) - strtoul(argv[3], NULL, 0);
	size_t length = !strcmp(argv[2], "read") ? strtoul(argv[4], NULL, 0) : strlen(argv[4]) / 2;
	size_t i;

	if (length > left)
		return fail("too long", NULL);
	for (i = 0; i < length; i++) {
		if (!strcmp(argv[2], "read"))
			(void)printf("%02x", at[i]);
		else
			at[i] = byte_of(argv[4] + 2 * i);
	}
	(void)printf("\n");
	return 0;
}

int main(int argc, char **argv)
{
	struct vmsect_connect_options connect = { .size = sizeof(connect), .no_start = 1 };
	struct vmsect_map_options map = { .size = sizeof(map) };
	struct vmsect_client *client = NULL;
	struct vmsect_section *section = NULL;
	struct vmsect_view *view = NULL;
	uint32_t access = VMSECT_ACCESS_READ;
	int r;

	if (argc != 5)
		return 2;
	map.protection = VMSECT_PROT_READONLY;
	if (!strcmp(argv[2], "write")) {
		map.protection = VMSECT_PROT_READWRITE;
		access |= VMSECT_ACCESS_WRITE;
	}
	if (vmsect_connect(&connect, &client) < 0)
		return fail("connect", NULL);
	if (vmsect_section_open(client, argv[1], access, &section) < 0)
		r = fail("open", client);
	else if (vmsect_view_map(section, &map, &view) < 0)
		r = fail("map", client);
	else
		r = work(view, argv);
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
	return r;
}
