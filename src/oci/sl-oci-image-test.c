/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-oci-image.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-oci-fixture.h"

static const OciEntry empty[] = {{'f', "a", "A", 0}, {0}};
static const OciEntry *const one_layer[] = {empty, NULL};

typedef struct {
    char *layout;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    f->layout = oci_fixture_folder();
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    oci_fixture_remove(f->layout);
}

static SlOciImage *
load(Fixture *f, const char *config, GError **error)
{
    g_autofree char *digest = oci_fixture_image(f->layout, one_layer, OCI_GZIP, config);
    return sl_oci_image_load(f->layout, sl_oci_architecture(), error);
}

static void
assert_words(char *const *words, const char *expected)
{
    g_autofree char *joined = g_strjoinv("|", (char **)words);
    g_assert_cmpstr(joined, ==, expected);
}

/* --- configuration -----------------------------------------------------------------------------
 */

static void
test_config(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *config, *environment, *user, *directory, *name;
    } cases[] = {
        {"{}", "", "", "/", NULL},
        {"{\"Env\":null,\"Entrypoint\":null,\"WorkingDir\":\"\"}", "", "", "/", NULL},
        {"{\"Env\":[\"PATH=/a:/b\",\"X=\",\"Y=a=b\"],\"User\":\"airbyte\",\"WorkingDir\":"
         "\"/airbyte\",\"Labels\":{\"io.airbyte.name\":\"airbyte/source-x\"}}",
         "PATH=/a:/b|X=|Y=a=b", "airbyte", "/airbyte", "airbyte/source-x"},
        {"{\"User\":\"1000:1000\",\"Env\":[\"A.B-C=d\"],\"ExposedPorts\":{\"80/tcp\":{}},"
         "\"Volumes\":{\"/x\":{}},\"Healthcheck\":{},\"Labels\":null}",
         "A.B-C=d", "1000:1000", "/", NULL},
        {"{\"Env\":[\"TEXT=two\\nlines\\tand é\"]}", "TEXT=two\nlines\tand é", "", "/", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlOciImage) image = load(f, cases[i].config, &error);
        g_assert_no_error(error);
        assert_words(image->environment, cases[i].environment);
        g_assert_cmpstr(image->user, ==, cases[i].user);
        g_assert_cmpstr(image->directory, ==, cases[i].directory);
        g_assert_cmpstr(image->name, ==, cases[i].name);
        g_assert_cmpuint(image->layers->len, ==, 1);
    }
}

static void
test_argv(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *config, *expected; /* NULL: none */
    } cases[] = {
        {"{\"Entrypoint\":[\"python\",\"/main.py\"]}", "python|/main.py"},
        {"{\"Entrypoint\":[\"/run\"],\"Cmd\":[\"--help\"]}", "/run"},
        {"{\"Cmd\":[\"/run\",\"x\"]}", "/run|x"},
        {"{\"Entrypoint\":[],\"Cmd\":[\"/run\"]}", "/run"},
        {"{\"Env\":[\"AIRBYTE_ENTRYPOINT=python /main.py\"],\"Entrypoint\":[\"/other\"]}",
         "python|/main.py"},
        {"{\"Env\":[\"AIRBYTE_ENTRYPOINT=/run 'a b' c\"]}", "/run|a b|c"},
        {"{\"Env\":[\"AIRBYTE_ENTRYPOINT=\"],\"Entrypoint\":[\"/run\"]}", "/run"},
        {"{\"Env\":[\"AIRBYTE_ENTRYPOINT=/x/$NAME run\"]}",
         "/bin/sh|-c|exec /x/$NAME run \"$@\"|connector"},
        {"{\"Env\":[\"AIRBYTE_ENTRYPOINT=/first\",\"AIRBYTE_ENTRYPOINT=/last\"]}", "/last"},
        {"{\"Env\":[\"AIRBYTE_ENTRYPOINT='open\"]}", NULL},
        {"{}", NULL},
        {"{\"Entrypoint\":[\"\"]}", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlOciImage) image = load(f, cases[i].config, &error);
        g_assert_no_error(error);
        g_auto(GStrv) argv = sl_oci_image_get_argv(image, &error);
        if (cases[i].expected != NULL) {
            g_assert_no_error(error);
            assert_words(argv, cases[i].expected);
        } else {
            g_assert_null(argv);
            g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        }
    }
}

