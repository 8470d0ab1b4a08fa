"""Measures of blinks against values by hand, against scipy, and the paper's law against its own intervals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from vultus.metrics.blink import (
    au45_mae,
    balanced_accuracy,
    blink_rate,
    f1_score,
    fit_log_normal,
    mean_duration_s,
    rates_of_intervals,
)

REAL = Path(__file__).parents[2] / "../shared/data/real/emoface"


def test_au45_by_hand():
    a, b = np.array([0.0, 5.0, 1.0]), np.array([1.0, 3.0, 1.0])
    assert au45_mae(a, b) == pytest.approx(1.0)
    assert au45_mae(a, b, np.array([True, False, True])) == pytest.approx(0.5)
    assert np.isnan(au45_mae(a, b, np.zeros(3, bool)))


def test_rate_and_duration_by_hand():
    assert blink_rate(6, 20) == pytest.approx(18)
    assert mean_duration_s(np.array([0, 50]), np.array([4, 59]), 25) == pytest.approx(0.3)
    assert np.isnan(mean_duration_s(np.array([]), np.array([]), 25))
    np.testing.assert_allclose(rates_of_intervals(np.array([18, 36, 60]), 30), [100, 50, 30])


def test_the_law_agrees_with_scipy():
    rates = np.random.default_rng(0).lognormal(3.2, 0.4, 500)
    law = fit_log_normal(rates)
    kept = rates[rates <= 100]
    shape, _, scale = stats.lognorm.fit(kept, floc=0)
    assert law.mean == pytest.approx(np.log(scale), abs=1e-4)
    assert law.sd == pytest.approx(shape, abs=1e-4)
    np.testing.assert_allclose(
        law.density(np.array([20.0, 40])), stats.lognorm.pdf([20, 40], shape, 0, scale), atol=1e-6
    )


def test_values_above_a_hundred_are_left_out_and_a_hundred_is_not():
    law = fit_log_normal(np.array([10.0, 100.0, 100.1]))
    assert (law.kept, law.excluded) == (2, 1)
    with pytest.raises(ValueError, match="no rate"):
        fit_log_normal(np.array([200.0]))


@pytest.mark.skipif(not REAL.is_dir(), reason="EmoFace's measurements are not beside the repository")
def test_the_papers_law_from_its_own_intervals():
    """EmoFace, figure 5: 3.518 and .532."""
    law = fit_log_normal(rates_of_intervals(np.load(REAL / "blink_intervals.npy"), 30))
    assert law.kept == 358 and law.excluded == 87
    assert law.mean == pytest.approx(3.518, abs=1e-3)
    assert law.sd == pytest.approx(0.532, abs=1e-3)


@pytest.mark.skipif(not REAL.is_dir(), reason="EmoFace's measurements are not beside the repository")
def test_the_machine_beats_the_threshold_on_blocks_it_has_not_seen():
    from benchmarks.blink_science import DETECTORS, SHIPPED, cross_validated, labelled_windows

    opened, shut = labelled_windows(REAL.parent)
    machine, threshold = (cross_validated(DETECTORS[name], opened, shut, 5) for name in (SHIPPED, "threshold 0.2"))
    assert machine >= 0.93 and threshold < 0.87


def test_balanced_accuracy_by_hand():
    truth = np.array([True, True, False, False, False, False])
    assert balanced_accuracy(np.array([True, False, False, False, False, True]), truth) == pytest.approx(0.625)


def test_f1_by_hand() -> None:
    truth = np.array([True, True, False, False, False])
    assert f1_score(np.array([True, False, True, False, False]), truth) == pytest.approx(0.5)
    assert f1_score(truth, truth) == 1 and f1_score(~truth, truth) == 0
