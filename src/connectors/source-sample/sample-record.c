/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sample-record.h"

#include <string.h>

#include "sample-words.h"

/* Dates come from a table of days: 2000-01-01 and 10,958 more (to the end of 2029). */
#define FIRST_YEAR 2000
#define N_DAYS 10958
#define DAY_SECONDS 86400
/* The first 25 years are creations, so that what follows them stays inside the table. */
#define CREATION_SECONDS (G_GUINT64_CONSTANT(9131) * DAY_SECONDS)

static char days[N_DAYS][10]; /* "2000-01-01" */
static char pairs[100][2];    /* "00" … "99" */

/* A counter-based generator: the k-th word of a record is a mix of (seed, stream, id, k). The mix
 * is the finaliser of splitmix64. */
typedef struct {
    guint64 state;
} Random;

static inline guint64
mix(guint64 x)
{
    x = (x ^ (x >> 30)) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static inline Random
random_of(const SampleMaker *maker, guint64 stream, guint64 id)
{
    return (Random){mix(mix(maker->seed + stream) ^ (id * G_GUINT64_CONSTANT(0xd1342543de82ef95)))};
}

static inline guint64
random_next(Random *random)
{
    random->state += G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    return mix(random->state);
}

/* Evenly in [0, n), n < 2^32. */
static inline guint64
random_below(guint64 word, guint64 n)
{
    return ((word & G_MAXUINT32) * n) >> 32;
}

void
sample_maker_init(SampleMaker *maker, gint64 seed, const char *updated_at)
{
    memset(maker, 0, sizeof *maker);
    maker->seed = mix((guint64)seed);
    if (updated_at != NULL) {
        maker->updated_at_len = strlen(updated_at);
        g_assert(maker->updated_at_len < sizeof maker->updated_at);
        memcpy(maker->updated_at, updated_at, maker->updated_at_len);
    }
    sample_words_init();
    for (guint i = 0; i < 100; i++) {
        pairs[i][0] = (char)('0' + i / 10);
        pairs[i][1] = (char)('0' + i % 10);
    }
    GDate date;
    g_date_clear(&date, 1);
    g_date_set_dmy(&date, 1, G_DATE_JANUARY, FIRST_YEAR);
    for (guint i = 0; i < N_DAYS; i++) {
        char text[32];
        g_snprintf(text, sizeof text, "%04d-%02d-%02d", g_date_get_year(&date),
                   g_date_get_month(&date), g_date_get_day(&date));
        memcpy(days[i], text, sizeof days[i]);
        g_date_add_days(&date, 1);
    }
}

#define PUT(p, literal) ((char *)memcpy((p), (literal), sizeof(literal) - 1) + sizeof(literal) - 1)

static inline char *
put_pair(char *p, guint value)
{
    memcpy(p, pairs[value], 2);
    return p + 2;
}

static inline char *
put_uint(char *p, guint64 value)
{
    char text[20];
    char *end = text + sizeof text, *q = end;
    while (value >= 100) {
        q -= 2;
        memcpy(q, pairs[value % 100], 2);
        value /= 100;
    }
    if (value >= 10) {
        q -= 2;
        memcpy(q, pairs[value], 2);
    } else {
        *--q = (char)('0' + value);
    }
    memcpy(p, q, (gsize)(end - q));
    return p + (end - q);
}

/* Seconds since 2000-01-01, quotes included: "2011-03-04T05:06:07Z". */
static inline char *
put_time(char *p, guint64 seconds)
{
    guint day = (guint)(seconds / DAY_SECONDS), second = (guint)(seconds % DAY_SECONDS);
    *p++ = '"';
    memcpy(p, days[MIN(day, N_DAYS - 1)], sizeof days[0]);
    p += sizeof days[0];
    *p++ = 'T';
    p = put_pair(p, second / 3600);
    *p++ = ':';
    p = put_pair(p, second / 60 % 60);
    *p++ = ':';
    p = put_pair(p, second % 60);
    return PUT(p, "Z\"");
}

/* ,"created_at":…,"updated_at":… */
static char *
put_times(char *p, const SampleMaker *maker, guint64 created, guint64 updated)
{
    p = PUT(p, ",\"created_at\":");
    p = put_time(p, created);
    p = PUT(p, ",\"updated_at\":");
    if (maker->updated_at_len == 0)
        return put_time(p, updated);
    *p++ = '"';
    memcpy(p, maker->updated_at, sizeof maker->updated_at);
    p += maker->updated_at_len;
    *p++ = '"';
    return p;
}

#define WORD(p, list, word, shift)                                                                 \
    sample_put_word((p), sample_pick((list), (guint16)((word) >> (shift))))

static char *
put_address(char *p, Random *random)
{
    guint64 a = random_next(random), b = random_next(random);
    p = PUT(p, ",\"address\":{\"street_number\":\"");
    p = put_uint(p, 1 + random_below(a, 1999));
    p = PUT(p, "\",\"street_name\":\"");
    p = WORD(p, SAMPLE_STREETS, a, 32);
    p = PUT(p, "\",\"city\":\"");
    p = WORD(p, SAMPLE_CITIES, a, 48);
    p = PUT(p, "\",\"state\":\"");
    p = WORD(p, SAMPLE_STATES, b, 32);
    p = PUT(p, "\",\"province\":\"");
    p = WORD(p, SAMPLE_PROVINCES, b, 40);
    p = PUT(p, "\",\"postal_code\":\"");
    p = put_uint(p, 10000 + random_below(b, 90000));
    p = PUT(p, "\",\"country_code\":\"");
    p = WORD(p, SAMPLE_COUNTRIES, b, 48);
    return PUT(p, "\"}");
}

static char *
put_person(char *p, Random *random, guint64 id)
{
    guint64 names = random_next(random), a = random_next(random);
    p = PUT(p, ",\"name\":\"");
    p = WORD(p, SAMPLE_FIRST_NAMES, names, 0);
    *p++ = ' ';
    p = WORD(p, SAMPLE_LAST_NAMES, names, 16);
    p = PUT(p, "\",\"title\":\"");
    p = WORD(p, SAMPLE_TITLES, names, 32);
    p = PUT(p, "\",\"age\":");
    p = put_uint(p, 18 + random_below(names >> 24, 70));
    p = PUT(p, ",\"email\":\"");
    p = WORD(p, SAMPLE_FIRST_NAMES_LOWER, names, 0);
    *p++ = '.';
    p = WORD(p, SAMPLE_LAST_NAMES_LOWER, names, 16);
    p = put_uint(p, id); /* makes it unique */
    p = PUT(p, "@example.com\",\"telephone\":\"+1 555 ");
    guint phone = (guint)random_below(a, 10000000);
    p = put_uint(p, 100 + phone / 10000 % 900);
    *p++ = ' ';
    p = put_pair(p, phone / 100 % 100);
    p = put_pair(p, phone % 100);
    p = PUT(p, "\",\"gender\":\"");
    p = WORD(p, SAMPLE_GENDERS, a, 32);
    p = PUT(p, "\",\"language\":\"");
    p = WORD(p, SAMPLE_LANGUAGES, a, 40);
    p = PUT(p, "\",\"academic_degree\":\"");
    p = WORD(p, SAMPLE_DEGREES, a, 48);
    return PUT(p, "\"");
}

char *
sample_put_user(const SampleMaker *maker, guint64 id, char *p)
{
    Random random = random_of(maker, 1, id);
    guint64 times = random_next(&random), a = random_next(&random);
    guint64 created = random_below(times, CREATION_SECONDS);
    p = PUT(p, "{\"id\":");
    p = put_uint(p, id);
    p = put_times(p, maker, created, created + random_below(times >> 32, 400 * DAY_SECONDS));
    p = put_person(p, &random, id);
    p = PUT(p, ",\"nationality\":\"");
    p = WORD(p, SAMPLE_NATIONALITIES, a, 0);
    p = PUT(p, "\",\"occupation\":\"");
    p = WORD(p, SAMPLE_OCCUPATIONS, a, 16);
    p = PUT(p, "\",\"height\":\"1.");
    p = put_pair(p, 45 + (guint)random_below(a >> 16, 55));
    p = PUT(p, "\",\"blood_type\":\"");
    p = WORD(p, SAMPLE_BLOOD_TYPES, a, 48);
    p = PUT(p, "\",\"weight\":");
    p = put_uint(p, 40 + random_below(a >> 24, 80));
    p = put_address(p, &random);
    *p++ = '}';
    return p;
}

/* A fixed list: products do not depend on the seed. */
char *
sample_put_product(const SampleMaker *maker, guint64 id, char *p)
{
    Random random = {mix(id)};
    guint64 a = random_next(&random), b = random_next(&random);
    guint64 created = random_below(a, CREATION_SECONDS);
    p = PUT(p, "{\"id\":");
    p = put_uint(p, id);
    p = PUT(p, ",\"make\":\"");
    p = sample_put_word(p, &sample_words[SAMPLE_MAKES].words[(id - 1) / 10 % 10]);
    p = PUT(p, "\",\"model\":\"");
    p = sample_put_word(p, &sample_words[SAMPLE_MODELS].words[(id - 1) % 10]);
    p = PUT(p, "\",\"year\":");
    p = put_uint(p, 1990 + random_below(b, 35));
    p = PUT(p, ",\"price\":");
    guint64 cents = 500000 + random_below(b >> 32, 7500000);
    p = put_uint(p, cents / 100);
    *p++ = '.';
    p = put_pair(p, (guint)(cents % 100));
    p = put_times(p, maker, created, created + DAY_SECONDS);
    *p++ = '}';
    return p;
}

char *
sample_put_purchase(const SampleMaker *maker, guint64 id, char *p)
{
    Random random = random_of(maker, 3, id);
    guint64 who = random_next(&random), times = random_next(&random), luck = random_next(&random);
    guint64 created = random_below(times, CREATION_SECONDS);
    guint64 added = created + random_below(times >> 32, 7 * DAY_SECONDS);
    guint64 bought = added + 60 + random_below(luck, 14 * DAY_SECONDS);
    guint64 returned = bought + DAY_SECONDS + random_below(luck >> 32, 60 * DAY_SECONDS);
    /* Of ids up to its own: they exist whenever this record does, whatever the count is. */
    guint64 user = 1 + random_below(who, MIN(id, G_MAXUINT32));
    guint64 product = 1 + random_below(who >> 32, MIN(id, SAMPLE_N_PRODUCTS));
    gboolean is_bought = (luck & 0xffff) < 0xffff * 70 / 100;
    gboolean is_returned = is_bought && (luck >> 48) < 0xffff * 15 / 100;
    guint64 last = is_returned ? returned : is_bought ? bought : added;
    p = PUT(p, "{\"id\":");
    p = put_uint(p, id);
    p = PUT(p, ",\"user_id\":");
    p = put_uint(p, user);
    p = PUT(p, ",\"product_id\":");
    p = put_uint(p, product);
    p = put_times(p, maker, created, last);
    p = PUT(p, ",\"added_to_cart_at\":");
    p = put_time(p, added);
    p = PUT(p, ",\"purchased_at\":");
    p = is_bought ? put_time(p, bought) : PUT(p, "null");
    p = PUT(p, ",\"returned_at\":");
    p = is_returned ? put_time(p, returned) : PUT(p, "null");
    *p++ = '}';
    return p;
}
