/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-oci-stack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"
#include "sl-oci-path.h"

#define MAX_LINKS 40 /* as the kernel follows */

struct SlOciStack {
    GArray *layers; /* int: folders, lowest first */
};

SlOciStack *
sl_oci_stack_new(void)
{
    SlOciStack *stack = g_new0(SlOciStack, 1);
    stack->layers = g_array_new(FALSE, FALSE, sizeof(int));
    return stack;
}

void
sl_oci_stack_free(SlOciStack *stack)
{
    if (stack == NULL)
        return;
    for (guint i = 0; i < stack->layers->len; i++)
        close(g_array_index(stack->layers, int, i));
    g_array_unref(stack->layers);
    g_free(stack);
}

gboolean
sl_oci_stack_push(SlOciStack *stack, const char *folder, GError **error)
{
    int fd = open(folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return sl_error_set_errno(error, errno, "layer '%s'", folder);
    g_array_append_val(stack->layers, fd);
    return TRUE;
}

/* --- one layer ---------------------------------------------------------------------------------
 */

typedef enum { HERE, BELOW, HIDDEN } Answer;

/* Whether a layer decides about a path: it has it, does not know it, or hides it (by a whiteout or
 * by something that is no folder, at the path or on its way). */
static Answer
ask_layer(int layer, const char *path, struct stat *st)
{
    if (*path == '\0')
        return fstat(layer, st) == 0 ? HERE : HIDDEN;
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    g_autoptr(GString) so_far = g_string_new(NULL);
    for (guint i = 0; parts[i] != NULL; i++) {
        g_string_append_printf(so_far, "%s%s", i > 0 ? "/" : "", parts[i]);
        if (fstatat(layer, so_far->str, st, AT_SYMLINK_NOFOLLOW) != 0)
            return BELOW;
        if (sl_oci_is_whiteout(st))
            return HIDDEN;
        if (parts[i + 1] != NULL && !S_ISDIR(st->st_mode))
            return HIDDEN;
    }
    return HERE;
}

/* The layer that decides, from the top; -1: nothing is there. */
static int
find_layer(const SlOciStack *stack, const char *path, struct stat *st)
{
    for (guint i = stack->layers->len; i > 0; i--) {
        int layer = g_array_index(stack->layers, int, i - 1);
        Answer answer = ask_layer(layer, path, st);
        if (answer != BELOW)
            return answer == HERE ? layer : -1;
    }
    return -1;
}

static SlOciKind
kind_of(const struct stat *st)
{
    return S_ISDIR(st->st_mode) ? SL_OCI_FOLDER : S_ISLNK(st->st_mode) ? SL_OCI_LINK : SL_OCI_FILE;
}

SlOciKind
sl_oci_stack_look(const SlOciStack *stack, const char *path)
{
    struct stat st;
    return find_layer(stack, path, &st) >= 0 ? kind_of(&st) : SL_OCI_MISSING;
}

/* --- links -------------------------------------------------------------------------------------
 */

static char *
read_link(const SlOciStack *stack, const char *path)
{
    struct stat st;
    char target[4096];
    int layer = find_layer(stack, path, &st);
    ssize_t n = layer >= 0 ? readlinkat(layer, path, target, sizeof target - 1) : -1;
    return n > 0 ? g_strndup(target, (gsize)n) : NULL;
}

/* Puts the parts of `path` before those that are still to be walked. */
static void
prepend_parts(GQueue *todo, const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    for (guint i = g_strv_length(parts); i > 0; i--)
        g_queue_push_head(todo, g_strdup(parts[i - 1]));
}

static char *
join(const GPtrArray *parts)
{
    g_autoptr(GString) path = g_string_new(NULL);
    for (guint i = 0; i < parts->len; i++)
        g_string_append_printf(path, "%s%s", i > 0 ? "/" : "", (char *)parts->pdata[i]);
    return g_strdup(path->str);
}

SlOciKind
sl_oci_stack_resolve(const SlOciStack *stack, const char *path, char **ret_path)
{
    g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func(g_free);
    GQueue todo = G_QUEUE_INIT;
    SlOciKind kind = SL_OCI_FOLDER;
    guint links = 0;

    prepend_parts(&todo, path);
    while (todo.length > 0 && kind != SL_OCI_MISSING) {
        g_autofree char *part = g_queue_pop_head(&todo);
        if (*part == '\0' || strcmp(part, ".") == 0)
            continue;
        if (strcmp(part, "..") == 0) {
            if (done->len > 0)
                g_ptr_array_remove_index(done, done->len - 1);
            kind = SL_OCI_FOLDER;
            continue;
        }
        if (kind != SL_OCI_FOLDER) {
            kind = SL_OCI_MISSING; /* a file on the way */
            break;
        }
        g_ptr_array_add(done, g_steal_pointer(&part));
        g_autofree char *at = join(done);
        kind = sl_oci_stack_look(stack, at);
        if (kind != SL_OCI_LINK)
            continue;
        g_autofree char *target = read_link(stack, at);
        if (target == NULL || ++links > MAX_LINKS) {
            kind = SL_OCI_MISSING;
            break;
        }
        g_ptr_array_set_size(done, *target == '/' ? 0 : (int)done->len - 1);
        prepend_parts(&todo, target);
        kind = SL_OCI_FOLDER;
    }
    g_queue_clear_full(&todo, g_free);
    if (ret_path != NULL)
        *ret_path = kind != SL_OCI_MISSING ? join(done) : NULL;
    return kind;
}

/* --- folders and files -------------------------------------------------------------------------
 */

static void
list_layer(int layer, const char *path, GHashTable *names, GHashTable *hidden)
{
    int fd =
        openat(layer, *path != '\0' ? path : ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        sl_fd_clear(&fd);
        return;
    }
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        struct stat st;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            g_hash_table_contains(names, entry->d_name) ||
            g_hash_table_contains(hidden, entry->d_name) ||
            fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        g_hash_table_add(sl_oci_is_whiteout(&st) ? hidden : names, g_strdup(entry->d_name));
    }
    closedir(dir);
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *
sl_oci_stack_list(const SlOciStack *stack, const char *path)
{
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) hidden = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = stack->layers->len; i > 0; i--) {
        struct stat st;
        int layer = g_array_index(stack->layers, int, i - 1);
        Answer answer = ask_layer(layer, path, &st);
        if (answer == HERE && S_ISDIR(st.st_mode))
            list_layer(layer, path, names, hidden);
        else if (answer != BELOW)
            break;
    }
    GPtrArray *sorted = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer name;
    g_hash_table_iter_init(&iter, names);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        g_ptr_array_add(sorted, g_strdup(name));
    g_ptr_array_sort(sorted, compare_names);
    return sorted;
}

