"""A cron calendar keeps the two slots around an instant that it was asked about: what it was asked before never changes an answer."""

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.decide.cron.evaluator import CronCalendar
from controller.decide.cron.fields import parse_cron
from controller.decide.cron.zone import BEGIN, END, segments_of
from tests.unit.decide.test_cron_properties import EXPRESSIONS, ZONES

SPRING = 1_774_746_000
"""2026-03-29T01:00:00Z, when most clocks of Europe are set forward."""

INSTANTS = st.one_of(
    st.integers(SPRING - 3 * 86_400, SPRING + 3 * 86_400),
    st.integers(SPRING - 7200, SPRING + 7200),
    st.sampled_from([BEGIN - 2, BEGIN - 1, BEGIN, BEGIN + 1, END - 1, END, END + 1]),
    st.integers(BEGIN, END),
)
ASKED = st.lists(st.tuples(st.sampled_from(["next", "previous", "step", "back"]), INSTANTS), max_size=30)


def answer(calendar: CronCalendar, direction: str, instant: int) -> int | None:
    """The next slot, or the previous one."""
    return calendar.next_after(instant) if direction in ("next", "step") else calendar.previous_at_or_before(instant)


@given(expression=EXPRESSIONS, zone=st.sampled_from(ZONES), asked=ASKED)
@settings(max_examples=150, deadline=None)
def test_what_was_asked_before_changes_no_answer(expression: str, zone: str, asked: list[tuple[str, int]]) -> None:
    """One calendar asked many times answers as a new one does each time, also when it is asked from its own last answer on."""
    fields, segments = parse_cron(expression), segments_of(zone)
    calendar, last = CronCalendar(fields, segments), SPRING
    for direction, drawn in asked:
        instant = {"step": last, "back": last - 1}.get(direction, drawn)
        found = answer(calendar, direction, instant)
        assert found == answer(CronCalendar(fields, segments), direction, instant), (direction, instant)
        last = drawn if found is None else found


def test_the_first_and_the_last_slot_are_found_from_both_sides() -> None:
    """Where there is no slot on one side nothing is kept that would be taken for one."""
    calendar = CronCalendar(parse_cron("0 0 1 1 *"), segments_of("UTC"))
    assert calendar.next_after(BEGIN - 1) == BEGIN
    assert calendar.previous_at_or_before(BEGIN - 1) is None
    assert calendar.next_after(END) is None
    last = calendar.previous_at_or_before(END)
    assert last is not None
    assert calendar.next_after(last) is None
    assert calendar.previous_at_or_before(END + 1) == last
