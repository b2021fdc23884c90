/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See stats.h. */
#include "broker/stats.h"

#include <inttypes.h>

void stats_log(const struct stats *stats, enum log_level level)
{
	const struct doorbell_stats *doorbells = &stats->doorbells;

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
	log_write(level,
		  "doorbells: joined=%" PRIu64 " refused=%" PRIu64 " to_members=%" PRIu64
		  " to_natives=%" PRIu64 " too_fast=%" PRIu64 " unbridged=%" PRIu64,
		  doorbells->joined, doorbells->refused, doorbells->to_members,
		  doorbells->to_natives, doorbells->limited, doorbells->unbridged);
	log_write(level,
		  "ends of members: closed=%" PRIu64 " spoke=%" PRIu64 " slow=%" PRIu64
		  " revoked=%" PRIu64 " replaced=%" PRIu64 " full=%" PRIu64 " error=%" PRIu64,
		  doorbells->ended[DOORBELL_END_CLOSED], doorbells->ended[DOORBELL_END_SPOKE],
		  doorbells->ended[DOORBELL_END_SLOW], doorbells->ended[DOORBELL_END_REVOKED],
		  doorbells->ended[DOORBELL_END_REPLACED], doorbells->ended[DOORBELL_END_FULL],
		  doorbells->ended[DOORBELL_END_ERROR]);
}
