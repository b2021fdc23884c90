/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes the section "hello" and writes a sentence into it.
 *
 *     cc hello_writer.c $(pkg-config --cflags --libs libvmsect) -o hello_writer
 *     ./hello_writer "good morning"
 *
 * A program, or a VM that has the section, then reads it: see hello_reader.c.
 */
#include <stdio.h>
#include <string.h>

#include <vmsect/vmsect.h>

static int write_hello(struct vmsect_section *section, const char *text)
{
	struct vmsect_map_options options = {
		.size = sizeof(options),
		.protection = VMSECT_PROT_READWRITE,
	};
	struct vmsect_view *view;
	int r;

	r = vmsect_view_map(section, &options, &view);
	if (r < 0)
		return r;
	(void)snprintf(vmsect_view_address(view), vmsect_view_length(view), "%s", text);
	vmsect_view_unmap(view);
	return 0;
}

static int make_hello(struct vmsect_client *client, const char *text)
{
	struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "hello",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = 4096,
		.flags = VMSECT_CREATE_PERMANENT | VMSECT_CREATE_OPEN_IF,
	};
	struct vmsect_section *section;
	int r;

	r = vmsect_section_create(client, &options, &section);
	if (r < 0)
		return r;
	r = write_hello(section, text);
	vmsect_section_close(section);
	return r;
}

int main(int argc, char **argv)
{
	struct vmsect_client *client;
	int r;

	r = vmsect_connect(NULL, &client);
	if (r < 0) {
		(void)fprintf(stderr, "cannot reach a broker: %s\n", strerror(-r));
		return 1;
	}
	r = make_hello(client, argc > 1 ? argv[1] : "hello");
	if (r < 0)
		(void)fprintf(stderr, "%s\n", vmsect_client_error(client));
	vmsect_client_free(client);
	return r < 0;
}
