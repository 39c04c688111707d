/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-mapper-crypt.h"
#include "sl-mapper.h"

/* Private to sl-mapper-config.c (reading configurations), sl-mapper-shape.c (schemas and keys) and
 * sl-mapper.c (records). */

#define SL_NO_SLOT G_MAXUINT

typedef enum {
    SL_MAPPER_HASHING,
    SL_MAPPER_FIELD_RENAMING,
    SL_MAPPER_FIELD_FILTERING,
    SL_MAPPER_ROW_FILTERING,
    SL_MAPPER_ENCRYPTION,
} SlMapperType;

typedef enum {
    SL_CONDITION_EQUAL,
    SL_CONDITION_NOT,
    SL_CONDITION_AND,
    SL_CONDITION_OR,
} SlConditionType;

typedef struct {
    SlConditionType type;
    char *field, *value; /* EQUAL */
    guint slot;          /* of `field`, in records */
    GPtrArray *children; /* of SlCondition; the others */
} SlCondition;

typedef struct {
    SlMapperType type;
    char *title;     /* "mapper 2 (hashing)" */
    char *from, *to; /* names; row-filtering: neither; field-filtering: no `to` */
    guint from_slot, to_slot;
    SlDigest *digest;
    SlCipher *cipher;
    SlCondition *condition;
} SlMapperStep;

/* One element of `mappers`. NULL: *ret_code and the error say what is wrong. */
SlMapperStep *sl_mapper_step_parse(const SlJsonDoc *doc, const SlJsonNode *node, guint index,
                                   SlMapperFaultCode *ret_code, GError **error);
void sl_mapper_step_free(SlMapperStep *step);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlMapperStep, sl_mapper_step_free)

/* The names that a condition looks at, in `visit` calls, until it returns FALSE. */
gboolean sl_condition_each(SlCondition *condition, gboolean (*visit)(SlCondition *, gpointer),
                           gpointer data);

/* With the steps that work (of SlMapperStep), for records. */
SlMapperShape *sl_mapper_shape_steps(const SlJsonDoc *doc, const SlJsonNode *configured,
                                     GPtrArray *ret_steps, gboolean *ret_selecting, GError **error);
