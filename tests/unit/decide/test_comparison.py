"""What a revision changes: by connection, value by value, with what stays in force although the files say otherwise."""

from datetime import UTC, datetime

import pytest

from controller.adapters.specs.tree import parse_tree
from controller.decide.comparison.compare import compare
from controller.decide.comparison.difference import Change, Comparison, Revision, ScheduleChange
from controller.model.identity import ConnectionRef
from tests.git_repository import schedule

AT = datetime(2026, 3, 2, 5, tzinfo=UTC)
HOURLY = 'cron: "0 * * * *"'
POLICY = """\
apiVersion: mainspring.dev/v1
kind: SyncPolicy
metadata: {name: finance}
spec: {selector: {labels: {team: finance}}, %s}
"""
REQUEST = """\
apiVersion: mainspring.dev/v1
kind: SyncRequest
metadata: {name: once}
spec: {schedule: a, action: %s, reason: "%s", expiresAt: "%s"}
"""
BROKEN = "apiVersion: mainspring.dev/v1\nkind: SyncSchedule\nmetadata: {name: x}\nspec: {}\n"
LATER = "2026-04-01T00:00:00Z"

Files = dict[str, str]


def revision(files: Files) -> Revision:
    """A revision of these files."""
    tree = parse_tree({name: text.encode() for name, text in files.items()}, platforms=None)
    return Revision(tree.specs, tree.policies, tree.requests, tree.failed_paths)


def compared(before: Files, after: Files) -> Comparison:
    """What is between two sets of files."""
    return compare(revision(before), revision(after), AT)


def only(found: Comparison) -> ScheduleChange:
    """The one schedule that is touched."""
    assert len(found.schedules) == 1
    return found.schedules[0]


def told(found: Comparison) -> dict[str, Change]:
    """What becomes of each schedule."""
    return {each.name: each.kind for each in found.schedules}


A, B = {"a.yaml": schedule("a", HOURLY)}, {"b.yaml": schedule("b", HOURLY)}


def test_equal_revisions_have_nothing_between_them() -> None:
    """Nor do comments, the order of keys, and defaults that somebody writes out."""
    same = {"a.yaml": "# the same\n" + schedule("a", HOURLY, more="overlap: Skip")}
    assert compared(A | B, A | B).is_empty
    assert compared(A, same).is_empty


def test_added_changed_and_removed_are_told_apart() -> None:
    """The three things that a file can become."""
    found = compared(A | B, {"a.yaml": schedule("a", "every: 2h"), "c.yaml": schedule("c", HOURLY)})
    assert told(found) == {"c": Change.ADDED, "a": Change.CHANGED, "b": Change.REMOVED}
    assert [each.name for each in only_of(found, "a").fields] == ["schedules"]
    assert found.before.schedules == found.after.schedules == 2


def only_of(found: Comparison, name: str) -> ScheduleChange:
    """The change of one schedule."""
    return next(each for each in found.schedules if each.name == name)


def test_a_new_name_or_file_is_a_change_and_no_other_schedule() -> None:
    """A schedule is its connection: history and slots belong to that."""
    found = only(compared(A, {"moved/z.yaml": schedule("z", HOURLY, "conn_a")}))
    assert found.kind is Change.CHANGED
    rows = [(each.name, each.before, each.after) for each in found.fields]
    assert rows == [("metadata.name", "a", "z"), ("file", "a.yaml", "moved/z.yaml")]


def test_another_connection_under_the_same_name_is_another_schedule() -> None:
    """Its history begins anew, which is said."""
    found = compared(A, {"a.yaml": schedule("a", HOURLY, "conn_other")})
    assert [each.kind for each in found.schedules] == [Change.ADDED, Change.REMOVED]
    assert "other-connection" in {each.code for each in found.cautions}


def test_a_policy_changes_the_schedules_that_it_selects() -> None:
    """With the place where the value stands, and the policy's name."""
    files = {"a.yaml": schedule("a", HOURLY, labels="team: finance"), **B}
    found = compared(
        files | {"p.yaml": POLICY % "defaults: {overlap: Skip}"},
        files | {"p.yaml": POLICY % "defaults: {overlap: Queue}"},
    )
    change = only(found)
    row = change.fields[0]
    assert (row.name, str(row.before), str(row.after)) == ("overlap", "Skip", "Queue")
    assert (row.source.policy, str(row.source.origin)) == ("finance", "p.yaml:4")
    assert [(each.name, each.kind, each.selects) for each in found.policies] == [("finance", Change.CHANGED, 1)]


