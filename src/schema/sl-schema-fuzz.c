/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sl-error.h"

/* sl-schema-fuzz [ROUNDS [SEED]]: schemas and values made at random. No crash, an answer or
 * SL_ERROR_TOO_LARGE; and laws that hold whatever they say: the same question has the same answer,
 * with and without reasons; {"not": S} says the opposite; {"allOf": [S]}, {"anyOf": [S]} and
 * {"$ref": …} to S say the same. */

static void
make_value(GRand *rand, GString *out, guint depth)
{
    static const char *const scalars[] = {"null",
                                          "true",
                                          "0",
                                          "1",
                                          "1.0",
                                          "-3",
                                          "1e2",
                                          "0.1",
                                          "\"\"",
                                          "\"a\"",
                                          "\"ab\"",
                                          "\"\\u00e9\"",
                                          "99999999999999999999"};
    guint kind = (guint)g_rand_int_range(rand, 0, depth > 3 ? 1 : 3);
    if (kind == 0) {
        g_string_append(out, scalars[g_rand_int_range(rand, 0, G_N_ELEMENTS(scalars))]);
        return;
    }
    guint n = (guint)g_rand_int_range(rand, 0, 4);
    g_string_append_c(out, kind == 1 ? '[' : '{');
    for (guint i = 0; i < n; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        if (kind == 2)
            g_string_append_printf(out, "\"%c\":", 'a' + g_rand_int_range(rand, 0, 3));
        make_value(rand, out, depth + 1);
    }
    g_string_append_c(out, kind == 1 ? ']' : '}');
}

static void make_schema(GRand *rand, GString *out, guint depth);

/* What follows a word in the template: V a value, S a schema, L a list of schemas, M members, N a
 * number, C a count, P a pattern, T a type, R a reference, O names. */
static void
make_argument(GRand *rand, GString *out, char kind, guint depth)
{
    static const char *const fixed[][4] = {
        ['P'] = {"\"^a\"", "\"(a|b)*c\"", "\"[^]\"", "\"\\\\s+$\""},
        ['T'] = {"\"string\"", "\"integer\"", "[\"object\",\"null\"]", "\"array\""},
        ['R'] = {"\"#\"", "\"#/definitions/x\"", "\"#/properties/a\"", "\"#/definitions/y\""},
        ['O'] = {"[]", "[\"a\"]", "[\"a\",\"b\"]", "[\"c\"]"},
        ['N'] = {"1", "0.1", "2.5e1", "3"},
        ['C'] = {"0", "1", "2", "3"},
    };
    guint n = (guint)g_rand_int_range(rand, 1, 4);
    if (kind == 'V') {
        make_value(rand, out, 2);
    } else if (kind == 'S') {
        make_schema(rand, out, depth + 1);
    } else if (kind == 'L' || kind == 'M' || kind == 'E') {
        g_string_append_c(out, kind == 'M' ? '{' : '[');
        for (guint i = 0; i < n; i++) {
            if (i > 0)
                g_string_append_c(out, ',');
            if (kind == 'M')
                g_string_append_printf(out, "\"%c\":", 'a' + (char)i);
            if (kind == 'E')
                make_value(rand, out, 2);
            else
                make_schema(rand, out, depth + 1);
        }
        g_string_append_c(out, kind == 'M' ? '}' : ']');
    } else {
        g_string_append(out, fixed[(guint8)kind][g_rand_int_range(rand, 0, 4)]);
    }
}

static void
make_schema(GRand *rand, GString *out, guint depth)
{
    static const char *const words[] = {
        "Ttype",
        "Vconst",
        "Eenum",
        "Nminimum",
        "Nmaximum",
        "NexclusiveMinimum",
        "NmultipleOf",
        "CminLength",
        "CmaxLength",
        "Ppattern",
        "Orequired",
        "Mproperties",
        "MpatternProperties",
        "SadditionalProperties",
        "SpropertyNames",
        "CminProperties",
        "Mdependencies",
        "Sitems",
        "Litems",
        "SadditionalItems",
        "Scontains",
        "CmaxItems",
        "VuniqueItems",
        "LallOf",
        "LanyOf",
        "LoneOf",
        "Snot",
        "Sif",
        "Sthen",
        "Selse",
        "R$ref",
    };
    guint n = depth > 3 ? 0 : (guint)g_rand_int_range(rand, 0, 4);
    if (g_rand_int_range(rand, 0, 12) == 0) {
        g_string_append(out, g_rand_boolean(rand) ? "true" : "false");
        return;
    }
    g_string_append_c(out, '{');
    for (guint i = 0; i < n; i++) {
        const char *word = words[g_rand_int_range(rand, 0, G_N_ELEMENTS(words))];
        g_string_append_printf(out, "%s\"%s\":", i > 0 ? "," : "", word + 1);
        make_argument(rand, out, *word, depth);
    }
    g_string_append_c(out, '}');
}

