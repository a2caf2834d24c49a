"""How often cron libraries answer what a walk through real minutes finds: ``python -m benchmarks.calendar_agreement``.

Every case is a random expression, asked for three slots in a row: each answer is the next question. Expressions are in the grammar that
all of them read, without ``n-n``, letters and ``n/step``. What a library refuses, or has not answered after a second of CPU (cronsim
goes round for ever backwards through the repeated hour of Pacific/Chatham), counts as a wrong answer.
"""

import signal
import warnings
from collections import Counter
from random import Random
from types import FrameType
from typing import NamedTuple

from benchmarks.calendar_speed import line
from controller.decide.calendar import compile_cron
from tests.unit.decide.boards import Board, CronBoards
from tests.unit.decide.brute_force import Walker, changes
from tests.unit.decide.other_libraries import LIBRARIES, Library, Search

SEED = 20_260_329
FIRES = 3
PATIENCE = 1.0
"""CPU seconds that a library may think about one answer."""

DAY = 86_400
WINDOWS, CASES_OF_A_WINDOW = 16, 25
UTC_REACH, CHANGE_REACH = 45 * DAY, 5 * DAY
COMMON = ("America/New_York", "Europe/London", "Europe/Riga", "Pacific/Auckland")
HARD = (
    "America/Havana",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Pacific/Chatham",
    "Asia/Tehran",
    "America/Sao_Paulo",
)


class Kind(NamedTuple):
    """A class of schedules."""

    name: str
    zones: tuple[str, ...]
    fixed: bool | None
    days: str


KINDS = (
    Kind("UTC, simple", ("UTC",), fixed=None, days="one"),
    Kind("UTC, either day", ("UTC",), fixed=None, days="either"),
    Kind("UTC, */n in a day field", ("UTC",), fixed=None, days="star"),
    Kind("common zones, fixed time", COMMON, fixed=True, days="every"),
    Kind("common zones, wildcard", COMMON, fixed=False, days="every"),
    Kind("hard zones, fixed time", HARD, fixed=True, days="every"),
    Kind("hard zones, wildcard", HARD, fixed=False, days="every"),
)


def plain(chance: Random, low: int, high: int) -> str:
    """Values and ranges."""
    first, last = sorted(chance.sample(range(low, high + 1), 2))
    return chance.choice(
        (f"{first}", f"{last}", f"{first}-{last}", f"{first}-{last}/{chance.randint(2, 5)}", f"{first},{last}")
    )


def expression(chance: Random, kind: Kind) -> str:
    """One of the class."""
    stars = ("*", f"*/{chance.choice((5, 10, 15, 20, 30))}"), ("*", f"*/{chance.randint(2, 6)}")
    times = [plain(chance, 0, 59), plain(chance, 0, 5) if len(kind.zones) > 1 else plain(chance, 0, 23)]
    fixed = chance.random() < 0.5 if kind.fixed is None else kind.fixed
    if not fixed:
        for place in chance.choice(((0,), (1,), (0, 1))):
            times[place] = chance.choice(stars[place])
    day, weekday = plain(chance, 1, 28), plain(chance, 0, 6)
    dates = {
        "every": "* *",
        "one": chance.choice((f"{day} *", f"* {weekday}")),
        "either": f"{day} {weekday}",
        "star": chance.choice((f"*/{chance.randint(2, 5)} {weekday}", f"{day} */{chance.randint(2, 3)}")),
    }[kind.days]
    return "{} {} {} * {}".format(*times, *dates.split())


def no_answer(_signal: int, _frame: FrameType | None) -> None:
    """Break off a search that does not end."""
    raise TimeoutError


def answers(search: Search, text: str, zone: str, at: int) -> list[int | None]:
    """Three slots in a row; a refusal or an answer that leads nowhere ends them."""
    found: list[int | None] = []
    while len(found) < FIRES:
        signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
        try:
            slot = search(text, zone, at)
        except Exception:  # noqa: BLE001 - whatever a library raises is no answer
            slot = None
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        found.append(slot)
        if slot is None:
            break
        at = slot
    return found


def right(board: Board, found: int, at: int, *, reverse: bool) -> list[int | None]:
    """The same from the walk; shorter than three where the window ends."""
    slots: list[int | None] = []
    while len(slots) < FIRES:
        slot = board.previous_at_or_before(found, at - 1) if reverse else board.next_after(found, at)
        if slot is None:
            break
        slots.append(slot)
        at = slot
    return slots


def ours_next(text: str, zone: str, at: int) -> int | None:
    """This project's next."""
    return compile_cron(text, zone).next_after(at)


def ours_previous(text: str, zone: str, at: int) -> int | None:
    """This project's previous."""
    return compile_cron(text, zone).previous_at_or_before(at - 1)


ASKED = (Library("mainspring", ours_next, ours_previous), *LIBRARIES)


def measured(kind: Kind, chance: Random) -> tuple[Counter[tuple[str, bool]], Counter[bool]]:
    """How many answers of each library, forwards and backwards, are right; and how many cases there were."""
    equal: Counter[tuple[str, bool]] = Counter()
    cases: Counter[bool] = Counter()
    for number in range(WINDOWS):
        zone = kind.zones[number % len(kind.zones)]
        middle = chance.choice(changes(zone, 2005, 2035) or [chance.randint(1_100_000_000, 2_000_000_000)]) // 60 * 60
        reach = CHANGE_REACH if len(kind.zones) > 1 else UTC_REACH
        boards = CronBoards.of(zone, middle - reach, middle + reach)
        for _ in range(CASES_OF_A_WINDOW):
            walker = Walker(expression(chance, kind))
            board = boards.board_for(walker)
            found, at = board.matching(walker), middle + 60 * chance.randint(-1440, 1440)
            for reverse in (False, True):
                if len(expected := right(board, found, at, reverse=reverse)) < FIRES:
                    continue
                cases[reverse] += 1
                for library in ASKED:
                    search = library.previous_before if reverse else library.next_after
                    if search and answers(search, walker.expression, zone, at) == expected:
                        equal[library.name, reverse] += 1
    return equal, cases


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    before = signal.signal(signal.SIGVTALRM, no_answer)
    chance = Random(SEED)
    line(f"{'share of right answers, next / prev':38}{'cases':>12}" + "".join(f"{each.name:>22}" for each in ASKED))
    for kind in KINDS:
        equal, cases = measured(kind, chance)
        shares = ""
        for library in ASKED:
            forwards = f"{equal[library.name, False] / cases[False]:.1%}"
            backwards = f"{equal[library.name, True] / cases[True]:.1%}" if library.previous_before else "-"
            shares += f"{f'{forwards} / {backwards}':>22}"
        line(f"{kind.name:38}{f'{cases[False]} / {cases[True]}':>12}{shares}")
    signal.signal(signal.SIGVTALRM, before)


if __name__ == "__main__":
    main()
