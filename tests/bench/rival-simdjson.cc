/* SPDX-License-Identifier: Apache-2.0 */
#include "rival.h"

#include <simdjson.h>

/* simdjson's DOM: the fastest document parser that Debian 12 has. */

using namespace simdjson;

static dom::parser parser;
static internal::string_builder<> builder;
static std::string out;

static gboolean
parse(const char *line, gsize len)
{
    dom::element root;
    return parser.parse(line, len, false).get(root) == SUCCESS;
}

static void
write_key(bool &first, std::string_view key)
{
    out += first ? "{\"" : ",\"";
    out += key; /* the benchmark's keys need no escapes */
    out += "\":";
    first = false;
}

static void
write_value(dom::element value)
{
    builder.clear();
    builder.append(value);
    out += builder.str();
}

static void
write_data(dom::object data, std::string_view drop, std::string_view hash)
{
    bool first = true;
    std::string_view text;
    for (dom::key_value_pair member : data) {
        if (member.key == drop)
            continue;
        if (!hash.empty() && member.key == hash && member.value.get(text) == SUCCESS) {
            char hex[65];
            bench_hash(text.data(), text.size(), hex);
            write_key(first, std::string(member.key) + "_hashed");
            out.append("\"").append(hex, 64).append("\"");
            continue;
        }
        write_key(first, member.key);
        write_value(member.value);
    }
    out += "}";
}

static gsize
edit(const char *line, gsize len, const char *drop, const char *hash)
{
    dom::object root, record, data;
    std::string_view stream;
    bool first = true;
    if (parser.parse(line, len, false).get(root) != SUCCESS ||
        root["record"].get(record) != SUCCESS)
        return 0;
    out = "{\"type\":\"RECORD\",\"record\":";
    for (dom::key_value_pair member : record) {
        write_key(first, member.key);
        if (member.key == "data" && member.value.get(data) == SUCCESS)
            write_data(data, drop, hash != nullptr ? hash : "");
        else if (member.key == "stream" && member.value.get(stream) == SUCCESS)
            out.append("\"" BENCH_PREFIX).append(stream).append("\"");
        else
            write_value(member.value);
    }
    out += "}}\n";
    return out.size();
}

#define TEXT(x) TEXT_(x)
#define TEXT_(x) #x
extern "C" const Rival bench_rival = {"simdjson " TEXT(SIMDJSON_VERSION) " DOM", parse, edit};
