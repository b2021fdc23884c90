/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See grantee.h. */
#include "cli/grantee.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "cli/cli.h"

/* (uid_t)-1 and (gid_t)-1 are nobody's. */
#define ID_MAX (UINT32_MAX - 1)

static const struct {
	char letter;
	uint32_t right;
} letters[] = {
	{ 'q', VMSECT_ACCESS_QUERY },  { 'r', VMSECT_ACCESS_READ },
	{ 'w', VMSECT_ACCESS_WRITE },  { 'x', VMSECT_ACCESS_EXECUTE },
	{ 'e', VMSECT_ACCESS_EXTEND }, { 'n', VMSECT_ACCESS_NOTIFY },
	{ 'g', VMSECT_ACCESS_GRANT },
};
#define LETTER_COUNT (sizeof(letters) / sizeof(letters[0]))

static const struct {
	const char *word;
	uint32_t access;
} words[] = {
	{ "none", 0 },
	{ "ro", VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ },
	{ "rw", VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE },
	{ "all", VMSECT_ACCESS_ALL },
};

static uint32_t right_of_letter(char letter)
{
	size_t i;

	for (i = 0; i < LETTER_COUNT; i++) {
		if (letters[i].letter == letter)
			return letters[i].right;
	}
	return 0;
}

int access_parse(const struct invocation *invocation, const char *text, uint32_t *ret_access)
{
	uint32_t access = 0;
	const char *at;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(words[i].word, text)) {
			*ret_access = words[i].access;
			return 0;
		}
	}
	for (at = text; right_of_letter(*at); at++)
		access |= right_of_letter(*at);
	if (*at || at == text)
		return cli_usage_error(invocation,
				       "'%s' is no access; none, ro, rw, all or letters of "
				       "'qrwxeng' are",
				       text);
	*ret_access = access;
	return 0;
}

int access_format(uint32_t access, char **ret_text)
{
	char text[LETTER_COUNT + 1] = "";
	size_t length = 0, i;

	for (i = 0; i < LETTER_COUNT; i++) {
		if (access & letters[i].right)
			text[length++] = letters[i].letter;
	}
	/* "rw" is a word, and has query. */
	if (access == (VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE))
		strcpy(text, "wr");
	*ret_text = strdup(length ? text : "none");
	return *ret_text ? 0 : -ENOMEM;
}

/* A user by name or number; false: there is none. */
bool user_parse(const char *text, uint32_t *ret_uid)
{
	const struct passwd *user;

	if (parse_u32(text, ID_MAX, ret_uid) >= 0)
		return true;
	user = getpwnam(text);
	if (user)
		*ret_uid = user->pw_uid;
	return user != NULL;
}

bool group_parse(const char *text, uint32_t *ret_gid)
{
	const struct group *group;

	if (parse_u32(text, ID_MAX, ret_gid) >= 0)
		return true;
	group = getgrnam(text);
	if (group)
		*ret_gid = group->gr_gid;
	return group != NULL;
}

/* NAME or NAME@USER.  A name can have an @ of its own: the last one counts. */
static bool find_vm(const char *text, struct vmsect_grant *grant)
{
	const char *at = strrchr(text, '@');
	size_t length = at ? (size_t)(at - text) : strlen(text);

	grant->id = getuid();
	if (at && !user_parse(at + 1, &grant->id))
		return false;
	if (!length || length >= sizeof(grant->name) || !name_is_legal(text, length))
		return false;
	memcpy(grant->name, text, length);
	return true;
}

int grantee_parse(const struct invocation *invocation, const char *text,
		  struct vmsect_grant *ret_grant)
{
	struct vmsect_grant grant = { 0 };
	bool found = false;

	if (!strncmp(text, "uid:", 4)) {
		grant.to = VMSECT_GRANT_UID;
		found = user_parse(text + 4, &grant.id);
	} else if (!strncmp(text, "gid:", 4)) {
		grant.to = VMSECT_GRANT_GID;
		found = group_parse(text + 4, &grant.id);
	} else if (!strncmp(text, "vm:", 3)) {
		grant.to = VMSECT_GRANT_VM;
		found = find_vm(text + 3, &grant);
	}
	if (!found)
		return cli_usage_error(invocation,
				       "'%s' is nobody; uid:USER, gid:GROUP, vm:NAME and "
				       "vm:NAME@USER are",
				       text);
	*ret_grant = grant;
	return 0;
}

int grantee_format(const struct vmsect_grant *grant, char **ret_text)
{
	int r;

	if (grant->to == VMSECT_GRANT_VM)
		r = asprintf(ret_text, "vm:%s@%u", grant->name, grant->id);
	else
		r = asprintf(ret_text, "%s:%u", grant->to == VMSECT_GRANT_GID ? "gid" : "uid",
			     grant->id);
	return r < 0 ? -ENOMEM : 0;
}
