"""How many threads numpy's libraries may take."""

from __future__ import annotations

THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
"""Environment variables that say so, read when numpy is imported. Left to themselves, the libraries split small sums
among all cores and wait for each other: half the speed."""
