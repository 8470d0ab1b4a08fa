"""From performance and voice to the written file: lips and sound of one moment are presented at that moment."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import av
import numpy as np
import pytest
import soundfile

from vultus.animate import render
from vultus.core.bases import index_of
from vultus.core.types import Performance

RATE = 44_100
OPENS_S = 0.7


@pytest.mark.parametrize("fps", [24.0, 30000 / 1001, 60.0])
def test_the_mouth_opens_in_the_file_when_the_click_is_heard(portrait, tmp_path, fps):
    """The jaw drops in the frame that is shown while the click sounds, and in no frame before it."""
    still = Performance.neutral(round(1.2 * fps), fps)
    opening = int(OPENS_S * fps)
    expression = still.expression.copy()
    expression[opening:, index_of("jawOpen")] = 0.5
    voice = np.zeros(2 * RATE, np.float32)
    voice[round(OPENS_S * RATE)] = 0.9
    soundfile.write(tmp_path / "click.wav", voice, RATE)
    path = render(
        portrait, replace(still, expression=expression), tmp_path / "out.mp4", voice=tmp_path / "click.wav",
        crop="face", size=128,
    )  # fmt: skip
    with av.open(str(path)) as container:
        shown = [(frame.time, frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]
    with av.open(str(path)) as container:
        loudest = max(
            (abs(float(value)), frame.time + k / RATE)
            for frame in container.decode(audio=0)
            for k, value in enumerate(frame.to_ndarray()[0])
        )
    changes = [np.abs(b.astype(int) - a).max() for (_, a), (_, b) in pairwise(shown)]
    opens_at_s = shown[int(np.argmax(changes)) + 1][0]
    assert max(changes) > 40
    assert opens_at_s == pytest.approx(opening / fps, abs=1e-3)
    assert loudest[1] == pytest.approx(OPENS_S, abs=1e-3)
    assert opens_at_s <= loudest[1] < opens_at_s + 1 / fps
