"""The checker and ``verify`` know a job that somebody asked for: it is ours, and no slot's."""

from dataclasses import replace
from datetime import timedelta

from controller.model.identity import ClaimKey, SlotKey
from controller.simulation.judge.checker import judge
from controller.simulation.slots.verification import verify
from tests.unit.simulation.evidence_kit import REF, SLOTS, Story, seconds
from tests.unit.simulation.test_checker_verification import books

ASKED_AT = SLOTS[1] + timedelta(minutes=7, microseconds=1)


def with_request() -> Story:
    """A calm hour in which a person also triggers a sync between two slots."""
    story = Story.calm()
    story.start(ASKED_AT, late=1.0)
    story.records = [record for record in story.records if record.slot.scheduled_at != ASKED_AT]
    for claimed in story.chronicle.claims:
        if claimed.claim.key.slot.scheduled_at == ASKED_AT:
            claimed.claim = replace(claimed.claim, request="asked")
    return story


def test_a_requested_job_breaks_no_promise() -> None:
    """It has a claim and a job, and neither a slot nor a record."""
    assert judge(with_request().evidence()).violations == judge(Story.calm().evidence()).violations == ()


def test_a_request_has_one_job_whatever_its_spec_allows() -> None:
    """A second POST after a doubt is a slot's alone."""
    story = with_request()
    post = next(each for each in story.chronicle.posts if each.claim is not None and each.claim.claim.request)
    story.add_job(ASKED_AT + seconds(200), post)
    assert any(text.startswith("S1a") for text in judge(story.evidence()).violations)


def test_a_requested_job_stands_for_no_slot() -> None:
    """A slot that lost its job is not made good by one that somebody asked for in its time."""
    given = books()
    lost, asked_for = given.listed[1], replace(given.listed[1], job_id="job_9")
    owners = {job_id: key for job_id, key in given.owners.items() if job_id != lost.job_id}
    owner = ClaimKey(SlotKey(REF, ASKED_AT), 0)
    changed = replace(
        given,
        listed=tuple(asked_for if job is lost else job for job in given.listed),
        owners={**owners, "job_9": owner},
    )
    assert not verify((given,)).unexplained
    assert len(verify((changed,)).unexplained) == 1
