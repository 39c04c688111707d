/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-write.h"
#include "sl-trace.h"

/* Why a job failed, as the FailureReason of the Airbyte API. */

typedef enum {
    SL_ORIGIN_SOURCE,
    SL_ORIGIN_DESTINATION,
    SL_ORIGIN_REPLICATION,
    SL_ORIGIN_PERSISTENCE,
    SL_ORIGIN_PLATFORM,
    SL_ORIGIN_UNKNOWN,
} SlFailureOrigin;

typedef enum {
    SL_FAILURE_SYSTEM,
    SL_FAILURE_CONFIG,
    SL_FAILURE_TRANSIENT,
    SL_FAILURE_CANCELLED,
    SL_FAILURE_HEARTBEAT_TIMEOUT,   /* the source was silent */
    SL_FAILURE_DESTINATION_TIMEOUT, /* the destination did not go on */
} SlFailureType;

typedef struct SlFailures SlFailures;

/* At most ten are kept; one more says how many were left out. */
SlFailures *sl_failures_new(void);
void sl_failures_free(SlFailures *failures);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlFailures, sl_failures_free)

/* What a connector said itself by a TRACE of type ERROR. */
void sl_failures_add_trace(SlFailures *failures, SlFailureOrigin origin, const SlTrace *trace);

/* What was seen from outside. `external` is for the user, `internal` (may be NULL) for us. */
void sl_failures_add(SlFailures *failures, SlFailureOrigin origin, SlFailureType type,
                     const char *external, const char *internal);

guint sl_failures_count(const SlFailures *failures);

/* Origin and user's text of the first one in writing order; NULL when there is none. */
const char *sl_failures_first(const SlFailures *failures, const char **ret_origin);

/* The message of the first trace of this origin; NULL: it sent none. */
const char *sl_failures_trace_of(const SlFailures *failures, SlFailureOrigin origin);

/* As an array: what connectors said first, by time, then the rest in the order they were added. */
void sl_failures_write(const SlFailures *failures, SlJsonWriter *w);

const char *sl_failure_origin_name(SlFailureOrigin origin);
