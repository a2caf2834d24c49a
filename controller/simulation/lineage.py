"""Which revision of the specs comes after which."""

from collections.abc import Mapping, Sequence


def descends(parents: Mapping[str, Sequence[str]], after: str, before: str) -> bool:
    """Whether a revision is another one, or comes after it; ``parents`` of each that has any."""
    open_, seen = [after], {after}
    while open_:
        each = open_.pop()
        if each == before:
            return True
        open_ += [parent for parent in parents.get(each, ()) if parent not in seen]
        seen.update(open_)
    return False
