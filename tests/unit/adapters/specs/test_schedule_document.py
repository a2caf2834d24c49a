"""What each field of a valid schedule means, and where it says so."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from controller.model.calendar import CalendarEntry, EntryKind, ExcludedCron, ExcludedDates
from controller.model.schedule import (
    CatchUp,
    CatchUpPolicy,
    Drift,
    ForeignJobs,
    FreshnessAlert,
    Mode,
    OnDelete,
    Origin,
    Overlap,
    Retry,
    ScheduleSpec,
    Suspension,
    WhenInDoubt,
)
from controller.model.window import OnClose, Window, WindowKind
from tests.unit.adapters.specs.texts import HEAD, MINIMAL, read, spec_of


def test_the_smallest_document_has_every_default() -> None:
    """What is not written has the default of the format."""
    assert spec_of(MINIMAL) == ScheduleSpec(
        name="orders",
        platform="default",
        connection_id="conn_1",
        entries=(CalendarEntry(EntryKind.EVERY, "6h", every=21_600),),
        origin=Origin("a.yaml", 1, 1),
        content=spec_of(MINIMAL).content,
        origins={"connectionId": Origin("a.yaml", 5, 3), "schedules": Origin("a.yaml", 6, 3)},
    )


def test_every_supported_field_arrives() -> None:
    """Each field that is in force now ends up in the spec, and none of them is held."""
    text = MINIMAL.replace("orders", "orders, labels: {team: finance, due: 22:30}").replace(
        "[{every: 6h}]",
        '[{cron: "0 6 * * *", timeZone: Europe/Zurich}, {every: 1h30m, anchor: "1970-01-01T01:00:00+00:30"}]',
    )
    spec = spec_of(
        text
        + "  platform: eu\n  mode: Observe\n  catchUp: {policy: None, window: 1h}\n  whenInDoubt: Skip\n  minGap: 90s\n"
        "  overlap: Skip\n  maxDuration: 1d\n  suspend: {reason: moving, by: ana}\n  drift: {foreignJobs: Ignore}\n"
        "  onDelete: Orphan\n"
    )
    assert spec.labels == (("due", "22:30"), ("team", "finance"))
    assert spec.entries == (
        CalendarEntry(EntryKind.CRON, "0 6 * * *", "Europe/Zurich"),
        CalendarEntry(EntryKind.EVERY, "1h30m", every=5400, anchor=1800),
    )
    assert (spec.platform, spec.mode, spec.when_in_doubt) == ("eu", Mode.OBSERVE, WhenInDoubt.SKIP)
    assert spec.catch_up == CatchUp(CatchUpPolicy.NONE, timedelta(hours=1))
    assert (spec.min_gap, spec.max_duration) == (timedelta(seconds=90), timedelta(days=1))
    assert spec.suspend == Suspension("moving", "ana")
    assert (spec.overlap, spec.foreign_jobs, spec.on_delete) == (Overlap.SKIP, ForeignJobs.IGNORE, OnDelete.ORPHAN)
    assert spec.unsupported == ()


@pytest.mark.parametrize(("value", "suspend"), [("true", Suspension()), ("false", None), ("{}", Suspension())])
def test_suspend_is_a_truth_value_or_a_reason(value: str, suspend: Suspension | None) -> None:
    """``true`` and a mapping suspend, ``false`` does not."""
    assert spec_of(MINIMAL + f"  suspend: {value}").suspend == suspend


BACKUP = Window(WindowKind.DENY, "0 2 * * *", 10_800, "Europe/Zurich", "backup", OnClose.CANCEL)


@pytest.mark.parametrize(
    ("line", "attribute", "value"),
    [
        (
            'exclude: [{cron: "* * * * SUN"}, {dates: ["2026-12-25"], timeZone: Europe/Zurich}]',
            "exclude",
            (ExcludedCron("* * * * SUN"), ExcludedDates(frozenset({date(2026, 12, 25)}), "Europe/Zurich")),
        ),
        ("jitter: 10m", "jitter", timedelta(minutes=10)),
        ('startDate: "2026-01-01T00:00:00+01:00"', "start_date", datetime(2025, 12, 31, 23, tzinfo=UTC)),
        ("endDate: 2027-01-01T00:00:00Z", "end_date", datetime(2027, 1, 1, tzinfo=UTC)),
        ("overlap: Queue", "overlap", Overlap.QUEUE),
        ("overlap: Replace", "overlap", Overlap.REPLACE),
        ("stalledAfter: 30m", "stalled_after", timedelta(minutes=30)),
        ("retry: {}", "retry", Retry()),
        ("retry: {attempts: 5}", "retry", Retry(attempts=5)),
        ("retry: {backoff: 2m, maxBackoff: 2m}", "retry", Retry(3, timedelta(minutes=2), timedelta(minutes=2))),
        ("failureBudget: 10", "failure_budget", 10),
        (
            'windows: [{deny: {cron: "0 2 * * *", duration: 3h, timeZone: Europe/Zurich, reason: backup}, onClose: Cancel}]',
            "windows",
            (BACKUP,),
        ),
        (
            'windows: [{allow: {cron: "0 0 * * *", duration: 25h}}]',
            "windows",
            (Window(WindowKind.ALLOW, "0 0 * * *", 90_000),),
        ),
        ('suspend: {until: "2026-12-01T08:00:00Z"}', "suspend", Suspension(until=datetime(2026, 12, 1, 8, tzinfo=UTC))),
        ("drift: {foreignJobs: Cancel}", "foreign_jobs", ForeignJobs.CANCEL),
        ("drift: {platformSchedule: Enforce}", "drift_schedule", Drift.ENFORCE),
        ("drift: {connectionStatus: Ignore}", "drift_status", Drift.IGNORE),
        ("onDelete: CancelRunning", "on_delete", OnDelete.CANCEL_RUNNING),
        ("freshnessAlert: {warnAfter: 6h}", "freshness_alert", FreshnessAlert(timedelta(hours=6))),
        ("freshnessAlert: {errorAfter: 6h}", "freshness_alert", FreshnessAlert(None, timedelta(hours=6))),
    ],
)
def test_a_field_means_what_it_says(line: str, attribute: str, value: Any) -> None:
    """A field that is in force arrives in the spec, alone, and nothing is held for it."""
    tree = read(MINIMAL + "  " + line)
    assert (tree.errors, tree.warnings, tree.specs[0].unsupported) == ((), (), ())
    assert replace(tree.specs[0], content="", origins={}) == replace(
        spec_of(MINIMAL), content="", origins={}, **{attribute: value}
    )


ALL = """\
  platform: eu
  mode: Observe
  catchUp: {policy: None, window: 1h}
  whenInDoubt: Skip
  minGap: 90s
  overlap: Queue
  maxDuration: 1d
  stalledAfter: 1h
  retry: {attempts: 1, backoff: 2m, maxBackoff: 3m}
  failureBudget: 2
  windows: [{allow: {cron: "0 0 * * *", duration: 24h}}]
  exclude: [{dates: ["2026-12-25"]}]
  jitter: 1m
  startDate: 2026-01-01T00:00:00Z
  endDate: 2027-01-01T00:00:00Z
  suspend: false
  drift: {foreignJobs: Ignore}
  onDelete: Orphan
  freshnessAlert:
    warnAfter: 6h
    errorAfter: 12h
