"""Readers for what a schedule does beside saying when: the fields that a policy may also set."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial

from controller.adapters.specs import calendars, scalars
from controller.adapters.specs.fields import Field, Fields, read_items
from controller.adapters.specs.yaml_tree import Scalar
from controller.model.schedule import (
    CatchUp,
    CatchUpPolicy,
    ForeignJobs,
    Mode,
    OnDelete,
    Overlap,
    Suspension,
    WhenInDoubt,
)

ATTEMPTS_MAX = 100
FAILURES_MAX = 1_000_000

read_mode = scalars.one_of(Mode)
read_policy = scalars.one_of(CatchUpPolicy)
read_doubt = scalars.one_of(WhenInDoubt)
read_overlap = scalars.one_of(Overlap)
read_foreign_jobs = scalars.one_of(ForeignJobs)
read_on_delete = scalars.one_of(OnDelete)


class Correction(StrEnum):
    """What is done about a difference that somebody else made on the platform."""

    ENFORCE = "Enforce"
    WARN = "Warn"
    IGNORE = "Ignore"


read_correction = scalars.one_of(Correction)


DEFAULT_CATCH_UP = CatchUp()


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the fields say, with the defaults of what was not written."""

    mode: Mode
    catch_up: CatchUp
    when_in_doubt: WhenInDoubt
    min_gap: timedelta | None
    overlap: Overlap
    max_duration: timedelta | None
    suspend: Suspension | None
    foreign_jobs: ForeignJobs
    on_delete: OnDelete


def behaviour(keys: Fields) -> Behaviour:
    """Take every field of a schedule but ``platform``, ``connectionId`` and ``schedules``."""
    not_yet(keys)
    return Behaviour(
        mode=keys.take("mode", read_mode, Mode.ENFORCE),
        catch_up=keys.take("catchUp", catch_up, DEFAULT_CATCH_UP),
        when_in_doubt=keys.take("whenInDoubt", read_doubt, WhenInDoubt.RETRY),
        min_gap=keys.take("minGap", scalars.duration, None),
        overlap=keys.take("overlap", overlap, Overlap.SKIP),
        max_duration=keys.take("maxDuration", scalars.duration, None),
        suspend=keys.take("suspend", suspension, None),
        foreign_jobs=keys.take("drift", drift, ForeignJobs.COUNT),
        on_delete=keys.take("onDelete", on_delete, OnDelete.ORPHAN),
    )


def not_yet(keys: Fields) -> None:
    """Take the fields that are part of the format and do nothing yet."""
    keys.later("exclude", partial(read_items, read=calendars.exclusion))
    keys.later("jitter", scalars.duration)
    start = keys.later("startDate", scalars.instant)
    end = keys.later("endDate", scalars.instant)
    if start is not None and end is not None and end <= start:
        keys.reject("endDate", "bad-range", "endDate is not after startDate; write a later endDate")
    keys.later("stalledAfter", scalars.duration)
    keys.later("retry", retry)
    keys.later("failureBudget", scalars.whole_number(1, FAILURES_MAX))
    keys.later("windows", partial(read_items, read=calendars.window))
    keys.later("freshnessAlert", freshness_alert)


def catch_up(field: Field) -> CatchUp:
    """Which of the slots that nobody could trigger are made up, and for how long."""
    with Fields(field) as keys:
        return CatchUp(
            keys.take("policy", read_policy, CatchUpPolicy.LATEST), keys.take("window", scalars.duration, None)
        )


def overlap(field: Field) -> Overlap:
    """What a due slot does while a job is active."""
    value = read_overlap(field)
    if value is not Overlap.SKIP:
        field.report.not_yet(field.node.mark, field.name)
    return value


def on_delete(field: Field) -> OnDelete:
    """What becomes of a running job when its schedule is deleted."""
    value = read_on_delete(field)
    if value is not OnDelete.ORPHAN:
        field.report.not_yet(field.node.mark, field.name)
    return value


def suspension(field: Field) -> Suspension | None:
    """``true``, ``false``, or why and by whom."""
    if isinstance(field.node, Scalar):
        if not isinstance(field.node.value, bool):
            raise field.wrong_type("true, false or a mapping", 'write suspend: {reason: "…", by: "…"}')
        return Suspension() if field.node.value else None
    with Fields(field) as keys:
        return Suspension(
            reason=keys.take("reason", scalars.text, ""),
            by=keys.take("by", scalars.text, ""),
            until=keys.later("until", scalars.instant),
        )


def drift(field: Field) -> ForeignJobs:
    """What is done about what somebody else did."""
    with Fields(field) as keys:
        keys.later("platformSchedule", read_correction)
        keys.later("connectionStatus", read_correction)
        return keys.take("foreignJobs", foreign_jobs, ForeignJobs.COUNT)


def foreign_jobs(field: Field) -> ForeignJobs:
    """What a job that is not ours means for a slot."""
    value = read_foreign_jobs(field)
    if value is ForeignJobs.CANCEL:
        field.report.not_yet(field.node.mark, field.name)
    return value


def retry(field: Field) -> None:
    """How often and how fast a failed job is tried again."""
    with Fields(field) as keys:
        keys.take("attempts", scalars.whole_number(1, ATTEMPTS_MAX), None)
        shortest = keys.take("backoff", scalars.duration, None)
        longest = keys.take("maxBackoff", scalars.duration, None)
        if shortest is not None and longest is not None and longest < shortest:
            keys.reject("maxBackoff", "bad-range", "maxBackoff is shorter than backoff; write a longer maxBackoff")


def freshness_alert(field: Field) -> None:
    """From which age of the data on somebody is told."""
    with Fields(field) as keys:
        warn = keys.take("warnAfter", scalars.duration, None)
        error = keys.take("errorAfter", scalars.duration, None)
        if warn is not None and error is not None and error < warn:
            keys.reject("errorAfter", "bad-range", "errorAfter is shorter than warnAfter; write a longer errorAfter")
        found = keys.has("warnAfter") or keys.has("errorAfter")
    if not found:
        raise field.rejected("not-exactly-one", "freshnessAlert says nothing; write warnAfter, errorAfter or both")
