"""Synthetic voices for rendered people: as long as asked, and speaking to the end."""

from __future__ import annotations

import numpy as np

from vultus.core.types import SAMPLE_RATE
from vultus.data.synthetic.voices import Voice, say


def test_a_long_voice_speaks_to_its_end():
    speech, text = say(Voice("en-us"), 100.0, np.random.default_rng(3))
    assert len(speech.waveform) == 100 * SAMPLE_RATE and len(text) > 1000
    assert np.abs(speech.waveform[-3 * SAMPLE_RATE :]).max() > 0.05
    assert speech.phones[-1].end_s == 100.0
