"""The benchmark of measures: its names exist, and its verdicts are the right way round."""

from __future__ import annotations

import math

import pytest

from benchmarks.measures import MEANT, passes
from vultus.compare.measures import BY_NAME
from vultus.compare.report import Report
from vultus.compare.summary import Figure


def report(measure: str, **means: float) -> Report:
    row = {name.replace("_", " "): Figure(mean, math.nan, math.nan, 1) for name, mean in means.items()}
    return Report([], [], {measure: row}, {}, {}, [], 5)


def test_every_measure_that_is_meant_exists():
    assert all(measure in BY_NAME for measures in MEANT.values() for measure in measures)


@pytest.mark.parametrize(
    ("measure", "unchanged", "changed", "verdict"),
    [
        ("ssim", 1.0, 0.9, True),
        ("ssim", 0.9, 0.9, False),
        ("lmd_all", 0.0, 2.0, True),
        ("lmd_all", 2.0, 0.0, False),
        ("mouth_sharpness", 1.1, 0.3, True),
        ("mouth_sharpness", 1.1, 1.05, False),
        ("av_offset", 10.0, math.nan, True),
        ("av_offset", math.nan, 10.0, None),
    ],
)
def test_a_change_passes_if_it_is_ranked_lower(measure, unchanged, changed, verdict):
    found = report(measure, unchanged=unchanged, blurred=changed, copied_reference=1.0)
    assert passes(found, measure, "blurred") is verdict
    assert passes(found, "psnr", "blurred") is None
