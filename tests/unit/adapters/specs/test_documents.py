"""The three kinds of document: what each field accepts, what it means, and where a mistake is told."""

import pytest

from controller.adapters.specs.tree import parse_tree
from controller.model.profile import AITRONOS, EMBEDDED
from tests.unit.adapters.specs.texts import HEAD, MINIMAL, other, read

# One more line below a valid document, from line 7 on: where the error stands, its code, and words of its message.
FIELDS = [
    ("mode: enforce", "7:9", "unknown-value", "did you mean Enforce?"),
    ("mode: Watch", "7:9", "unknown-value", "write one of Enforce, Observe"),
    ("mode: true", "7:9", "wrong-type", "not the truth value true"),
    ("mode: {a: 1}", "7:9", "wrong-type", "not a mapping"),
    ("mdoe: Enforce", "7:3", "unknown-key", "did you mean mode?"),
    ("zzz: 1", "7:3", "unknown-key", "its keys are platform, connectionId"),
    ("platform: https://x", "7:13", "bad-name", "lower-case"),
    ("jitter:", "7:10", "wrong-type", "not nothing"),
    ("jitter: 60", "7:11", "wrong-type", "not the number 60; write it like 90s"),
    ("jitter: -5m", "7:11", "bad-duration", "write it like 90s"),
    ("jitter: 0h0m", "7:11", "bad-duration", "is zero"),
    ("jitter: 1m1h", "7:11", "bad-duration", "write it like"),
    ("jitter: 1.5h", "7:11", "bad-duration", "write it like"),
    ("jitter: ٣m", "7:11", "bad-duration", "write it like"),
    ("jitter: 99999d", "7:11", "bad-duration", "longer than 3650d"),
    ('jitter: ""', "7:11", "bad-duration", "write it like"),
    ("minGap: [1m]", "7:11", "wrong-type", "not a list"),
    ("maxDuration: 1 h", "7:16", "bad-duration", "write it like"),
    ("stalledAfter: none", "7:17", "bad-duration", "write it like"),
    ("startDate: 2026-01-01", "7:14", "bad-time", "with an offset"),
    ("startDate: 2026-01-01T00:00:00", "7:14", "bad-time", "has no offset"),
    ("startDate: 2026-02-30T00:00:00Z", "7:14", "bad-time", "does not exist"),
    ("startDate: 0001-01-01T00:00:00+14:00", "7:14", "bad-time", "does not exist"),
    ("startDate: 2026-01-01T00:00:00.5Z", "7:14", "bad-time", "whole seconds"),
    ("startDate: 2026", "7:14", "wrong-type", "must be a time"),
    ("catchUp: Latest", "7:12", "wrong-type", "must be a mapping"),
    ("catchUp: {policy: All}", "7:21", "unknown-value", "Latest, None"),
    ("catchUp: {policy: null}", "7:21", "wrong-type", "not nothing"),
    ("catchUp: {widow: 1h}", "7:13", "unknown-key", "did you mean window?"),
    ("whenInDoubt: Guess", "7:16", "unknown-value", "Retry, Skip"),
    ("overlap: Quee", "7:12", "unknown-value", "did you mean Queue?"),
    ("onDelete: Cancel", "7:13", "unknown-value", "did you mean CancelRunning?"),
    ("retry: {attempts: 1.5}", "7:21", "wrong-type", "whole number"),
    ("retry: {attempts: 0x1000}", "7:21", "out-of-range", "from 1 to 100"),
    ("retry: {backoff: 2m, maxBackoff: 1m}", "7:36", "bad-range", "shorter than backoff"),
    ("retry: {backoff: 31m}", "7:20", "bad-range", "30m unless written"),
    ("retry: {maxBackoff: 59s}", "7:23", "bad-range", "1m unless written"),
    ("failureBudget: true", "7:18", "wrong-type", "whole number"),
    ("failureBudget: 0", "7:18", "out-of-range", "from 1"),
    ("suspend: on", "7:12", "wrong-type", 'not the text "on"'),
    ("suspend: {because: x}", "7:13", "unknown-key", "reason"),
    ('suspend: {reason: "a\\nb"}', "7:21", "bad-text", "one line"),
    ("suspend: {by: 7}", "7:17", "wrong-type", "in quotes"),
    ("drift: {platformSchedule: Off}", "7:29", "unknown-value", "Enforce, Warn, Ignore"),
    ("drift: {foreignJobs: Kill}", "7:24", "unknown-value", "Count, Ignore, Cancel"),
    ("freshnessAlert: {}", "7:19", "not-exactly-one", "warnAfter"),
    ("freshnessAlert: {warnAfter: 2h, errorAfter: 1h}", "7:47", "bad-range", "shorter than warnAfter"),
    ("exclude: {}", "7:12", "wrong-type", "a list"),
    ("exclude: []", "7:12", "empty-list", "at least one"),
    ("exclude: [{}]", "7:13", "not-exactly-one", "dates, cron"),
    ("exclude: [{dates: [2026-13-01]}]", "7:22", "bad-date", "does not exist"),
    ("exclude: [{dates: [26-1-1]}]", "7:22", "bad-date", "2026-12-25"),
    ("exclude: [{dates: [2026]}]", "7:22", "wrong-type", "a date"),
    ('exclude: [{cron: "60 * * * *"}]', "7:20", "cron-syntax", "minute"),
    ("windows: [{}]", "7:13", "not-exactly-one", "deny, allow"),
    ('windows: [{deny: {cron: "0 2 * * *"}}]', "7:20", "missing-key", "needs duration"),
    ('windows: [{deny: {cron: "0 2 * * *", duraton: 1h}}]', "7:40", "unknown-key", "did you mean duration?"),
    ('windows: [{allow: {cron: "0 2 * * *", duration: 1h}, onClose: Kill}]', "7:65", "unknown-value", "LetRun, Cancel"),
]

