/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs, one file each.  Each returns an exit code.
 */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

struct invocation;

int verb_attach(struct invocation *invocation);
int verb_create(struct invocation *invocation);
int verb_export(struct invocation *invocation);
int verb_exports(struct invocation *invocation);
int verb_detach(struct invocation *invocation);
int verb_extend(struct invocation *invocation);
int verb_flush(struct invocation *invocation);
int verb_grant(struct invocation *invocation);
int verb_grants(struct invocation *invocation);
int verb_help(struct invocation *invocation);
int verb_ls(struct invocation *invocation);
int verb_notify(struct invocation *invocation);
int verb_revoke(struct invocation *invocation);
int verb_rm(struct invocation *invocation);
int verb_run(struct invocation *invocation);
int verb_seal(struct invocation *invocation);
int verb_show(struct invocation *invocation);
int verb_unexport(struct invocation *invocation);
int verb_version(struct invocation *invocation);
int verb_views(struct invocation *invocation);
int verb_vms(struct invocation *invocation);
int verb_watch(struct invocation *invocation);

extern const char verb_create_options[];
extern const char verb_export_options[];
extern const char verb_flush_options[];
extern const char verb_grant_options[];
extern const char verb_notify_options[];
extern const char verb_revoke_options[];
extern const char verb_show_options[];
extern const char verb_vms_options[];
extern const char verb_watch_options[];

#endif
