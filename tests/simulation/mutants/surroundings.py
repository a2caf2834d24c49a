"""Mutants of listings, clocks, calendars, HTTP and cancels: R8 to R13."""

from tests.simulation.mutants.mutant import Edit, Mutant

ACT = "controller.reconcile.act"
HTTP = "controller.adapters.platforms.http"
ENVELOPE = "controller.adapters.platforms.envelope"
LISTING = "controller.adapters.platforms.listing"
AITRONOS = "controller.adapters.platforms.aitronos"
WRITES = "controller.adapters.stores.sqlite_writes"
ACCEPTANCE = "controller.decide.acceptance"
CANCEL_TESTS = "tests/simulation/mutants/test_cancel_order.py"
LISTING_TESTS = "tests/unit/adapters/platforms/test_listing.py"
JOURNALS = "        await _journal(world, CancelRequest(action.ref, action.job.job_id, action.reason, now))\n"
DELETES = "        is_sent = True\n        await platform.platform.cancel_job(action.job.job_id)\n"

IN_FORCE = "    applied = (await store.revisions()).applied\n"

OF_THE_SURROUNDINGS: tuple[Mutant, ...] = (
    Mutant(
        "R8",
        "pages do not overlap",
        "each page begins after the one before",
        (
            Edit(
                LISTING,
                "    return ties if ties < len(rows) else min(1, len(rows) - 1)\n",
                "    del ties\n    return 0\n",
            ),
        ),
        test=LISTING_TESTS,
    ),
    Mutant(
        "R8",
        "walked once",
        "a listing whose first page changed meanwhile is taken for whole",
        (
            Edit(
                LISTING,
                "    return top.platform_date, walk.take_top(",
                "    return top.platform_date, True or walk.take_top(",
            ),
        ),
        test=LISTING_TESTS,
    ),
    Mutant(
        "R8",
        "a short page is the last",
        "a platform that gives smaller pages than were asked for is read to its first page",
        (
            Edit(
                LISTING,
                "        if page.total is None or offset + len(page.jobs) < page.total:\n            return False\n",
                "        if len(page.jobs) < self.page_size:\n            return True\n",
            ),
        ),
        test=LISTING_TESTS,
    ),
    Mutant(
        "R9",
        "a step is believed",
        "nothing freezes when the wall clock is set",
        (
            Edit(
                "controller.decide.clock_watch",
                "STEP_TOLERATED = timedelta(seconds=30)",
                "STEP_TOLERATED = timedelta.max",
            ),
        ),
        stretch="clock steps",
        finds="S",
    ),
    Mutant(
        "R9",
        "a platform's clock is not looked at",
        "a platform whose clock contradicts ours is acted on",
        (
            Edit(
                "controller.decide.clock_watch",
                "        return abs(self.ahead) > self.tolerance\n",
                "        return False\n",
            ),
        ),
        test="tests/scenario/test_clocks.py::test_a_platform_with_a_wrong_clock_is_held_alone",
    ),
    Mutant(
        "R10",
        "edits reach back",
        "a calendar that was edited counts from when the old one came into force",
        (
            Edit(
                ACCEPTANCE,
                "    accepted = AcceptSchedule(facts.ref, spec, now, generation",
                "    accepted = AcceptSchedule(facts.ref, spec, standing.effective_since or now, generation",
            ),
        ),
        stretch="edits",
        finds="S8",
    ),
    Mutant(
        "R10",
        "a cold start reaches back",
        "the slots of a new schedule count from midnight on",
        (
            Edit(
                ACCEPTANCE,
                "    accepted = AcceptSchedule(facts.ref, spec, now, generation",
                "    accepted = AcceptSchedule(facts.ref, spec, now.replace(hour=0, minute=0), generation",
            ),
        ),
        stretch="calm",
        finds="S8",
    ),
    Mutant(
        "R10",
        "the watermark goes back",
        "a record of an older slot makes the newer ones due again",
        (Edit(WRITES, "    WHERE watermark IS NULL OR watermark < excluded.watermark\n", ""),),
        test="tests/contract/test_store.py::test_a_record_moves_the_watermark",
    ),
    Mutant(
        "R11",
        "a server error made nothing",
        "any 5xx is taken for a refusal",
        (
            Edit(
                AITRONOS,
                "        return Rejected(text)\n    return OutcomeUnknown(text)\n",
                "        return Rejected(text)\n    return NotCreated(text)\n",
            ),
        ),
        stretch="errors and brief jobs",
        finds="S1",
    ),
    Mutant(
        "R11",
        "no answer made nothing",
        "a POST whose answer did not come is taken for one that was not sent",
        (
            Edit(
                HTTP,
                '            raise OutcomeUnknown(f"{what}: {_reason(error)}") from None\n',
                '            raise NotCreated(f"{what}: {_reason(error)}") from None\n',
            ),
        ),
        stretch="no answers",
        finds="S1",
    ),
    Mutant(
        "R11",
        "busy is a refusal",
        "a 409 is taken for a refusal, also where the start was sent before it",
        (Edit(AITRONOS, "        return Busy(text)\n", "        return Rejected(text)\n"),),
        stretch="busy",
        finds="S",
    ),
    Mutant(
        "R12",
        "redirects followed",
        "a POST is sent again to where an answer points",
        (
            Edit(
                HTTP,
                "    response = await transport.handle_async_request(request)\n",
                "    response = await transport.handle_async_request(request)\n"
                '    if "location" in response.headers:\n'
                '        moved = httpx.Request(request.method, response.headers["location"])\n'
                "        response = await transport.handle_async_request(moved)\n",
            ),
        ),
        test="tests/unit/adapters/platforms/test_hardening.py::test_no_redirect_is_followed",
    ),
    Mutant(
        "R12",
        "connections reused",
        "a POST may go over a connection that the platform has just closed",
        (
            Edit(HTTP, "max_keepalive_connections=0", "max_keepalive_connections=10"),
            Edit(ENVELOPE, 'httpx.Headers({**headers, "connection": "close"})', "httpx.Headers(headers)"),
        ),
        test="tests/unit/adapters/platforms/test_loopback.py::test_every_write_has_a_connection_of_its_own",
    ),
    Mutant(
        "R12",
        "sent again by the client",
        "a POST whose answer broke off is sent once more",
        (
            Edit(
                HTTP,
                "                reply = await _exchange(self._writes, request, secret)\n        except _NOT_SENT",
                "                try:\n"
                "                    reply = await _exchange(self._writes, request, secret)\n"
                "                except httpx.RemoteProtocolError:\n"
                "                    reply = await _exchange(self._writes, request, secret)\n"
                "        except _NOT_SENT",
            ),
        ),
        stretch="no answers",
        finds="S3",
    ),
    Mutant(
        "R13",
        "cancelled unread",
        "the job is not read once more before its DELETE",
        (
            Edit(
                ACT,
                "        if fresh is None or not fresh.is_active or fresh.connection_id != action.ref.connection_id:\n",
                "        if False:\n",
            ),
        ),
        test=CANCEL_TESTS,
    ),
    Mutant(
        "R13",
        "cancelled unwritten",
        "the DELETE is sent before it is journaled",
        (Edit(ACT, JOURNALS + DELETES, DELETES + JOURNALS),),
        test=CANCEL_TESTS,
    ),
    Mutant(
        "S12",
        "what is in force is not said",
        "the spec source is not told which revision is in force",
        (
            Edit(
                "controller.reconcile.spec_watch",
                "        applied = await applied_revision(self._world.store, self._mind)\n",
                '        applied = ""\n',
            ),
        ),
        stretch="rewinds",
        finds="S12",
    ),
    Mutant(
        "S12",
        "what is in force is forgotten",
        "only the process that put a revision in force knows of it",
        (Edit("controller.reconcile.fetch", IN_FORCE, IN_FORCE + "    applied = None\n"),),
        stretch="rewinds",
        finds="S12",
    ),
)
