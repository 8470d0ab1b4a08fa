"""A voice as a sound file: WAV, or AAC in .m4a as MEAD and VoxCeleb2 have it."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from vultus.core.types import SAMPLE_RATE, Speech

AAC_BITS_PER_S = 96_000


def write_sound(path: Path, speech: Speech) -> None:
    """Write a voice to `path`; the suffix decides how."""
    samples = np.round(np.clip(speech.waveform, -1, 1) * 32767).astype("<i2")
    if path.suffix == ".wav":
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes(samples.tobytes())
        return
    import av

    with av.open(str(path), "w", format="ipod") as container:
        stream = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        stream.bit_rate = AAC_BITS_PER_S
        frame = av.AudioFrame.from_ndarray(speech.waveform[None].astype(np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
