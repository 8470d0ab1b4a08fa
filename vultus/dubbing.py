"""A video re-voiced: other voices for the people in it, at its own size and rate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vultus.animate import controls_of, perform
from vultus.core.bases import ARKIT52
from vultus.core.controls import Controls
from vultus.core.types import Performance
from vultus.methods import DEFAULT_METHOD

FOOTAGE_CONTROLS = {"pose": "still", "blink": "none", "gaze": "still"}
"""Head, lids and eyes move as they do in the video."""
_BELOW_EYES = np.array([name.startswith(("mouth", "jaw", "tongue", "cheek", "nose")) for name in ARKIT52])


@dataclass(frozen=True)
class DubbedFace:
    """What became of one face."""

    face: int
    """Its number, from 1, the largest first."""
    voice: str
    frames: int
    """In which it speaks with the new voice."""
    passed: int
    """Left as they were: no face, or one turned away."""


@dataclass(frozen=True)
class DubReport:
    """What a dub did."""

    path: Path
    frames: int
    fps: float
    shots: int
    found: int
    """People in the video."""
    faces: tuple[DubbedFace, ...]


def voice_performance(
    voice: str | Path, fps: float, *, method: str = DEFAULT_METHOD, start_s: float = 0.0, end_s: float | None = None,
    **controls: Any,
) -> Performance:  # fmt: skip
    """What a voice makes of a face that keeps its own head motion, eyes and blinks.

    Args:
        **controls: emotion, intensity, lip_scale, expression_scale and seed of `core.controls.Controls`. Without an
            emotion nothing above the cheeks moves.
    """
    chosen = controls_of(**controls, **FOOTAGE_CONTROLS)
    pieces, _ = perform(voice, chosen, fps, method=method, start_s=start_s, end_s=end_s)
    performance = Performance.concatenate(pieces)
    if chosen.emotion == Controls().emotion and performance.expression is not None:
        performance = replace(performance, expression=performance.expression * _BELOW_EYES)
    return performance
