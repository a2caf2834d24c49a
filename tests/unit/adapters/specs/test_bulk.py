"""The garbage collector stands still during a bulk load, and only then."""

import gc

import pytest

from controller.adapters.specs.bulk import BULK, collector_paused


def test_a_bulk_load_is_not_collected_and_stays_out_of_sight() -> None:
    """What it leaves is never walked again; afterwards, also after an error, the collector goes on."""
    gc.unfreeze()
    with collector_paused(BULK):
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    gc.unfreeze()
    with pytest.raises(KeyError), collector_paused(BULK):
        raise KeyError
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_a_few_files_change_nothing() -> None:
    """A commit leaves the collector as it is; so does a load within another, and where somebody has turned it off."""
    with collector_paused(BULK - 1):
        assert gc.isenabled()
    with collector_paused(BULK), collector_paused(BULK):
        assert not gc.isenabled()
    gc.disable()
    try:
        with collector_paused(BULK):
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()
