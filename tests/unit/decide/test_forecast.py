"""What every slot to come will come to, rule by rule; ``10:15`` stands for Monday, 2 March 2026, UTC."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controller.decide.foresight.forecast import Outlook, forecast, taken_in
from controller.decide.foresight.foreseen import Foreseen, sentence
from controller.decide.slots import from_epoch
from controller.model.calendar import CalendarEntry, EntryKind, ExcludedCron
from controller.model.job import JobKind, JobStatus
from controller.model.profile import AITRONOS
from controller.model.record import Reason, Standing, Success
from controller.model.schedule import CatchUp, CatchUpPolicy, Mode, Overlap, ScheduleSpec, Suspension
from controller.model.window import Window, WindowKind
from tests.unit.decide.given import at, clock, cron, every, held, job, spec, standing

MINUTE = timedelta(minutes=1)


def fresh(minutes: int) -> tuple[CalendarEntry, ...]:
    """Slots for the age of the data."""
    return (CalendarEntry(EntryKind.FRESHNESS, f"{minutes}m", every=minutes * 60),)


def deny(text: str, minutes: int, kind: WindowKind = WindowKind.DENY) -> Window:
    """A window in UTC."""
    return Window(kind, text, minutes * 60, reason="backup" if kind is WindowKind.DENY else "")


def outlook(schedule: ScheduleSpec, lasts: float | None = 5, **known: Any) -> Outlook:
    """A schedule in force since midnight with every slot up to 10:00 decided, whose syncs last so many minutes."""
    stands = known.pop("standing", None) or standing(schedule)
    return Outlook(schedule, stands, AITRONOS, None if lasts is None else lasts * MINUTE, **known)


def told(slot: Foreseen) -> str:
    """A slot in short: ``10:15 Triggered 10:20``, ``10:30 Skipped(Active)``; the jittered time stands after a plus."""
    jitter = "" if slot.fires == slot.scheduled else f"+{slot.fires - slot.scheduled}"
    starts = f" {clock(from_epoch(slot.starts))}" if slot.starts not in (None, slot.fires) else ""
    return f"{clock(from_epoch(slot.scheduled))}{jitter} {slot.word}{starts}"


def slots_of(given_: Outlook, since: str = "10:00", until: str = "11:00", now: str = "") -> list[str]:
    """The forecast in short."""
    return [told(each) for each in forecast(given_, at(since), at(until), at(now) if now else None)]


RUNNING = job("job_1", "09:50", JobStatus.RUNNING)
RESET = job("job_1", "09:50", JobStatus.RUNNING, JobKind.RESET)
UNTIL = Suspension("moving house", "ana", at("10:20"))
OPEN = Suspension("moving house", "ana")

CASES: dict[str, tuple[Outlook, list[str]]] = {
    "nothing stands against it": (
        outlook(spec(every(30))),
        ["10:30 Triggered", "11:00 Triggered"],
    ),
    "excluded slots are told and take no part": (
        outlook(spec(every(20), exclude=(ExcludedCron("40-59 10 * * *"),))),
        ["10:20 Triggered", "10:40 Excluded", "11:00 Triggered"],
    ),
    "there is nothing before the start date, nor from the end date on": (
        outlook(spec(every(15), start_date=at("10:30"), end_date=at("11:00"))),
        ["10:30 Triggered", "10:45 Triggered"],
    ),
    "what only observes is held": (
        outlook(spec(every(30), mode=Mode.OBSERVE)),
        ["10:30 Held(Observe)", "11:00 Held(Observe)"],
    ),
    "suspended until an instant, which is free again": (
        outlook(spec(every(20), suspend=UNTIL)),
        ["10:20 Triggered", "10:40 Triggered", "11:00 Triggered"],
    ),
    "suspended before that instant": (
        outlook(spec(every(15), suspend=UNTIL)),
        ["10:15 Skipped(Suspended)", "10:30 Triggered", "10:45 Triggered", "11:00 Triggered"],
    ),
    "frozen by a policy": (
        outlook(spec(every(15), freezes=(UNTIL,))),
        ["10:15 Skipped(Frozen)", "10:30 Triggered", "10:45 Triggered", "11:00 Triggered"],
    ),
    "suspended comes before frozen": (
        outlook(spec(every(60), freezes=(OPEN,), suspend=OPEN)),
        ["11:00 Skipped(Suspended)"],
    ),
    "suspended comes before what only observes": (
        outlook(spec(every(60), mode=Mode.OBSERVE, suspend=OPEN)),
        ["11:00 Skipped(Suspended)"],
    ),
    "policies contradict each other": (
        outlook(spec(every(60), conflicts=("overlap",))),
        ["11:00 Skipped(PolicyConflict)"],
    ),
    "it asks for what is not supported yet": (
        outlook(spec(every(60), unsupported=("drift",), suspend=OPEN)),
        ["11:00 Skipped(NotYetSupported)"],
    ),
    "two files claim it": (
        outlook(spec(every(60)), obstacle=Reason.DUPLICATE_NAME),
        ["11:00 Skipped(DuplicateName)"],
    ),
    "too many failed in a row": (
        outlook(spec(every(60), failure_budget=3), standing=standing(spec(every(60)), failures=3)),
        ["11:00 Skipped(Stalled)"],
    ),
    "the sync that is active is taken to succeed, which ends the row of failures": (
        outlook(
            spec(every(15), failure_budget=3),
            30,
            standing=standing(spec(every(15)), failures=3),
            active=RUNNING,
        ),
        ["10:15 Skipped(Stalled)", "10:30 Triggered", "10:45 Skipped(Active)", "11:00 Triggered"],
    ),
    "a closed window is waited for": (
        outlook(spec(every(30), windows=(deny("20 10 * * *", 20),))),
        ["10:30 Triggered 10:40", "11:00 Triggered"],
    ),
    "but not when a newer slot fires first": (
        outlook(spec(every(15), windows=(deny("10 10 * * *", 30),))),
        ["10:15 Skipped(WindowClosed)", "10:30 Triggered 10:40", "10:45 Triggered", "11:00 Triggered"],
    ),
    "nor at the instant at which a newer one fires": (
        outlook(spec(every(15), windows=(deny("10 10 * * *", 20),))),
        ["10:15 Skipped(WindowClosed)", "10:30 Triggered", "10:45 Triggered", "11:00 Triggered"],
    ),
    "nor when it opens after the deadline": (
        outlook(spec(every(30), windows=(deny("20 10 * * *", 20),), catch_up=CatchUp(window=9 * MINUTE))),
        ["10:30 Skipped(WindowClosed)", "11:00 Triggered"],
    ),
    "the deadline itself is in time": (
        outlook(spec(every(30), windows=(deny("20 10 * * *", 20),), catch_up=CatchUp(window=10 * MINUTE))),
        ["10:30 Triggered 10:40", "11:00 Triggered"],
    ),
    "outside of every allow window": (
        outlook(spec(every(30), windows=(deny("0 11 * * *", 60, WindowKind.ALLOW),))),
        ["10:30 Skipped(WindowClosed)", "11:00 Triggered"],
    ),
    "Skip: a slot during a sync is skipped": (
        outlook(spec(every(15)), 20),
        ["10:15 Triggered", "10:30 Skipped(Active)", "10:45 Triggered", "11:00 Skipped(Active)"],
    ),
    "Skip: at the instant at which it ends nothing is active": (
        outlook(spec(every(30)), 30),
        ["10:30 Triggered", "11:00 Triggered"],
    ),
    "Queue: it starts when the sync ends": (
        outlook(spec(every(15), overlap=Overlap.QUEUE), 20),
        ["10:15 Triggered", "10:30 Triggered 10:35", "10:45 Triggered 10:55", "11:00 Skipped(Active)"],
    ),
    "Queue: only the newest waits": (
        outlook(spec(every(10), overlap=Overlap.QUEUE), 25),
        [
            "10:10 Triggered",
            "10:20 Skipped(Active)",
            "10:30 Triggered 10:35",
            "10:40 Skipped(Active)",
            "10:50 Skipped(Active)",
            "11:00 Triggered",
        ],
    ),
    "Queue: not after its deadline": (
        outlook(spec(every(15), overlap=Overlap.QUEUE, catch_up=CatchUp(window=2 * MINUTE)), 20),
        ["10:15 Triggered", "10:30 Skipped(Active)", "10:45 Triggered", "11:00 Skipped(Active)"],
    ),
    "Replace: the running sync ends for it": (
        outlook(spec(every(15), overlap=Overlap.REPLACE), 20),
        ["10:15 Triggered", "10:30 Triggered", "10:45 Triggered", "11:00 Triggered"],
    ),
    "Replace waits for what is not ours": (
        outlook(spec(every(15), overlap=Overlap.REPLACE), 28, active=RUNNING),
        ["10:15 Triggered 10:18", "10:30 Triggered", "10:45 Triggered", "11:00 Triggered"],
    ),
    "Replace ends the active one of ours": (
        outlook(spec(every(15), overlap=Overlap.REPLACE), 28, active=RUNNING, active_is_ours=True),
        ["10:15 Triggered", "10:30 Triggered", "10:45 Triggered", "11:00 Triggered"],
    ),
    "the active job stands against a slot until it has lasted as long as usual": (
        outlook(spec(every(15)), 30, active=RUNNING),
        ["10:15 Skipped(Active)", "10:30 Triggered", "10:45 Skipped(Active)", "11:00 Triggered"],
    ),
    "one that lasts longer than usual already is taken to end at once": (
        outlook(spec(every(30)), 5, active=RUNNING),
        ["10:30 Triggered", "11:00 Triggered"],
    ),
    "minGap delays the start": (
        outlook(spec(every(15), min_gap=20 * MINUTE), 5),
        ["10:15 Triggered", "10:30 Triggered 10:35", "10:45 Triggered 10:55", "11:00 Skipped(MinGap)"],
    ),
    "minGap counts from the last start of any origin": (
        outlook(spec(every(30), min_gap=35 * MINUTE), 1, last_start=at("09:58")),
        ["10:30 Triggered 10:33", "11:00 Triggered 11:08"],
    ),
    "minGap beyond the deadline": (
        outlook(spec(every(15), min_gap=20 * MINUTE, catch_up=CatchUp(window=4 * MINUTE)), 5),
        ["10:15 Triggered", "10:30 Skipped(MinGap)", "10:45 Triggered", "11:00 Skipped(MinGap)"],
    ),
    "after a window minGap may still be on": (
        outlook(
            spec(every(30), min_gap=25 * MINUTE, windows=(deny("20 10 * * *", 15),)),
            1,
            last_start=at("10:00") + 14 * MINUTE,
        ),
        ["10:30 Triggered 10:35", "11:00 Triggered"],
    ),
    "an unknown duration is taken to be a minute": (
        outlook(spec(every(0.5), min_gap=timedelta()), None),
        ["10:00:30 Triggered"]
        + [f"10:{minute:02}{rest}" for minute in range(1, 60) for rest in (" Skipped(Active)", ":30 Triggered")]
        + ["11:00 Skipped(Active)"],
    ),
    "a slot that waits at the beginning takes its part and is not told": (
        outlook(
            spec(every(30)),
            40,
            standing=standing(spec(every(30)), "10:00", pending=(held("10:00", Reason.MIN_GAP),)),
        ),
        ["10:30 Skipped(Active)", "11:00 Triggered"],
    ),
    "what was due while it only observed is never started": (
        outlook(
            spec(every(30)),
            40,
            standing=standing(spec(every(30)), "10:00", pending=(held("10:00", Reason.OBSERVE),)),
        ),
        ["10:30 Triggered", "11:00 Skipped(Active)"],
    ),
    "a slot that passed without a decision is caught up": (
        outlook(spec(every(30)), 40, standing=standing(spec(every(30)), "09:45")),
        ["10:30 Skipped(Active)", "11:00 Triggered"],
    ),
    "freshness: a slot when the data is too old, again after each assumed success": (
        outlook(spec(fresh(20)), 4, standing=standing(spec(fresh(20)), fresh_since=at("09:55"))),
        ["10:15 Triggered", "10:39 Triggered"],
    ),
    "freshness: where no success is known it comes at once": (
        outlook(spec(fresh(30)), 5, standing=replace(standing(spec(fresh(30))), effective_since=at("10:00"))),
        ["10:00:01 Triggered", "10:35:01 Triggered"],
    ),
    "freshness: every quarter of the age while nothing starts": (
        outlook(
            spec(fresh(40), suspend=replace(OPEN, until=at("10:45"))),
            5,
            standing=standing(spec(fresh(40)), fresh_since=at("09:35")),
        ),
        ["10:15 Skipped(Suspended)", "10:25 Skipped(Suspended)", "10:35 Skipped(Suspended)", "10:45 Triggered"],
    ),
    "freshness: any success makes the data fresh": (
        outlook(
            spec((*fresh(30), *cron("25 10 * * *"))),
            5,
            standing=standing(spec((*fresh(30), *cron("25 10 * * *"))), fresh_since=at("09:58")),
        ),
        ["10:25 Triggered", "10:28 Counted", "11:00 Triggered"],
    ),
    "freshness: slots during a long sync are overtaken by newer ones, the last counts": (
        outlook(spec(fresh(20)), 12, standing=standing(spec(fresh(20)), fresh_since=at("09:55"))),
        [
            "10:15 Triggered",
            "10:20 Skipped(Active)",
            "10:25 Counted",
            "10:47 Triggered",
            "10:52 Skipped(Active)",
            "10:57 Counted",
        ],
    ),
    "freshness waits for a job that makes nothing fresh, whatever overlap says": (
        outlook(spec(fresh(60)), 28, active=RESET, standing=standing(spec(fresh(60)), fresh_since=at("09:10"))),
        ["10:10 Triggered 10:18", "10:25 Skipped(Active)", "10:40 Counted"],
    ),
    "freshness: slots that are excluded do not exist": (
        outlook(
            spec(fresh(40), exclude=(ExcludedCron("15 10 * * *"),)),
            5,
            standing=standing(spec(fresh(40), exclude=(ExcludedCron("15 10 * * *"),)), fresh_since=at("09:35")),
        ),
        ["10:15 Excluded", "10:25 Triggered"],
    ),
    "freshness: what Replace cancels makes nothing fresh": (
        outlook(
            spec((*fresh(60), *cron("20,30 10 * * *")), overlap=Overlap.REPLACE, min_gap=timedelta()),
            25,
            standing=standing(spec((*fresh(60), *cron("20,30 10 * * *"))), fresh_since=at("09:48")),
        ),
        ["10:20 Triggered", "10:30 Triggered", "10:48 Counted"],
    ),
    "freshness: nor does it when the slot that cancelled it then waits in vain": (
        outlook(
            spec(
                (*fresh(60), *cron("20,30 10 * * *")),
                overlap=Overlap.REPLACE,
                min_gap=20 * MINUTE,
                catch_up=CatchUp(window=5 * MINUTE),
            ),
            25,
            standing=standing(spec((*fresh(60), *cron("20,30 10 * * *"))), fresh_since=at("09:48")),
        ),
        ["10:20 Triggered", "10:30 Skipped(MinGap)", "10:48 Triggered"],
    ),
    "manual: no slots": (outlook(spec((CalendarEntry(EntryKind.MANUAL),))), []),
}


@pytest.mark.parametrize("name", CASES)
def test_each_slot_comes_to_what_the_rules_say(name: str) -> None:
    """The table says, for each rule, what becomes of every slot from 10:00 to 11:00."""
    given_, expected = CASES[name]
    assert slots_of(given_) == expected


def test_a_forecast_from_later_on_rests_on_what_is_assumed_until_then() -> None:
    """Slots before ``since`` take their part and are not told."""
    whole = slots_of(outlook(spec(every(15)), 20), until="12:00")
    assert slots_of(outlook(spec(every(15)), 20), since="11:00", until="12:00", now="10:00") == whole[4:]


def test_a_new_calendar_counts_from_now_on() -> None:
    """A first start, and an edit of the calendar, make up for nothing; the last success still counts."""
    schedule, now = spec(every(15)), at("10:00")
    first = taken_in(schedule, Standing(schedule.ref), now)
    assert (first.effective_since, first.watermark, first.fresh_since) == (now, now, None)
    edited = replace(standing(spec(every(20))), last_success=Success("job_1", at("09:00")))
    assert taken_in(schedule, edited, now).fresh_since == at("09:00")
    assert taken_in(schedule, standing(schedule, "09:00"), now) == standing(schedule, "09:00")


def test_what_was_due_under_catch_up_none_is_not_made_up() -> None:
    """Nobody saw the slot in time, and ``catchUp: None`` wants no late start."""
    strict = spec(every(30), catch_up=CatchUp(CatchUpPolicy.NONE))
    assert slots_of(outlook(strict, 40, standing=standing(strict, "09:45")))[0] == "10:30 Triggered"


SENTENCES = {
    "closed": (spec(every(15), windows=(deny("10 10 * * *", 30),)), "10:15", "backup; opens at 2026-03-02 10:40:00Z, too late for it"),
    "waits": (spec(every(30), windows=(deny("20 10 * * *", 20),)), "10:30", "starts at 2026-03-02 10:40:00Z, when a window opens"),
    "suspended": (spec(every(15), suspend=UNTIL), "10:15", "the schedule is suspended: moving house (by ana), until 2026-03-02 10:20:00Z"),
    "active": (spec(every(2)), "10:04", "a sync should last until 2026-03-02 10:07:00Z"),
    "queued": (spec(every(4), overlap=Overlap.QUEUE), "10:08", "starts at 2026-03-02 10:09:00Z, when the sync before it should end"),
    "replaces": (spec(every(4), overlap=Overlap.REPLACE), "10:08", "takes the place of a sync that would last until 2026-03-02 10:09:00Z"),
    "gap": (spec(every(15), min_gap=20 * MINUTE), "10:30", "starts at 2026-03-02 10:35:00Z, when minGap is over"),
    "too soon": (spec(every(6), min_gap=20 * MINUTE), "10:12", "minGap lasts until 2026-03-02 10:26:00Z"),
    "excluded": (spec(every(15), exclude=(ExcludedCron("15 * * * *"),)), "10:15", "no slot: exclude covers it"),
    "punctual": (spec(every(15)), "10:15", "starts on time"),
    "jitter": (spec(every(15), jitter=10 * MINUTE), "10:15", "starts 495 s later, by jitter"),
}  # fmt: skip


@pytest.mark.parametrize("name", SENTENCES)
def test_the_sentence_says_what_stands_against_it_and_until_when(name: str) -> None:
    """People read why, with the instants that decided."""
    schedule, scheduled, expected = SENTENCES[name]
    found = {
        clock(from_epoch(each.scheduled)): sentence(each)
        for each in forecast(outlook(schedule), at("10:00"), at("11:00"))
    }
    assert found[scheduled] == expected
