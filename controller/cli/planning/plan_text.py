"""A plan for people: on a terminal, and as Markdown for a pull request."""

from collections import Counter
from collections.abc import Sequence

from controller.cli.page import counted, fitted_table, heading, indented, moment, room_below_title
from controller.cli.planning.plan_rows import BOOKKEEPING, WRITES, PlanRows, ScheduleRow
from controller.cli.terminal import Cell, Paint, both, rfc3339

ACTION_STYLE = {"trigger": "green", "cancel": "red", "retire": "red", "settle": "cyan"}

REVISION_SHOWN = 12
"""Characters of a revision's hash that tell it apart."""

NOTHING_DUE = "nothing is due; it waits for its next slot"
NOTHING_MORE = "nothing more now; it waits for its next slot"


def short(revision: str) -> str:
    """A revision with its hash cut short."""
    name, colon, digest = revision.rpartition(":")
    return f"{name}{colon}{digest[:REVISION_SHOWN]}"


def why_not(row: ScheduleRow, rows: PlanRows) -> str:
    """Why nothing more is done for a schedule now."""
    if row.defect:
        return f"nothing can be decided for it, a defect of Mainspring: {row.defect}"
    if row.holds:
        return "; ".join(f"{each.hold.reason}: {each.hold.message}" for each in row.holds)
    if not row.next_slots:
        return "it has no slots to come"
    return NOTHING_MORE if any(done.ref == row.ref for done in rows.actions) else NOTHING_DUE


def plan_text(rows: PlanRows, paint: Paint) -> str:
    """The plan on a terminal."""
    at, room = rows.at, room_below_title()
    done = [
        (
            Cell(row.action, ACTION_STYLE.get(row.action, "")),
            Cell(row.schedule, "bold"),
            moment(row.scheduled_at, at),
            row.sentence,
        )
        for row in rows.actions
    ]
    not_done = [
        (
            Cell(row.schedule, "bold"),
            moment(row.next_slots[0] if row.next_slots else None, at),
            Cell(why_not(row, rows), "yellow" if row.holds else "dim"),
        )
        for row in rows.schedules
    ]
    parts = [f"{paint('dim', 'at')} {both(at, at)}  {paint('dim', 'revision')} {short(rows.revision)}", ""]
    parts += [heading("would do", paint)]
    parts += [indented(fitted_table(("WHAT", "SCHEDULE", "SLOT", "WHY"), done, paint, room) if done else "nothing")]
    if not_done:
        parts += ["", heading("would not do", paint)]
        parts += [indented(fitted_table(("SCHEDULE", "NEXT SLOT", "WHY"), not_done, paint, room))]
    return "\n".join([*parts, "", counts(rows)])


def counts(rows: PlanRows) -> str:
    """The plan in one line."""
    kinds = Counter(row.action for row in rows.actions)
    done = ", ".join(f"{kinds[word]:,} to {word}" for word in (*WRITES, *BOOKKEEPING) if kinds[word]) or "nothing to do"
    held = len({hold.hold.ref for hold in rows.holds})
    idle = "" if rows.writes or not rows.actions else "nothing to do on a platform, "
    return f"{counted(len(rows.schedules), 'schedule')}: {idle}{done}; {held:,} held"


def plan_markdown(rows: PlanRows) -> str:
    """The plan as Markdown; all times UTC, so that it reads the same everywhere."""
    parts = ["## Mainspring plan", "", f"At {rfc3339(rows.at)}, revision `{rows.revision}`: {counts(rows)}.", ""]
    parts += [f"**Not planned here:** {rows.held}", ""] if rows.held else []
    parts += ["### Would do", ""]
    done = [(f"**{r.action}**", f"`{r.schedule}`", rfc3339(r.scheduled_at) or "-", r.sentence) for r in rows.actions]
    parts += _markdown_table(("What", "Schedule", "Slot", "Why"), done) if done else ["Nothing."]
    parts += ["", "### Would not do", ""]
    waiting = [
        (f"`{row.schedule}`", ", ".join(str(rfc3339(slot)) for slot in row.next_slots) or "-", why_not(row, rows))
        for row in rows.schedules
    ]
    parts += _markdown_table(("Schedule", "Next slots", "Why"), waiting) if waiting else ["Nothing is left out."]
    return "\n".join(parts)


def _markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return lines + [f"| {' | '.join(map(_escaped, row))} |" for row in rows]


def _escaped(text: str) -> str:
    """What a platform or a spec says must not end a cell, nor become markup."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