typedef enum { YES, NO, NO_ANSWER } Answer;

static Answer
ask(const char *text, const SlJsonDoc *doc, gboolean reasons)
{
    const SlSchemaSource source = {.lenient = TRUE};
    const SlSchemaAsk how = {.max_work = 200000, .formats = TRUE};
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) faults = NULL;
    g_autoptr(SlSchema) schema = sl_schema_compile(text, strlen(text), &source, &error);
    if (schema == NULL) {
        g_assert_true(error != NULL);
        return NO_ANSWER;
    }
    gboolean ok =
        sl_schema_validate(schema, doc, sl_json_root(doc), &how, reasons ? &faults : NULL, &error);
    if (error != NULL) {
        g_assert_error(error, SL_ERROR, SL_ERROR_TOO_LARGE);
        return NO_ANSWER;
    }
    if (reasons && !ok)
        g_assert_true(faults != NULL && faults->len > 0); /* never "no" without a reason */
    return ok ? YES : NO;
}

/* Wraps the schema; its references start at the root, so that only one without is wrapped. */
static gboolean
check_laws(const char *schema, const SlJsonDoc *doc, Answer answer)
{
    static const struct {
        const char *before, *after;
        gboolean opposite;
    } laws[] = {
        {"{\"not\":", "}", TRUE},
        {"{\"allOf\":[", "]}", FALSE},
        {"{\"anyOf\":[", ",false]}", FALSE},
        {"{\"oneOf\":[false,", "]}", FALSE},
        {"{\"if\":", ",\"else\":false}", FALSE},
        {"{\"$ref\":\"#/definitions/s\",\"definitions\":{\"s\":", "}}", FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(laws) && strstr(schema, "$ref") == NULL; i++) {
        g_autofree char *text = g_strconcat(laws[i].before, schema, laws[i].after, NULL);
        Answer other = ask(text, doc, TRUE);
        if (other == NO_ANSWER || answer == NO_ANSWER)
            continue;
        if ((other == answer) == laws[i].opposite) {
            fprintf(stderr, "%s of %.*s: %d, but %d\n", text, (int)sl_json_root(doc)->n,
                    sl_json_root(doc)->p, other, answer);
            return FALSE;
        }
    }
    return TRUE;
}

/* Bytes of a schema changed at random: mostly refused, never a crash. */
static void
check_mutated(GRand *rand, const GString *schema, const SlJsonDoc *doc)
{
    g_autofree char *text = g_strndup(schema->str, schema->len);
    for (guint i = 0; i < 3 && schema->len > 0; i++)
        text[g_rand_int_range(rand, 0, (gint32)schema->len)] = (char)g_rand_int_range(rand, 1, 256);
    ask(text, doc, TRUE);
}

int
main(int argc, char **argv)
{
    guint64 rounds = 20000, seed = 1;
    if ((argc > 1 && !g_ascii_string_to_unsigned(argv[1], 10, 1, G_MAXUINT32, &rounds, NULL)) ||
        (argc > 2 && !g_ascii_string_to_unsigned(argv[2], 10, 0, G_MAXUINT32, &seed, NULL)))
        return 2;
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)seed);
    guint answers[3] = {0};
    for (guint i = 0; i < rounds; i++) {
        g_autoptr(GString) schema = g_string_new(NULL);
        g_autoptr(GString) value = g_string_new(NULL);
        make_schema(rand, schema, 0);
        make_value(rand, value, 0);
        g_autoptr(SlJsonDoc) doc = sl_json_read(value->str, value->len, NULL, NULL);
        g_assert_true(doc != NULL);
        Answer answer = ask(schema->str, doc, TRUE);
        g_assert_true(answer == NO_ANSWER || answer == ask(schema->str, doc, FALSE));
        if (!check_laws(schema->str, doc, answer))
            return 1;
        check_mutated(rand, schema, doc);
        answers[answer]++;
    }
    printf("%u yes, %u no, %u without an answer\n", answers[YES], answers[NO], answers[NO_ANSWER]);
    return answers[YES] < rounds / 10 || answers[NO] < rounds / 10;
}
