"""The benchmark of EmoFace: its rows are the paper's, its scores the right way round."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.emoface import PAPER_TABLE_4, errors, lip_correlations
from tests.methods.emoface.voices import babble
from vultus.methods.emoface.config import ABLATIONS, SMALL, ablated
from vultus.methods.emoface.data import Ear, _label, acted_utterance

pytest.importorskip("torch", reason="torch is not installed")


def test_every_row_of_table_4_is_an_ablation():
    assert list(PAPER_TABLE_4) == list(ABLATIONS)
    assert len({ablated(SMALL, row) for row in ABLATIONS}) == len(ABLATIONS)


def test_perfect_curves_score_best():
    truth = acted_utterance("one", babble(), _label("sad"), 0, 0.0, Ear(SMALL.net))
    assert errors([truth.controls], [truth]) == (0, 0, 0)
    assert min(errors([np.zeros((1, 174))], [truth])) > 0.01
    assert lip_correlations(truth.controls, truth.controls) == pytest.approx((1, 1))
    late = np.roll(truth.controls, 9, axis=0)
    assert lip_correlations(late, truth.controls)[0] < 0.7
