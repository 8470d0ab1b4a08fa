"""What EmoFace's tests perform and learn from: an ear and curves of chance, and babble whose phones are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vultus.core.controls import Controls
from vultus.core.types import Performance, Phone, Speech
from vultus.face.metahuman import COUNT, index_of
from vultus.methods.emoface.config import EMOTIONS, TINY
from vultus.methods.emoface.infer import EmoFaceDriver, RigWeights
from vultus.methods.emoface.windows import FILE, Windows

CHANNELS = ("expression", "rotation", "translation", "gaze", "au45", "controls")


def babble(words: int = 6) -> Speech:
    """M-AA-M-AA as sound: hum and tone; phones of .15 s."""
    phones, sound = [], []
    for k in range(2 * words):
        symbol = "M" if k % 2 == 0 else "AA"
        phones.append(Phone(symbol, 0.15 * k, 0.15 * (k + 1)))
        t = np.arange(2400) / 16000
        sound.append((0.05 if symbol == "M" else 0.4) * np.sin(2 * np.pi * (200 if symbol == "M" else 900) * t))
    return Speech(np.concatenate(sound).astype(np.float32), tuple(phones))


def toy_curves(states: np.ndarray, emotion: np.ndarray) -> np.ndarray:
    """The jaw follows what is heard, the left brow is down in anger, and the face smiles when happy."""
    curves = np.zeros((len(states), COUNT), np.float32)
    curves[:, index_of("jaw")] = 0.1 + 0.02 * np.abs(states).mean(1)
    curves[:, index_of("brow_down", "left")] = 0.4 * emotion[:, EMOTIONS.index("angry")]
    curves[:, index_of("mouth_cornerPull", "left")] = 0.5 * emotion[:, EMOTIONS.index("happy")]
    return curves


def toy_rig() -> RigWeights:
    """Hears through the encoder that ships."""
    return RigWeights(toy_curves, TINY.net)


def performed(
    waveform: np.ndarray,
    sizes: Sequence[int] = (),
    fps: float = 60,
    windows: Windows = FILE,
    rig: RigWeights | None = None,
    sources: dict[str, Performance] | None = None,
    **options: object,
) -> Performance:
    """A voice cut into pieces of so many samples and the rest, under controls as a user writes them."""
    driver = EmoFaceDriver(
        Controls.parse(**options), fps, rig=toy_rig() if rig is None else rig, windows=windows, **(sources or {})
    )
    parts, at = [], 0
    for size in [*sizes, len(waveform)]:
        parts.append(driver.push(waveform[at : at + size]))
        at += size
    parts.append(driver.finish())
    return Performance.concatenate(part for part in parts if part is not None)
