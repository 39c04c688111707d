/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-mapper.h"

/* Private to the mappers: a stream on its way through selection and mappers, as the fields that it
 * has now and the paths that cursor and primary key have now. */

enum {
    SL_MAPPER_CURSOR,
    SL_MAPPER_PRIMARY,
    SL_MAPPER_DEFAULT_CURSOR,
    SL_MAPPER_SOURCE_PRIMARY,
    SL_MAPPER_N_KEYS
};

typedef struct {
    gboolean there;
    gboolean needed;  /* the sync mode cannot do without it */
    GPtrArray *paths; /* of GStrv */
} SlMapperKey;

typedef struct {
    const SlJsonDoc *doc;
    const SlJsonNode *configured, *stream, *schema, *properties;
    GPtrArray *fields; /* of SlMapperField */
    SlMapperKey keys[SL_MAPPER_N_KEYS];
} SlMapperWalk;

gboolean sl_mapper_walk_begin(SlMapperWalk *walk, const SlJsonDoc *doc,
                              const SlJsonNode *configured, GError **error);
void sl_mapper_walk_clear(SlMapperWalk *walk);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SlMapperWalk, sl_mapper_walk_clear)

GPtrArray *sl_mapper_walk_copy_fields(const GPtrArray *fields);
SlMapperField *sl_mapper_walk_find(const GPtrArray *fields, const char *name, guint *ret_index);

/* Does a key that is needed begin with this field? `primary`: only primary keys are asked for;
 * `inside`: only paths that lead into it. */
gboolean sl_mapper_walk_is_needed(const SlMapperWalk *walk, const char *field, gboolean primary,
                                  gboolean inside);

/* Paths that begin with `from` begin with `to` now. NULL: they are gone; `leaf`: so are those that
 * lead into it. */
void sl_mapper_walk_move_keys(SlMapperWalk *walk, const char *from, const char *to, gboolean leaf);

/* The stream's schema with the fields that there are now; the rest keeps its bytes. */
char *sl_mapper_walk_write_schema(const SlMapperWalk *walk);
char *sl_mapper_walk_write_key(const SlMapperWalk *walk, guint which); /* NULL: it has none */
