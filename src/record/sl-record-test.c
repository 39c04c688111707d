/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-record.h"

#include <string.h>

#include "sl-error.h"
#include "test-records.h"

#define ID "550e8400-e29b-41d4-a716-446655440000"

static const char full[] =
    "{\"carId\":\"" ID "\",\"name\":\"mini\",\"color\":\"light_green\",\"mode\":\"slow\","
    "\"seats\":2,\"price\":1.5,\"sold\":true,\"soldAt\":\"2026-08-01T12:00:00Z\","
    "\"spare\":{\"size\":15},\"wheels\":[{\"size\":16,\"tyre\":\"wet\"},{\"size\":17}],"
    "\"tags\":[\"a\",\"b\"],\"extra\":{\"n\":1.10,\"big\":18446744073709551615},\"key\":\"s3cret\","
    "\"grid\":[[\"x\"]]}";

static SlCar *
parse(const char *text, GError **error)
{
    return sl_record_parse_text(&sl_car_record, text, strlen(text), error);
}

/* What was read is written back equal: numbers in free JSON keep their text. */
static void
test_round_trip(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlCar) car = parse(full, &error);
    g_assert_no_error(error);
    g_assert_cmpint(car->color, ==, SL_COLOR_LIGHT_GREEN);
    g_assert_cmpint(car->mode, ==, SL_CAR_MODE_SLOW);
    g_assert_cmpuint(car->wheels->len, ==, 2);
    g_assert_cmpint(((SlWheel *)car->wheels->pdata[1])->size, ==, 17);
    g_autofree char *text = sl_record_print(&sl_car_record, car, 0);
    g_assert_cmpstr(text, ==, full);
    g_autofree char *masked = sl_record_print(&sl_car_record, car, SL_RECORD_MASK_SECRETS);
    g_assert_nonnull(strstr(masked, "\"key\":\"**********\""));
    g_assert_null(strstr(masked, "s3cret"));
}

static void
test_absent_null_default(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlCar) car =
        parse("{\"carId\":\"" ID "\",\"name\":\"x\",\"price\":null,\"unknown\":1}", &error);
    g_assert_no_error(error);
    g_assert_cmpint(car->seats, ==, 4);
    g_assert_cmpint(car->mode, ==, SL_CAR_MODE_FAST);
    g_assert_false(sl_record_has(&sl_car_record, car, SL_CAR_SEATS));
    g_assert_false(sl_record_has(&sl_car_record, car, SL_CAR_PRICE));
    g_assert_true(sl_record_is_null(car, SL_CAR_PRICE));
    g_assert_false(sl_record_is_null(car, SL_CAR_SEATS));
    g_autofree char *text = sl_record_print(&sl_car_record, car, 0);
    g_assert_cmpstr(text, ==, "{\"carId\":\"" ID "\",\"name\":\"x\"}");
    g_autofree char *nulls = sl_record_print(&sl_car_record, car, SL_RECORD_WRITE_NULLS);
    g_assert_cmpstr(nulls, ==, "{\"carId\":\"" ID "\",\"name\":\"x\",\"price\":null}");
    sl_car_set_price(car, 2);
    g_autofree char *priced = sl_record_print(&sl_car_record, car, SL_RECORD_WRITE_NULLS);
    g_assert_cmpstr(priced, ==, "{\"carId\":\"" ID "\",\"name\":\"x\",\"price\":2}");
}

