"""What holds for every forecast, whatever the schedule; `test_forecast` has the rules one by one."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.decide.foresight.forecast import Outlook, forecast
from controller.decide.foresight.foreseen import Prospect
from controller.decide.slots import calendar_in_force, calendar_of, fires_at, from_epoch, to_epoch
from controller.decide.windows import is_open
from controller.model.calendar import EntryKind, ExcludedCron
from controller.model.profile import AITRONOS, EMBEDDED
from controller.model.schedule import CatchUp, Overlap, ScheduleSpec
from controller.model.window import WindowKind
from tests.unit.decide.given import MIDNIGHT, at, cron, every, spec, standing
from tests.unit.decide.test_forecast import MINUTE, OPEN, deny, fresh, outlook

schedules = st.builds(
    lambda entries, jitter, gap, overlap, window, closed, kept: spec(
        entries,
        jitter=jitter,
        min_gap=gap,
        overlap=overlap,
        windows=closed,
        catch_up=CatchUp(window=window),
        exclude=kept,
    ),
    st.sampled_from([every(7), every(15), cron("*/10 8-12 * * *"), (*every(25), *fresh(20)), fresh(30)]),
    st.sampled_from([None, 3 * MINUTE, 30 * MINUTE]),
    st.sampled_from([None, timedelta(), 12 * MINUTE]),
    st.sampled_from([Overlap.SKIP, Overlap.QUEUE]),
    st.sampled_from([None, 2 * MINUTE, 40 * MINUTE]),
    st.sampled_from([(), (deny("20 * * * *", 25),), (deny("0 9-12 * * *", 40, WindowKind.ALLOW),)]),
    st.sampled_from([(), (ExcludedCron("0-29 11 * * *"),)]),
)


@settings(deadline=None, max_examples=150)
@given(schedule=schedules, lasts=st.integers(1, 40))
def test_starts_keep_every_promise(schedule: ScheduleSpec, lasts: int) -> None:
    """Under Skip and Queue syncs never overlap; starts keep to minGap and the windows, and lie between a slot and the next one."""
    slots = list(forecast(outlook(schedule, lasts), at("08:00"), at("14:00")))
    starts = [each.starts for each in slots if each.starts is not None]
    gap = AITRONOS.min_gap if schedule.min_gap is None else schedule.min_gap
    assert all(later - earlier >= max(lasts * 60, gap.total_seconds()) for earlier, later in pairwise(starts))
    assert all(is_open(schedule.windows, each).open for each in starts)
    assert all(each.starts >= each.fires >= each.scheduled for each in slots if each.starts is not None)
    assert (len({each.starts for each in slots} - {None})) == len(starts)
    instants = [each.scheduled for each in slots]
    assert instants == sorted(set(instants))
    assert all((each.starts is not None) == (each.outcome is Prospect.TRIGGERED) for each in slots)


@settings(deadline=None, max_examples=50)
@given(schedule=schedules)
def test_the_slots_are_those_of_the_calendar(schedule: ScheduleSpec) -> None:
    """Without ``freshness`` the slots and their jittered times are exactly those that the planner has, and what exclude took away."""
    if any(entry.kind is EntryKind.FRESHNESS for entry in schedule.entries):
        return
    calendar = calendar_of(schedule.calendar_key)
    assert calendar is not None
    slots = list(forecast(outlook(schedule), at("08:00"), at("14:00")))
    exist = [each for each in slots if each.outcome is not Prospect.EXCLUDED]
    assert len(exist) == calendar.count_between(to_epoch(at("08:00")), to_epoch(at("14:00")))
    for each in exist:
        assert from_epoch(each.fires) == fires_at(schedule, calendar, schedule.ref, from_epoch(each.scheduled))


@given(age=st.integers(6, 300), since=st.integers(-300, 0))
def test_freshness_slots_without_a_success_are_those_of_the_calendar_in_force(age: int, since: int) -> None:
    """While nothing succeeds a forecast has the very slots that the planner has."""
    schedule = spec(fresh(age), suspend=OPEN)
    stands = replace(standing(schedule), effective_since=MIDNIGHT, fresh_since=at("10:00") + since * MINUTE)
    calendar = calendar_in_force(stands, EMBEDDED)
    assert calendar is not None
    slots = [each.scheduled for each in forecast(Outlook(schedule, stands, EMBEDDED), at("10:00"), at("16:00"))]
    assert len(slots) == calendar.count_between(to_epoch(at("10:00")), to_epoch(at("16:00")))
    assert all(calendar.previous_at_or_before(each) == each for each in slots)
