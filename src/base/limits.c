// SPDX-License-Identifier: GPL-3.0-or-later
#include <mailmount/limits.h>

const MmLimits mm_limits_default = {
  /* 1,000,000 UIDs of up to ten digits fit in one SEARCH answer. */
  .line_octets = 16 * 1024 * 1024,
  .literal_octets = 128 * 1024 * 1024,
  .string_octets = 256 * 1024,
  .nesting = 64,
  .list_entries = 1000 * 1000,
  .capabilities = 1024,
  .flags = 1024,
  .keyword_octets = 16 * 1024,
  .set_ranges = 2 * 1000 * 1000,

  .untagged_without_command = 1000 * 1000,
  .untagged_per_command = 5 * 1000 * 1000,
  .connection_octets = 64 * 1024 * 1024,
  .progress_octets = 1024,

  .mailboxes = 100 * 1000,
  .list_octets = 64 * 1024 * 1024,
  .messages = 4 * 1000 * 1000,
  .arriving_octets = 160 * 1024 * 1024,

  .repetitions = 2,
  .refetches = 2,
  .listing_repetitions = 2,
  .relists = 2,
};