# One entry of ``schedules``, from line 7 on.
ENTRIES = [
    ("{}", "7:7", "not-exactly-one", "says nothing"),
    ("daily", "7:7", "wrong-type", "must be a mapping"),
    ("{crn: 0 6 * * *}", "7:8", "unknown-key", "did you mean cron?"),
    ('{cron: "0 6 * * *", every: 6h}', "7:7", "not-exactly-one", "has cron and every"),
    ("{cron: 6}", "7:14", "wrong-type", "a cron expression"),
    ('{cron: "0 0 31 2 *"}', "7:14", "cron-never-fires", "no day"),
    ('{cron: "0 6 * *"}', "7:14", "cron-syntax", "4 fields"),
    ('{cron: "0 6 * * *", timeZone: europe/zurich}', "7:37", "zone-unknown", "did you mean Europe/Zurich?"),
    ('{cron: "0 6 * * *", timeZone: ../etc/passwd}', "7:37", "zone-unknown", "IANA"),
    ('{cron: "0 6 * * *", timeZone: localtime}', "7:37", "zone-unknown", "IANA"),
    ('{cron: "0 6 * * *", anchor: "2026-01-01T00:00:00Z"}', "7:27", "misplaced-key", "beside cron"),
    ("{every: 6h, timeZone: UTC}", "7:19", "misplaced-key", "use cron or quartz"),
    ("{every: 6h, anchor: 0}", "7:27", "wrong-type", "a time"),
    ('{quartz: "0 6 * * *"}', "7:16", "quartz-syntax", "has five fields"),
    ('{quartz: "0 0 6 ? * MON$"}', "7:16", "quartz-syntax", "day-of-week"),
    ("{freshness: 0s}", "7:19", "bad-duration", "is zero"),
    ("{manual: true}", "7:16", "wrong-type", "write manual: {}"),
    ("{manual: {a: 1}}", "7:17", "unknown-key", "manual has no key"),
]

DOCUMENTS = [
    ("- a", "1:1", "wrong-type", "must be a mapping"),
    ("text", "1:1", "wrong-type", "must be a mapping"),
    (MINIMAL.replace("dev/v1", "dev/v2"), "1:13", "unknown-api-version", "mainspring.dev/v1"),
    (MINIMAL.replace("apiVersion: mainspring.dev/v1\n", ""), "1:1", "missing-key", "needs apiVersion"),
    (MINIMAL.replace("SyncSchedule", "SyncSchedul"), "2:7", "unknown-value", "did you mean SyncSchedule?"),
    (MINIMAL.replace("kind:", "knd:"), "2:1", "unknown-key", "did you mean kind?"),
    (MINIMAL.replace("name: orders", ""), "3:11", "missing-key", "metadata needs name"),
    (MINIMAL.replace("orders", "Orders"), "3:18", "bad-name", "lower-case"),
    (MINIMAL.replace("orders", "a" * 64), "3:18", "bad-name", "1 to 63"),
    (MINIMAL.replace("orders", "007"), "3:18", "wrong-type", "not the number 007"),
    (MINIMAL.replace("orders", "a, labels: {tier: 1}"), "3:36", "wrong-type", "tier must be text"),
    (MINIMAL.replace("orders", "a, annotations: {}"), "3:21", "unknown-key", "its keys are name, labels"),
    (MINIMAL.replace("conn_1", "a/../b"), "5:17", "bad-connection-id", "letters"),
    (MINIMAL.replace("conn_1", "12"), "5:17", "wrong-type", "in quotes"),
    (MINIMAL.replace("  connectionId: conn_1\n", ""), "5:3", "missing-key", "needs connectionId"),
    (HEAD, "5:3", "missing-key", "needs schedules"),
    (HEAD + "  schedules: {every: 6h}", "6:14", "wrong-type", "a list"),
    (HEAD + "  schedules: [" + "{every: 6h}, " * 101 + "]", "6:14", "too-many-items", "100"),
    (HEAD + "  schedules: [{manual: {}}, {every: 6h}]", "6:15", "manual-not-alone", "alone"),
]


