#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
import datetime
import signal

from kit_test import catalog, main, stream

ALL = {"first_day": "2023-12-30", "last_day": "2026-01-02"}
INCREMENTAL = catalog(stream("days", sync_mode="incremental"))


def expected(first, last):
    day, end, rows = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last), []
    while day <= end:
        rows.append({"day": day.isoformat(), "day_of_year": day.timetuple().tm_yday, "weekday": day.isoweekday()})
        day += datetime.timedelta(days=1)
    return rows


def test_days(c):
    result = c.read(ALL, catalog("days")).ok()
    assert result.records() == expected("2023-12-30", "2026-01-02")
    assert [s["sourceStats"]["recordCount"] for s in result.states()] == [366, 366, 3]
    assert result.statuses() == [("days", "STARTED"), ("days", "RUNNING"), ("days", "COMPLETE")]


def test_second_read_goes_on(c):
    first = c.read(dict(ALL, last_day="2024-02-28"), INCREMENTAL).ok()
    second = c.read(dict(ALL, last_day="2024-03-01"), INCREMENTAL, [first.states()[-1]]).ok()
    assert [r["day"] for r in second.records()] == ["2024-02-29", "2024-03-01"]
    third = c.read(dict(ALL, last_day="2024-03-01"), INCREMENTAL, [second.states()[-1]]).ok()
    assert third.records() == [] and third.states()[-1]["stream"] == second.states()[-1]["stream"]


def test_full_refresh_begins_again(c):
    first = c.read(ALL, catalog("days")).ok()
    assert c.read(ALL, catalog("days"), [first.states()[-1]]).ok().records() == first.records()


def test_a_lower_last_day_brings_nothing_and_forgets_nothing(c):
    first = c.read(ALL, INCREMENTAL).ok()
    second = c.read(dict(ALL, last_day="2024-01-01"), INCREMENTAL, [first.states()[-1]]).ok()
    assert second.records() == []
    assert second.states()[-1]["stream"]["stream_state"] == {"day": "2026-01-02"}


def test_configuration(c):
    for config, text in [
        ({}, "configuration.last_day: missing"),
        ({"last_day": "tomorrow"}, "configuration.last_day: "),
        ({"last_day": "2025-02-29"}, "configuration.last_day: not a day"),
        ({"first_day": "2025-02-00", "last_day": "2025-03-01"}, "configuration.first_day: not a day"),
        ({"first_day": "2025-01-02", "last_day": "2025-01-01"}, "configuration.last_day: not a day, or one before"),
    ]:
        assert text in c.check_fails(config), c.check_fails(config)


def test_state(c):
    for value in ({}, {"day": 5}, {"day": "2025-13-01"}):
        state = {"type": "STREAM", "stream": {"stream_descriptor": {"name": "days"}, "stream_state": value}}
        assert c.read(ALL, INCREMENTAL, [state]).error()["message"] == "stream 'days': state.day: not a day"


def test_sigterm(c):
    config = {"first_day": "0001-01-01", "last_day": "9998-12-31"}
    process = c.popen(*c.args("read", config, INCREMENTAL))
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    lines = process.stdout.read().splitlines()
    assert process.wait(30) == 143 and b'"INCOMPLETE"' in lines[-1] and b'"STATE"' in lines[-2]


main(globals())
