"""What is true of a schedule, as a table: each case names the conditions that differ from those of a schedule that is well."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from controller.decide.conditions import (
    Kept,
    KStatus,
    changed,
    judge_conditions,
    kstatus,
    look_at_windows,
    whole,
)
from controller.model.condition import Condition, ConditionReason, ConditionStatus, ConditionType, Verdict, why_called
from controller.model.connection import Connection, ConnectionStatus, PlatformScheduleKind
from controller.model.job import JobKind, JobStatus
from controller.model.plan import ConnectionPlan, Freshness, Hold
from controller.model.record import Answer, Reason
from controller.model.schedule import Drift, FreshnessAlert, Mode, Retry, Suspension
from tests.unit.decide.given import (
    FAILED,
    NIGHTLY,
    RUNNING,
    SUCCEEDED,
    Given,
    allow,
    at,
    cancelled,
    claim,
    connection,
    decide,
    deny,
    job,
    ours,
    spec,
    standing,
    success,
)

SECOND = "10:20:00"
"""Between two slots."""

WELL = {
    "Ready": "True Scheduled",
    "Reconciling": "False Settled",
    "Stalled": "False NothingStalled",
    "Drifted": "False NoDrift",
    "Healthy": "True SyncSucceeded",
    "InWindow": "True NoWindows",
}

ACTIVE = connection(ConnectionStatus.ACTIVE)
DRIVEN = Connection("orders", "Orders", ConnectionStatus.ACTIVE, PlatformScheduleKind.CRON, "0 0 * * * ?")
DONE = job("j1", "10:15")
ALERT = FreshnessAlert(warn_after=at("00:30") - at("00:00"), error_after=at("01:00") - at("00:00"))


def well(**differing: object) -> Given:
    """A schedule of which everything is known, and what is otherwise."""
    said: dict[str, object] = {"connection": ACTIVE, "connection_read": "10:00", "jobs": (DONE,)}
    given = {"now": SECOND, "standing": standing(watermark="10:15", last_success=success("10:16"))}
    return Given(**(given | said | differing))  # type: ignore[arg-type]


def known(in_force: object = NIGHTLY, **more: object) -> dict[str, object]:
    """A spec that is in force, and what the store knows of it."""
    stands = {"watermark": "10:15", "last_success": success("10:16")} | more
    return {"spec": in_force, "standing": standing(in_force, **stands)}  # type: ignore[arg-type]


def judged(given: Given, *, is_stale: bool = False, kept: Kept | None = None) -> Mapping[str, Verdict]:
    """What a cycle finds, by type."""
    plan, now = decide(given), at(given.now)
    verdicts = judge_conditions(given.facts(), plan, given.platform(), now, kept or Kept(), is_stale=is_stale)
    found = [*verdicts, look_at_windows(given.spec, now).verdict if given.spec is not None and verdicts else None]
    return {str(verdict.type): verdict for verdict in found if verdict is not None}


def words(found: Mapping[str, Verdict]) -> dict[str, str]:
    """Status and reason, by type."""
    return {name: f"{verdict.status} {verdict.reason}" for name, verdict in found.items()}


SUSPENDED = spec(suspend=Suspension("moving", "ana"))
FROZEN = spec(freezes=(Suspension("incident"),))
BUDGET = spec(failure_budget=3)
WATCHED = spec(freshness_alert=ALERT)
NIGHT = spec(windows=deny("0 10 * * *", 60))
DAY = spec(windows=allow("0 8 * * *", 600))

CASES: dict[str, tuple[Given, dict[str, str]]] = {
    "it is well": (well(), {}),
    "it is suspended": (well(**known(SUSPENDED)), {"Ready": "False Suspended"}),
    "its suspension is over": (well(**known(spec(suspend=Suspension("moving", until=at("10:00"))))), {}),
    "a policy freezes it": (well(**known(FROZEN)), {"Ready": "False Frozen"}),
    "its failure budget is spent": (
        well(**known(BUDGET, failures=3), jobs=(job("j1", "10:15", FAILED),)),
        {"Ready": "False Stalled", "Stalled": "True Stalled", "Healthy": "False SyncFailed"},
    ),
    "two files claim its connection": (
        well(spec=None, obstacle=Reason.DUPLICATE_CONNECTION),
        {
            "Ready": "False DuplicateConnection",
            "Stalled": "True DuplicateConnection",
            "Drifted": "",
            "InWindow": "",
        },
    ),
    "two files have its name": (
        well(obstacle=Reason.DUPLICATE_NAME),
        {"Ready": "False DuplicateName", "Stalled": "True DuplicateName"},
    ),
    "policies quarrel about it": (
        well(**known(spec(conflicts=("overlap",)))),
        {"Ready": "False PolicyConflict", "Stalled": "True PolicyConflict"},
    ),
    "it asks for too much": (
        well(**known(spec(unsupported=("drift",)))),
        {"Ready": "False NotYetSupported", "Stalled": "True NotYetSupported"},
    ),
    "the platform speaks of a phantom": (
        well(**known(phantoms=3)),
        {"Ready": "False PhantomActive", "Stalled": "True PhantomActive"},
    ),
    "two refusals are no phantom yet": (well(**known(phantoms=2)), {}),
    "the time is in doubt": (
        well(frozen="the wall clock was set"),
        {"Ready": "False ClockFrozen"} | dict.fromkeys(list(WELL)[1:5], ""),
    ),
    "the platform's clock is wrong": (
        well(skewed="300 s ahead"),
        {"Ready": "False ClockSkew"} | dict.fromkeys(list(WELL)[1:5], ""),
    ),
    "the clock was set back": (well(now="10:05"), {"Ready": "False ClockBehind"}),
    "it only observes": (well(**known(spec(mode=Mode.OBSERVE))), {"Ready": "True Observe"}),
    "its connection is paused": (
        well(connection=connection(ConnectionStatus.INACTIVE)),
        {"Ready": "False ConnectionInactive", "Drifted": "True ConnectionInactive"},
    ),
    "its connection is gone": (
        well(connection=None),
        {"Ready": "False ConnectionInactive", "Drifted": "True ConnectionInactive"},
    ),
    "a suspended one needs no active connection": (
        well(**known(SUSPENDED), connection=connection(ConnectionStatus.INACTIVE)),
        {"Ready": "False Suspended"},
    ),
    "a suspended one asks for an inactive connection where its status is enforced": (
        well(**known(spec(suspend=Suspension("moving"), drift_status=Drift.ENFORCE))),
        {"Ready": "False Suspended", "Drifted": "True Suspended"},
    ),
    "a status that is ignored is no drift": (
        well(**known(spec(drift_status=Drift.IGNORE)), connection=connection(ConnectionStatus.INACTIVE)),
        {"Ready": "False ConnectionInactive"},
    ),
    "the platform drives it as well": (
        well(connection=DRIVEN),
        {"Ready": "False DoubleScheduled", "Drifted": "True DoubleScheduled"},
    ),
    "an observed one is the platform's to drive": (
        well(**known(spec(mode=Mode.OBSERVE)), connection=DRIVEN),
        {"Ready": "True Observe", "Drifted": "True DoubleScheduled"},
    ),
    "its connection was not read yet": (well(connection=None, connection_read=""), {"Drifted": ""}),
    "a slot waits for a platform that is out of sight": (
        well(now="10:45", listing="10:20", trouble="down", **known(watermark="10:15")),
        {"Ready": "False ObservationStale"},
    ),
    "one look failed": (
        well(now="10:30:10", listing="10:29:50", trouble="down", **known(watermark="10:15")),
        {},
    ),
    "it is not in force yet": (
        well(standing=standing(calendar_key=None, effective_since=None, generation=0, content=""), in_flight=True),
        {"Ready": "Unknown Progressing", "Reconciling": "True Progressing"},
    ),
    "an edit waits": (
        well(spec=spec(overlap="Queue"), standing=standing(NIGHTLY, "10:15"), in_flight=True),
        {"Reconciling": "True Progressing"},
    ),
    "its trigger is under way": (
        well(standing=standing(claim=claim("10:15")), in_flight=True),
        {"Reconciling": "True TriggerInFlight"},
    ),
    "its trigger is in doubt": (
        well(standing=standing(claim=claim("10:15", answer=Answer.UNKNOWN, answered_at=at("10:15:10"))), listing="10:15:20"),
        {"Reconciling": "True InDoubt"},
    ),
    "its job was asked to end": (
        well(**known(cancel=cancelled("j2", "10:18")), jobs=(job("j2", "10:17", RUNNING), DONE)),
        {"Reconciling": "True CancelInFlight"},
    ),
    "its job has ended since": (well(**known(cancel=cancelled("j1", "10:18"))), {}),
    "a retry is to come": (
        well(
            now="10:15:20",
            **known(spec(retry=Retry()), attributed=ours(j1="10:15")),
            jobs=(job("j1", "10:15", FAILED),),
        ),
        {"Reconciling": "True RetryPending", "Healthy": "False SyncFailed"},
    ),
    "its schedule is gone": (
        well(spec=None, in_flight=True),
        {"Ready": "False Deleted", "Reconciling": "True Progressing", "Drifted": "", "InWindow": ""},
    ),
    "its last sync failed": (well(jobs=(job("j2", "10:18", FAILED), DONE)), {"Healthy": "False SyncFailed"}),
    "its last sync was cancelled": (
        well(jobs=(job("j2", "10:18", JobStatus.CANCELLED), DONE)),
        {"Healthy": "False SyncCancelled"},
    ),
    "a running sync says nothing yet": (well(jobs=(job("j2", "10:18", RUNNING), DONE)), {}),
    "a reset says nothing": (well(jobs=(job("j2", "10:18", FAILED, JobKind.RESET), DONE)), {}),
    "nothing ran yet": (well(jobs=(), standing=standing(watermark="10:15")), {"Healthy": "Unknown NoSyncYet"}),
    "only the store knows of a success": (well(jobs=()), {}),
    "only the store knows of a failure": (well(**known(failures=1), jobs=()), {"Healthy": "False SyncFailed"}),
    "its data grows old": (
        well(**known(WATCHED, last_success=success("09:45"))),
        {"Healthy": "True Ageing"},
    ),
    "its data is too old": (
        well(**known(WATCHED, last_success=success("09:10"))),
        {"Healthy": "False Outdated"},
    ),
    "its data is fresh": (well(**known(WATCHED)), {}),
    "a deny window is open": (well(**known(NIGHT)), {"InWindow": "False WindowClosed"}),
    "an allow window is open": (well(**known(DAY)), {"InWindow": "True WindowOpen"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_condition_says_what_it_means(name: str) -> None:
    """What a case does not name is as of a schedule that is well; what it names empty is not judged."""
    given, differing = CASES[name]
    assert words(judged(given)) == {kind: said for kind, said in (WELL | differing).items() if said}


def test_a_rejected_file_stalls_what_goes_on_running() -> None:
    """The last good version is in force and ready; only a person can bring in what the file was meant to say."""
    found = judged(well(), is_stale=True)
    assert words(found) == WELL | {"Stalled": "True SpecRejected"}


def test_a_defect_of_the_planner_needs_a_person() -> None:
    """Everything else stays what it was."""
    given = well()
    plan = ConnectionPlan(given.facts().ref, defect="ValueError: no")
    verdicts = judge_conditions(given.facts(), plan, given.platform(), at(SECOND))
    assert [f"{v.type} {v.status} {v.reason}" for v in verdicts if v] == ["Ready False Defect", "Stalled True Defect"]
    assert "ValueError: no" in next(v.message for v in verdicts if v)


def test_what_goes_on_by_itself_needs_no_person() -> None:
    """A platform that got enough for now gets the rest after the next full resync."""
    given = well()
    facts = given.facts()
    plan = ConnectionPlan(facts.ref, holds=(Hold(facts.ref, "nightly", Reason.BLAST_RADIUS, "10 are allowed"),))
    verdicts = judge_conditions(facts, plan, given.platform(), at(SECOND))
    said = [f"{v.type} {v.status} {v.reason}" for v in verdicts[:3] if v]
    assert said == ["Ready False BlastRadius", "Reconciling True BlastRadius", "Stalled False NothingStalled"]


def test_what_no_schedule_names_has_no_conditions() -> None:
    """Neither a file nor the store knows it."""
    given = well(spec=None, standing=standing(calendar_key=None, content=""))
    assert judge_conditions(given.facts(), decide(given), given.platform(), at(SECOND)) == ()


def kept_of(given: Given, generation: int = 1) -> Kept:
    """What is kept after a first look."""
    return Kept(changed(tuple(judged(given).values()), Kept(), generation, at("09:00")))


@pytest.mark.parametrize("status", [FAILED, JobStatus.CANCELLED])
def test_a_process_that_sees_less_than_the_last_one_leaves_what_it_said(status: JobStatus) -> None:
    """After a restart in the middle of a run nobody sees the job before it any more, and the store counts no cancelled one."""
    kept = kept_of(well(jobs=(job("j0", "10:15", status),)))
    assert "Healthy" not in judged(well(jobs=(job("j2", "10:18", RUNNING),)), kept=kept)
    assert words(judged(well(jobs=(job("j2", "10:18", SUCCEEDED),)), kept=kept)) == WELL


def test_an_alert_that_is_not_judged_yet_flips_nothing() -> None:
    """Until the newest success was looked for, the age of the data is what it was."""
    kept = kept_of(well(**known(WATCHED, last_success=success("09:10"))))
    given = well(**known(WATCHED), success_known=False)
    assert decide(given).freshness is None
    assert "Healthy" not in judged(given, kept=kept)
    assert decide(well(**known(WATCHED))).freshness is Freshness.FRESH
    assert words(judged(well(**known(WATCHED)), kept=kept))["Healthy"] == "True SyncSucceeded"


def test_at_first_sight_every_condition_is_there() -> None:
    """Also those that cannot be judged yet; all since now."""
    rows = changed(tuple(judged(well(frozen="set")).values()), Kept(), 3, at("10:00"))
    assert [row.type for row in rows] == list(ConditionType)
    assert {row.last_transition_at for row in rows} == {at("10:00")}
    assert {row.observed_generation for row in rows} == {3}
    assert rows[1].reason is ConditionReason.NOT_JUDGED
    assert rows[1].status is ConditionStatus.UNKNOWN


def test_only_what_differs_is_written() -> None:
    """Nothing where nothing differs; the time moves with the status alone."""
    kept = kept_of(well())
    verdicts = [*judged(well()).values()]
    assert changed(verdicts, kept, 1, at("10:00")) == ()
    observing = replace(verdicts[0], reason=Reason.OBSERVE)
    suspended = Verdict(ConditionType.READY, ConditionStatus.FALSE, Reason.SUSPENDED, "moving")
    (same,), (flipped,) = (changed([each], kept, 1, at("10:00")) for each in (observing, suspended))
    assert (same.reason, same.last_transition_at) == (Reason.OBSERVE, at("09:00"))
    assert (flipped.reason, flipped.last_transition_at) == (Reason.SUSPENDED, at("10:00"))
    assert len(changed(verdicts, kept, 2, at("10:00"))) == len(ConditionType)
    louder = replace(verdicts[0], message="otherwise")
    assert [row.message for row in changed([louder, None], kept, 1, at("10:00"))] == ["otherwise"]


@pytest.mark.parametrize("trouble", [{"frozen": "off by 17 s"}, {"skewed": "off by 17 s"}, {"now": "10:05"}])
def test_a_message_names_no_passing_moment(trouble: dict[str, str]) -> None:
    """Or each look would be a write."""
    message = judged(well(**trouble))["Ready"].message
    assert not any(character.isdigit() for character in message)


def test_windows_are_searched_again_only_at_their_edges() -> None:
    """Between two edges one view is good, unless the windows change or the clock is set back."""
    first = look_at_windows(NIGHT, at("10:20"))
    assert first.until == at("11:00")
    assert "opens at 2026-03-02 11:00:00Z" in first.verdict.message
    assert look_at_windows(NIGHT, at("10:59"), first) is first
    for later, now in ((NIGHT, "11:00"), (NIGHT, "10:19"), (DAY, "10:30")):
        assert look_at_windows(later, at(now), first) is not first
    assert look_at_windows(NIGHT, at("11:00"), first).verdict.status is ConditionStatus.TRUE


def test_no_word_stands_in_both_lists_of_reasons() -> None:
    """So that a word read back from a store has one meaning."""
    words_of = [*ConditionReason, *Reason]
    assert len(set(map(str, words_of))) == len(words_of)
    assert [why_called(str(each)) for each in words_of] == words_of
    with pytest.raises(ValueError, match="Nonsense"):
        why_called("Nonsense")


@pytest.mark.parametrize(
    ("generation", "observed", "differing", "expected"),
    [
        (1, 1, {}, KStatus.CURRENT),
        (2, 1, {}, KStatus.IN_PROGRESS),
        (2, 1, {"Stalled": "True"}, KStatus.IN_PROGRESS),
        (1, 1, {"Stalled": "True"}, KStatus.FAILED),
        (1, 1, {"Reconciling": "True"}, KStatus.IN_PROGRESS),
        (1, 1, {"Ready": "False"}, KStatus.IN_PROGRESS),
        (1, 1, {"Ready": "Unknown"}, KStatus.IN_PROGRESS),
        (1, 1, {"Healthy": "False", "Drifted": "True", "InWindow": "False"}, KStatus.CURRENT),
    ],
)
def test_kstatus_is_what_its_tools_would_say(
    generation: int, observed: int, differing: dict[str, str], expected: KStatus
) -> None:
    """The generation first: conditions say nothing about a spec that nobody has observed."""
    status = {"Ready": "True", "Reconciling": "False", "Stalled": "False"} | differing
    rows = [
        Condition(ConditionType(name), ConditionStatus(said), ConditionReason.SCHEDULED)
        for name, said in status.items()
    ]
    assert kstatus(generation, observed, whole(rows, ())) is expected
