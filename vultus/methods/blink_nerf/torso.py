"""How a torso moves in a video, in a few numbers a frame, and a guess of them from how the head does.

The head's pose does not say where the shoulders are. Dense optical flow does: its principal components, over the
pixels that show torso, are the torso's own signal. Tracked video gives them; a voice alone cannot, so they are then
guessed from the head's pose over some seconds, which they follow slowly and in part.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from vultus.methods.blink_nerf.person import TORSO

FLOW_PX = 128
"""Side of the pictures whose flow is measured."""
LAGS_S = (0.0, 0.3, 1.0, 3.0)
"""The head's pose is averaged over so long for the guess; 0 is the pose itself."""
_RIDGE = 30.0
"""Of the guess, in frames: a clip of a minute knows little of how this torso follows this head."""
_SEEN = 0.02
"""Share of a cell that must show torso, over the clip, for its motion to count."""


@dataclass(frozen=True)
class TorsoMotion:
    """`motions` (1 + K, h, h, 2) in half sides of the picture, the mean first; a frame moves by mean + signal @ rest.

    A pixel's move says where it comes from in the still torso. `signal` (T, K) is in standard deviations.
    """

    motions: np.ndarray
    signal: np.ndarray


def torso_motion(frames: np.ndarray, masks: np.ndarray, train: slice, count: int, cells: int) -> TorsoMotion:
    """The motion of the torso in frames (T, S, S, 3) uint8 with masks (T, S, S), in `count` numbers a frame.

    Principal components are those of the frames `train`; without any torso they are all 0.
    """
    flow, shown = _flow(frames, masks, train, cells)  # (T, h, h, 2), (T, h, h)
    weight = np.sqrt(shown[train].mean(0) * (shown[train].mean(0) > _SEEN))[None, ..., None]
    mean = (flow[train] * shown[train][..., None]).sum(0) / (shown[train].sum(0)[..., None] + 1e-6)
    offset = flow - mean
    flat = (offset * shown[..., None] * weight).reshape(len(flow), -1)
    _, _, axes = np.linalg.svd(flat[train], full_matrices=False)
    axes = np.pad(axes[:count], ((0, max(0, count - len(axes))), (0, 0)))
    spread = np.maximum((flat[train] @ axes.T).std(0), 1e-6)
    signal = flat @ axes.T / spread
    motions = np.concatenate([mean[None], _regressed(offset[train], signal[train], shown[train])])
    return TorsoMotion(_spread_out(motions, weight[0, ..., 0] ** 2).astype(np.float32), signal.astype(np.float32))


class TorsoGuess:
    """A ridge regression from the head's pose, now and averaged over `LAGS_S`, to the torso's signal."""

    def __init__(self, weights: np.ndarray, fps: float) -> None:
        self.weights, self.fps = weights, fps

    @classmethod
    def fit(cls, pose: np.ndarray, signal: np.ndarray, fps: float) -> TorsoGuess:
        """Learn from poses (T, 6), in standard deviations, and signals (T, K)."""
        seen = pose_history(pose, fps)
        weights = np.linalg.solve(seen.T @ seen + _RIDGE * np.eye(seen.shape[1]), seen.T @ signal)
        return cls(weights.astype(np.float32), fps)

    def __call__(self, pose: np.ndarray) -> np.ndarray:
        """Poses (T, 6) -> signals (T, K)."""
        return (pose_history(pose, self.fps) @ self.weights).astype(np.float32)


def pose_history(pose: np.ndarray, fps: float) -> np.ndarray:
    """Poses (T, 6) with their averages, (T, 6 * len(LAGS_S))."""
    return np.concatenate(
        [pose if lag == 0 else gaussian_filter1d(pose, lag * fps, axis=0, mode="nearest") for lag in LAGS_S], 1
    )


def _flow(frames: np.ndarray, masks: np.ndarray, train: slice, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean move of the torso's pixels in each cell, (T, h, h, 2) in half sides, and how much of it they are."""
    meter = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [_grey(frame) for frame in frames]
    middle = np.median(np.stack(grey[train])[:: max(1, len(grey[train]) // 200)], axis=0)
    stills = range(*train.indices(len(frames)))[:: max(1, len(grey) // 200)]
    still = grey[min(stills, key=lambda k: float(np.abs(grey[k] - middle).mean()))]
    flow, shown = [], []
    for picture, mask in zip(grey, masks, strict=True):
        torso = cv2.resize((mask == TORSO).astype(np.float32), (FLOW_PX, FLOW_PX), interpolation=cv2.INTER_AREA)
        move = meter.calc(picture, still, None) * (2 / FLOW_PX)
        small = cv2.resize(torso, (cells, cells), interpolation=cv2.INTER_AREA)
        moved = cv2.resize(move * torso[..., None], (cells, cells), interpolation=cv2.INTER_AREA)
        flow.append(moved / np.maximum(small, 1e-3)[..., None])
        shown.append(small)
    return np.stack(flow).astype(np.float64), np.stack(shown).astype(np.float64)


def _regressed(offset: np.ndarray, signal: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Motions (K, h, h, 2) that explain offsets (T, h, h, 2) by signals (T, K), a cell at a time where it is shown."""
    gram = np.einsum("ti,tj,tyx->yxij", signal, signal, shown) + np.eye(signal.shape[1])
    right = np.einsum("ti,tyx,tyxc->yxic", signal, shown, offset)
    return np.linalg.solve(gram, right).transpose(2, 0, 1, 3)


def _spread_out(motions: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Motions (K, h, h, 2) continued to where `weight` (h, h) is 0: what never showed moves as what is near does."""
    if weight.max() == 0:
        return np.zeros_like(motions)
    filled = motions.copy()
    near = gaussian_filter(weight, 1.5)
    for motion in filled:
        for axis in range(2):
            smooth = gaussian_filter(motion[..., axis] * weight, 1.5) / np.maximum(near, 1e-6)
            far = (motion[..., axis] * weight).sum() / weight.sum()
            sure = np.clip(near / 1e-2, 0, 1)
            motion[..., axis] = np.where(weight > 0, motion[..., axis], sure * smooth + (1 - sure) * far)
    return filled


def _grey(frame: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)
    how = cv2.INTER_AREA if len(grey) > FLOW_PX else cv2.INTER_LINEAR
    return cv2.resize(grey, (FLOW_PX, FLOW_PX), interpolation=how)
