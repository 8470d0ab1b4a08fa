"""Expressions unmixed: what FaceMesh's points make of one movement leaks into others, and is led back.

Its points follow no movement exactly: an opening jaw, say, also thickens the lower lip, which reads as a lip rolled
out, and a head that looks up seems to frown. What of all this stands for which movement was learned on faces of whom
everything is known (`tools/teach_expressions.py`): a network with one hidden layer, the same for everybody, sees how
the points and the colours of lips and brows depart from the person's own face at rest, the weights fitted, and the
turn of the head. Some movements hardly move the points, but show: a lower lip drawn down bares teeth.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from vultus.core.bases import ARKIT52, index_of
from vultus.core.errors import MissingPartError
from vultus.core.shelf import pieces, zeros
from vultus.face.colours import Colours

ASSET = Path(__file__).parent.parent / "assets" / "expression_reader.npz"
_ONE_WAY = ("mouthLeft", "mouthRight", "jawLeft", "jawRight")
_UNSEEN = ("eyeLook", "eyeBlink", "tongueOut")
"""Gaze and lids are measured apart, and the tongue not at all."""
WEIGHT_UNIT, TURN_DEG = 0.12, 6.0
"""A movement's departure, and a turn of the head, that count as much as a usual departure of the points."""
COORDINATE_JITTER = 1.0
"""Difference in one of the `coordinates` between two frames that may be noise (`face.smooth`)."""

LEAST_FRAMES, LEAST_MOTION, LOW_PERCENTILE = 50, 0.1, 5
"""Frames and motion of the jaw from which a clip shows somebody speaking, and the percentile that is the shut mouth."""
SPOKEN_REST, MOST_BUILD = (0.03, 0.06), 0.2
"""jawOpen of lips that shut in speech, at least and at most, and the most that a build makes of it."""
JAW_GAIN = 1.2
"""Tracking makes too little of a jaw that opens in speech: .8 of it on rendered people, less on photos."""


def _mirrored(name: str) -> str:
    return name if name in _ONE_WAY else name.removesuffix("Left").removesuffix("Right")


MOVEMENTS: tuple[str, ...] = tuple(dict.fromkeys(_mirrored(name) for name in ARKIT52 if not name.startswith(_UNSEEN)))
"""Names without side: Left and Right are one movement, but for those that have no mirror image."""
COLUMNS: tuple[tuple[int, ...], ...] = tuple(
    tuple(index_of(name) for name in ARKIT52 if not name.startswith(_UNSEEN) and _mirrored(name) == movement)
    for movement in MOVEMENTS
)


@dataclass(frozen=True)
class Reader:
    """The network: coordinates of departures, and layers from features (F,) through H units to movements (M,)."""

    shift_modes: np.ndarray
    """(936, K): coordinates of a departure (468, 2), in units of their spread, are its product with these."""
    lip_modes: np.ndarray
    brow_modes: np.ndarray
    """(2, samples, L) and (2, samples, B): the same for lightness and redness of lips and brows (`face.colours`)."""
    into: np.ndarray
    into_bias: np.ndarray
    """(F, H) and (H,); F = K + 2 L + 2 B + M + 3, as `features`."""
    out: np.ndarray
    direct: np.ndarray
    """(H, M) from the hidden units, (F, M) past them; both in `WEIGHT_UNIT`s."""

    def change(self, seen: np.ndarray) -> np.ndarray:
        """What is to be added to the movements (T, M) at features (T, F): nothing where nothing departs."""
        rest = _silu(self.into_bias)
        return WEIGHT_UNIT * ((_silu(seen @ self.into + self.into_bias) - rest) @ self.out + seen @ self.direct)


def movements(expression: np.ndarray) -> np.ndarray:
    """Movements (T, M) of ARKit weights (T, 52): the mean of both sides."""
    return np.stack([expression[:, columns].mean(1) for columns in COLUMNS], 1)


