/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See stats.h. */
#include "broker/stats.h"

#include <inttypes.h>

void stats_log(const struct stats *stats, enum log_level level)
{
	log_write(level,
		  "connections: accepted=%" PRIu64 " over_limit=%" PRIu64 " accept_failed=%" PRIu64,
		  stats->accepted, stats->over_limit, stats->accept_failed);
	log_write(level,
		  "messages: requests=%" PRIu64 " refused=%" PRIu64 " malformed=%" PRIu64
		  " cut=%" PRIu64 " events=%" PRIu64,
		  stats->requests, stats->refused, stats->malformed, stats->cut, stats->events);
	log_write(level,
		  "notifications: sent=%" PRIu64 " told=%" PRIu64 " too_fast=%" PRIu64
		  " merged_events=%" PRIu64 " lost=%" PRIu64,
		  stats->notifications, stats->notified, stats->notify_limited,
		  stats->waiting.merged, stats->waiting.lost);
	log_write(level,
		  "ends: closed=%" PRIu64 " refused=%" PRIu64 " slow=%" PRIu64 " silent=%" PRIu64
		  " error=%" PRIu64,
		  stats->ended[PEER_END_CLOSED], stats->ended[PEER_END_REFUSED],
		  stats->ended[PEER_END_SLOW], stats->ended[PEER_END_SILENT],
		  stats->ended[PEER_END_ERROR]);
}
