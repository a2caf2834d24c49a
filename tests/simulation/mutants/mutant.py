"""A mutant: one passage of one module's source that says something else, put in place while the module is imported."""

import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType


@dataclass(frozen=True, slots=True)
class Edit:
    """One passage of a module and what stands there instead."""

    module: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """A defect by hand.

    Attributes:
        rule: the rule of the protocol that it breaks, ``R1`` to ``R13``.
        what: the defect in words.
        edits: what is replaced; several where one alone would be made up for by the other.
        stretch: the trouble in which the simulation finds it; empty if a test of the suite does.
        test: the tests that find it, as pytest names them.
        finds: how the violation begins that is expected.
    """

    rule: str
    name: str
    what: str
    edits: tuple[Edit, ...]
    stretch: str = ""
    test: str = ""
    finds: str = ""


class PassageMoved(AssertionError):
    """The passage is not exactly once in the module any more: write the mutant anew."""


def source_of(module: str) -> str:
    """The source of a module, which is not imported for it."""
    # ``find_spec`` imports the packages around a module, and those of the product are empty.
    spec = importlib.util.find_spec(module)
    assert spec is not None, module
    assert isinstance(spec.loader, SourceFileLoader)
    return spec.loader.get_data(spec.loader.path).decode()


def edited(source: str, edits: Sequence[Edit]) -> str:
    """The source with each passage replaced.

    Raises:
        PassageMoved: one of them does not occur exactly once.
    """
    for edit in edits:
        if (times := source.count(edit.old)) != 1:
            raise PassageMoved(f"{edit.module} has {times} times: {edit.old}")
        source = source.replace(edit.old, edit.new)
    return source


class _Loader(SourceFileLoader):
    edits: Sequence[Edit] = ()

    def get_code(self, fullname: str) -> CodeType:
        code = compile(edited(source_of(fullname), self.edits), self.path, "exec", dont_inherit=True)
        assert isinstance(code, CodeType)
        return code


class Grafting(MetaPathFinder):
    """Finds the modules of a mutant before anybody else does."""

    def __init__(self, mutant: Mutant) -> None:
        self.grafted: set[str] = set()
        self._edits = {module: [edit for edit in mutant.edits if edit.module == module] for module in self._of(mutant)}
        early = sorted(self._edits.keys() & sys.modules.keys())
        assert not early, f"imported before it could be changed: {early}"

    @staticmethod
    def _of(mutant: Mutant) -> set[str]:
        return {edit.module for edit in mutant.edits}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module with its passages replaced; None for every other one."""
        del target
        if fullname not in self._edits:
            return None
        found = PathFinder.find_spec(fullname, path)
        assert found is not None
        assert isinstance(found.loader, SourceFileLoader)
        loader = _Loader(fullname, found.loader.path)
        loader.edits = self._edits[fullname]
        self.grafted.add(fullname)
        return importlib.util.spec_from_loader(fullname, loader, is_package=False)

    @property
    def is_complete(self) -> bool:
        """Whether every module of the mutant was imported."""
        return self.grafted == self._edits.keys()
