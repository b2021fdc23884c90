/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See qmp.h. */
#include "libvirt/qmp.h"

#include <errno.h>
#include <libvirt/libvirt-qemu.h>
#include <string.h>

#include "base/cleanup.h"
#include "libvirt/domain.h"

void json_cleanup(json_t **json)
{
	json_decref(*json);
	*json = NULL;
}

static void error_set(struct qmp_error *error, bool is_from_qemu, const char *text)
{
	size_t length = strnlen(text, sizeof(error->text) - 1);

	error->is_from_qemu = is_from_qemu;
	memcpy(error->text, text, length);
	error->text[length] = 0;
}

/* The command's text for the monitor, malloc()ed; takes the arguments. */
static char *command_text(const char *command, json_t *arguments)
{
	AUTO(json_cleanup) json_t *whole = NULL;

	whole = arguments ? json_pack("{s:s, s:o}", "execute", command, "arguments", arguments)
			  : json_pack("{s:s}", "execute", command);
	return whole ? json_dumps(whole, JSON_COMPACT) : NULL;
}

/* What came back: {"return": ...} or {"error": {"desc": ...}}. */
static int take_answer(const char *text, struct qmp_error *error, json_t **ret_answer)
{
	AUTO(json_cleanup) json_t *whole = json_loads(text, 0, NULL);
	json_t *answer = json_object_get(whole, "return");
	const char *description =
		json_string_value(json_object_get(json_object_get(whole, "error"), "desc"));

	if (!answer) {
		error_set(error, description, description ? description : "no answer of a monitor");
		return -EIO;
	}
	if (ret_answer)
		*ret_answer = json_incref(answer);
	return 0;
}

int qmp_run(const struct domain *domain, const char *command, json_t *arguments,
	    struct qmp_error *error, json_t **ret_answer)
{
	AUTO_FREE char *text = command_text(command, arguments);
	AUTO_FREE char *answer = NULL;

	if (!text) {
		error_set(error, false, strerror(ENOMEM));
		return -ENOMEM;
	}
	if (virDomainQemuMonitorCommand(domain->handle, text, &answer,
					VIR_DOMAIN_QEMU_MONITOR_COMMAND_DEFAULT) < 0) {
		error_set(error, false, libvirt_error());
		return -EIO;
	}
	return take_answer(answer, error, ret_answer);
}

int qmp_list(const struct domain *domain, const char *path, struct qmp_error *error,
	     json_t **ret_list)
{
	return qmp_run(domain, "qom-list", json_pack("{s:s}", "path", path), error, ret_list);
}

bool qmp_list_has(const json_t *list, const char *name)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		const char *found = json_string_value(json_object_get(item, "name"));

		if (found && !strcmp(found, name))
			return true;
	}
	return false;
}
