"""How head and mouth are held in every frame of a clip: which frames are alike but for the mouth, how they match."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vultus.data.clips import PreparedClip

AU45_DEG, GAZE_SHARE = 3.0, 0.3
"""What a unit of AU45, and a degree of gaze, count beside a degree of the head's turn."""
_RIGHT_EYE, _LEFT_EYE = (36, 39), (42, 45)
"""Corners among the 68 landmarks."""
_MOUTH = slice(48, 68)
MOUTH_NUMBERS = 40


@dataclass(frozen=True)
class Stance:
    """A clip's head and eyes: exact where the clip has labels, else as tracked."""

    held: np.ndarray
    """(T, 6): yaw, pitch, roll, AU45 and gaze, each in degrees as it counts; NaN where no face is seen."""
    eyes: np.ndarray
    """(T, 2): the middle between the eyes, in pixels of the source video."""
    span: np.ndarray
    """(T,): from eye to eye, in the same."""
    mouth: np.ndarray
    """(T, 40): x and y of the mouth's 20 points from the middle between the eyes, in spans from eye to eye, less
    those of the clip's mean; NaN where no face is seen."""
    crop_from_source: np.ndarray
    """(T, 2, 3)"""

    @classmethod
    def of(cls, clip: PreparedClip) -> Stance:
        """That of a prepared clip."""
        track, labels = clip.track(), clip.labels()
        if labels is not None and len(labels["au45"]) == clip.facts.frames:
            part = slice(clip.first, clip.stop)
            channels = [labels[name][part] for name in ("rotation", "au45", "gaze", "landmarks")]
        else:
            assert track.landmarks is not None
            placed = [clip.to_source(points[:, :2], t) for t, points in enumerate(track.landmarks)]
            channels = [*(getattr(track, name) for name in ("rotation", "au45", "gaze")), np.stack(placed)]
        rotation, au45, gaze, landmarks = channels
        held = np.concatenate([rotation, AU45_DEG * au45[:, None], GAZE_SHARE * gaze], 1)
        right, left = (landmarks[:, list(eye), :2].mean(1) for eye in (_RIGHT_EYE, _LEFT_EYE))
        eyes, span = (right + left) / 2, np.linalg.norm(left - right, axis=1)
        mouth = ((landmarks[:, _MOUTH, :2] - eyes[:, None]) / span[:, None, None]).reshape(len(eyes), -1)
        held, mouth = (np.where(track.valid[:, None], values, np.nan) for values in (held, mouth))
        return cls(held, eyes, span, mouth - np.nanmean(mouth, 0), clip.crop_from_source.astype(np.float64))

    def most_alike(self, frame: int, other: Stance, allowed: np.ndarray) -> tuple[float, int]:
        """How far off, in degrees, that of these frames (n,) of another clip is which is most like one here, and it."""
        away = np.linalg.norm(other.held[allowed] - self.held[frame], axis=1)
        return float(away.min()), int(allowed[away.argmin()])

    def onto(self, frame: int, other: Stance, there: int) -> np.ndarray:
        """Map (2, 3) of this clip's prepared pixels that lays the head where it stands in a frame of the other."""
        scale = other.span[there] / self.span[frame]
        between = np.column_stack([np.eye(2) * scale, other.eyes[there] - scale * self.eyes[frame]])
        source_from_crop = np.linalg.inv(_square(self.crop_from_source[frame]))
        return (_square(other.crop_from_source[there]) @ _square(between) @ source_from_crop)[:2]


def _square(affine: np.ndarray) -> np.ndarray:
    return np.concatenate([affine, [[0.0, 0.0, 1.0]]])
