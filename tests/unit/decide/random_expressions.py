"""Random expressions of both dialects, from a generator with a seed."""

from random import Random

STARS = ("*", "*", "*")
CRON_DAYS = ("L", "LW", "1W", "15W,L", "31W", "?", "1,30W", "10-20,L")
CRON_WEEKDAYS = ("MON-FRI", "7", "5-7", "5L", "SUN#1", "2#5,3", "0L,1", "?", "sun,WED", "fri-7")
CRON_MONTHS = ("JAN-JUN", "feb,NOV", "3-11", "JUL-12")


def item(chance: Random, low: int, high: int) -> str:
    """A value, a range or a step, without a star at its beginning."""
    first, last = sorted((chance.randint(low, high), chance.randint(low, high)))
    step = chance.choice((1, 2, 3, 5, 7, 10, 15, 20, 30, 45))
    return chance.choice(
        (f"{first}", f"{last}", f"{first}-{last}", f"{first}-{last}/{step}", f"{first}/{step}", f"{last}-{last}")
    )


def cron_field(chance: Random, low: int, high: int) -> str:
    """A star, an item, or a list."""
    kind = chance.random()
    if kind < 0.2:
        return "*"
    if kind < 0.4:
        return f"*/{chance.randint(1, high + 2)}"
    if kind < 0.8:
        return item(chance, low, high)
    items = [item(chance, low, high) for _ in range(chance.randint(2, 3))]
    return ",".join([*items, "*/7"] if chance.random() < 0.1 else items)


def cron_expression(chance: Random) -> str:
    """Five fields; half of them have slots on every day, half of them have hours in which clocks change."""
    hours = cron_field(chance, 0, 23) if chance.random() < 0.5 else cron_field(chance, 0, 4)
    minutes = cron_field(chance, 0, 59)
    if chance.random() < 0.5:
        return f"{minutes} {hours} * * *"
    day = chance.choice(CRON_DAYS) if chance.random() < 0.2 else cron_field(chance, 1, 31)
    weekday = chance.choice(CRON_WEEKDAYS) if chance.random() < 0.4 else cron_field(chance, 0, 6)
    month = chance.choice((*STARS, *CRON_MONTHS, cron_field(chance, 1, 12)))
    return f"{minutes} {hours} {day} {month} {weekday}"


QUARTZ_DAYS = ("L", "LW", "L-3", "L-30", "L-1W", "1W", "15W", "30W", "31W")
QUARTZ_WEEKDAYS = ("L", "6L", "SUNL", "6#3", "MON#5", "FRI-TUE", "mon,WED")
QUARTZ_MONTHS = ("NOV-FEB", "JAN,jul", "10-3")
QUARTZ_YEARS = ("", "", "", " *", " 2000/3", " 2010-2030", " 1971/2")


def quartz_field(chance: Random, low: int, high: int) -> str:
    """As in cron, with ranges that may run backwards."""
    kind, value, other = chance.random(), chance.randint(low, high), chance.randint(low, high)
    step = chance.randint(1, min(high, 12))
    if kind < 0.2:
        return "*"
    if kind < 0.4:
        return f"*/{step}"
    if kind < 0.8:
        return chance.choice((f"{value}", f"{value}-{other}", f"{value}-{other}/{step}", f"{value}/{step}", f"/{step}"))
    return ",".join(str(chance.randint(low, high)) for _ in range(chance.randint(2, 4)))


def quartz_expression(chance: Random) -> str:
    """Six or seven fields; half of them have slots on every day."""
    second = chance.choice(("0", "30", quartz_field(chance, 0, 59)))
    hours = chance.choice(("*", "0-4", "22-3", "1,2", quartz_field(chance, 0, 23), quartz_field(chance, 0, 23)))
    time = f"{second} {quartz_field(chance, 0, 59)} {hours}"
    kind = chance.random()
    if kind < 0.5:
        return f"{time} * * ?"
    month = chance.choice((*STARS, *QUARTZ_MONTHS, quartz_field(chance, 1, 12)))
    year = chance.choice(QUARTZ_YEARS)
    if kind < 0.75:
        day = chance.choice(QUARTZ_DAYS) if chance.random() < 0.3 else quartz_field(chance, 1, 31)
        return f"{time} {day} {month} ?{year}"
    weekday = chance.choice(QUARTZ_WEEKDAYS) if chance.random() < 0.3 else quartz_field(chance, 1, 7)
    return f"{time} ? {month} {weekday}{year}"
