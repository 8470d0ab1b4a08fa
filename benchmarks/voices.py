"""The voice that measurements use: the sample that is shipped, at any length."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

import vultus
from vultus.audio.io import read_speech
from vultus.core.types import SAMPLE_RATE

SAMPLE = Path(vultus.__file__).parent / "assets" / "sample_speech.flac"


def write_long_voice(path: Path, duration_s: float) -> Path:
    """The sample over and over, for so many seconds, as a 16-bit WAV file."""
    waveform = read_speech(SAMPLE).waveform
    samples = np.resize(waveform, round(duration_s * SAMPLE_RATE))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path
