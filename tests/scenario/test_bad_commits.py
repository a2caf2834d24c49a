"""Bad commits in a row, then a good one: nothing is lost, nothing is triggered that is not due, and the good one counts at once."""

from datetime import timedelta

from controller.model.event import EventName
from controller.model.identity import ConnectionRef
from tests.fakes.platform import Behaviour
from tests.fakes.spec_source import schedule_text
from tests.scenario.stage import START, Stage, play

NAMES = [f"s{number}" for number in range(8)]
REFS = [ConnectionRef("default", f"conn_{name}") for name in NAMES]

GOOD: dict[str, str | bytes] = {
    f"{'orders' if number < 6 else 'rest'}/{name}.yaml": schedule_text(name, "60s") for number, name in enumerate(NAMES)
}
OWN = "orders/s0.yaml"
SAID = schedule_text("s0", "60s")

BOMB = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 8)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

BAD: dict[str, dict[str, str | bytes]] = {
    "an empty tree": {},
    "a deleted directory": {path: text for path, text in GOOD.items() if path.startswith("rest")},
    "conflict markers": GOOD | {OWN: f"<<<<<<< ours\n{SAID}=======\n{SAID}>>>>>>> theirs\n"},
    "a bomb": GOOD | {OWN: BOMB},
    "the second file for a connection": GOOD
    | {"again.yaml": schedule_text("again", "5s").replace("conn_again", "conn_s0")},
    "bytes that are no text": GOOD | {OWN: b"\xff\xfe\x00" + SAID.encode()},
    "a file that is too large": GOOD | {OWN: SAID + "#" * 300_000},
    "the second file of a name": GOOD | {"again.yaml": SAID.replace("conn_s0", "conn_new")},
    "a nest without an end": GOOD | {OWN: "[" * 3000},
    "every file rejected": {path: f"{text}  surprise: 1\n" for path, text in GOOD.items() if isinstance(text, str)},
    "a directory deleted, and edits beside it": {
        path: text.replace("60s", "5s") if isinstance(text, str) else text
        for path, text in GOOD.items()
        if path.startswith("rest")
    },
}
"""Each replaces the one before it; while two files claim a connection its slot waits, so those two are not next to each other."""

SHORT = Behaviour(timedelta(seconds=2))

HELD = ["an empty tree", "a deleted directory", "a directory deleted, and edits beside it"]


def push(stage: Stage, files: dict[str, str | bytes]) -> None:
    """Publish a tree."""
    stage.texts = dict(files)
    stage.specs.set_texts(stage.texts)


async def begin(stage: Stage) -> None:
    """Eight schedules with a slot at every full minute, which have been in force for one of them."""
    for ref in REFS:
        stage.platform.add_connection(ref.connection_id, SHORT)
    push(stage, GOOD)
    await stage.start()
    await stage.run_for(65)


def test_bad_commits_in_a_row_then_a_good_one() -> None:
    """Every slot of every schedule is started once, through all of them; an edit right after them is in force within a poll."""

    async def scenario(stage: Stage) -> None:
        await begin(stage)
        for files in BAD.values():
            push(stage, files)
            await stage.run_for(60)
        push(stage, GOOD | {OWN: schedule_text("s0", "30s")})
        await stage.run_for(3)
        assert [event.schedule for event in stage.log.of(EventName.SCHEDULE_CHANGED)] == ["s0"]
        assert stage.log.of(EventName.SCHEDULE_REMOVED) == []
        for ref in REFS:
            assert await stage.words(ref) == ["Triggered"] * (1 + len(BAD))

    stage = play(scenario)
    minutes = [timedelta(minutes=number) for number in range(1, 2 + len(BAD))]
    for ref in REFS:
        jobs = stage.platform.jobs_of(ref.connection_id)
        due = [START.replace(second=0) + minute for minute in minutes]
        late = [(job.created_at - at).total_seconds() for job, at in zip(jobs, due, strict=True)]
        # While two files claimed a connection its slot waited for the next commit.
        assert sum(seconds > 2 for seconds in late) <= (2 if ref == REFS[0] else 0)
        assert max(late) < 10
    assert {job.connection_id for job in stage.platform.jobs} == {ref.connection_id for ref in REFS}
    assert len(stage.log.of(EventName.REVISION_HELD)) == len(HELD)
    assert stage.platform.calls_of("cancel_job") == ()


def test_each_bad_commit_survives_a_restart() -> None:
    """A controller that starts on it has the same in force as one that saw it come."""

    async def scenario(stage: Stage) -> None:
        await begin(stage)
        for files in BAD.values():
            await stage.stop()
            push(stage, files)
            await stage.start()
            await stage.run_for(60)
        push(stage, GOOD)
        await stage.run_for(3)
        assert stage.log.of(EventName.SCHEDULE_REMOVED) == []
        assert stage.log.of(EventName.SCHEDULE_CHANGED) == []
        for ref in REFS:
            assert await stage.words(ref) == ["Triggered"] * (1 + len(BAD))

    stage = play(scenario)
    assert len(stage.platform.jobs) == len(REFS) * (1 + len(BAD))
    assert len(stage.log.of(EventName.SPECS_RESTORED)) == len(HELD)


def test_what_claims_a_connection_twice_is_located_and_triggers_neither() -> None:
    """Also where the second file came in another commit, with a restart between, and until one of them goes."""

    async def scenario(stage: Stage) -> None:
        await begin(stage)
        push(stage, GOOD | {"again.yaml": schedule_text("again", "5s").replace("conn_again", "conn_s0")})
        await stage.run_for(10)
        await stage.stop()
        await stage.start()
        await stage.run_for(120)
        told = {str(event.fields["message"]) for event in stage.log.of(EventName.SPECS_REJECTED)}
        assert {event.fields["path"] for event in stage.log.of(EventName.SPECS_REJECTED)} == {OWN, "again.yaml"}
        assert any(f"also stands at {OWN}:5:" in message for message in told)
        assert any("also stands at again.yaml:5:" in message for message in told)
        assert await stage.words(REFS[0]) == [
            "Triggered",
            "Skipped(DuplicateConnection)",
            "Held(DuplicateConnection)",
        ]
        assert await stage.words(REFS[1]) == ["Triggered"] * 3
        push(stage, GOOD)
        await stage.run_for(3)
        assert (await stage.words(REFS[0]))[2] == "Triggered"

    stage = play(scenario)
    assert len(stage.platform.jobs_of("conn_s0")) == 2


def test_what_claims_a_name_twice_is_located_and_triggers_neither() -> None:
    """Across a restart as well; the connection that was in force keeps its slots waiting, the new one has none."""

    async def scenario(stage: Stage) -> None:
        await begin(stage)
        stage.platform.add_connection("conn_new")
        push(stage, GOOD | {"again.yaml": SAID.replace("conn_s0", "conn_new")})
        await stage.run_for(10)
        await stage.stop()
        await stage.start()
        await stage.run_for(60)
        assert {event.fields["path"] for event in stage.log.of(EventName.SPECS_REJECTED)} == {OWN, "again.yaml"}
        assert await stage.words(REFS[0]) == ["Triggered", "Held(DuplicateName)"]

    stage = play(scenario)
    assert stage.platform.jobs_of("conn_new") == ()
    assert len(stage.platform.jobs_of("conn_s0")) == 1
