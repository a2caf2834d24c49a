"""``python -m benchmarks`` runs them all, one after the other; each is also a module to run by itself."""

import sys

from benchmarks import calendar_agreement, calendar_speed, idle_controller, spec_parsing

missed = calendar_speed.main()
for benchmark in (calendar_agreement, spec_parsing, idle_controller):
    benchmark.main()
sys.exit(missed)
