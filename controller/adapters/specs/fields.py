"""The keys of a mapping, taken one by one, so that each mistake is reported where it stands and none hides another."""

from collections import abc
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from types import TracebackType
from typing import Self, TypeVar

from controller.adapters.specs.yaml_tree import Mapping, Mark, Node, Scalar, Sequence, quoted
from controller.model.schedule import Origin
from controller.ports.spec_source import SpecError

ITEMS_MAX = 100

T = TypeVar("T")
D = TypeVar("D")


class Rejected(Exception):
    """One value cannot be used; the mapping that holds it reports that and reads on."""

    def __init__(self, mark: Mark, code: str, message: str) -> None:
        super().__init__(message)
        self.mark = mark
        self.code = code
        self.message = message


class Hints:
    """Guesses at what somebody meant; they are dear, so a file gets only so many."""

    __slots__ = ("_left",)

    def __init__(self, most: int = 20) -> None:
        self._left = most

    def nearest(self, word: str, known: Iterable[str]) -> str | None:
        """The known word that somebody who wrote this one most likely meant."""
        if not self._left:
            return None
        self._left -= 1
        by_lower = {each.lower(): each for each in known}
        found = get_close_matches(word.lower()[:64], by_lower, 1)
        return by_lower[found[0]] if found else None

    def instead_of(self, word: str, known: Iterable[str]) -> str:
        """Say what to write: the nearest known word, or all of them."""
        words = list(known)
        found = self.nearest(word, words)
        return f"did you mean {found}?" if found else f"write one of {', '.join(words)}"


class Effort:
    """Steps of a search that may have to look far; a file gets only so many."""

    __slots__ = ("left",)

    def __init__(self, most: int = 450) -> None:
        self.left = most


class Report:
    """What was found in one document.

    Attributes:
        hints: where to ask what somebody meant.
        effort: what may still be spent on searches.
        errors: why it is rejected.
        warnings: what is worth a second look.
    """

    __slots__ = ("_path", "effort", "errors", "hints", "warnings")

    def __init__(self, path: str, hints: Hints, effort: Effort) -> None:
        self._path = path
        self.hints = hints
        self.effort = effort
        self.errors: list[SpecError] = []
        self.warnings: list[SpecError] = []

    def error(self, mark: Mark, code: str, message: str) -> None:
        """Reject the document."""
        self.errors.append(SpecError(self.origin(mark), code, message))

    def warn(self, mark: Mark, code: str, message: str) -> None:
        """Say something about a document that stays valid."""
        self.warnings.append(SpecError(self.origin(mark), code, message))

    def not_yet(self, mark: Mark, name: str) -> None:
        """Say that a field does nothing yet."""
        message = f"{name} is valid and not supported yet: every schedule with it is held; remove it to let them start"
        self.warn(mark, "not-yet-supported", message)

    def origin(self, mark: Mark) -> Origin:
        """Name a place of this document as people count."""
        return Origin(self._path, mark.line + 1, mark.column + 1)


class Field:
    """One value on its way through a reader.

    Attributes:
        key: the last part of its name, as messages use it.
        name: its name below ``spec``, such as ``catchUp.window``.
    """

    __slots__ = ("key", "name", "node", "report")

    def __init__(self, key: str, name: str, node: Node, report: Report) -> None:
        self.key = key
        self.name = name
        self.node = node
        self.report = report

    def rejected(self, code: str, message: str) -> Rejected:
        """The exception that says what is wrong with this value."""
        return Rejected(self.node.mark, code, message)

    def wrong_type(self, wanted: str, instead: str) -> Rejected:
        """The exception for a value of another kind than the field wants."""
        return self.rejected("wrong-type", f"{self.key} must be {wanted}, not {describe(self.node)}; {instead}")


class Absent:
    """No value, where None is one."""


ABSENT = Absent()

Reader = Callable[[Field], T]


def describe(node: Node) -> str:
    """Say what a node is in words that a person knows."""
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Mapping):
        return "a mapping"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return f"the truth value {node.text}"
    if isinstance(node.value, str):
        return f"the text {quoted(node.text)}"
    return f"the number {quoted(node.text)[1:-1]}"


