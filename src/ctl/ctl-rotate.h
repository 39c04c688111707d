/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Changing the master key while everything runs. The ring (src/secret: the first key seals, all
 * open) goes from [old] over [old, new] and [new, old] to [new]; between two of them every process
 * that holds it is started anew, so that whoever seals with a key knows that all others open it.
 * What is pending (the new key's id) is noted before the ring changes and forgotten at the end:
 * from both follows the step to do next, so that a run that was killed anywhere is simply run
 * again. */

#define CTL_ROTATE_KEY_BYTES 32
#define CTL_ROTATE_MAX_KEYS 8

typedef enum {
    CTL_ROTATE_IDLE,   /* nothing is pending */
    CTL_ROTATE_BEGIN,  /* pending, and the ring does not have it: make a key, put it behind */
    CTL_ROTATE_SPREAD, /* it opens only: let all holders have it, then put it in front */
    CTL_ROTATE_SEAL,   /* it seals: let all holders do so, seal all anew, then drop the others */
    CTL_ROTATE_FINISH, /* it is alone: let all holders forget the others */
    CTL_ROTATE_N_STEPS
} CtlRotateStep;

/* What it does, N_(). */
extern const char *const ctl_rotate_texts[CTL_ROTATE_N_STEPS];

typedef struct {
    /* The ring, and the pending id or NULL. */
    GBytes *(*load)(gpointer data, char **ret_pending, GError **error);
    gboolean (*store_ring)(gpointer data, GBytes *ring, GError **error);
    gboolean (*store_pending)(gpointer data, const char *id, GError **error); /* NULL: none */
    /* Every process that holds a ring holds the stored one when it returns. */
    gboolean (*spread)(gpointer data, const char *const *ids, GError **error);
    /* Seals anew what older keys have sealed, and makes sure that nothing is left. */
    gboolean (*reseal)(gpointer data, GError **error);
    void (*tell)(gpointer data, CtlRotateStep step);
} CtlRotateOps;

/* The first 16 hex digits of each key's SHA-256, as sl_seal_key_ids(). NULL: no ring. */
char **ctl_rotate_ids(GBytes *ring, GError **error);

CtlRotateStep ctl_rotate_step(const char *const *ids, const char *pending);

/* From wherever it stands to the end; what is pending is ended and no other is begun. *ret_id is
 * the id of the key that seals now. */
gboolean ctl_rotate_run(const CtlRotateOps *ops, gpointer data, char **ret_id, GError **error);
