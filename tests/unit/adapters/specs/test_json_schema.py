"""The JSON Schema and the validator: what editors accept and refuse is what the validator does, but for what only it can know."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs as rs
import pytest

from controller.adapters.specs.json_schema import spec_schema
from controller.adapters.specs.tree import parse_tree
from controller.adapters.specs.yaml_tree import YamlRejected, compose, plain
from controller.ports.spec_source import SpecError
from tests.unit.adapters.specs.corpus import CORPUS

ROOT = Path(__file__).parents[4]

SEMANTIC = {
    "cron-syntax": "the grammar of an expression, beyond its number of fields",
    "quartz-syntax": "the same",
    "cron-never-fires": "a day that never comes",
    "quartz-never-fires": "the same",
    "zone-unknown": "which zones exist",
    "never-fires": "exclusions and dates that leave no slot",
    "bad-range": "two values that do not fit each other",
    "bad-duration": "a duration longer than ten years",
    "bad-time": "a day or an hour that does not exist",
    "bad-date": "the same",
    "duplicate-name": "what else the tree holds",
    "duplicate-connection": "the same",
    "unknown-platform": "what the settings name",
    "interval-too-short": "what the platform takes",
}
"""Codes of the validator that the schema knows nothing of, and why."""

DEEPER = {"cron-syntax", "quartz-syntax", "zone-unknown", "bad-range", "never-fires"}

SCHEDULE: dict[str, Any] = {
    "apiVersion": "mainspring.dev/v1",
    "kind": "SyncSchedule",
    "metadata": {"name": "orders", "labels": {"team": "finance"}},
    "spec": {
        "platform": "default",
        "connectionId": "conn_1",
        "mode": "Observe",
        "schedules": [
            {"cron": "*/15 8-18 * * MON-FRI", "timeZone": "Europe/Zurich"},
            {"quartz": "0 0 6 ? * MON-FRI", "timeZone": "Europe/Zurich"},
            {"every": "6h", "anchor": "2026-01-01T00:00:00Z"},
            {"freshness": "4h"},
        ],
        "exclude": [{"dates": ["2026-12-25"], "timeZone": "Europe/Zurich"}, {"cron": "* * * * SUN"}],
        "jitter": "10m",
        "startDate": "2026-01-01T00:00:00Z",
        "endDate": "2036-01-01T00:00:00Z",
        "catchUp": {"policy": "Latest", "window": "1h"},
        "whenInDoubt": "Skip",
        "minGap": "60s",
        "overlap": "Queue",
        "maxDuration": "2h",
        "stalledAfter": "30m",
        "retry": {"attempts": 3, "backoff": "1m", "maxBackoff": "30m"},
        "failureBudget": 10,
        "windows": [
            {"deny": {"cron": "0 2 * * *", "duration": "3h", "timeZone": "UTC", "reason": "b"}, "onClose": "Cancel"},
            {"allow": {"cron": "0 0 * * *", "duration": "24h"}},
        ],
        "suspend": {"reason": "r", "by": "ana", "until": "2026-12-01T08:00:00Z"},
        "drift": {"platformSchedule": "Warn", "connectionStatus": "Warn", "foreignJobs": "Count"},
        "onDelete": "Orphan",
        "freshnessAlert": {"warnAfter": "6h", "errorAfter": "12h"},
    },
}
POLICY: dict[str, Any] = {
    "apiVersion": "mainspring.dev/v1",
    "kind": "SyncPolicy",
    "metadata": {"name": "finance"},
    "spec": {
        "selector": {"labels": {"team": "finance"}, "platforms": ["default"]},
        "priority": 10,
        "defaults": {"overlap": "Queue", "catchUp": {"window": "2h"}, "retry": {"attempts": 2}},
        "windows": [{"deny": {"cron": "0 18 * * FRI", "duration": "60h"}}],
        "freeze": {"reason": "incident", "by": "ana", "until": "2026-12-01T08:00:00Z"},
    },
}
REQUESTS: list[dict[str, Any]] = [
    {"apiVersion": "mainspring.dev/v1", "kind": "SyncRequest", "metadata": {"name": "once"}, "spec": spec}
    for spec in (
        {"schedule": "orders", "action": "Sync", "reason": "r", "notBefore": "2026-12-01T08:00:00Z"},
        {"schedule": "orders", "action": "Reset", "expiresAt": "2026-12-01T08:00:00Z"},
        {"revision": "main@sha1:1", "action": "ConfirmRemovals"},
    )
]
MANUAL: dict[str, Any] = {**SCHEDULE, "spec": {"connectionId": "c", "schedules": [{"manual": {}}], "suspend": True}}
WHOLE = [SCHEDULE, POLICY, *REQUESTS, MANUAL]

STRANGE: list[Any] = [
    *("no such value!", "", "ünï", "a\tb", "UPPER", "0s", "10m", "1h30m", "90", "2026-01-01", "2026-01-01T00:00:00"),
    *("2026-01-01T00:00:00+01:00", "* * * * *", "@daily", "0 0 12 * * ?", "a b", "-x", "x" * 200, "1d2h3m4s"),
    *(7, -1, 0, 1.5, True, False, None, [], {}, [1], ["x"], {"x": 1}),
]
"""Values put in the place of each value in turn."""

SCHEMA = rs.validator_for(spec_schema())


def errors_of(text: str) -> tuple[SpecError, ...]:
    """What the validator has against a file."""
    return parse_tree({"sample.yaml": text.encode()}, platforms=None).errors


def disagreement(document: Any) -> str:
    """Empty where both take a document, both refuse it, or only the validator can know what is wrong with it."""
    errors = errors_of(json.dumps(document))
    codes = {error.code for error in errors}
    if SCHEMA.is_valid(document):
        # Of those, what the changes below can come to: a form that the schema leaves out must not hide behind its code.
        return "" if codes <= DEEPER else f"only the validator refuses {document}: {errors}"
    return "" if errors else f"only the schema refuses {document}"


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a document with every key in it."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in list(children):
        yield node, key
        yield from places(child)


def mutations(document: Any) -> Iterator[tuple[str, Any]]:
    """The document with one defect, or one change, in each place."""
    for index in range(len(list(places(document)))):
        for what in ("removed", "unknown", "twice", *STRANGE):
            changed = copy.deepcopy(document)
            container, key = list(places(changed))[index]
            if what == "removed":
                del container[key]
            elif what == "unknown":
                if not isinstance(container[key], dict):
                    continue
                container[key]["noSuchKey"] = 1
            elif what == "twice":
                if not isinstance(container, list):
                    continue
                container.append(copy.deepcopy(container[key]))
            else:
                container[key] = what
            yield f"{key}: {what!r}", changed


@pytest.mark.parametrize("document", WHOLE, ids=lambda each: each["kind"])
def test_both_take_every_field(document: dict[str, Any]) -> None:
    """Documents with every field that there is are valid for both."""
    assert errors_of(json.dumps(document)) == ()
    assert SCHEMA.is_valid(document), [str(error) for error in SCHEMA.iter_errors(document)]


def test_no_field_is_left_out_of_the_comparison() -> None:
    """Every property of the schema stands in one of the documents above: a field that is new cannot slip past them."""
    known = {key for each in WHOLE for _, key in places(each) if isinstance(key, str)} - {"team"}

    def properties(node: Any) -> Iterator[str]:
        for key, child in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
            if key == "properties":
                yield from child
            yield from properties(child)

    assert set(properties(spec_schema())) == known == told_by_the_validator() - {"team"}


def told_by_the_validator() -> set[str]:
    """Every key that the validator knows in the mappings of the documents above, as its own messages name them."""
    told: set[str] = set()
    for whole in WHOLE:
        for index in range(len(list(places(whole)))):
            changed = copy.deepcopy({"document": whole})
            container, key = list(places(changed))[index]
            if isinstance(container[key], dict):
                container[key]["%%"] = 1
                for error in errors_of(json.dumps(changed["document"])):
                    told |= set(error.message.partition("its keys are ")[2].split(", "))
    return told - {""}


@pytest.mark.parametrize("document", WHOLE, ids=lambda each: each["kind"])
def test_both_refuse_the_same_defects(document: dict[str, Any]) -> None:
    """One defect in each place: unknown keys, missing ones, wrong types, wrong words, wrong forms, empty lists."""
    refused = 0
    for what, changed in mutations(document):
        assert disagreement(changed) == "", what
        refused += not SCHEMA.is_valid(changed)
    assert refused > 100


@pytest.mark.parametrize(
    "spec",
    [
        {"schedules": [{"manual": {}}, {"every": "6h"}]},
        {"schedules": [{"every": "6h", "cron": "* * * * *"}]},
        {"schedules": [{"timeZone": "UTC"}]},
        {"schedules": [{"every": "6h", "timeZone": "UTC"}]},
        {"schedules": [{"cron": "0 6 * * *", "anchor": "2026-01-01T00:00:00Z"}]},
        {"schedules": [{"manual": {"x": 1}}]},
        {"schedules": [{"every": "6h"}] * 101},
        {"exclude": [{"dates": ["2026-12-25"], "cron": "* * * * SUN"}]},
        {"windows": [{"onClose": "Cancel"}]},
        {"freshnessAlert": {}},
    ],
    ids=str,
)
def test_both_refuse_what_does_not_go_together(spec: dict[str, Any]) -> None:
    """Keys that exclude each other, or need each other."""
    document = {**SCHEDULE, "spec": {"connectionId": "c", "schedules": [{"every": "6h"}], **spec}}
    assert errors_of(json.dumps(document))
    assert not SCHEMA.is_valid(document)


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"schedules": [{"cron": "61 * * * *"}]}, "cron-syntax"),
        ({"schedules": [{"cron": "0 0 30 2 *"}]}, "cron-never-fires"),
        ({"schedules": [{"quartz": "0 0 6 31 2 ?"}]}, "quartz-never-fires"),
        ({"schedules": [{"quartz": "0 0 6 * * *"}]}, "quartz-syntax"),
        ({"schedules": [{"cron": "0 6 * * *", "timeZone": "Europe/Zurrich"}]}, "zone-unknown"),
        ({"startDate": "2026-02-01T00:00:00Z", "endDate": "2026-01-01T00:00:00Z"}, "bad-range"),
        ({"startDate": "2026-02-30T00:00:00Z"}, "bad-time"),
        ({"exclude": [{"dates": ["2026-02-30"]}]}, "bad-date"),
        ({"maxDuration": "4000d"}, "bad-duration"),
        ({"schedules": [{"cron": "0 6 * * SUN"}], "exclude": [{"cron": "* * * * SUN"}]}, "never-fires"),
    ],
)
def test_what_only_the_validator_knows(spec: dict[str, Any], code: str) -> None:
    """Meaning is not for editors: each is valid for the schema, and refused with a code of the list above."""
    document = {**SCHEDULE, "spec": {"connectionId": "c", "schedules": [{"every": "6h"}], **spec}}
    assert [error.code for error in errors_of(json.dumps(document))] == [code]
    assert code in SEMANTIC
    assert SCHEMA.is_valid(document)


def written() -> Iterator[tuple[str, str]]:
    """Every spec file of the repository, and every whole spec that a page shows."""
    for folder in (ROOT / "specs", ROOT / "controller/sample/specs", CORPUS):
        for path in sorted(folder.rglob("*.y*ml")):
            yield str(path.relative_to(ROOT)), path.read_text(errors="surrogateescape")
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for number, found in enumerate(re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)):
            if "kind: Sync" in found:
                yield f"{page.name} {number}", found


@pytest.mark.parametrize(("name", "text"), [pytest.param(*each, id=each[0]) for each in written()])
def test_both_say_the_same_of_every_file(name: str, text: str) -> None:
    """The examples, the samples, and the corpus of good and bad files; what is no YAML has no document to compare."""
    content = text.encode(errors="surrogateescape")
    try:
        documents = [plain(root) for root in compose(content)]
    except YamlRejected:
        assert "bad/" in name
        return
    codes = {error.code for error in parse_tree({"sample.yaml": content}, platforms=None).errors}
    if all(map(SCHEMA.is_valid, documents)):
        assert codes <= SEMANTIC.keys()
    else:
        assert codes
