# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# A real file of 256 MiB on a real file system: its XXH3, computed in each guest
# through mmap, is the one that xxhsum says on the host.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

expected=$(cat "$LAB_DATA/data.bin.xxh3")
# A nested guest takes a page fault a page.
guest_step_limit=200
broker_start
section_create data --file "$LAB_DATA/data.bin" --protection ro
guest_start ro --section data:ro
guest_start cow --section data:cow
for guest in ro cow; do
	guest_ready $guest
	check "$guest sees the bytes of the file" prints "$expected" guest_sum $guest data
done
story_end
