// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The octets of a multi-line answer, without the dots of the wire (RFC 1939 3): a dot that begins a
 * line is dropped, and a line of one dot is the end. However the input is cut.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  MM_POP3_BODY_LINE_START,
  MM_POP3_BODY_LINE,   /* within a line */
  MM_POP3_BODY_CR,     /* the same, and the last octet was CR */
  MM_POP3_BODY_DOT,    /* a dot began the line */
  MM_POP3_BODY_DOT_CR, /* and CR followed */
  MM_POP3_BODY_ENDED,
} MmPop3BodyState;

/* Looks at *@input, @length octets, and moves on: TRUE with octets of the answer, which point into the
 * input or to static memory; FALSE when the input is used up or the answer has ended (ENDED). */
gboolean mm_pop3_body_next (MmPop3BodyState *state, const guint8 **input, gsize *length,
                            const guint8 **out_data, gsize *out_length);

G_END_DECLS