def coordinates(departure: np.ndarray, colours: Colours | None = None) -> np.ndarray:
    """Coordinates (K + 2 L + 2 B,) of what a frame shows, in units of their spread.

    `departure` (468, 2) head units is how far FaceMesh's points are from the person's face at rest; `colours` are those
    of lips and brows, and None throughout a clip that has no pictures.
    """
    modes = reader().lip_modes, reader().brow_modes
    seen = colours or Colours(*(np.zeros(kind.shape[:2], np.float32) for kind in modes))
    along = [colour_coordinates(part, kind) for part, kind in zip(seen, modes, strict=True)]
    return np.concatenate([departure.reshape(-1) @ reader().shift_modes, *along])


def colour_coordinates(seen: np.ndarray, modes: np.ndarray) -> np.ndarray:
    """Coordinates (..., 2 L) of colours (..., 2, samples) along modes (2, samples, L)."""
    return (seen[..., None, :] @ modes).reshape(*seen.shape[:-2], -1)


def features(shown: np.ndarray, expression: np.ndarray, rotation: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """What the network sees (T, F), each from its median over the `valid` frames.

    `shown` (T, K + 2 L + 2 B) of `coordinates`, `expression` (T, 52) and `rotation` (T, 3), degrees, as fitted.
    """
    seen = zeros((len(valid), shown.shape[1] + len(MOVEMENTS) + rotation.shape[1]))
    for part in pieces(len(valid), seen, shown):
        parts = [shown[part], movements(expression[part]) / WEIGHT_UNIT, rotation[part] / TURN_DEG]
        np.concatenate(parts, 1, out=seen[part], casting="same_kind")
    usual = np.array([np.median(column[valid]) for column in seen.T], np.float32)
    for part in pieces(len(valid), seen):
        seen[part] -= usual
    return seen


def undo_leaks(shown: np.ndarray, expression: np.ndarray, rotation: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """ARKit weights (T, 52) with every movement's departure from its median replaced by the one that the network reads.

    Arguments as for `features`. How much one side does more than the other stays as it was; so do lids, gaze and
    tongue.
    """
    seen, result = features(shown, expression, rotation, valid), zeros(expression.shape)
    for part in pieces(len(seen), seen, expression, result):
        read = expression[part].copy()
        for movement, columns in zip(reader().change(seen[part]).T, COLUMNS, strict=True):
            read[:, columns] += movement[:, None]
        result[part] = np.clip(read, 0, 1)
    return result


def settle_jaw(expression: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """ARKit weights (T, 52) whose jaw comes to rest where a speaker's does, and opens as far.

    Whoever speaks shuts the lips several times a second: a jaw that even then reads further open than speech leaves it
    (`SPOKEN_REST`), or less, says something about the person's build. From there on its opening is stretched by
    `JAW_GAIN`. A clip too short to tell, or without a moving jaw, stays as it is.
    """
    jaw = expression[:, index_of("jawOpen")]
    if valid.sum() < LEAST_FRAMES:
        return expression
    least, most = np.percentile(jaw[valid], (LOW_PERCENTILE, 100 - LOW_PERCENTILE))
    if most - least < LEAST_MOTION:
        return expression
    rest = max(np.clip(least, *SPOKEN_REST), least - MOST_BUILD)
    result = expression.copy()
    result[:, index_of("jawOpen")] = np.clip(rest + JAW_GAIN * (jaw - least), 0, 1)
    return result


@lru_cache(maxsize=1)
def reader() -> Reader:
    """The network that ships. Raises MissingPartError."""
    if not ASSET.exists():
        raise MissingPartError("a part of the tracker is missing from the installation", ASSET.name, "reinstall vultus")
    with np.load(ASSET, allow_pickle=False) as data:
        return Reader(*(data[name].astype(np.float32) for name in Reader.__dataclass_fields__))


def _silu(values: np.ndarray) -> np.ndarray:
    return values / (1 + np.exp(-values))
