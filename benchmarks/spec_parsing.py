"""What reading specs costs: µs of CPU per document, beside PyYAML's own constructor. Run: python benchmarks/spec_parsing.py [COUNT]."""

import gc
import statistics
import sys
import time
from collections.abc import Callable

import yaml

from controller.adapters.specs.tree import TreeReader
from controller.adapters.specs.yaml_tree import compose

ROUNDS = 3
TEXT = """\
apiVersion: mainspring.dev/v1
kind: SyncSchedule
metadata:
  name: orders-{number}
  labels: {{team: finance, tier: gold}}
spec:
  connectionId: conn_{number}
  schedules:
    - cron: "{minute} {hour} * * *"
      timeZone: Europe/Zurich
  catchUp: {{policy: Latest, window: 1h}}
  maxDuration: 2h
"""


def documents(count: int) -> dict[str, bytes]:
    """Files of one schedule each, with a few hundred different calendars."""
    return {
        f"{number}.yaml": TEXT.format(number=number, minute=number % 60, hour=number % 7).encode()
        for number in range(count)
    }


def cost(files: dict[str, bytes], act: Callable[[], object]) -> float:
    """The median CPU time of a few rounds, in µs per document."""
    rounds = []
    for _ in range(ROUNDS):
        gc.collect()
        started = time.process_time()
        act()
        rounds.append(time.process_time() - started)
    return statistics.median(rounds) * 1e6 / len(files)


def main() -> None:
    """Measure and print."""
    files = documents(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
    known = TreeReader(None)
    tree = known.read(files)
    if tree.errors or len(tree.specs) != len(files):
        raise SystemExit(f"the sample is not valid: {tree.errors[:3]}")
    small = dict(list(files.items())[:500])
    naive = cost(small, lambda: [yaml.safe_load(each) for each in small.values()])
    constructed = cost(files, lambda: [yaml.load(each, Loader=yaml.CSafeLoader) for each in files.values()])
    rows = {
        "yaml.safe_load (pure Python)": naive,
        "CSafeLoader, constructed, not validated": constructed,
        "composed with positions": cost(files, lambda: [compose(each) and None for each in files.values()]),
        "composed, validated, specs made": cost(files, lambda: TreeReader(None).read(files)),
        "read again, nothing changed": cost(files, lambda: known.read(files)),
    }
    for name, micros in rows.items():
        sys.stdout.write(f"{name:42} {micros:8.1f} µs  {micros / constructed:6.2f} times constructed\n")


if __name__ == "__main__":
    main()
