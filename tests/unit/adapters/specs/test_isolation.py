"""No single file changes what comes of another one, whatever it holds and whatever in us it breaks."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.adapters.specs import documents
from controller.adapters.specs.context import Context
from controller.adapters.specs.fields import Report
from controller.adapters.specs.tree import parse_tree
from controller.adapters.specs.yaml_tree import Node, compose
from controller.ports.spec_source import SpecTree
from tests.fakes.spec_source import policy_text, schedule_text
from tests.git_repository import Content, Link, Submodule
from tests.unit.adapters.specs.git.repositories import fetch, repository, source_of

GOOD = {f"{place}/{name}.yaml": schedule_text(name) for place, name in (("a", "first"), ("m", "middle"), ("z", "last"))}
EXPECTED = parse_tree({path: text.encode() for path, text in GOOD.items()}, platforms=None).specs

CORPUS = [path.read_bytes() for path in sorted((Path(__file__).parent / "corpus").rglob("*.yaml"))]
SEEDS = [*CORPUS, schedule_text("x").encode(), policy_text("x").encode(), *(text.encode() for text in GOOD.values())]
PIECES = [
    b"\0",
    b"\xff",
    b"\t",
    b"\n---\n",
    b"&a [*a]",
    b"<<: ",
    b"!!python/object:x ",
    b"[" * 100,
    b"1e999",
    b"'",
    b": ",
    b"\xe2\x80\xa8",
]


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    """Bytes that mean nothing, or a spec that somebody damaged."""
    if draw(st.integers(0, 3)) == 0:
        return draw(st.binary(max_size=200))
    content = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 3))):
        at, until = sorted((draw(st.integers(0, len(content))), draw(st.integers(0, len(content)))))
        piece = draw(st.sampled_from(PIECES))
        content = content[:at] + piece + content[draw(st.sampled_from((at, until))) :]
    return content


def kept(tree: SpecTree) -> None:
    """The good files make what they make alone, and none of them is called broken."""
    assert tuple(spec for spec in tree.specs if spec.origin.path in GOOD) == EXPECTED
    assert not tree.failed_paths & GOOD.keys()
    assert {each.code for each in tree.errors if each.origin.path in GOOD} <= {"duplicate-name", "duplicate-connection"}


@settings(derandomize=True, deadline=None, max_examples=300)
@given(content=contents(), path=st.sampled_from(["0.yaml", "m/bad.yaml", "zz.yml"]))
def test_whatever_one_file_holds_the_others_are_read_as_they_stand(content: bytes, path: str) -> None:
    """Before, between and behind them; only a claim to the same name or connection is told at both, and that is about two files."""
    files = {name: text.encode() for name, text in GOOD.items()}
    kept(parse_tree({**files, path: content}, platforms=None))


def test_a_commit_of_bad_files_leaves_the_good_ones_as_they_are(tmp_path: Path) -> None:
    """The same through Git, with what only Git can hold: links, submodules, names of any bytes."""
    choice = random.Random(20)
    origin = repository(tmp_path / "origin")
    reader = source_of(origin)
    for _ in range(3):
        bad: dict[str, Content] = {f"b/{n}.yaml": _damaged(choice) for n in range(60)}
        bad |= {"b/link.yaml": Link("../../etc/passwd"), "a/dir": Link("../z"), "sub": Submodule("a" * 40)}
        bad |= {f"m/\udcff{choice.randrange(9)}.yaml": b"x", "a/FIRST.yaml": b"x", "z/new\nline.yaml": b"x"}
        origin.publish({**GOOD, **bad})
        for each in (reader, source_of(origin)):
            kept(fetch(each))


def _damaged(choice: random.Random) -> bytes:
    content = choice.choice(SEEDS)
    at = choice.randrange(len(content) + 1)
    return content[:at] + choice.choice(PIECES) + content[choice.randrange(at, len(content) + 1) :]


@pytest.mark.parametrize(
    "defect", [KeyError("canary"), RecursionError(), MemoryError(), AssertionError("x" * 9000), TypeError("a\nb")]
)
@pytest.mark.parametrize("where", ["read_document", "compose"])
def test_a_defect_of_ours_costs_the_document_that_shows_it(
    monkeypatch: pytest.MonkeyPatch, defect: Exception, where: str
) -> None:
    """Of any kind, in one document or in a whole file: it is told in few words, and what was good before stays in force."""
    real = documents.read_document

    def reading(root: Node, report: Report, context: Context) -> documents.Document | None:
        if report.origin(root.mark).path == "bad.yaml":
            raise defect
        return real(root, report, context)

    def composing(content: bytes) -> list[Node]:
        if b"poison" in content:
            raise defect
        return compose(content)

    monkeypatch.setattr(documents, where, reading if where == "read_document" else composing)
    files = {name: text.encode() for name, text in GOOD.items()}
    tree = parse_tree({**files, "bad.yaml": schedule_text("poison").encode()}, platforms=None)
    kept(tree)
    (error,) = tree.errors
    assert (error.code, tree.failed_paths) == ("unreadable", frozenset({"bad.yaml"}))
    assert type(defect).__name__ in error.message
    assert len(error.message) < 100
    assert "canary" not in error.message