char *
sl_oci_stack_read(const SlOciStack *stack, const char *path, gsize max)
{
    struct stat st;
    g_autofree char *real = NULL;
    if (sl_oci_stack_resolve(stack, path, &real) != SL_OCI_FILE)
        return NULL;
    int layer = find_layer(stack, real, &st);
    sl_autofd int fd =
        layer >= 0 && S_ISREG(st.st_mode) ? openat(layer, real, O_RDONLY | O_CLOEXEC) : -1;
    return fd >= 0 ? sl_fd_read_all(fd, max, NULL, NULL) : NULL;
}

char *
sl_oci_stack_find_program(const SlOciStack *stack, const char *word, const char *search)
{
    if (*word == '/')
        return sl_oci_stack_resolve(stack, word, NULL) == SL_OCI_FILE ? g_strdup(word) : NULL;
    if (strchr(word, '/') != NULL)
        return NULL; /* relative to a folder that only its own start would know */
    g_auto(GStrv) folders = g_strsplit(search, ":", -1);
    for (guint i = 0; folders[i] != NULL; i++) {
        if (*folders[i] != '/')
            continue;
        g_autofree char *path = g_build_filename(folders[i], word, NULL);
        if (sl_oci_stack_resolve(stack, path, NULL) == SL_OCI_FILE)
            return g_steal_pointer(&path);
    }
    return NULL;
}
