"""YAML text becomes plain values that know where they stand; what YAML can do beyond that is refused.

The parser's events are composed here instead of by PyYAML's constructor: that costs half as much, keeps line and column of every key
and value, and refuses a bomb at the first event that makes it one. Scalars follow the core schema of YAML 1.2.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import yaml

BYTES_MAX = 256 * 1024
DEPTH_MAX = 20
NODES_MAX = 20_000
SCALAR_BYTES_MAX = 4 * 1024
DOCUMENTS_MAX = 100

# The pure Python parser gives the same events, four times slower.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
MAY_RESOLVE = frozenset("-+.0123456789~nNtTfF")
INTEGER = re.compile(r"[-+]?[0-9]+")
BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

Value = str | int | float | bool | None

FORBIDDEN_CHARACTER = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
UNQUOTED_VALUE = re.compile(r"([\w.-]+):\s+([*@%`].*?)\s*(?:\s#.*)?$")


class Mark(Protocol):
    """A place in the text; both numbers count from 0."""

    @property
    def line(self) -> int:
        """How many lines stand before."""
        ...

    @property
    def column(self) -> int:
        """How many characters stand before in the line."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """A place that no parser event has."""

    line: int
    column: int


class YamlRejected(Exception):
    """The text is no YAML that a spec may be written in."""

    def __init__(self, mark: Mark, code: str, message: str) -> None:
        super().__init__(message)
        self.mark = mark
        self.code = code
        self.message = message


class Scalar:
    """A text, number, truth value or nothing, with the text as it was written."""

    __slots__ = ("mark", "text", "value")

    def __init__(self, text: str, value: Value, mark: Mark) -> None:
        self.text = text
        self.value = value
        self.mark = mark


class Sequence:
    """A list of nodes."""

    __slots__ = ("items", "mark")

    def __init__(self, items: list["Node"], mark: Mark) -> None:
        self.items = items
        self.mark = mark


class Mapping:
    """Nodes by key; ``entries`` also has the place of each key."""

    __slots__ = ("entries", "mark")

    def __init__(self, entries: dict[str, tuple[Mark, "Node"]], mark: Mark) -> None:
        self.entries = entries
        self.mark = mark


Node = Scalar | Sequence | Mapping


def plain(node: Node) -> Any:
    """What a node holds, without places."""
    if type(node) is Scalar:
        return node.value
    if type(node) is Mapping:
        return {key: plain(entry[1]) for key, entry in node.entries.items()}
    return [plain(item) for item in node.items] if type(node) is Sequence else None


def resolve(text: str) -> Value:
    """Read a plain scalar by the core schema of YAML 1.2: ``no``, ``on`` and ``22:30`` are texts, ``010`` is ten."""
    if text and text[0] not in MAY_RESOLVE:
        return text
    if text in WORDS:
        return WORDS[text]
    if INTEGER.fullmatch(text):
        return int(text)
    if FLOAT.fullmatch(text):
        return float(text)
    if BASED.fullmatch(text):
        return int(text, 0)
    if NO_NUMBER.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def compose(content: bytes) -> list[Node]:
    """Read the documents of a file; empty ones are left out.

    Raises:
        YamlRejected: the first thing that is wrong; with broken YAML nothing after it can be trusted.
    """
    text = _decode(content)
    try:
        return _Composer(text).documents()
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, text) from error
    except (yaml.YAMLError, ValueError, RecursionError, MemoryError) as error:
        raise YamlRejected(Place(0, 0), "yaml-syntax", f"this is not YAML: {error}; write it anew") from error


def _decode(content: bytes) -> str:
    if len(content) > BYTES_MAX:
        message = f"the file is larger than {BYTES_MAX // 1024} KiB; split it into several files"
        raise YamlRejected(Place(0, 0), "file-too-large", message)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        place = _place(content[: error.start].decode())
        raise YamlRejected(place, "not-utf8", "a byte here is not UTF-8; save the file as UTF-8") from error
    if (found := FORBIDDEN_CHARACTER.search(text)) is not None:
        message = f"the character U+{ord(found[0]):04X} may not stand in YAML; remove it"
        raise YamlRejected(_place(text[: found.start()]), "bad-character", message)
    return text


def _place(before: str) -> Place:
    return Place(before.count("\n"), len(before) - before.rfind("\n") - 1)


class _Composer:
    """One pass over the events of one file."""

    __slots__ = ("_next", "_nodes", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._nodes = 0
        self._next: Callable[[], Any] = LOADER(text).get_event

    def documents(self) -> list[Node]:
        documents: list[Node] = []
        count = 0
        while (kind := type(event := self._next())) is not yaml.StreamEndEvent:
            if kind is not yaml.DocumentStartEvent:
                continue
            count += 1
            if count > DOCUMENTS_MAX:
                message = f"the file has more than {DOCUMENTS_MAX} documents; split it into several files"
                raise YamlRejected(event.start_mark, "too-many-documents", message)
            if event.tags:
                raise YamlRejected(event.start_mark, "yaml-tag", "tags are not allowed; remove the %TAG line")
            node = self._node(self._next(), 1)
            if not isinstance(node, Scalar) or node.text:
                documents.append(node)
        return documents

    def _node(self, event: Any, depth: int) -> Node:
        kind = type(event)
        self._nodes += 1
        if kind is yaml.AliasEvent or event.anchor is not None or event.tag is not None or self._nodes > NODES_MAX:
            self._refuse(event)
        if kind is yaml.ScalarEvent:
            return self._scalar(event)
        if depth > DEPTH_MAX:
            message = f"more than {DEPTH_MAX} levels are nested here; flatten it"
            raise YamlRejected(event.start_mark, "too-deep", message)
        if kind is yaml.MappingStartEvent:
            return self._mapping(event.start_mark, depth)
        items = []
        while type(item := self._next()) is not yaml.SequenceEndEvent:
            items.append(self._node(item, depth + 1))
        return Sequence(items, event.start_mark)

    def _mapping(self, mark: Mark, depth: int) -> Mapping:
        entries: dict[str, tuple[Mark, Node]] = {}
        while type(event := self._next()) is not yaml.MappingEndEvent:
            key = self._node(event, depth + 1)
            if not isinstance(key, Scalar):
                raise YamlRejected(
                    key.mark, "bad-key", "a key must be one text, not a list or a mapping; write key: value"
                )
            name = key.text
            if name == "<<" and event.implicit[0]:
                message = "merge keys are not allowed; write the values out, or put them into a SyncPolicy"
                raise YamlRejected(key.mark, "yaml-merge-key", message)
            if name in entries:
                first = entries[name][0]
                where = f"line {first.line + 1}, column {first.column + 1}"
                message = f"the key {quoted(name)} stands already at {where}; keep one of the two"
                raise YamlRejected(key.mark, "duplicate-key", message)
            entries[name] = (key.mark, self._node(self._next(), depth + 1))
        return Mapping(entries, mark)

    def _scalar(self, event: Any) -> Scalar:
        text: str = event.value
        # One character has at most four bytes.
        if (not text.isascii() or len(text) > SCALAR_BYTES_MAX // 4) and len(_encode(event)) > SCALAR_BYTES_MAX:
            message = f"this text is longer than {SCALAR_BYTES_MAX // 1024} KiB; shorten it"
            raise YamlRejected(event.start_mark, "scalar-too-long", message)
        if "\0" in text:
            raise YamlRejected(event.start_mark, "bad-character", "this text holds the character U+0000; remove it")
        return Scalar(text, resolve(text) if event.implicit[0] else text, event.start_mark)

    def _refuse(self, event: Any) -> None:
        mark = event.start_mark
        if self._nodes > NODES_MAX:
            message = f"the file has more than {NODES_MAX} keys and values; split it into several files"
            raise YamlRejected(mark, "too-many-nodes", message)
        if (unquoted := _unquoted(mark, self._text)) is not None:
            raise unquoted
        if isinstance(event, yaml.AliasEvent):
            raise YamlRejected(mark, "yaml-alias", f"the alias *{event.anchor} is not allowed; write the value out")
        if event.anchor is not None:
            raise YamlRejected(mark, "yaml-anchor", f"the anchor &{event.anchor} is not allowed; remove it")
        raise YamlRejected(mark, "yaml-tag", f"the tag {quoted(event.tag)} is not allowed; remove it")


def _encode(event: Any) -> bytes:
    try:
        encoded: bytes = event.value.encode()
    except UnicodeEncodeError as error:
        message = "half a surrogate pair is no character; write the character itself"
        raise YamlRejected(event.start_mark, "bad-character", message) from error
    return encoded


def _syntax(error: yaml.MarkedYAMLError, text: str) -> YamlRejected:
    mark: Any = error.problem_mark or error.context_mark or Place(0, 0)
    if (unquoted := _unquoted(error.context_mark or mark, text)) is not None:
        return unquoted
    lines = text.splitlines() or [""]
    if mark.line >= len(lines):
        # Behind the end there is nothing to see: show what was left open, or the end itself.
        mark = error.context_mark or mark
        mark = mark if mark.line < len(lines) else Place(len(lines) - 1, len(lines[-1]))
    problem = " ".join(part for part in (error.problem, error.context) if part)
    advice = "check the indentation, and quote texts that hold special characters"
    if mark.line < len(lines) and "\t" in lines[mark.line][: mark.column + 1]:
        advice = "indent with spaces, not tabs"
    elif "mapping values are not allowed" in problem:
        advice = 'quote a text that holds ": ", and check the indentation'
    return YamlRejected(Place(mark.line, mark.column), "yaml-syntax", f"this is not YAML: {problem}; {advice}")


def _unquoted(mark: Mark, text: str) -> YamlRejected | None:
    """The commonest slip: a value such as a cron that begins with what YAML takes for a sign of its own."""
    line = next(iter(text.splitlines()[mark.line : mark.line + 1]), "")
    for found in UNQUOTED_VALUE.finditer(line):
        if found.start(2) == mark.column and (found[2][0] in "@%`" or " " in found[2] or found[2][:2] == "*/"):
            value = found[2].replace("\\", "\\\\").replace('"', '\\"')
            sign = f"a value cannot begin with {found[2][0]} in YAML"
            return YamlRejected(mark, "unquoted-value", f'{sign}; quote it: {found[1]}: "{value}"')
    return None


def quoted(text: str, longest: int = 60) -> str:
    """Show a text of unknown origin: one line, not too long, nothing that steers a terminal."""
    shown = text if len(text) <= longest else text[: longest - 1] + "…"
    return '"' + "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in shown) + '"'
