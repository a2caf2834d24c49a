"""The one error of calendars: what cannot be used and what to write instead."""

from typing import Literal

Code = Literal["cron-syntax", "cron-never-fires", "zone-unknown", "interval"]


class CalendarError(ValueError):
    """An expression, interval or zone that cannot be used; the text says what to write instead.

    Attributes:
        code: stable; part of what ``mainspring validate`` prints.
    """

    def __init__(self, code: Code, sentence: str) -> None:
        super().__init__(sentence)
        self.code: str = code
