"""Measurements: speed (`python -m benchmarks`), fidelity (`python -m benchmarks.round_trip`)."""
