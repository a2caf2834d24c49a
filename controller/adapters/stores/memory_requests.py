"""Requests as the memory store keeps them: the counterpart of ``sqlite_requests.py`` and its triggers."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from controller.adapters.stores.claiming import request_is_decided, request_status, unlike_a_slot
from controller.model.asked import Asked, Request, RequestStatus, Source
from controller.model.identity import ConnectionRef
from controller.model.plan import SettleRequest
from controller.model.record import Claim, SlotRecord
from controller.model.schedule import Suspension


@dataclass(slots=True)
class RequestLedger:
    """Every request, by key."""

    rows: dict[str, Request] = field(default_factory=dict)

    def put(self, request: Request) -> Request | None:
        """Keep a request whose key is new, and return it as it is kept; else None, and one that waits gets the newer reason and expiry."""
        known = self.rows.get(request.key)
        if known is not None:
            if known.status is RequestStatus.WAITING:
                self.rows[request.key] = replace(known, reason=request.reason, expires_at=request.expires_at)
            return None
        taken = {row.made_at for row in self.about(request.ref)}
        kept = replace(request, made_at=unlike_a_slot(request.made_at, taken.__contains__), is_withdrawn=False)
        self.rows[request.key] = kept
        return kept

    def take_back(self, key: str, message: str, at: datetime) -> bool:
        """End a request that waits; False if it does not."""
        known = self.rows.get(key)
        if known is None or known.status is not RequestStatus.WAITING:
            return False
        self.rows[key] = replace(known, status=RequestStatus.WITHDRAWN, message=message, decided_at=at)
        return True

    def about(self, ref: ConnectionRef) -> list[Request]:
        """Requests about a connection, oldest first."""
        return sorted((row for row in self.rows.values() if row.ref == ref), key=lambda row: row.made_at)

    def instants_of(self, ref: ConnectionRef) -> frozenset[datetime]:
        """What names the claims of those that are not final."""
        return frozenset(row.made_at for row in self.open_about(ref))

    def open_about(self, ref: ConnectionRef) -> tuple[Request, ...]:
        """Those that are not final, oldest first."""
        if not self.rows:
            return ()
        return tuple(row for row in self.about(ref) if not row.status.is_final)

    def suspension(self, ref: ConnectionRef) -> Suspension | None:
        """The newest suspension by hand that nobody ended."""
        if not self.rows:
            return None
        in_force = (RequestStatus.WAITING, RequestStatus.DONE)
        rows = [row for row in self.about(ref) if row.action is Asked.SUSPEND and row.status in in_force]
        return rows[-1].suspension if rows else None

    def refuse_decided(self, settled: Iterable[SettleRequest]) -> None:
        """Let nothing be decided twice.

        Raises:
            SlotAlreadyClaimed: one is final already.
        """
        for each in settled:
            known = self.rows.get(each.request.key)
            if known is None or known.status.is_final:
                raise request_is_decided(each.request.key)

    def decide(self, settled: SettleRequest) -> None:
        """Write what a request came to; a suspension or a resume that is done ends older suspensions."""
        request = settled.request
        self.rows[request.key] = replace(
            self.rows[request.key],
            status=settled.status,
            message=settled.message,
            job_id=settled.job_id,
            decided_at=settled.decided_at,
        )
        if settled.status is RequestStatus.DONE and request.action in (Asked.SUSPEND, Asked.RESUME):
            for row in self.about(request.ref):
                is_in_force = row.action is Asked.SUSPEND and row.status in (RequestStatus.WAITING, RequestStatus.DONE)
                if is_in_force and row.made_at < request.made_at:
                    self.rows[row.key] = replace(row, status=RequestStatus.ENDED)

    def expect_waiting(self, claim: Claim) -> None:
        """Let a claim be about a request that waits, and about that alone.

        Raises:
            SlotAlreadyClaimed: somebody took it before.
        """
        known = self.rows.get(claim.request)
        if known is None or known.slot != claim.key.slot or known.status is not RequestStatus.WAITING:
            raise request_is_decided(claim.request)

    def follow(self, claim: Claim, record: SlotRecord) -> None:
        """Let a request say what its claim came to, as a slot's record would."""
        known, status = self.rows.get(claim.request), request_status(record)
        if known is not None and not known.status.is_final:
            self.rows[claim.request] = replace(
                known,
                status=status,
                message=record.message,
                job_id=record.job_id,
                decided_at=record.decided_at if status.is_final else None,
            )

    def prune(self, before: datetime) -> int:
        """Forget old ones that were made by hand; a suspension that nobody ended stays."""
        old = [key for key, row in self.rows.items() if _is_over(row, before)]
        for key in old:
            del self.rows[key]
        return len(old)


def _is_over(row: Request, before: datetime) -> bool:
    if row.source is Source.SPEC or row.decided_at is None or row.decided_at >= before:
        return False
    stands = row.action is Asked.SUSPEND and row.status is RequestStatus.DONE
    return not (stands and (row.until is None or row.until >= before))