class Fields:
    """The keys of one mapping; what nobody took when the ``with`` block ends is unknown."""

    __slots__ = ("_entries", "_known", "_mark", "_missing", "_prefix", "_report", "_taken", "_where")

    def __init__(self, field: Field, prefix: str | None = None) -> None:
        node = field.node
        if not isinstance(node, Mapping):
            raise field.wrong_type("a mapping", "write its keys, one a line, as key: value")
        self._entries = node.entries
        self._mark = node.mark
        self._report = field.report
        self._where = field.key
        self._prefix = f"{field.name}." if prefix is None else prefix
        self._known: list[str] = []
        self._missing: list[str] = []
        self._taken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and (self._missing or len(self._entries) > self._taken):
            self._complain()

    def take(self, key: str, read: Reader[T], default: D) -> T | D:
        """Read a key that may be absent; a value that is rejected counts as absent once it is reported."""
        self._known.append(key)
        return self._read(key, read, default) if key in self._entries else default

    def written_of(self, readers: abc.Mapping[str, Reader[T]]) -> dict[str, T]:
        """Read those of several keys that were written and are valid; most keys of the format are absent from most documents."""
        self._known += readers
        found: dict[str, T] = {}
        for key in [key for key in self._entries if key in readers]:
            value = self._read(key, readers[key], ABSENT)
            if not isinstance(value, Absent):
                found[key] = value
        return found

    def _read(self, key: str, read: Reader[T], default: D) -> T | D:
        entry = self._entries[key]
        self._taken += 1
        try:
            return read(Field(key, self._prefix + key, entry[1], self._report))
        except Rejected as error:
            self._report.error(error.mark, error.code, error.message)
            return default

    def require(self, key: str, read: Reader[T]) -> T | None:
        """Read a key that must be there; None only together with a reported error."""
        if key not in self._entries:
            self._missing.append(key)
        return self.take(key, read, None)

    def written(self) -> list[str]:
        """The keys that were written."""
        return list(self._entries)

    def reject(self, key: str, code: str, message: str) -> None:
        """Report the value of a key that is valid by itself and does not fit the others."""
        self._report.error(self.value_mark(key), code, message)

    def has(self, key: str) -> bool:
        """Tell whether a key was written."""
        return key in self._entries

    def mark(self, key: str) -> Mark:
        """The place of a key, or of the mapping where the key is absent."""
        entry = self._entries.get(key)
        return self._mark if entry is None else entry[0]

    def value_mark(self, key: str) -> Mark:
        """The place of a key's value, or of the mapping where the key is absent."""
        entry = self._entries.get(key)
        return self._mark if entry is None else entry[1].mark

    def origin(self, key: str) -> Origin:
        """The place of a key as people count."""
        return self._report.origin(self.mark(key))

    def text(self, key: str) -> str:
        """A key's value as it was written; nothing where that is no scalar."""
        entry = self._entries.get(key)
        return entry[1].text if entry is not None and isinstance(entry[1], Scalar) else ""

    def _complain(self) -> None:
        misspelt = set()
        for key in self._entries.keys() - set(self._known):
            found = self._report.hints.nearest(key, self._known)
            misspelt.add(found)
            advice = f"did you mean {found}?" if found else f"its keys are {', '.join(self._known)}"
            message = f"{self._where} has no key {quoted(key)}; {advice}"
            self._report.error(self._entries[key][0], "unknown-key", message)
        for key in self._missing:
            # A misspelt key is one mistake, not two.
            if key not in misspelt:
                self._report.error(
                    self._mark, "missing-key", f"{self._where} needs {key}; add {key}: below {self._where}"
                )


def each_item(field: Field) -> list[Field]:
    """The items of a list that may not be empty."""
    node = field.node
    if not isinstance(node, Sequence):
        raise field.wrong_type("a list", f'begin each item of {field.key} with "- "')
    if not node.items:
        raise field.rejected("empty-list", f"{field.key} is an empty list; write at least one item")
    if len(node.items) > ITEMS_MAX:
        raise field.rejected("too-many-items", f"{field.key} has more than {ITEMS_MAX} items; write fewer")
    return [
        Field(f"{field.key}[{index}]", f"{field.name}[{index}]", item, field.report)
        for index, item in enumerate(node.items)
    ]


def read_items(field: Field, read: Reader[T]) -> list[T]:
    """Read every item of a list; those that are rejected are reported and left out."""
    found = []
    for item in each_item(field):
        try:
            found.append(read(item))
        except Rejected as error:
            field.report.error(error.mark, error.code, error.message)
    return found


def text_of(field: Field, wanted: str, instead: str) -> str:
    """The text of a scalar that YAML also reads as a text."""
    node = field.node
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return node.value
    raise field.wrong_type(wanted, instead)