@pytest.mark.parametrize(
    ("text", "place", "code", "words"),
    [
        *((MINIMAL + "  " + line, *rest) for line, *rest in FIELDS),
        *((HEAD + "  schedules:\n    - " + item, *rest) for item, *rest in ENTRIES),
        *DOCUMENTS,
    ],
    ids=[row[0][:50] for row in (*FIELDS, *ENTRIES, *DOCUMENTS)],
)
def test_a_mistake_is_one_located_error(text: str, place: str, code: str, words: str) -> None:
    """One mistake gives one error, at its line and column, with a stable code and what to write instead."""
    tree = read(text)
    found = [(f"{error.origin.line}:{error.origin.column}", error.code) for error in tree.errors]
    assert found == [(place, code)]
    assert words in tree.errors[0].message
    assert "; " in tree.errors[0].message
    assert (tree.specs, tree.warnings, tree.failed_paths) == ((), (), frozenset({"a.yaml"}))


def test_all_mistakes_of_a_document_are_told_at_once() -> None:
    """Nobody mends a file one error at a time."""
    text = MINIMAL.replace("orders", "Orders") + "  mode: x\n  jitter: 5\n  nope: 1\n  exclude: [{dates: [x, y]}]\n"
    assert [error.code for error in read(text).errors] == [
        "bad-name",
        "unknown-value",
        "wrong-type",
        "unknown-key",
        "bad-date",
        "bad-date",
    ]


def test_guesses_are_bounded_and_errors_are_not() -> None:
    """A file gets twenty guesses at what was meant, because they are dear, and every error all the same."""
    text = MINIMAL + "".join(f"  mode{number}: x\n" for number in range(50))
    messages = [error.message for error in read(text).errors]
    assert (len(messages), sum("did you mean mode?" in message for message in messages)) == (50, 20)


@pytest.mark.parametrize(
    "entry",
    [
        '{cron: "* * * * *"}',
        '{cron: "0,3 6 * * *"}',
        '{quartz: "0 0,3 6 * * ?"}',
        "{every: 4m59s}",
        "{freshness: 4m59s}",
    ],
)
def test_a_short_interval_is_a_warning_where_no_platform_is_known(entry: str) -> None:
    """Without settings an interval under five minutes is worth a second look."""
    tree = read(HEAD + f"  schedules: [{entry}]")
    assert [(w.code, w.origin.line) for w in tree.warnings] == [("interval-too-short", 6)]
    assert len(tree.specs) == 1


@pytest.mark.parametrize("entry", ['{cron: "* * * * *"}', '{quartz: "0 * * * * ?"}', "{every: 1m}", "{freshness: 1m}"])
def test_a_short_interval_is_an_error_of_the_platform(entry: str) -> None:
    """With settings the platform's own bound decides."""
    files = {"a.yaml": (HEAD + f"  schedules: [{entry}]").encode()}
    assert [e.code for e in parse_tree(files, platforms={"default": AITRONOS}).errors] == ["interval-too-short"]
    assert parse_tree(files, platforms={"default": EMBEDDED}).errors == ()


@pytest.mark.parametrize(
    ("line", "place", "words"),
    [("", "5:3", "add platform: and one of eu-west"), ("  platform: eu-wst\n", "7:13", "did you mean eu-west?")],
)
def test_a_platform_that_no_setting_names_is_refused(line: str, place: str, words: str) -> None:
    """A platform name is checked as soon as the platforms are known, the default one too."""
    tree = parse_tree({"a.yaml": (MINIMAL + line).encode()}, platforms={"eu-west": AITRONOS})
    assert [(f"{e.origin.line}:{e.origin.column}", e.code) for e in tree.errors] == [(place, "unknown-platform")]
    assert words in tree.errors[0].message


@pytest.mark.parametrize(
    "spec",
    [
        "{schedule: orders, action: Sync, reason: x, notBefore: 2026-01-01T00:00:00Z}",
        "{schedule: orders, action: Reset, expiresAt: 2026-01-01T00:00:00Z}",
        "{action: ConfirmRemovals, revision: main@sha1:abc}",
    ],
)
def test_requests_are_read(spec: str) -> None:
    """A request makes no spec; what it asks for is read."""
    tree = read(other("SyncRequest", spec))
    assert (tree.errors, tree.warnings, tree.specs, tree.policies) == ((), (), (), ())
    [request] = tree.requests
    assert f"action: {request.action}" in spec
    assert (request.schedule or request.revision) in spec


@pytest.mark.parametrize(
    ("kind", "spec", "column", "code"),
    [
        ("SyncRequest", "{schedule: orders}", 7, "missing-key"),
        ("SyncRequest", "{action: Syn, schedule: orders}", 16, "unknown-value"),
        ("SyncRequest", "{action: Sync}", 7, "missing-key"),
        ("SyncRequest", "{action: Reset, schedule: orders}", 7, "missing-key"),
        ("SyncRequest", "{action: ConfirmRemovals, revision: a, schedule: b}", 46, "misplaced-key"),
    ],
)
def test_requests_are_read_strictly(kind: str, spec: str, column: int, code: str) -> None:
    """A document that does nothing yet is still checked, so that it works on the day when it does."""
    assert [(e.origin.line, e.origin.column, e.code) for e in read(other(kind, spec)).errors] == [(4, column, code)]
