"""Mutants of claims, of what settles them, and of how jobs are told apart: R1 to R7."""

from tests.simulation.mutants.mutant import Edit, Mutant

ACT = "controller.reconcile.act"
SIGHT = "controller.decide.sight"
STORE_FILE = "controller.adapters.stores.store_file"
CLAIMS = "    await world.store.claim(claim)\n"
POSTS = "        job = await _post(platform, claim)\n"

SYNCED = ' commits.\n    database.execute("PRAGMA synchronous = FULL")\n'

OF_THE_JOURNAL: tuple[Mutant, ...] = (
    Mutant(
        "R1",
        "claimed after the POST",
        "the claim is written once the answer is there",
        (Edit(ACT, CLAIMS, ""), Edit(ACT, POSTS, POSTS + "    " + CLAIMS)),
        stretch="calm",
        finds="S3",
    ),
    Mutant(
        "R1",
        "claim not awaited",
        "the POST leaves while the claim is on its way to the disk",
        (Edit(ACT, CLAIMS, "    waiting = asyncio.ensure_future(world.store.claim(claim))\n    del waiting\n"),),
        stretch="slow store",
        finds="S3",
    ),
    Mutant(
        "R1",
        "commits not synced",
        "a power cut takes acknowledged claims along",
        (Edit(STORE_FILE, SYNCED, SYNCED.replace("FULL", "NORMAL")),),
        test="tests/unit/adapters/stores/test_power_cut.py::test_no_acknowledged_claim_is_lost_in_a_power_cut",
    ),
    Mutant(
        "R2",
        "epochs not compared",
        "a controller that was replaced writes on",
        (
            Edit(
                "controller.adapters.stores.sqlite_epochs",
                "        if mine is None or mine != in_force:\n",
                "        if mine is None:\n",
            ),
        ),
        stretch="lost in a doubt",
        finds="S5",
    ),
    Mutant(
        "R3",
        "no deadline for sending",
        "a claim that took long to write is sent all the same",
        (Edit(ACT, "- began) > platform.profile.send_within", "- began) > timedelta.max"),),
        stretch="slow store",
        finds="S4",
    ),
    Mutant(
        "R4",
        "absence believed at once",
        "any listing after the claim settles it",
        (
            Edit(
                SIGHT,
                "        and listing.begun_at >= resolve_at(platform, claim)\n",
                "        and listing.begun_at >= claim.written_at\n",
            ),
        ),
        stretch="late effects",
        finds="S1",
    ),
    Mutant(
        "R4",
        "an older listing settles",
        "any listing settles it, also one that began before the claim",
        (Edit(SIGHT, "        and listing.begun_at >= resolve_at(platform, claim)\n", ""),),
        stretch="late effects",
        finds="S1",
    ),
    Mutant(
        "R5",
        "no baseline",
        "a job that was there before the claim is adopted",
        (Edit(SIGHT, "        and job.job_id not in claim.baseline\n", ""),),
        stretch="foreign runs in doubts",
        finds="S6",
    ),
    Mutant(
        "R5",
        "times instead of ids",
        "only a job that the platform says was created after the claim can be its own",
        (
            Edit(
                SIGHT,
                "    oldest = _earliest_creation(platform, claim)\n    found",
                "    oldest = claim.written_at\n    found",
            ),
        ),
        stretch="skewed doubts",
        finds="S1",
    ),
    Mutant(
        "R6",
        "a second claim beside an open one",
        "neither the planner nor the store minds an open claim",
        (
            Edit("controller.decide.planner", "    claim_open,  # an earlier slot's trigger is in doubt\n", ""),
            Edit(
                "controller.decide.check", "    if standing.claim is not None or facts.in_flight:\n", "    if False:\n"
            ),
            Edit(
                STORE_FILE,
                '.read_text(encoding="utf-8")\n',
                '.read_text(encoding="utf-8").replace("CREATE UNIQUE INDEX one_open", "CREATE INDEX one_open")\n',
            ),
        ),
        stretch="caught up late",
        finds="S9",
    ),
    Mutant(
        "R7",
        "sending, says the row",
        "a claim without an answer counts as being sent, also one of a life that is over",
        (
            Edit(
                "controller.reconcile.gather",
                "in_flight=ref.connection_id in platform.in_flight,",
                "in_flight=standing.claim is not None and standing.claim.answered_at is None,",
            ),
        ),
        stretch="deaths",
        finds="L1",
    ),
)
