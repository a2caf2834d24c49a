"""What the simulated year found about ``freshness``: a slot that no window let start was not missed."""

from controller.model.calendar import CalendarEntry, EntryKind
from controller.model.window import Window, WindowKind
from tests.unit.decide.given import Given, at, plan_of, spec, standing, success


def test_a_freshness_slot_that_no_window_let_start_is_skipped() -> None:
    """Where a success ends the slots of a time without a controller, those of a closed window are no misses."""
    entries = (CalendarEntry(EntryKind.FRESHNESS, "4h", every=4 * 3600),)
    wanted = spec(entries, windows=(Window(WindowKind.DENY, "0 4 * * *", 90 * 60),))
    stands = standing(wanted, "03:00", fresh_since=at("00:00"), last_success=success("06:30"))
    told = "Skipped(WindowClosed) 04:00; Missed(Superseded) 05:00; Counted 06:00; fresh since 06:30; wake 10:00"
    assert plan_of(Given(now="10:00", spec=wanted, standing=stands)) == told
