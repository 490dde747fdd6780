// SPDX-License-Identifier: GPL-3.0-or-later
/* Whether octets that came are those of the message that was asked for, as far as their header can
 * tell. */
#pragma once

#include "mailbox-private.h"

/* FALSE when the header at the beginning of @octets has another Message-ID or subject than the message
 * of @target is known by. TRUE when it agrees, or cannot tell: @octets are only the beginning
 * (@is_whole FALSE) and the header goes on behind them. Any thread; no lock needed. */
gboolean mm_content_identity_fits (const MmFetchTarget *target, GBytes *octets, gboolean is_whole);