/* Every refusal names the path. */
static void
test_refused(void)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"[]", "expected object"},
        {"{\"name\":\"x\"}", "carId: is required"},
        {"{\"carId\":null,\"name\":\"x\"}", "carId: is required"},
        {"{\"carId\":\"7\",\"name\":\"x\"}", "carId: '7' is not a UUID"},
        {"{\"carId\":7,\"name\":\"x\"}", "carId: expected string"},
        {"{\"carId\":\"" ID "\",\"name\":\"\"}", "name: must have 1 to 10 characters"},
        {"{\"carId\":\"" ID "\",\"name\":\"x\",\"color\":\"blue\"}",
         "color: expected one of red, light_green, not 'blue'"},
        {"{\"carId\":\"" ID "\",\"name\":\"x\",\"seats\":1.5}", "seats: expected integer"},
        {"{\"carId\":\"" ID "\",\"name\":\"x\",\"sold\":\"yes\"}", "sold: expected boolean"},
        {"{\"carId\":\"" ID "\",\"name\":\"x\",\"soldAt\":\"now\"}",
         "soldAt: 'now' is not an RFC 3339 time"},
        {"{\"carId\":\"" ID "\",\"name\":\"x\",\"spare\":{\"size\":100}}",
         "spare.size: must lie between 1 and 99"},
        {"{\"carId\":\"" ID "\",\"name\":\"x\",\"wheels\":[{\"size\":1},{\"tyre\":\"y\"}]}",
         "wheels[1].size: is required"},
        {"{\"carId\":\"" ID "\",\"name\":\"x\",\"wheels\":[7]}", "wheels[0]: expected object"},
        {"{\"carId\":\"" ID "\",\"name\":\"x\",\"tags\":[7]}", "tags[0]: expected string"},
        {"{\"carId\":\"" ID "\",\"name\":\"x\",\"tags\":[\"a\",\"b\",{}]}",
         "tags[2]: expected string"},
        {"{\"carId\":\"" ID "\",\"name\":\"x\",\"tags\":\"a\"}", "tags: expected array of strings"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(parse(cases[i].text, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        g_assert_cmpstr(error->message, ==, cases[i].message);
        /* the same for whoever has read the document himself */
        g_autoptr(GError) same = NULL;
        g_autoptr(SlJsonDoc) doc = sl_json_read(cases[i].text, strlen(cases[i].text), NULL, NULL);
        g_assert_null(sl_record_parse(&sl_car_record, doc, sl_json_root(doc), &same));
        g_assert_cmpstr(same->message, ==, cases[i].message);
    }
}

/* The second wire: columns as PostgreSQL prints them. */
static void
test_columns(void)
{
    static const struct {
        const char *column, *text;
    } row[] = {
        {"car_id", ID},
        {"name", "mini"},
        {"color", "red"},
        {"seats", "7"},
        {"sold", "t"},
        {"sold_at", "2026-08-01 12:00:00.5+00"},
        {"spare", "{\"size\":3}"},
        {"tags", "[\"a\"]"},
        {"price", NULL},
    };
    g_autoptr(SlCar) car = sl_car_new();
    g_autoptr(GError) error = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(row); i++) {
        sl_record_set_text(&sl_car_record, car, row[i].column, row[i].text, &error);
        g_assert_no_error(error);
    }
    g_autofree char *text = sl_record_print(&sl_car_record, car, 0);
    g_assert_cmpstr(text, ==,
                    "{\"carId\":\"" ID "\",\"name\":\"mini\",\"color\":\"red\",\"seats\":7,"
                    "\"sold\":true,\"soldAt\":\"2026-08-01T12:00:00.5Z\",\"spare\":{\"size\":3},"
                    "\"tags\":[\"a\"]}");
    g_assert_true(sl_record_is_null(car, SL_CAR_PRICE));
    g_assert_false(sl_record_set_text(&sl_car_record, car, "weight", "1", &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_DATABASE);
    g_clear_error(&error);
    g_assert_false(sl_record_set_text(&sl_car_record, car, "seats", "many", &error));
    g_assert_cmpstr(error->message, ==, "seats: 'many' is not an integer");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/record/record/round-trip", test_round_trip);
    g_test_add_func("/record/record/absent-null-default", test_absent_null_default);
    g_test_add_func("/record/record/refused", test_refused);
    g_test_add_func("/record/record/columns", test_columns);
    return g_test_run();
}
