/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Prints the sentence that hello_writer.c has left in the section "hello".
 *
 *     cc hello_reader.c $(pkg-config --cflags --libs libvmsect) -o hello_reader
 *
 * The view is read-only: a store through it would be a SIGSEGV.  The other side
 * may write at any time, so the text is copied once and then used.
 */
#include <stdio.h>
#include <string.h>

#include <vmsect/vmsect.h>

static int read_hello(struct vmsect_section *section)
{
	struct vmsect_map_options options = {
		.size = sizeof(options),
		.protection = VMSECT_PROT_READONLY,
	};
	struct vmsect_view *view;
	char text[128];
	int r;

	r = vmsect_view_map(section, &options, &view);
	if (r < 0)
		return r;
	memcpy(text, vmsect_view_address(view), sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	vmsect_view_unmap(view);
	(void)puts(text);
	return 0;
}

int main(void)
{
	struct vmsect_section *section;
	struct vmsect_client *client;
	int r;

	r = vmsect_connect(NULL, &client);
	if (r < 0) {
		(void)fprintf(stderr, "cannot reach a broker: %s\n", strerror(-r));
		return 1;
	}
	r = vmsect_section_open(client, "hello", VMSECT_ACCESS_READ, &section);
	if (r >= 0) {
		r = read_hello(section);
		vmsect_section_close(section);
	}
	if (r < 0)
		(void)fprintf(stderr, "%s\n", vmsect_client_error(client));
	vmsect_client_free(client);
	return r < 0;
}