def test_a_value_that_goes_back_to_its_default_has_no_place() -> None:
    """Nobody wrote it."""
    found = only(compared({"a.yaml": schedule("a", HOURLY, more="maxDuration: 2h")}, A))
    assert [(each.name, each.after, each.source.origin) for each in found.fields] == [("maxDuration", None, None)]


def test_windows_and_freezes_of_a_policy_are_values_of_the_schedule() -> None:
    """They come from the policy, and a freeze is warned of."""
    files = {"a.yaml": schedule("a", HOURLY, labels="team: finance")}
    found = compared(
        files,
        files | {"p.yaml": POLICY % 'freeze: {reason: incident}, windows: [{deny: {cron: "0 2 * * *", duration: 1h}}]'},
    )
    assert [(each.name, each.source.policy) for each in only(found).fields] == [
        ("windows", "finance"),
        ("freeze", "finance"),
    ]
    assert "frozen" in {each.code for each in found.cautions}
    assert found.after.runs_per_day == 0


def test_a_rejected_file_keeps_what_it_last_held() -> None:
    """It is not a removal, and its runs go on."""
    found = compared(A | B, A | {"b.yaml": BROKEN})
    assert told(found) == {"b": Change.KEPT}
    assert found.before.runs_per_day == found.after.runs_per_day == 48


def test_no_absence_is_believed_while_an_unknown_file_is_rejected() -> None:
    """It may be the schedule that is missing, renamed and broken in one commit."""
    found = compared(A | B, A | {"c.yaml": BROKEN})
    assert told(found) == {"b": Change.KEPT}
    assert "c.yaml is rejected" in only(found).remark


def test_a_file_that_was_rejected_before_hides_no_removal() -> None:
    """The controller has seen more than two revisions, and most likely knows what that file held in good order."""
    broken = {"c.yaml": BROKEN}
    assert told(compared(A | B | broken, A | broken)) == {"b": Change.REMOVED}
    half = {"b.yaml": B["b.yaml"] + "---\n" + BROKEN}
    assert told(compared(A | half, A | {"b.yaml": BROKEN})) == {"b": Change.KEPT}


def test_twins_are_in_force_neither_of_them() -> None:
    """Two documents for one connection: nothing starts it."""
    found = compared(A | B, A | B | {"c.yaml": schedule("c", HOURLY, "conn_a")})
    change = only(found)
    assert (change.kind, change.ref, change.pace_after.mean) == (Change.HELD, ConnectionRef("default", "conn_a"), 0)
    assert found.after.runs_per_day == 24
    assert "duplicate" in {each.code for each in found.cautions}


@pytest.mark.parametrize(
    ("before", "removed", "held"),
    [
        (4, 3, True),
        (8, 2, False),
        (12, 3, False),
        (13, 4, True),
        (3, 3, True),
        (3, 2, False),
        (2, 2, True),
        (2, 1, False),
    ],
)
def test_a_mass_removal_is_held_until_it_is_confirmed(before: int, removed: int, held: bool) -> None:
    """More than a quarter of the schedules, and at least three; or all there are."""
    files = {f"s{n}.yaml": schedule(f"s{n}", HOURLY) for n in range(before)}
    left = dict(list(files.items())[removed:])
    found = compared(files, left)
    assert bool(found.held) is held
    assert ("held-until-confirmed" in {each.code for each in found.cautions}) is held


def test_a_request_is_told_once() -> None:
    """A mended reason or expiry does not make it another."""
    once = {"r.yaml": REQUEST % ("Sync", "why", LATER)}
    assert [each.name for each in compared(A, A | once).requests] == ["once"]
    assert compared(A | once, A | {"r.yaml": REQUEST % ("Sync", "typo mended", LATER)}).requests == ()