static void
test_bad_config(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *config, *expected;
    } cases[] = {
        {"{\"Env\":\"A=b\"}", "Env: expected a list of strings"},
        {"{\"Env\":[1]}", "Env: expected a list of strings"},
        {"{\"Env\":[\"A\"]}", "config.Env: 'A' is no NAME=VALUE"},
        {"{\"Env\":[\"=x\"]}", "config.Env: '=x'"},
        {"{\"Env\":[\"A\\nB=x\"]}", "config.Env: 'A\\nB=x'"},
        {"{\"Env\":[\"A=\\u001b[31m\"]}", "config.Env: 'A=\\033[31m'"},
        {"{\"Entrypoint\":\"python\"}", "Entrypoint: expected a list of strings"},
        {"{\"Cmd\":[null]}", "Cmd: expected a list of strings"},
        {"{\"WorkingDir\":\"airbyte\"}", "config.WorkingDir: expected an absolute path"},
        {"{\"WorkingDir\":\"/a\\nb\"}", "config.WorkingDir: expected an absolute path"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(load(f, cases[i].config, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        if (strstr(error->message, cases[i].expected) == NULL)
            g_error("case %zu: got: %s", i, error->message);
    }
}

/* --- the way to it -----------------------------------------------------------------------------
 */

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DESCRIPTOR(kind, digest, size)                                                             \
    "{\"mediaType\":\"application/vnd.oci.image." kind "\",\"digest\":\"" digest                   \
    "\",\"size\":" size "}"
#define LAYER DESCRIPTOR("layer.v1.tar", A, "1")
#define TOP(members) "{\"architecture\":\"%a\",\"os\":\"linux\"," members "}"

static char *
add_text(Fixture *f, const char *text)
{
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    return oci_fixture_add_blob(f->layout, bytes);
}

static void
write_index(Fixture *f, const char *text)
{
    g_autofree char *path = g_build_filename(f->layout, "index.json", NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* "%a": the host's architecture, "%c": the digest of the configuration, "%m": of the manifest. */
static char *
fill(const char *text, char letter, const char *value)
{
    const char mark[] = {'%', letter, '\0'};
    g_auto(GStrv) parts = g_strsplit(text, mark, -1);
    return g_strjoinv(value, parts);
}

/* Manifests and configurations as others write them; NULL: a good one. */
static void
test_texts(Fixture *f, gconstpointer data)
{
    static const char good_config[] = TOP("\"rootfs\":{\"diff_ids\":[\"" A "\"]}");
    static const char good_manifest[] =
        "{\"config\":" DESCRIPTOR("config.v1+json", "%c", "1") ",\"layers\":[" LAYER "]}";
    static const char good_index[] = "{\"manifests\":[{\"digest\":\"%m\"}]}";
    static const struct {
        const char *index, *manifest, *config, *expected; /* NULL: it is good */
    } cases[] = {
        {NULL, NULL, NULL, NULL},
        {"{\"manifests\":[{\"digest\":\"" A "\",\"platform\":{\"architecture\":\"vax\",\"os\":"
         "\"linux\"}},{\"digest\":\"%m\",\"platform\":{\"architecture\":\"%a\",\"os\":\"linux\"}}]"
         "}",
         NULL, NULL, NULL},
        {NULL,
         "{\"config\":{\"digest\":\"%c\"},\"layers\":[{\"mediaType\":\"application/vnd.docker."
         "image.rootfs.diff.tar.gzip\",\"digest\":\"" A "\",\"size\":1}]}",
         NULL, NULL},
        {"{", NULL, NULL, "index.json: "},
        {"{}", NULL, NULL, "index.json: manifests: expected a list"},
        {"{\"manifests\":[]}", NULL, NULL, "the image is not for this host's"},
        {"{\"manifests\":[{}]}", NULL, NULL, "index.json: manifests.digest: expected 'sha256:'"},
        {"{\"manifests\":[{\"digest\":\"sha256:../../../../etc/passwd\"}]}", NULL, NULL,
         "manifests.digest: expected"},
        {"{\"manifests\":[{\"digest\":\"sha512:00\"}]}", NULL, NULL, "manifests.digest: expected"},
        {"{\"manifests\":[{\"digest\":\"" A "\"}]}", NULL, NULL, "blobs/sha256/aaaa"},
        {"{\"manifests\":[{\"digest\":\"" A "\",\"platform\":{\"architecture\":\"vax\",\"os\":"
         "\"linux\"}},{\"digest\":\"" A "\",\"platform\":{\"architecture\":\"%a\",\"os\":"
         "\"plan9\"}}]}",
         NULL, NULL, "but for: vax, "},
        {NULL, "{\"layers\":[" LAYER "]}", NULL, "config.digest: expected"},
        {NULL, "{\"config\":{\"digest\":\"%c\"}}", NULL, "layers: expected a list of 1 to 128"},
        {NULL, "{\"config\":{\"digest\":\"%c\"},\"layers\":[]}", NULL, "layers: expected a list"},
        {NULL, "{\"config\":{\"digest\":\"%c\"},\"layers\":[{\"digest\":\"" A "\",\"size\":1}]}",
         NULL, "layers.mediaType: expected an image layer"},
        {NULL,
         "{\"config\":{\"digest\":\"%c\"},\"layers\":[" DESCRIPTOR(
             "layer.nondistributable.v1.tar+encrypted", A, "1") "]}",
         NULL, "neither foreign nor encrypted"},
        {NULL,
         "{\"config\":{\"digest\":\"%c\"},\"layers\":[" DESCRIPTOR("layer.v1.tar", A, "-1") "]}",
         NULL, "layers.size: expected a number of bytes"},
        {NULL,
         "{\"config\":{\"digest\":\"%c\"},\"layers\":[" DESCRIPTOR("layer.v1.tar", A, "\"1\"") "]}",
         NULL, "layers.size: expected"},
        {NULL, NULL, "{", "blobs/sha256/"},
        {NULL, NULL, "{\"os\":\"linux\"}", "architecture and os: expected strings"},
        {NULL, NULL,
         "{\"architecture\":\"vax\",\"os\":\"linux\",\"rootfs\":{\"diff_ids\":[\"" A "\"]}}",
         "the image is for 'vax', and this host is"},
        {NULL, NULL, TOP("\"x\":1"), "rootfs.diff_ids: expected as many digests"},
        {NULL, NULL, TOP("\"rootfs\":{\"diff_ids\":[]}"), "rootfs.diff_ids: expected as many"},
        {NULL, NULL, TOP("\"rootfs\":{\"diff_ids\":[\"x\"]}"), "rootfs.diff_ids: expected 'sha"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *config = fill(cases[i].config != NULL ? cases[i].config : good_config, 'a',
                                       sl_oci_architecture());
        g_autofree char *config_digest = add_text(f, config);
        g_autofree char *manifest =
            fill(cases[i].manifest != NULL ? cases[i].manifest : good_manifest, 'c', config_digest);
        g_autofree char *manifest_digest = add_text(f, manifest);
        g_autofree char *half =
            fill(cases[i].index != NULL ? cases[i].index : good_index, 'a', sl_oci_architecture());
        g_autofree char *index = fill(half, 'm', manifest_digest);
        write_index(f, index);
        g_autoptr(SlOciImage) image = sl_oci_image_load(f->layout, sl_oci_architecture(), &error);
        if (cases[i].expected == NULL) {
            g_assert_no_error(error);
            g_assert_cmpstr(image->digest, ==, manifest_digest);
            continue;
        }
        g_assert_null(image);
        if (strstr(error->message, cases[i].expected) == NULL)
            g_error("case %zu: got: %s", i, error->message);
    }
}

/* Indexes in indexes, and one that is its own. */
static void
test_indexes(Fixture *f, gconstpointer data)
{
    for (guint depth = 0; depth < 5; depth++) {
        g_autoptr(GError) error = NULL;
        char *digest = oci_fixture_image(f->layout, one_layer, OCI_PLAIN, "{}");
        for (guint i = 0; i < depth; i++) {
            g_autofree char *inner = digest;
            g_autofree char *text = g_strdup_printf("{\"manifests\":[{\"digest\":\"%s\"}]}", inner);
            digest = add_text(f, text);
        }
        g_autofree char *index = g_strdup_printf("{\"manifests\":[{\"digest\":\"%s\"}]}", digest);
        write_index(f, index);
        g_free(digest);
        g_autoptr(SlOciImage) image = sl_oci_image_load(f->layout, sl_oci_architecture(), &error);
        g_assert_cmpint(image != NULL, ==, depth < 3);
        if (image == NULL)
            g_assert_nonnull(strstr(error->message, "indexes in indexes"));
    }
}

/* A text of another digest than its name is not looked at. */
static void
test_changed(Fixture *f, gconstpointer data)
{
    g_autofree char *digest = oci_fixture_image(f->layout, one_layer, OCI_PLAIN, "{}");
    g_autofree char *path =
        g_build_filename(f->layout, "blobs/sha256", digest + strlen("sha256:"), NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    gsize len;
    g_assert_true(g_file_get_contents(path, &text, &len, NULL));
    text[len - 1] = ' ';
    g_assert_true(g_file_set_contents(path, text, (gssize)len, NULL));
    g_assert_null(sl_oci_image_load(f->layout, sl_oci_architecture(), &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "its content has the digest 'sha256:"));
    g_clear_error(&error);

    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(symlink("/etc/passwd", path), ==, 0);
    g_assert_null(sl_oci_image_load(f->layout, sl_oci_architecture(), &error));
    g_assert_nonnull(error);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*run)(Fixture *f, gconstpointer data);
    } tests[] = {
        {"/oci/image/config", test_config},         {"/oci/image/argv", test_argv},
        {"/oci/image/bad-config", test_bad_config}, {"/oci/image/texts", test_texts},
        {"/oci/image/indexes", test_indexes},       {"/oci/image/changed", test_changed},
    };
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
    return g_test_run();
}
