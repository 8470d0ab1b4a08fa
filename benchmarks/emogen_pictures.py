"""What there is to see of EmoGen: sheets of held-out actors in all six emotions, and the plot of figure 3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from benchmarks.tsne import tsne
from vultus.methods.emogen.config import EMOTIONS
from vultus.methods.emogen.data import TalkingFace
from vultus.methods.emogen.experts import EmotionDiscriminator
from vultus.methods.emogen.weights import FaceMaker

LARGER = 3
COLOURS = ((214, 69, 65), (60, 140, 70), (130, 80, 170), (225, 165, 30), (110, 110, 110), (50, 100, 190))
"""RGB of the six emotions, in the order of `EMOTIONS`."""
PLOT_PX, DOT_PX = 480, 6


@dataclass(frozen=True)
class Case:
    """A held-out clip whose voice is heard, the frames (T, S, S, 3) that are given, and what should come of them."""

    clip: TalkingFace
    given: np.ndarray
    truth: np.ndarray


def asked_for(maker: FaceMaker, case: Case, emotion: int) -> np.ndarray:
    """The faces given (T, S, S, 3) uint8 made anew with the clip's voice and an emotion."""
    clip = case.clip
    rows = np.tile(np.eye(len(EMOTIONS), dtype=np.float32)[emotion], (len(clip.frames), 1))
    made = maker.faces(case.given, clip.voices(0, len(clip.frames)), rows)
    return np.round(np.clip(made, 0, 255)).astype(np.uint8)


def sheet(maker: FaceMaker, cases: Sequence[Case]) -> np.ndarray:
    """A row a clip: the face given, the true one, and the six emotions; at the moment of the loudest voice."""
    rows = []
    for case in cases:
        t = int(case.clip.voices(0, len(case.given)).mean((1, 2)).argmax())
        rows.append(
            np.hstack([case.given[t], case.truth[t], *(asked_for(maker, case, k)[t] for k in range(len(EMOTIONS)))])
        )
    return cv2.resize(np.vstack(rows), None, fx=LARGER, fy=LARGER, interpolation=cv2.INTER_CUBIC)


def embeddings(judge: EmotionDiscriminator, clips: Sequence[TalkingFace]) -> np.ndarray:
    """The discriminator's embedding of each clip (N, E), averaged over its frames (section 4.1)."""
    found = []
    for clip in clips:
        faces = torch.from_numpy(np.ascontiguousarray(clip.frames.transpose(0, 3, 1, 2)))[None].float() / 255
        with torch.inference_mode():
            found.append(judge.embed(faces)[0].mean(0).numpy())
    return np.stack(found)


def neighbours_agree(points: np.ndarray, labels: np.ndarray) -> float:
    """Share of points (N, D) whose nearest other point has the same label (N,): 1 where labels form clusters."""
    away = ((points[:, None] - points[None]) ** 2).sum(-1)
    np.fill_diagonal(away, np.inf)
    return float((labels[away.argmin(1)] == labels).mean())


def plot(points: np.ndarray, labels: np.ndarray, perplexity: float) -> tuple[np.ndarray, np.ndarray]:
    """Figure 3: the picture (h, w, 3) uint8, and where t-SNE put the points (N, 2)."""
    placed = tsne(points, perplexity)
    low, high = placed.min(0), placed.max(0)
    at = 20 + (placed - low) / (high - low) * (PLOT_PX - 40)
    picture = np.full((PLOT_PX, PLOT_PX + 130, 3), 255, np.uint8)
    for (x, y), label in zip(at, labels, strict=True):
        cv2.circle(picture, (round(float(x)), round(float(y))), DOT_PX, COLOURS[label], -1, cv2.LINE_AA)
    for k, name in enumerate(EMOTIONS):
        y = 30 + 26 * k
        cv2.circle(picture, (PLOT_PX + 12, y), DOT_PX, COLOURS[k], -1, cv2.LINE_AA)
        cv2.putText(picture, name, (PLOT_PX + 26, y + 5), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (30, 30, 30), 1, cv2.LINE_AA)
    return picture, placed
