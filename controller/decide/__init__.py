"""The functional core: specs, observed jobs, records and ``now`` in, a plan out; no I/O, no clock, no chance."""
