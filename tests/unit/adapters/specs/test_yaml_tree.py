"""What of YAML is accepted, where each refusal points, and what a bomb costs."""

import math
import time
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.adapters.specs import yaml_tree
from controller.adapters.specs.tree import parse_tree
from controller.adapters.specs.yaml_tree import Mapping, Node, YamlRejected, compose, plain, quoted, resolve

REFUSED: list[tuple[str | bytes, int, int, str]] = [
    ("a: *b", 1, 4, "yaml-alias"),
    ("a: 1\nb: &x 1", 2, 4, "yaml-anchor"),
    ("a: &x [1]", 1, 4, "yaml-anchor"),
    ("a: !!str 1", 1, 4, "yaml-tag"),
    ("a: !local {b: 1}", 1, 4, "yaml-tag"),
    ("%TAG !x! tag:x\n---\na: 1", 1, 1, "yaml-tag"),
    ("a:\n  <<: {b: 1}", 2, 3, "yaml-merge-key"),
    ("a: 1\nb: 2\na: 3", 3, 1, "duplicate-key"),
    ('a: 1\n"a": 3', 2, 1, "duplicate-key"),
    ("x: {é: 1, é: 2}", 1, 11, "duplicate-key"),
    ("? [a]\n: 1", 1, 3, "bad-key"),
    ("cron: */5 * * * *", 1, 7, "unquoted-value"),
    ("- cron: * * * * *  # always", 1, 9, "unquoted-value"),
    ("cron: @daily", 1, 7, "unquoted-value"),
    ("a: `b`", 1, 4, "unquoted-value"),
    ("a: b: c", 1, 5, "yaml-syntax"),
    ("a:\n\t- b", 2, 1, "yaml-syntax"),
    ('a: "b', 1, 6, "yaml-syntax"),
    ("a: [1, 2", 1, 4, "yaml-syntax"),
    ('a: "\\ud800"', 1, 7, "yaml-syntax"),
    ("%YAML 3.0\n---\na: 1", 1, 1, "yaml-syntax"),
    ("a: 1\nb: x\0", 2, 5, "bad-character"),
    ('a: "\\0"', 1, 4, "bad-character"),
    ("a: \x1b[2J", 1, 4, "bad-character"),
    (b"a: 1\nb: \xe9", 2, 4, "not-utf8"),
    (b"\xff\xfea\0", 1, 1, "not-utf8"),
    (b"a: \xed\xa0\x80", 1, 4, "not-utf8"),
    ("[" * 21 + "]" * 21, 1, 21, "too-deep"),
    ("a: " + "x" * 4097, 1, 4, "scalar-too-long"),
    ("a: " + "é" * 2049, 1, 4, "scalar-too-long"),
    ("- a\n" * 20_000, 20_000, 3, "too-many-nodes"),
    ("---\na: 1\n" * 101, 201, 1, "too-many-documents"),
    ("#" * (256 * 1024 + 1), 1, 1, "file-too-large"),
]

ACCEPTED: list[tuple[str, list[Any]]] = [
    ("", []),
    ("# nothing\n", []),
    ("---\n---\na: 1\n---\n...\n", [{"a": 1}]),
    ("a: [1, {b: x}]", [{"a": [1, {"b": "x"}]}]),
    ("\ufeffa: ü", [{"a": "ü"}]),
    ("a: |\n  *b &c !d\n", [{"a": "*b &c !d\n"}]),
    ('"<<": 1', [{"<<": 1}]),
    ("%YAML 1.2\n---\na: 1", [{"a": 1}]),
    ("[" * 20 + "]" * 20, [[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]),
    ("a: " + "x" * 4096, [{"a": "x" * 4096}]),
]

SCALARS = {
    "22:30": "22:30",
    "on": "on",
    "no": "no",
    "yes": "yes",
    "None": "None",
    "2026-01-01": "2026-01-01",
    "1_000": "1_000",
    "0b11": "0b11",
    "010": 10,
    "-7": -7,
    "+7": 7,
    "0o17": 15,
    "0x1F": 31,
    "1.5e3": 1500.0,
    ".5": 0.5,
    "-.inf": -math.inf,
    "TRUE": True,
    "false": False,
    "~": None,
    "": None,
    "Null": None,
    "-": "-",
    "1s": "1s",
}

BOMBS = {
    "aliases": "a: &a [x, x]\n"
    + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)),
    "an alias to itself": "a: &a [*a]",
    "merge keys": "a: &a {x: 1}\n" + "".join(f"b{n}: {{<<: *a}}\n" for n in range(5000)),
    "deep lists": "[" * 5000,
    "deep mappings": "{a: " * 5000,
    "deep indentation": "- " * 5000,
    "a megabyte": "k: v\n" * 200_000,
    "many keys": "".join(f"k{n}: {n}\n" for n in range(12_000)),
    "many unknown keys": "apiVersion: mainspring.dev/v1\nkind: SyncSchedule\nspec:\n"
    + "".join(f"  k{n}: 1\n" for n in range(9000)),
    "duplicate keys": "a: 1\n" * 9_000,
    "a long number": "a: " + "9" * 250_000,
    "a long hexadecimal": "0x" + "f" * 4_000,
    "a sexagesimal": "a: " + ":".join(["59"] * 1_300),
    "tags": "- !!python/object/apply:os.system [x]\n" * 5_000,
    "NUL": "\0" * 100_000,
    "open quotes": '"' * 200_000,
    "open keys": "? " * 100_000,
}


