// SPDX-License-Identifier: GPL-2.0-or-later
/* See process.h. */
#include "conformance/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"

#define ARGUMENTS_MAX 24

static bool become(const struct script_actor *header)
{
	if (!header || !header->has_user)
		return true;
	return !setgroups(0, NULL) && !setgid(header->gid) && !setuid(header->uid);
}

/* In the child: never returns. */
static _Noreturn void run_actor(const struct actor_spec *spec, int fd)
{
	/* Opened before it is somebody else, who may have no way to the program. */
	int program = open(spec->program, O_RDONLY | O_CLOEXEC);
	const char *argv[ARGUMENTS_MAX + 1] = { spec->program, spec->name, spec->socket_path,
						spec->folder };
	union {
		const char **in;
		char **out;
	} arguments = { .in = argv };
	size_t count = 4;

	for (size_t i = 0; spec->header && i < spec->header->vmm_count; i++)
		argv[count++] = spec->header->vmm[i];
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!become(spec->header) || dup2(fd, STDIN_FILENO) < 0)
		_exit(126);
	/* A change of user takes it away. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)fexecve(program, arguments.out, environ);
	_exit(127);
}

struct actor *actor_start(const struct actor_spec *spec)
{
	struct actor *actor = must(calloc(1, sizeof(*actor)));
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		perror("conformance: socketpair");
		free(actor);
		return NULL;
	}
	(void)snprintf(actor->name, sizeof(actor->name), "%s", spec->name);
	actor->is_vm = spec->is_vm;
	actor->fd = pair[0];
	(void)fflush(stdout);
	actor->pid = fork();
	if (!actor->pid)
		run_actor(spec, pair[1]);
	(void)close(pair[1]);
	if (actor->pid > 0)
		return actor;
	perror("conformance: fork");
	(void)close(pair[0]);
	free(actor);
	return NULL;
}

/* One message into the reply. */
static int take_reply(struct actor *actor)
{
	ssize_t got = sys_retry(recv(actor->fd, actor->reply.text, LINE_BYTES - 1, 0));

	if (got <= 0)
		return -EPIPE;
	actor->reply.text[got] = '\0';
	return 0;
}

int actor_ask(struct actor *actor, const char *line, int64_t until_ms)
{
	struct pollfd answer = { .fd = actor->fd, .events = POLLIN };
	int64_t left = until_ms - clock_ms();

	if (sys_retry(send(actor->fd, line, strlen(line), MSG_NOSIGNAL)) < 0)
		return -EPIPE;
	if (sys_retry(poll(&answer, 1, left > 0 ? (int)left : 0)) != 1)
		return -ETIMEDOUT;
	return take_reply(actor);
}

void actor_kill(struct actor *actor)
{
	if (!actor->pid)
		return;
	(void)kill(actor->pid, SIGKILL);
	(void)sys_retry(waitpid(actor->pid, NULL, 0));
	actor->pid = 0;
	actor->fd = fd_close(actor->fd);
}

void actor_free(struct actor *actor)
{
	actor_kill(actor);
	free(actor);
}
