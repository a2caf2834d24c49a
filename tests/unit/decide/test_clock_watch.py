"""Clocks compared: each story is a row of readings and answers, and what is known after each of them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from controller.decide.clock_watch import ClockWatch, DateAnswer, Reading, heard, ticked
from controller.model.plan import ClockJump
from tests.unit.decide.given import at, clock

TOLERANCE = timedelta(seconds=30)


def reading(wall: str, boottime: float) -> Reading:
    """Both clocks."""
    return Reading(at(wall), boottime)


def answer(date: str, platform: str = "acme", taken: float = 0) -> DateAnswer:
    """What a platform says."""
    return DateAnswer(platform, at(date), timedelta(seconds=taken), TOLERANCE)


def state(watch: ClockWatch) -> str:
    """What follows from it, as text."""
    parts = [f"frozen by {watch.step.total_seconds():+g}"] if watch.frozen else ["agreed"]
    parts += [f"{name} {watch.errors[name].ahead.total_seconds():+g}" for name in watch.errors if watch.skewed(name)]
    if watch.jump is not None:
        parts.append(f"jump {clock(watch.jump.since)} to {clock(watch.jump.until)}")
    return "; ".join(parts)


Step = tuple[str, float] | tuple[str, float, str] | tuple[str, float, str, str]

STORIES: dict[str, list[tuple[Step, str]]] = {
    # (wall, boottime[, Date[, platform]]), what is known then
    "time passes": [(("10:00", 0), "agreed"), (("10:00:05", 5), "agreed")],
    "thirty seconds are tolerated": [(("10:00", 0), "agreed"), (("10:00:35", 5), "agreed")],
    "more are a step": [(("10:00", 0), "agreed"), (("10:00:35.5", 5), "frozen by +30.5")],
    "so are more the other way": [(("10:00", 0), "agreed"), (("09:59:34.5", 5), "frozen by -30.5")],
    "a step that is taken back": [
        (("10:00", 0), "agreed"),
        (("11:00:05", 5), "frozen by +3600"),
        (("11:00:10", 10), "frozen by +3600"),
        (("10:00:15", 15), "agreed"),
    ],
    "one that is taken back nearly": [
        (("10:00", 0), "agreed"),
        (("11:00:05", 5), "frozen by +3600"),
        (("10:00:40", 10), "agreed"),
    ],
    "sleep is no step": [(("10:00", 0), "agreed"), (("18:00", 28800), "agreed")],
    "a drift of a thousandth is followed": [
        (("10:00", 0), "agreed"),
        (("15:33:50", 20000 + 10), "agreed"),
        (("21:07:40", 40000 + 20), "agreed"),
        (("+1d 02:41:30", 60000 + 30), "agreed"),
        (("+1d 08:15:20", 80000 + 40), "agreed"),
        (("+1d 13:49:10", 100000 + 50), "agreed"),
    ],
    "steps that add up are not": [
        (("10:00", 0), "agreed"),
        (("10:01:20", 60), "agreed"),
        (("10:02:40", 120), "frozen by +39.4"),
    ],
    "three answers confirm a step": [
        (("10:00", 0), "agreed"),
        (("11:00:05", 5, "11:00:05"), "frozen by +3600; acme +3600"),
        (("11:00:35", 35, "11:00:34"), "frozen by +3600; acme +3599"),
        (("11:01:05", 65, "11:01:05"), "agreed; jump 10:00 to 11:00"),
    ],
    "three answers confirm a step back": [
        (("10:00", 0), "agreed"),
        (("09:00:05", 5, "09:00:05"), "frozen by -3600; acme -3599"),
        (("09:00:35", 35, "09:00:35"), "frozen by -3600; acme -3599"),
        (("09:01:05", 65, "09:01:05"), "agreed; jump 10:00 to 09:00"),
    ],
    "an answer that contradicts begins the row anew": [
        (("10:00", 0), "agreed"),
        (("11:00:05", 5, "11:00:05"), "frozen by +3600; acme +3600"),
        (("11:00:35", 35, "11:00:35"), "frozen by +3600; acme +3600"),
        (("11:01:05", 65, "10:01:05"), "frozen by +3600"),
        (("11:01:35", 95, "11:01:35"), "frozen by +3600; acme +3600"),
        (("11:02:05", 125, "11:02:05"), "frozen by +3600; acme +3600"),
        (("11:02:35", 155, "11:02:35"), "agreed; jump 10:00 to 11:00"),
    ],
    "answers of three platforms are no row": [
        (("10:00", 0), "agreed"),
        (("11:00:05", 5, "11:00:05", "a"), "frozen by +3600; a +3600"),
        (("11:00:05", 5, "11:00:05", "b"), "frozen by +3600; a +3600; b +3600"),
        (("11:00:05", 5, "11:00:05", "c"), "frozen by +3600; a +3600; b +3600; c +3600"),
    ],
    "a further step begins the row anew, and counts from where all agreed": [
        (("10:00", 0), "agreed"),
        (("11:00:05", 5, "11:00:05"), "frozen by +3600; acme +3600"),
        (("11:00:10", 10, "11:00:10"), "frozen by +3600; acme +3600"),
        (("12:00:15", 15, "12:00:15"), "frozen by +7200; acme +7200"),
        (("12:00:20", 20, "12:00:20"), "frozen by +7200; acme +7200"),
        (("12:00:25", 25, "12:00:25"), "agreed; jump 10:00 to 12:00"),
    ],
    "a platform's clock alone": [
        (("10:00", 0, "10:00:30"), "agreed"),
        (("10:00:05", 5, "10:00:36"), "agreed; acme +31"),
        (("10:00:10", 10, "09:59:39"), "agreed"),
        (("10:00:15", 15, "09:59:43"), "agreed; acme -31"),
    ],
    "a wrong clock at the start is found out by the first answer, and corrected": [
        (("09:00", 0, "10:00"), "agreed; acme +3600"),
        (("10:00:05", 5, "10:00:05"), "frozen by +3600; acme +3600"),
        (("10:00:06", 6, "10:00:06"), "frozen by +3600; acme +3600"),
        (("10:00:07", 7, "10:00:07"), "agreed; jump 09:00 to 10:00"),
    ],
    "who agreed with the wrong clock contradicts the right one": [
        (("09:00", 0, "09:00", "other"), "agreed"),
        (("10:00:05", 5, "10:00:05"), "frozen by +3600; acme +3600"),
        (("10:00:06", 6, "10:00:06"), "frozen by +3600; acme +3600"),
        (("10:00:07", 7, "10:00:07"), "agreed; other -3600; jump 09:00 to 10:00"),
    ],
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_what_is_known_after_each_reading(story: list[tuple[Step, str]]) -> None:
    """As the stories tell it."""
    watch, known = ClockWatch(), list[str]()
    for (wall, boottime, *said), _ in story:
        now = reading(wall, boottime)
        watch = heard(watch, now, answer(said[0], said[1] if len(said) > 1 else "acme")) if said else ticked(watch, now)
        known.append(state(watch))
    assert known == [expected for _, expected in story]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (answer("10:00"), 0),
        (answer("10:00:10"), 10),
        (answer("09:59:59"), 0),
        (answer("09:59:50"), -9),
        (answer("09:59:50", taken=9), 0),
        (answer("09:59:50", taken=4), -5),
    ],
)
def test_a_date_is_wrong_only_where_it_cannot_be_right(said: DateAnswer, error: float) -> None:
    """It has whole seconds, and was written at some moment while the answer was awaited."""
    assert said.error_at(at("10:00")) == timedelta(seconds=error)


def test_what_moved_counts_steps_whether_they_are_believed_or_not() -> None:
    """Who keeps instants in memory moves them by that."""
    watch = ticked(ticked(ClockWatch(), reading("10:00", 0)), reading("11:00", 0))
    assert watch.moved == timedelta(hours=1)
    for _ in range(3):
        watch = heard(watch, reading("11:00", 0), answer("11:00"))
    assert (watch.is_frozen, watch.moved) == (False, timedelta(hours=1))
    back = ticked(watch, reading("10:00", 0))
    assert (back.is_frozen, back.moved) == (True, timedelta(0))


def test_the_texts_name_both_clocks() -> None:
    """A person sees at once by how much, and in which direction."""
    watch = ticked(ticked(ClockWatch(), reading("10:00", 0)), reading("11:00:05", 5))
    assert watch.frozen == (
        "the wall clock shows 2026-03-02 11:00:05Z, and by the clock that never steps it should be 2026-03-02 10:00:05Z"
    )
    watch = heard(ticked(ClockWatch(), reading("10:00", 0)), reading("10:00", 0), answer("10:05"))
    assert watch.skewed("acme") == "the platform's clock is 300 s ahead of ours, and 30 s are tolerated"
    assert watch.skewed("other") == ""


def test_a_jump_carries_instants_of_the_clock_before_it() -> None:
    """Only a jump forward does: after one back nobody can tell by its date alone which clock an instant was read from."""
    forward, back = ClockJump(at("10:00"), at("11:00")), ClockJump(at("11:00"), at("10:00"))
    assert [clock(forward.now_of(at(text))) for text in ("09:59", "10:00", "11:00:01")] == [
        "10:59",
        "11:00",
        "11:00:01",
    ]
    assert clock(back.now_of(at("10:30"))) == "10:30"
    assert (forward.set_back, back.set_back) == (timedelta(0), timedelta(hours=1))
    assert replace(back, until=at("11:00")).set_back == timedelta(0)


def test_the_same_answer_again_is_no_news() -> None:
    """The errors are the same object as before, so that nobody needs to compare them one by one; another answer makes another one."""
    first = heard(ticked(ClockWatch(), reading("10:00", 0)), reading("10:00", 0), answer("10:00"))
    again = heard(first, reading("10:01", 60), answer("10:01"))

    assert again.errors is first.errors
    assert heard(again, reading("10:02", 120), answer("10:02:05")).errors != first.errors
