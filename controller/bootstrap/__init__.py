"""The composition root: the only place that names concrete adapters."""

from controller.adapters.election.memory import ASKED_WITHIN_SECONDS
from controller.bootstrap.asking import Reply, ask_by_hand, is_attended, present
from controller.bootstrap.documents import check_specs, read_spec_files, read_specs, spec_reader, spec_schema
from controller.bootstrap.identity import product_version, system_clock
from controller.bootstrap.importing import read_connections, read_trees, spec_judge
from controller.bootstrap.reading import follow_events, read_events, read_forecast, read_status
from controller.bootstrap.revisions import Revisions, RevisionTree, read_revisions
from controller.bootstrap.running import preview_cycle, run_controller
from controller.bootstrap.simulated import (
    SimulatedPorts,
    simulated_adapter,
    simulated_controller,
    simulated_leases,
    simulated_store,
)
from controller.bootstrap.wiring import Output, Render, build_world, close_world, has_store, open_store

__all__ = [
    "ASKED_WITHIN_SECONDS",
    "Output",
    "Render",
    "Reply",
    "RevisionTree",
    "Revisions",
    "SimulatedPorts",
    "ask_by_hand",
    "build_world",
    "check_specs",
    "close_world",
    "follow_events",
    "has_store",
    "is_attended",
    "open_store",
    "present",
    "preview_cycle",
    "product_version",
    "read_connections",
    "read_events",
    "read_forecast",
    "read_revisions",
    "read_spec_files",
    "read_specs",
    "read_status",
    "read_trees",
    "run_controller",
    "simulated_adapter",
    "simulated_controller",
    "simulated_leases",
    "simulated_store",
    "spec_judge",
    "spec_reader",
    "spec_schema",
    "system_clock",
]
