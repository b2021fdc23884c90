// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * vmsect-frames: one VM draws frames into a section, others look at them.  The usage
 * text says how; frames.h how it works.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "example_section.h"
#include "frames.h"

#define WAIT_MS 100
#define PER_SECOND_MAX 100000
#define SLOTS 4

static int usage(void)
{
	(void)fputs(
		"usage: vmsect-frames produce SECTION FRAMES PER_SECOND [WIDTH HEIGHT]\n"
		"       vmsect-frames view SECTION SECONDS\n"
		"\n"
		"produce draws so many frames, each with its number and a checksum; it lays the\n"
		"section out if it has no frames of that shape (default 320 x 200).\n"
		"view waits for frames, checks each, and prints once a second\n"
		"    seconds frames-per-second dropped bad\n"
		"It ends with 1 if a frame was bad or none came.\n",
		stderr);
	return 2;
}

static int complain(const char *what, int err)
{
	(void)fprintf(stderr, "%s: %s\n", what, strerror(-err));
	return 1;
}

/* A pattern that moves. */
static void draw(uint64_t *pixels, size_t words, uint64_t number)
{
	for (size_t i = 0; i < words; i++)
		pixels[i] = (number + i) * UINT64_C(0x9E3779B97F4A7C15);
}

static uint64_t *pixels_new(const struct frames *frames)
{
	return calloc(frames->pixel_words, sizeof(uint64_t));
}

/* A predecessor's frames go on if they have that shape. */
static int prepare(struct frames *frames, const struct example_section *section,
		   const struct frames_shape *shape)
{
	int err = frames_open(frames, section->map.addr, section->map.length);

	if (!err && !memcmp(&frames->shape, shape, sizeof(*shape)))
		return 0;
	err = frames_format(section->map.addr, section->map.length, shape);
	return err ? err : frames_open(frames, section->map.addr, section->map.length);
}

static void produce_frames(struct frames *frames, const struct example_section *section,
			   uint64_t *pixels, const uint64_t count_and_rate[2])
{
	struct timespec next;

	(void)clock_gettime(CLOCK_MONOTONIC, &next);
	for (uint64_t i = 0; i < count_and_rate[0]; i++) {
		uint64_t number = frames_next(frames);

		draw(pixels, frames->pixel_words, number);
		frames_publish(frames, pixels);
		example_section_notify(section, number);
		next.tv_nsec += (long)(1000000000 / count_and_rate[1]);
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
}

static int produce(const char *name, const uint64_t count_and_rate[2],
		   const struct frames_shape *shape)
{
	struct example_section section;
	struct frames frames;
	uint64_t *pixels = NULL;
	int err = example_section_open(&section, name, true);

	if (err)
		return 1;
	err = prepare(&frames, &section, shape);
	if (!err) {
		pixels = pixels_new(&frames);
		err = pixels ? 0 : -ENOMEM;
	}
	if (!err) {
		produce_frames(&frames, &section, pixels, count_and_rate);
		printf("produced %" PRIu64 ", the last is %" PRIu64 "\n", count_and_rate[0],
		       frames_next(&frames) - 1);
	}
	free(pixels);
	example_section_close(&section);
	return err ? complain(name, err) : 0;
}

struct viewer {
	uint64_t last; /* frame that was seen, 0: none */
	uint64_t shown, dropped, bad; /* in all */
	uint64_t shown_before; /* a second ago */
};

static void look(const struct frames *frames, struct viewer *viewer, uint64_t *pixels)
{
	uint64_t number;
	int err = frames_take(frames, viewer->last, pixels, &number);

	if (err == -EBADMSG)
		viewer->bad++;
	if (err)
		return;
	if (viewer->last)
		viewer->dropped += number - viewer->last - 1;
	viewer->last = number;
	viewer->shown++;
}

static int view_frames(const struct frames *frames, const struct example_section *section,
		       uint64_t *pixels, uint64_t seconds)
{
	struct viewer viewer = { 0 };
	uint64_t start = example_now_ms(), second = 1;
	int err = 0;

	while (second <= seconds && !err) {
		err = example_section_wait(section, WAIT_MS);
		look(frames, &viewer, pixels);
		if (example_now_ms() - start < second * 1000)
			continue;
		printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", second,
		       viewer.shown - viewer.shown_before, viewer.dropped, viewer.bad);
		(void)fflush(stdout);
		viewer.shown_before = viewer.shown;
		second++;
	}
	printf("viewed %" PRIu64 " dropped %" PRIu64 " bad %" PRIu64 "\n", viewer.shown,
	       viewer.dropped, viewer.bad);
	if (err)
		return err;
	return viewer.bad || !viewer.shown ? -EBADMSG : 0;
}

/* Until there are frames in the section, for as long as they would be viewed. */
static int wait_for_frames(struct frames *frames, const struct example_section *section,
			   uint64_t seconds)
{
	uint64_t end = example_now_ms() + seconds * 1000;
	int err = frames_open(frames, section->map.addr, section->map.length);

	while (err == -ENOENT && example_now_ms() < end) {
		err = example_section_wait(section, WAIT_MS);
		if (!err)
			err = frames_open(frames, section->map.addr, section->map.length);
	}
	return err;
}

static int view(const char *name, uint64_t seconds)
{
	struct example_section section;
	struct frames frames;
	uint64_t *pixels = NULL;
	int err = example_section_open(&section, name, false);

	if (err)
		return 1;
	err = wait_for_frames(&frames, &section, seconds);
	if (!err) {
		pixels = pixels_new(&frames);
		err = pixels ? view_frames(&frames, &section, pixels, seconds) : -ENOMEM;
	}
	free(pixels);
	example_section_close(&section);
	return err ? complain(name, err) : 0;
}

int main(int argc, char **argv)
{
	struct frames_shape shape = { .width = 320, .height = 200, .slots = SLOTS };
	uint64_t numbers[2], width, height;

	if (argc == 4 && !strcmp(argv[1], "view") && example_number(argv[3], 86400, &numbers[0]))
		return view(argv[2], numbers[0]);
	if ((argc != 5 && argc != 7) || strcmp(argv[1], "produce") != 0 ||
	    !example_number(argv[3], UINT32_MAX, &numbers[0]) ||
	    !example_number(argv[4], PER_SECOND_MAX, &numbers[1]) || !numbers[1])
		return usage();
	if (argc == 7) {
		if (!example_number(argv[5], FRAMES_SIDE_MAX, &width) ||
		    !example_number(argv[6], FRAMES_SIDE_MAX, &height))
			return usage();
		shape.width = (uint32_t)width;
		shape.height = (uint32_t)height;
	}
	return produce(argv[2], numbers, &shape);
}
