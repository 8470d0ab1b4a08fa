"""Charts: round ticks, and ink where the data is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vultus.compare.charts import COLOURS, Series, chart, round_ticks, stacked


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4))
def test_ticks_are_round_and_inside(low, width):
    ticks = round_ticks(low, low + width)
    assert 1 <= len(ticks) <= 11
    assert all(low - 1e-6 * width <= tick <= low + width * (1 + 1e-6) for tick in ticks)


@pytest.mark.parametrize("kind", ["line", "bars", "dots"])
def test_every_kind_leaves_ink_of_its_colour(kind):
    picture = chart([Series("a", np.arange(20.0), np.sin(np.arange(20.0)), kind)], "title", "seconds")
    assert picture.shape == (260, 960, 3)
    inside = picture[40:210, 70:940]
    assert (inside == COLOURS[0]).all(-1).sum() > 100


def test_a_gap_is_left_open_and_an_empty_series_draws_nothing():
    x = np.arange(10.0)
    broken = np.where((x > 3) & (x < 6), np.nan, 1.0)
    whole, gap, empty = (
        (chart([Series("", x, y)], "", "")[40:210, 70:940] == COLOURS[0]).all(-1).sum()
        for y in (np.ones(10), broken, np.full(10, np.nan))
    )
    assert 0 == empty < gap < whole


def test_stacking_keeps_the_width():
    one = chart([Series("a", np.arange(3.0), np.arange(3.0))], "", "")
    assert stacked([one, one]).shape == (520, 960, 3)
