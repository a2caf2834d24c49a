"""Two algorithms, a hundred thousand random questions: the evaluator and the boards must agree on every one.

``MAINSPRING_TEST_SEED`` takes other questions than those that are asked everywhere; a failure names its seed.
"""

from collections import Counter
from collections.abc import Callable
from functools import cache
from random import Random
from zoneinfo import available_timezones

from controller.decide.calendar import Calendar, CalendarError, compile_cron, compile_quartz
from tests.unit.decide.boards import Board, CronBoards, quartz_board, seed
from tests.unit.decide.brute_force import NOT_ZONES, Walker, changes
from tests.unit.decide.quartz_brute_force import Stepper
from tests.unit.decide.random_expressions import cron_expression, quartz_expression

HOUR, DAY = 3600, 86_400
YEARS = (1970, 2037)
CALM = (40 * DAY, 67 * 365 * DAY)
CRON_CASES, FAR_CASES, QUARTZ_CASES = 100_000, 1_500, 20_000
CALM_SHARE = 4
"""One zone in so many is asked far from every change too."""

AROUND, QUARTZ_AROUND, FAR = 3 * DAY, 5 * HOUR, 200 * DAY


@cache
def changing_zones() -> list[str]:
    """Every zone whose clock was ever changed since 1970."""
    return [zone for zone in sorted(available_timezones() - NOT_ZONES) if changes(zone, *YEARS)]


def centre(chance: Random, zone: str, *, near: bool) -> int:
    """A change of the clock, or any instant; far enough from 1970 that the window around it has slots."""
    late = [at for at in changes(zone, *YEARS) if at > AROUND + DAY]
    return chance.choice(late) if near and late else chance.randint(*CALM)


def asked_at(chance: Random, middle: int, reach: int) -> int:
    """An instant within ``reach`` of the middle: there, just before, in the hours around, anywhere."""
    shift = chance.choice((0, -1, chance.randint(-2 * HOUR, 2 * HOUR), chance.randint(-reach, reach)))
    return middle + chance.choice((shift, shift // 60 * 60))


class Comparison:
    """Cases asked of both, and where they differ."""

    def __init__(self, compiler: Callable[[str, str], Calendar]) -> None:
        self.compiler = compiler
        self.tally: Counter[str] = Counter()
        self.wrong: list[tuple[str, str, int, object, object]] = []

    def ask(self, expression: str, zone: str, board: Board, found: int, at: int) -> None:
        """One case: next and previous from an instant; beyond the window both must find nothing."""
        try:
            calendar = self.compiler(expression, zone)
        except CalendarError as error:
            if found or not error.code.endswith("never-fires"):
                self.wrong.append((expression, zone, at, error.code, found.bit_count()))
            return
        first, last = board.instants[0], board.instants[-1]
        following, before = calendar.next_after(at), calendar.previous_at_or_before(at)
        ours = (
            following if following is not None and following <= last else None,
            before if before is not None and before >= first else None,
        )
        theirs = board.next_after(found, at), board.previous_at_or_before(found, at)
        self.tally["cases"] += 1
        self.tally["answers"] += 2 - theirs.count(None)
        if ours != theirs or (following is not None and following <= at):
            self.wrong.append((expression, zone, at, ours, theirs))


def test_cron_agrees_in_every_zone_that_ever_changed_its_clock() -> None:
    """100,000 expressions, each with its own instant, half of them near a change of the clock: next and previous are the same."""
    chance, compared = Random(seed()), Comparison(compile_cron.__wrapped__)
    zones = changing_zones()
    calm = zones[::CALM_SHARE]
    for number, zone in enumerate([*zones, *calm]):
        near = number < len(zones)
        middle = centre(chance, zone, near=near)
        boards = CronBoards.of(zone, middle - AROUND, middle + AROUND)
        for _ in range(CRON_CASES // (2 * len(zones if near else calm)) + 8):
            walker = Walker(cron_expression(chance))
            board = boards.board_for(walker)
            compared.ask(walker.expression, zone, board, board.matching(walker), asked_at(chance, middle, 2 * DAY))
    assert compared.wrong == [], seed()
    assert compared.tally["cases"] >= CRON_CASES
    assert compared.tally["answers"] >= CRON_CASES
    assert len(zones) > 300


def test_cron_agrees_over_five_hundred_days() -> None:
    """Slots that are far from each other, on windows so long that most expressions have one before and one after."""
    chance, compared = Random(seed()), Comparison(compile_cron)
    zones = ("America/New_York", "Australia/Lord_Howe", "Pacific/Apia")
    for zone in zones:
        middle = centre(chance, zone, near=True)
        boards = CronBoards.of(zone, max(DAY, middle - FAR), middle + FAR)
        for _ in range(FAR_CASES // len(zones) + 20):
            walker = Walker(cron_expression(chance))
            board = boards.board_for(walker)
            compared.ask(walker.expression, zone, board, board.matching(walker), asked_at(chance, middle, 60 * DAY))
    assert compared.wrong == [], seed()
    assert compared.tally["cases"] >= FAR_CASES
    assert compared.tally["answers"] >= 1.5 * FAR_CASES


def test_quartz_agrees_second_by_second() -> None:
    """20,000 expressions with seconds around changes of the clock and elsewhere: next and previous are the same."""
    chance, compared = Random(seed()), Comparison(compile_quartz.__wrapped__)
    zones = chance.sample(changing_zones(), 80)
    for number, zone in enumerate(zones):
        middle = centre(chance, zone, near=number % 2 == 0)
        board = quartz_board(zone, middle - QUARTZ_AROUND, middle + QUARTZ_AROUND)
        for _ in range(QUARTZ_CASES // len(zones) * 11 // 10):
            stepper = Stepper(quartz_expression(chance))
            at = asked_at(chance, middle, 4 * HOUR)
            compared.ask(stepper.expression, zone, board, board.matching(stepper), at)
    assert compared.wrong == [], seed()
    assert compared.tally["cases"] >= QUARTZ_CASES
    assert compared.tally["answers"] >= QUARTZ_CASES / 2


def test_the_boards_say_what_the_walkers_say() -> None:
    """The boards are fast; on a sample the plain walkers, who know nothing of sets of positions, find the same slots."""
    chance = Random(seed())
    for zone in ("America/New_York", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia", "Antarctica/Troll"):
        middle = centre(chance, zone, near=True)
        start, end = middle - 2 * DAY, middle + 2 * DAY
        boards = CronBoards.of(zone, start, end)
        for _ in range(40):
            walker = Walker(cron_expression(chance))
            board = boards.board_for(walker)
            assert board.slots(board.matching(walker), start, end) == walker.slots(zone, start, end), walker.expression
    start, end = middle - HOUR, middle + 3 * HOUR
    for _ in range(40):
        stepper = Stepper(quartz_expression(chance))
        board = quartz_board(zone, start, end)
        assert board.slots(board.matching(stepper), start, end) == stepper.slots(zone, start, end), stepper.expression
