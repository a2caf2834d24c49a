"""One simulated year of 1,000 mixed schedules in 30 zones against the brute-force list: ``python -m benchmarks.simulated_year [COUNT]``.

The planner runs on a virtual clock with times without a controller, lost answers, edits and jobs that take too long. It ends with exit
code 1 if any slot was lost, doubled or left out without a good reason. Times are CPU seconds.
"""

import resource
import sys
import time

from tests.simulation.checker import Fault
from tests.simulation.mixture import lives
from tests.simulation.tally import Tally, tally

SCHEDULES = 1000
FINDINGS_SHOWN = 20


def report(year: Tally, seconds: float) -> str:
    """The figures as text."""
    rows: dict[str, object] = {
        "schedules": year.schedules,
        "zones": len(year.zones),
        "slots": f"{year.slots:,}",
        "triggers": f"{year.triggers:,}",
        "plans": f"{year.plans:,}",
        **{f"outcome {word}": f"{count:,}" for word, count in year.outcomes.most_common()},
        **{str(fault): year.count(fault) for fault in Fault},
        "CPU seconds": f"{seconds:.0f}",
        "CPU µs per slot": f"{seconds * 1e6 / year.slots:.0f}",
        "peak memory MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    return "".join(f"{name:32}{value}\n" for name, value in rows.items())


def main() -> None:
    """Live through the year and print what it came to."""
    began = time.process_time()
    year = tally(lives(int(sys.argv[1]) if len(sys.argv) > 1 else SCHEDULES))
    sys.stdout.write(report(year, time.process_time() - began))
    for finding in year.findings[:FINDINGS_SHOWN]:
        sys.stdout.write(f"{finding.fault}: {finding.text}\n")
    if year.findings:
        sys.exit(1)


if __name__ == "__main__":
    main()
