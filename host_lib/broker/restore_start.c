/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See restore_start.h. */
#include "broker/restore_start.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "broker/export.h"
#include "broker/publish.h"
#include "broker/restore.h"
#include "broker/restore_memory.h"

static int new_generation(uint64_t *ret_generation)
{
	ssize_t r;

	do
		r = sys_retry(getrandom(ret_generation, sizeof(*ret_generation), 0));
	while (r >= 0 && !*ret_generation);
	return r < 0 ? (int)r : 0;
}

static void log_result(const struct restore_result *result)
{
	if (result->torn_bytes)
		log_warning("the journal's last %zu bytes are not whole and do not count",
			    result->torn_bytes);
	if (result->left_out)
		log_warning("%zu records of the journal made no sense and were left out",
			    result->left_out);
	if (result->parties || result->sections)
		log_info("taking over from the broker before: %zu clients, %zu sections",
			 result->parties, result->sections);
}

static int restore_bytes(struct broker *broker, const void *bytes, size_t size)
{
	struct restore_result result;
	int r = restore_registry(&broker->registry, &broker->grace.absents, bytes, size, &result);

	if (r == RESTORE_E_VERSION)
		journal_move_aside(broker->journal, "written by a broker of another version");
	else if (r == RESTORE_E_DAMAGED)
		journal_move_aside(broker->journal, "not a journal");
	else
		log_result(&result);
	return r > 0 ? 0 : r;
}

static int restore_journal(struct broker *broker)
{
	AUTO_FREE void *bytes = NULL;
	size_t size = 0;
	int r = journal_read(broker->journal, &bytes, &size);

	if (!r)
		return restore_bytes(broker, bytes, size);
	if (r != -ENOMEM)
		journal_move_aside(broker->journal, strerror(-r));
	return r == -ENOMEM ? r : 0;
}

static void restore_memory(struct broker *broker)
{
	struct section *section;

	fdstore_give_back(&broker->fdstore, &broker->registry);
	export_recover(&broker->registry); /* memory may be found by its path then */
	for (section = broker->registry.sections; section; section = section->hh.next)
		restore_memory_find(section);
}

/* As publish_find: the section's own descriptor is the broker's, a copy is the caller's. */
static int find_memory(void *arg, uint64_t dev, uint64_t ino)
{
	const struct broker *broker = arg;
	const struct section *section;

	for (section = broker->registry.sections; section; section = section->hh.next) {
		if (section->backing.dev != dev || section->backing.ino != ino)
			continue;
		if (section->backing.rw_fd < 0)
			return section->missing ? -EAGAIN : -ENOENT;
		return sys_result(fcntl(section->backing.rw_fd, F_DUPFD_CLOEXEC, 0));
	}
	return -ENOENT;
}

static void finish_patches(struct broker *broker, const char *dir)
{
	int r = dir ? publish_recover(dir, find_memory, broker) : 0;

	if (r > 0)
		log_info("%s: %d patches wait for the memory of their sections", dir, r);
	if (r < 0 && r != -ENOENT)
		log_warning("%s: %s", dir, strerror(-r));
}

void restore_finish_patches(struct broker *broker)
{
	finish_patches(broker, broker->state_dir);
	finish_patches(broker, broker->runtime_dir);
}

int restore_start(struct broker *broker, const char *path)
{
	struct registry *registry = &broker->registry;
	int r;

	r = path ? journal_open(path, &broker->journal) : 0;
	if (r == -EBUSY || r == -ENOMEM)
		return r;
	if (r < 0)
		log_warning("nothing is kept: a broker after this one will not know what it knew");
	r = broker->journal ? restore_journal(broker) : 0;
	if (!r && !registry->broker_generation)
		r = new_generation(&registry->broker_generation);
	if (r < 0)
		return r;
	restore_memory(broker);
	restore_finish_patches(broker);
	return 0;
}