@pytest.mark.parametrize(
    ("files", "request_text", "code"),
    [
        (A, REQUEST % ("Reset", "", LATER), "reset"),
        (A, REQUEST % ("Reset", "", "2026-03-01T00:00:00Z"), "request-expired"),
        (B, REQUEST % ("Sync", "", LATER), "request-for-nothing"),
    ],
)
def test_requests_that_destroy_or_do_nothing_are_warned_of(files: Files, request_text: str, code: str) -> None:
    """A reset above all."""
    assert [each.code for each in compared(files, files | {"r.yaml": request_text}).cautions] == [code]


CAUTIONS = [
    # before, after (further lines below spec, when), the code
    ("mode: Observe", "mode: Enforce", "starts-writing"),
    ("mode: Enforce", "mode: Observe", "stops-writing"),
    ("", "overlap: Replace", "replace"),
    ("", "suspend: {reason: moving}", "suspended"),
    ("suspend: true", "", "no-longer-suspended"),
    ("catchUp: {window: 2h}", "catchUp: {window: 1h}", "shorter-window"),
    ("", "catchUp: {window: 30m}", "shorter-window"),
    ("catchUp: {window: 2h}", "", "shorter-window"),
    ("", 'endDate: "2026-03-02T00:00:00Z"', "never-fires"),
    ("", 'startDate: "2027-06-01T00:00:00Z"', "never-fires"),
    ("", 'windows: [{deny: {cron: "0 0 * * *", duration: 1d}}]', "always-closed"),
]


@pytest.mark.parametrize(
    ("before", "after", "code"), CAUTIONS, ids=[f"{code}-{n}" for n, (*_, code) in enumerate(CAUTIONS)]
)
def test_what_deserves_a_second_look_is_said(before: str, after: str, code: str) -> None:
    """One code for each, and nothing for the way back of what is harmless."""
    found = compared({"a.yaml": schedule("a", HOURLY, more=before)}, {"a.yaml": schedule("a", HOURLY, more=after)})
    assert [each.code for each in found.cautions] == [code]


@pytest.mark.parametrize(
    ("before", "after"),
    [("", "catchUp: {window: 1h}"), ("overlap: Replace", "overlap: Skip"), ("", "catchUp: {window: 2h}")],
)
def test_what_is_harmless_is_not_warned_of(before: str, after: str) -> None:
    """A window as long as the distance of the slots takes nothing away."""
    found = compared({"a.yaml": schedule("a", HOURLY, more=before)}, {"a.yaml": schedule("a", HOURLY, more=after)})
    assert (len(found.schedules), found.cautions) == (1, ())


def test_policies_that_quarrel_hold_a_schedule_and_that_is_said() -> None:
    """Nothing starts until one gives way."""
    files = {"a.yaml": schedule("a", HOURLY, labels="team: finance"), "p.yaml": POLICY % "defaults: {overlap: Queue}"}
    other = (POLICY % "defaults: {overlap: Replace}").replace("name: finance", "name: other")
    found = compared({}, files | {"q.yaml": other})
    assert "policy-conflict" in {each.code for each in found.cautions}
    assert found.after.runs_per_day == 0


def test_what_is_true_of_many_is_told_once() -> None:
    """Nobody reads a thousand equal warnings."""
    files = {f"s{n}.yaml": schedule(f"s{n}", HOURLY, labels="team: finance") for n in range(9)}
    found = compared(files, files | {"p.yaml": POLICY % "defaults: {overlap: Replace}"})
    assert [each.message.partition(":")[0] for each in found.cautions] == ["9 schedules (s0, s1, s2, …)"]


def test_a_peak_that_doubles_is_said() -> None:
    """From ten starts on; a schedule more in a small fleet is no news."""
    crowd = {f"s{n}.yaml": schedule(f"s{n}", 'cron: "0 6 * * *"') for n in range(12)}
    few = dict(list(crowd.items())[:5])
    messages = [each.message for each in compared(few, crowd).cautions]
    assert messages == [
        "the busiest minute grows from 5 to 12 starts, at 2026-03-02 06:00Z",
        "the busiest hour grows from 5 to 12 starts, at 2026-03-02 06:00Z",
    ]
    assert compared({}, few).cautions == ()
