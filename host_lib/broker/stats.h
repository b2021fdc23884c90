/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a broker has counted: every input that it did not accept has its
 * counter.  Written to the log at SIGUSR1 and, for debugging, at the end.
 */
#ifndef BROKER_STATS_H
#define BROKER_STATS_H

#include <stdint.h>

#include "base/log.h"
#include "broker/doorbell.h"
#include "broker/peer.h"

struct stats {
	uint64_t accepted; /* connections */
	uint64_t over_limit; /* connections that were one too many */
	uint64_t accept_failed;
	uint64_t requests; /* that were done */
	uint64_t refused; /* requests that were well formed but wrong */
	uint64_t malformed; /* messages that ended their connection */
	uint64_t cut; /* messages that were too large, or lost descriptors */
	uint64_t events; /* that were sent or queued */
	uint64_t notifications; /* requests to notify that were done */
	uint64_t notified; /* events that came of them */
	uint64_t notify_limited; /* requests that came too fast */
	struct peer_counters waiting;
	uint64_t ended[PEER_END_COUNT];
	struct doorbell_stats doorbells;
};

void stats_log(const struct stats *stats, enum log_level level);

#endif
