/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  HOLD: a guest that suspends resets its devices and sets
 * them up again when it is back, and must not lose what it has mapped.
 *
 * States: NONE; ASKED, by the request; HELD, from the reset that follows until a
 * driver is there or the device is reset once more.  While it is held nobody
 * drives the device: events wait, chains are forgotten as at every reset.
 */
#include "dev/section_impl.h"

struct section_answer section_hold(struct section_dev *dev, struct section_call *call)
{
	(void)call;
	dev->hold = SECTION_HOLD_ASKED;
	return SECTION_OK;
}

bool section_hold_reset(struct section_dev *dev)
{
	bool is_kept = dev->hold == SECTION_HOLD_ASKED;

	dev->hold = is_kept ? SECTION_HOLD_HELD : SECTION_HOLD_NONE;
	return is_kept;
}