"""


def test_every_written_value_knows_where_it_stands() -> None:
    """The origin of a value is the place of its key; parts of a mapping have one each, a suspension and a list have one."""
    origins = spec_of(MINIMAL + ALL).origins
    assert {name: (origin.line, origin.column) for name, origin in origins.items()} == {
        "connectionId": (5, 3),
        "schedules": (6, 3),
        "platform": (7, 3),
        "mode": (8, 3),
        "catchUp.policy": (9, 13),
        "catchUp.window": (9, 27),
        "whenInDoubt": (10, 3),
        "minGap": (11, 3),
        "overlap": (12, 3),
        "maxDuration": (13, 3),
        "stalledAfter": (14, 3),
        "retry.attempts": (15, 11),
        "retry.backoff": (15, 24),
        "retry.maxBackoff": (15, 37),
        "failureBudget": (16, 3),
        "windows": (17, 3),
        "exclude": (18, 3),
        "jitter": (19, 3),
        "startDate": (20, 3),
        "endDate": (21, 3),
        "suspend": (22, 3),
        "drift.foreignJobs": (23, 11),
        "onDelete": (24, 3),
        "freshnessAlert.warnAfter": (26, 5),
        "freshnessAlert.errorAfter": (27, 5),
    }


def test_an_empty_retry_is_written() -> None:
    """It switches retrying on and stands where its key stands."""
    assert spec_of(MINIMAL + "  retry: {}").origins["retry"] == Origin("a.yaml", 7, 3)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            '{quartz: "0 0 6 ? * MON-FRI", timeZone: Europe/Zurich}',
            CalendarEntry(EntryKind.QUARTZ, "0 0 6 ? * MON-FRI", "Europe/Zurich"),
        ),
        ("{freshness: 4h}", CalendarEntry(EntryKind.FRESHNESS, "4h", every=14_400)),
        ("{manual: {}}", CalendarEntry(EntryKind.MANUAL)),
    ],
)
def test_an_entry_of_another_kind_arrives(entry: str, expected: CalendarEntry) -> None:
    """Every kind of entry is in force."""
    spec = spec_of(HEAD + f"  schedules: [{entry}]")
    assert (spec.entries, spec.unsupported) == ((expected,), ())


def test_until_is_read_as_an_instant() -> None:
    """A time with an offset becomes UTC."""
    spec = spec_of(MINIMAL + '  suspend: {until: "2026-12-01T08:00:00+01:00"}')
    assert spec.suspend == Suspension(until=datetime(2026, 12, 1, 7, tzinfo=UTC))


def test_the_content_is_canonical() -> None:
    """Comments, order and style do not change the content; a value does."""
    other = "# moved\nspec:\n  schedules:\n    - every: '6h'\n  connectionId: conn_1\nmetadata:\n  name: orders\n"
    other += "kind: SyncSchedule\napiVersion: mainspring.dev/v1\n"
    assert spec_of(other).content == spec_of(MINIMAL).content
    assert spec_of(MINIMAL.replace("6h", "7h")).content != spec_of(MINIMAL).content
    assert json.loads(spec_of(MINIMAL).content)["spec"] == {"connectionId": "conn_1", "schedules": [{"every": "6h"}]}
