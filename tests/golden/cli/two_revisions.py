"""A realistic pull request: one team adds, edits, renames, removes and breaks schedules, and asks for a reset."""

from pathlib import Path

from tests.git_repository import Repository, new_repository, schedule

POLICY = """\
apiVersion: mainspring.dev/v1
kind: SyncPolicy
metadata: {name: finance}
spec:
  selector: {labels: {team: finance}}
  defaults: {overlap: %s, retry: {attempts: 2}}
%s"""

RESET = """\
apiVersion: mainspring.dev/v1
kind: SyncRequest
metadata: {name: reload-prices-2026-03}
spec: {schedule: partner-prices, action: Reset, reason: wrong currency, expiresAt: "2026-03-09T00:00:00Z"}
"""

WINDOW = """\
  windows:
    - deny: {cron: "0 2 * * *", duration: 3h, timeZone: Europe/Zurich, reason: nightly backup}
"""

BEFORE = {
    "specs/orders.yaml": schedule(
        "orders",
        'cron: "*/15 * * * *"\n      timeZone: Europe/Zurich',
        more="catchUp: {window: 2h}",
        labels="team: finance",
    ),
    "specs/ledger.yaml": schedule("ledger", 'cron: "0 6 * * *"', more="mode: Observe", labels="team: finance"),
    "specs/prices.yaml": schedule("partner-prices", "every: 6h"),
    "specs/crm.yaml": schedule("crm", 'cron: "0 */4 * * MON-FRI"'),
    "specs/stock.yaml": schedule("stock", 'cron: "0 6 * * *"'),
    "specs/old-archive.yaml": schedule("old-archive", "every: 1d", more="onDelete: CancelRunning"),
    "specs/tickets.yaml": schedule("tickets", "freshness: 4h"),
    "specs/policies.yaml": POLICY % ("Skip", ""),
}

AFTER: dict[str, str | None] = {
    # minutely, with a shorter window
    "specs/orders.yaml": schedule(
        "orders",
        'cron: "* * * * *"\n      timeZone: Europe/Zurich',
        more="catchUp: {window: 1h}",
        labels="team: finance",
    ),
    "specs/ledger.yaml": schedule("ledger", 'cron: "0 6 * * *"', more="mode: Enforce", labels="team: finance"),
    # a new name and a new file for the same connection
    "specs/crm.yaml": None,
    "specs/sales/contacts.yaml": schedule("crm-contacts", 'cron: "0 */4 * * MON-FRI"', "conn_crm"),
    "specs/stock.yaml": "apiVersion: mainspring.dev/v1\nkind: SyncSchedule\nmetadata: {name: stock}\nspec: {conection: x}\n",
    "specs/old-archive.yaml": None,
    "specs/invoices.yaml": schedule(
        "invoices", 'cron: "30 2 * * *"\n      timeZone: Europe/Zurich', more="jitter: 10m", labels="team: finance"
    ),
    "specs/reload.yaml": RESET,
    "specs/policies.yaml": POLICY % ("Queue", WINDOW),
    "README.md": "unrelated\n",
}


def two_revisions(folder: Path) -> tuple[Repository, str, str]:
    """The repository, the commit before and the one after."""
    repository = new_repository(folder)
    before = repository.commit(BEFORE, "the schedules")
    repository.git("checkout", "--quiet", "-b", "more-orders")
    return repository, before, repository.commit(AFTER, "orders every minute")
