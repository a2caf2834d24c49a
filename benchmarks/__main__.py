"""``python -m benchmarks`` runs them all, one after the other; each is also a module to run by itself."""

from benchmarks import calendar_speed, idle_controller, spec_parsing

for benchmark in (calendar_speed, spec_parsing, idle_controller):
    benchmark.main()
