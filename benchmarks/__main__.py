"""``python -m benchmarks`` runs them, one after the other; each is also a module to run by itself.

``python -m benchmarks.simulated_year`` is left out: it takes six minutes.
"""

import sys

from benchmarks import calendar_agreement, calendar_speed, forecast_cost, idle_controller, spec_commits, spec_parsing

missed = calendar_speed.main()
for benchmark in (calendar_agreement, spec_parsing, spec_commits, forecast_cost, idle_controller):
    benchmark.main()
sys.exit(missed)