def refusal(text: str | bytes) -> YamlRejected:
    """The error that a text gives."""
    with pytest.raises(YamlRejected) as caught:
        compose(text if isinstance(text, bytes) else text.encode())
    return caught.value


@pytest.mark.parametrize(("text", "line", "column", "code"), REFUSED, ids=lambda value: repr(value)[:40])
def test_a_refusal_names_its_place_and_code(text: str | bytes, line: int, column: int, code: str) -> None:
    """What YAML can do beyond plain values is refused where it stands, under a stable code."""
    error = refusal(text)
    assert (error.mark.line + 1, error.mark.column + 1, error.code) == (line, column, code)
    assert "; " in error.message


@pytest.mark.parametrize(("text", "values"), ACCEPTED, ids=lambda value: repr(value)[:40])
def test_plain_yaml_is_composed(text: str, values: list[Any]) -> None:
    """Plain documents become plain values; empty documents are left out."""
    assert [plain(node) for node in compose(text.encode())] == values


@pytest.mark.parametrize(("text", "value"), SCALARS.items())
def test_scalars_follow_the_core_schema(text: str, value: object) -> None:
    """A plain scalar is what YAML 1.2's core schema says, and a text where it says nothing."""
    found = resolve(text)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("text", ["1", "true", "null", "~"])
def test_a_quoted_scalar_is_a_text(text: str) -> None:
    """Quotes make a text of anything."""
    assert plain(compose(f'"{text}"'.encode())[0]) == text


def test_an_unquoted_cron_is_told_how_to_be_written() -> None:
    """The commonest slip gets the line to write as its answer."""
    assert refusal("- cron: */5 * * * *   # often").message.endswith('quote it: cron: "*/5 * * * *"')


def test_a_duplicate_key_names_both_places() -> None:
    """Who reads about the second place learns where the first one is."""
    assert "line 1, column 1" in refusal("a: 1\nb: 2\na: 3").message


def test_keys_and_values_know_where_they_stand() -> None:
    """Every key and every value has its own line and column."""
    root = compose(b"a: 1\nbc:\n  - x\n  -   yz\n")[0]
    assert isinstance(root, Mapping)
    key, value = root.entries["bc"]
    assert (key.line, key.column) == (1, 0)
    assert isinstance(value, yaml_tree.Sequence)
    assert [(item.mark.line, item.mark.column) for item in value.items] == [(2, 4), (3, 6)]


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_costs_nothing(bomb: str) -> None:
    """No file costs more than half a second of CPU, whatever it holds, and each of these is rejected."""
    started = time.process_time()
    tree = parse_tree({"bomb.yaml": bomb.encode()}, platforms=None)
    assert time.process_time() - started <= 0.5
    assert tree.errors
    assert tree.failed_paths == {"bomb.yaml"}


def test_the_pure_parser_is_refused_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the C library the same texts are refused under the same codes."""
    short = [text for text, _, _, _ in REFUSED if len(text) < 1000]
    fast = [refusal(text).code for text in short]
    monkeypatch.setattr(yaml_tree, "LOADER", yaml.SafeLoader)
    slow = [refusal(text).code for text in short]
    assert [(a, b) for a, b in zip(fast, slow, strict=True) if a != b and b != "bad-character"] == []


def test_a_shown_text_cannot_steer_a_terminal() -> None:
    """What a file says is shown on one line, shortened, without control characters."""
    assert quoted("a\n\x1b[2J" + "b" * 100) == '"a\\n\\x1b[2J' + "b" * 53 + '…"'


SIGNS = [
    *"a|>{}[]#~\t\0é\"'\n\ud800",
    ": ",
    "- ",
    ", ",
    "? ",
    "  ",
    "&x ",
    "*x",
    "!!t ",
    "<<",
    "---\n",
    "%YAML 1.2\n",
    "1e999",
]
LINES = [
    "apiVersion: mainspring.dev/v1\n",
    "kind: SyncSchedule\n",
    "metadata: {name: a}\n",
    "spec:\n",
    "  schedules:\n",
]
WORDS = ["connectionId: ", "cron: ", "every: ", "0 0 * * *", "6h", "suspend: ", "{until: 2026-01-01T00:00:00Z}"]
SNIPPETS = st.lists(st.sampled_from(SIGNS + LINES + WORDS), max_size=40).map("".join)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.one_of(st.binary(max_size=200), SNIPPETS.map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_no_content_raises(content: bytes) -> None:
    """Whatever a file holds, reading it gives a tree: with specs, or with errors that have a place in that file."""
    tree = parse_tree({"a.yaml": content}, platforms=None)
    for error in tree.errors:
        assert error.origin.path == "a.yaml"
        assert error.origin.line >= 1
        assert error.origin.column >= 1
        assert str(error).isprintable()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["C"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdef", min_size=1), inner, max_size=4),
    max_leaves=15,
)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.dictionaries(st.text("abcdef", min_size=1), JSON, min_size=1))
def test_plain_values_survive_a_round_trip(value: dict[str, Any]) -> None:
    """What PyYAML writes without anchors and with quoted texts is read back as it was."""
    text = yaml.dump(value, Dumper=_NoAliases, allow_unicode=True, default_style=None)
    nodes: list[Node] = compose(text.encode())
    assert [plain(node) for node in nodes] == [value]


class _NoAliases(yaml.SafeDumper):
    """Writes equal values twice instead of by reference."""

    def ignore_aliases(self, _: Any) -> bool:
        """Refer to nothing."""
        return True
