"""One job: read pages, write each with its cursor in one transaction, and say after each what was moved."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from controller.embedded.worker.destination import Destination
from controller.embedded.worker.rows import Row, TransferError, digest_of
from controller.embedded.worker.sources import RowStream, open_rows

PAGE_ROWS = 500  # a commit costs about as much as some hundred rows; more would only make the counts jump
PAGE_SECONDS = 0.2  # a slow source is committed this often, so that its counts are seen to grow

# Told after each page: rows and bytes since the last time.
Report = Callable[[int, int], None]


def transfer(job: dict[str, Any], report: Report) -> None:
    """Do a whole job: `{"action": "sync"|"reset", "source": {...}, "destination": {"path", "table"}}`.

    Raises:
        TransferError: the job failed; what was committed before stays, with its cursor.
    """
    source = job["source"]
    place = Path(job["destination"]["path"])
    if job["action"] == "reset" and not place.exists():
        return
    destination = Destination(place, job["destination"]["table"], _origin_of(source))
    try:
        if job["action"] == "reset":
            destination.reset()
            return
        if source["type"] == "generator" or source.get("cursor"):
            _append_new(source, destination, report)
        else:
            _replace_all(source, destination, report)
    finally:
        destination.close()


def _origin_of(source: dict[str, Any]) -> str:
    """Say what a cursor means; paths are left out, for a file may move and stay the same file."""
    parts = (source["type"], source.get("table"), source.get("cursor"))
    return " ".join(part for part in parts if part)


def _append_new(source: dict[str, Any], destination: Destination, report: Report) -> None:
    destination.check_origin()
    stream = _not_loaded(open_rows(source, destination.last_value), destination)
    for page in pages(stream, _page_rows(source)):
        destination.append(page)
        report(len(page), sum(row.size_bytes for row in page))


def _replace_all(source: dict[str, Any], destination: Destination, report: Report) -> None:
    destination.begin_replacement()
    for page in pages(open_rows(source, None), PAGE_ROWS):
        destination.stage(page)
        report(len(page), sum(row.size_bytes for row in page))
    destination.finish_replacement()


def _not_loaded(stream: RowStream, destination: Destination) -> RowStream:
    """Leave out the rows at the last cursor value that are already there: they are known by content, so their order may change."""
    loaded, last_value = destination.ties(), destination.last_value
    for row in stream:
        if row is not None and loaded and row.key == last_value:
            digest = digest_of(row.values)
            if loaded.get(digest, 0) > 0:
                loaded[digest] -= 1
                continue
        yield row


def _page_rows(source: dict[str, Any]) -> int:
    rate = source.get("rows_per_second")
    return PAGE_ROWS if rate is None else max(1, min(PAGE_ROWS, int(rate * PAGE_SECONDS)))


def pages(stream: RowStream, size: int) -> Iterator[list[Row]]:
    """Cut a stream into pages. When the source fails, the rows before the failure still come, and then the failure."""
    page: list[Row] = []
    failure: TransferError | None = None
    try:
        for row in stream:
            if row is not None:
                page.append(row)
            if page and (row is None or len(page) >= size):
                yield page
                page = []
    except TransferError as error:
        failure = error
    if page:
        yield page
    if failure is not None:
        raise failure
