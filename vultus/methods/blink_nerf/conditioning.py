"""What the field is told of a frame: hash-encoded landmarks, the voice as a residual on them, and the blink.

Everything that was learned from a person's statistics (means, principal shapes, lid curve) is a buffer, so that saved
weights say all.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor, nn

from vultus.methods.blink_nerf.canonical import Canonical, Pull
from vultus.methods.blink_nerf.config import FieldConfig
from vultus.methods.blink_nerf.encoding import PLANES, HashEncoding, perceptron

MOUTH_AND_JAW = [*range(17), *range(48, 68)]
BROWS, RIGHT_EYE, LEFT_EYE = slice(17, 27), slice(36, 42), slice(42, 48)
"""Among the 68 landmarks."""
FOLLOWED = [*MOUTH_AND_JAW, *range(17, 27)]
"""Landmarks that tell the field what the face does."""
LIDS = slice(36, 48)
AU45_FULL = 5.0
AU45_KNOTS = 6
"""The lids' opening is known at AU45 0, 1, ... 5."""
_MOUTH_WEIGHT = 2.0
"""How much more a mouth landmark counts than one of the jaw in the principal shapes."""
_LIMIT, _LID_LIMIT = 3.5, 2.0
"""Shapes and lids are held within so many standard deviations of the person's own."""


@dataclass(frozen=True)
class Condition:
    """What the face does in T frames, whoever says so: tracking or a driver."""

    landmarks: np.ndarray
    """(T, 68, 3) float32, head frame, head units: expression in, pose out."""
    au45: np.ndarray
    """(T,) float32 0-5."""
    audio: np.ndarray
    """(T, A) float32 audio features."""

    def __post_init__(self) -> None:
        count = len(self.au45)
        if self.landmarks.shape != (count, 68, 3) or self.audio.ndim != 2 or len(self.audio) != count:
            raise ValueError(f"{count} frames of AU45, landmarks {self.landmarks.shape}, audio {self.audio.shape}")

    def __len__(self) -> int:
        return len(self.au45)

    def __getitem__(self, frames: slice | np.ndarray) -> Condition:
        return Condition(self.landmarks[frames], self.au45[frames], self.audio[frames])


@dataclass(frozen=True)
class Codes:
    """What frames tell the field: `face` (B, face_code) and `eyes` (B, eye_code), and the way to the resting face."""

    face: Tensor
    eyes: Tensor
    pull: Pull | None = None


class Shapes(nn.Module):
    """A group of landmarks as principal components of the person's, in standard deviations; and back."""

    mean: Tensor
    to_shapes: Tensor
    from_shapes: Tensor
    spread: Tensor

    def __init__(self, landmarks: int, count: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(landmarks * 3))
        self.register_buffer("to_shapes", torch.zeros(landmarks * 3, count))
        self.register_buffer("from_shapes", torch.zeros(count, landmarks * 3))
        self.register_buffer("spread", torch.ones(landmarks * 3))

    def fit(self, landmarks: np.ndarray, weight: np.ndarray) -> None:
        """Learn from landmarks (T, n, 3) that count `weight` (n,) each."""
        flat = landmarks.reshape(len(landmarks), -1).astype(np.float64)
        mean, by = flat.mean(0), np.repeat(weight, 3)
        _, _, axes = np.linalg.svd((flat - mean) * by, full_matrices=False)
        count = self.to_shapes.shape[1]
        axes = np.pad(axes[:count], ((0, max(0, count - len(axes))), (0, 0)))
        spread = np.maximum(((flat - mean) * by @ axes.T).std(0), 1e-6)
        back = axes / by * spread[:, None]
        _fill(self, mean=mean, to_shapes=(axes * by).T / spread, from_shapes=back, spread=flat.std(0).clip(1e-6))

    def forward(self, landmarks: Tensor) -> tuple[Tensor, Tensor]:
        """Landmarks (B, n, 3) -> shapes (B, count), and the landmarks (B, n, 3) that they stand for, +-1 being
        `_LIMIT` standard deviations from the mean."""
        shapes = ((landmarks.flatten(1) - self.mean) @ self.to_shapes).clamp(-_LIMIT, _LIMIT)
        seen = shapes @ self.from_shapes / (self.spread * _LIMIT)
        return shapes, seen.view(len(seen), -1, 3)

    def placed(self, seen: Tensor) -> Tensor:
        """Where landmarks (B, n, 3) of `forward` are, head units."""
        return (seen.flatten(1) * self.spread * _LIMIT + self.mean).view_as(seen)


class LandmarkCode(nn.Module):
    """Mouth, jaw and brows -> code, by a hash grid of their coordinates (section II.C, III.B) and their shapes.

    Each landmark is looked up in three planes of one encoding that all share. The shapes beside it are ours: a table
    alone says nothing about a place between two that it has seen.
    """

    def __init__(self, config: FieldConfig) -> None:
        super().__init__()
        self.mouth = Shapes(17 + 20, config.mouth_shapes)
        self.brows = Shapes(10, config.brow_shapes)
        self.grid = HashEncoding(config.landmark_grid, copies=len(PLANES))
        hashed = (17 + 20 + 10) * len(PLANES) * self.grid.width
        shapes = config.mouth_shapes + config.brow_shapes
        self.hashed = nn.Linear(hashed, config.face_code)
        self.out = perceptron((shapes + config.face_code, config.hidden, config.face_code))

    def fit(self, landmarks: np.ndarray) -> None:
        """Learn the person's shapes from landmarks (T, 68, 3)."""
        weight = np.repeat([1.0, _MOUTH_WEIGHT], [17, 20])
        self.mouth.fit(landmarks[:, MOUTH_AND_JAW], weight)
        self.brows.fit(landmarks[:, BROWS], np.ones(10))

    def held(self, landmarks: Tensor) -> Tensor:
        """Landmarks (B, 68, 3) -> those `FOLLOWED` (B, 47, 3) as the shapes have them."""
        parts = ((self.mouth, landmarks[:, MOUTH_AND_JAW]), (self.brows, landmarks[:, BROWS]))
        return torch.cat([shapes.placed(shapes(part)[1]) for shapes, part in parts], 1)

    def forward(self, landmarks: Tensor) -> Tensor:
        """Landmarks (B, 68, 3) -> (B, face_code)."""
        mouth, mouth_at = self.mouth(landmarks[:, MOUTH_AND_JAW])
        brows, brows_at = self.brows(landmarks[:, BROWS])
        at = torch.cat([mouth_at, brows_at], 1)  # (B, 47, 3)
        planes = torch.stack([at[..., plane].flatten(0, 1) for plane in PLANES])
        hashed = self.grid(planes).reshape(len(at), -1)
        shapes = torch.cat([mouth, brows], 1)
        return _residual(shapes, self.out(torch.cat([shapes, self.hashed(hashed)], 1)))


class VoiceCode(nn.Module):
    """Audio features -> code; as a residual on the landmarks' it begins at 0 (section I)."""

    mean: Tensor
    spread: Tensor

    def __init__(self, config: FieldConfig, audio: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(audio))
        self.register_buffer("spread", torch.ones(audio))
        self.net = perceptron((audio, config.hidden, config.face_code))
        if config.landmarks:
            for parameter in self.net[-1].parameters():
                nn.init.zeros_(parameter)

    def fit(self, audio: np.ndarray) -> None:
        """Learn the features' means and spreads from (T, A)."""
        _fill(self, mean=audio.mean(0), spread=np.maximum(audio.std(0), 1e-3))

    def forward(self, audio: Tensor) -> Tensor:
        """Features (B, A) -> (B, face_code)."""
        return self.net(((audio - self.mean) / self.spread).clamp(-_LIMIT, _LIMIT))


class BlinkCode(nn.Module):
    """AU45 -> code, with what the lids do while it says that nothing happens (ours).

    Lids follow gaze and smile: that much of the 12 eye landmarks as departs from their usual opening at this AU45 is
    told too. It fades out towards AU45 = 1, so that AU45 alone shuts the eyes.
    """

    usual: Tensor
    spread: Tensor
    usual_lids: Tensor
    lid_spread: Tensor
    au45_mean: Tensor
    au45_spread: Tensor

    def __init__(self, config: FieldConfig) -> None:
        super().__init__()
        self.register_buffer("usual", torch.zeros(AU45_KNOTS, 2))
        self.register_buffer("spread", torch.ones(2))
        self.register_buffer("usual_lids", torch.zeros(AU45_KNOTS, 12, 3))
        self.register_buffer("lid_spread", torch.ones(12, 3))
        self.register_buffer("au45_mean", torch.zeros(()))
        self.register_buffer("au45_spread", torch.ones(()))
        self.net = perceptron((3, 4 * config.eye_code, config.eye_code))

    def fit(self, landmarks: np.ndarray, au45: np.ndarray) -> None:
        """Learn the usual opening from landmarks (T, 68, 3) and AU45 (T,): least squares on the knots, held smooth."""
        opening = eye_opening(torch.from_numpy(np.ascontiguousarray(landmarks))).numpy()
        place = np.clip(au45, 0, AU45_FULL)[:, None]
        tent = np.clip(1 - np.abs(place - np.arange(AU45_KNOTS)), 0, 1)
        bend = np.diff(np.eye(AU45_KNOTS), 2, axis=0)  # few frames are half shut: their knots follow the others
        told = np.concatenate([opening, landmarks[:, LIDS].reshape(len(landmarks), -1)], 1)
        knots = np.linalg.solve(tent.T @ tent + bend.T @ bend + 1e-6 * np.eye(AU45_KNOTS), tent.T @ told)
        usual, lids = knots[:, :2], knots[:, 2:].reshape(AU45_KNOTS, 12, 3)
        spread = np.maximum((opening - tent @ usual).std(0), 1e-3)
        strays = (landmarks[:, LIDS] - np.einsum("tk,knc->tnc", tent, lids)).std(0)
        _fill(self, usual=usual, spread=spread, usual_lids=lids, lid_spread=np.maximum(strays, 1e-3))
        _fill(self, au45_mean=au45.mean(), au45_spread=np.maximum(au45.std(), 0.1))

    def lids(self, seen: Tensor, au45: Tensor) -> Tensor:
        """Lids (B, 12, 3) at this AU45 (B,): as they are `seen` where it is 0, their usual ones from 1 on."""
        usual = torch.einsum("bk,knc->bnc", _tents(au45), self.usual_lids)
        limit = _LID_LIMIT * self.lid_spread
        return usual + (1 - au45).clamp(0, 1)[:, None, None] * (seen - usual).clamp(-limit, limit)

    def forward(self, landmarks: Tensor, au45: Tensor) -> Tensor:
        """Landmarks (B, 68, 3) and AU45 (B,) -> (B, eye_code)."""
        place = au45.clamp(0, AU45_FULL)[:, None]
        departure = ((eye_opening(landmarks) - _tents(au45) @ self.usual) / self.spread).clamp(-_LID_LIMIT, _LID_LIMIT)
        departure = departure * (1 - place).clamp(0, 1)
        told = torch.cat([(place - self.au45_mean) / self.au45_spread, departure], 1)
        return _residual(told, self.net(told))


class Conditioner(nn.Module):
    """All codes of a frame."""

    def __init__(self, config: FieldConfig, audio: int) -> None:
        super().__init__()
        self.config = config
        self.landmarks = LandmarkCode(config) if config.landmarks else None
        self.voice = VoiceCode(config, audio)
        self.blink = BlinkCode(config) if config.blink else None
        self.canonical = Canonical() if config.canonical and (config.landmarks or config.blink) else None

    def fit(self, seen: Condition) -> None:
        """Learn a person's statistics."""
        if self.landmarks is not None:
            self.landmarks.fit(seen.landmarks)
        if self.canonical is not None:
            self.canonical.fit(torch.from_numpy(seen.landmarks))
        self.voice.fit(seen.audio)
        if self.blink is not None:
            self.blink.fit(seen.landmarks, seen.au45)

    def forward(self, landmarks: Tensor, au45: Tensor, audio: Tensor) -> Codes:
        """(B, 68, 3), (B,) and (B, A) -> codes; what the configuration switches off is 0."""
        face = self.voice(audio)
        if self.landmarks is not None:
            face = self.landmarks(landmarks) + face
        pull = None
        if self.canonical is not None:
            pull = self.canonical.pull(self._followed(self.canonical, landmarks, au45))
        eyes = face.new_zeros(len(face), self.config.eye_code) if self.blink is None else self.blink(landmarks, au45)
        return Codes(face, eyes, pull)

    @torch.no_grad()
    def _followed(self, canonical: Canonical, landmarks: Tensor, au45: Tensor) -> Tensor:
        """The landmarks (B, 68, 3) that carry the face along: as the codes have them, and at rest where they do not."""
        seen = canonical.rest.repeat(len(landmarks), 1, 1)
        if self.landmarks is not None:
            seen[:, FOLLOWED] = self.landmarks.held(landmarks)
        if self.blink is not None:
            seen[:, LIDS] = self.blink.lids(landmarks[:, LIDS], au45)
        return seen


def _tents(au45: Tensor) -> Tensor:
    """How much each knot (B, AU45_KNOTS) counts at AU45 (B,), linearly between them."""
    knots = torch.arange(AU45_KNOTS, device=au45.device)
    return (1 - (au45.clamp(0, AU45_FULL)[:, None] - knots).abs()).clamp(0, 1)


def eye_opening(landmarks: Tensor) -> Tensor:
    """Eye aspect ratios (B, 2), right and left, of landmarks (B, 68, 3)."""
    ratios = []
    for eye in (RIGHT_EYE, LEFT_EYE):
        p = landmarks[:, eye]
        height = (p[:, 1] - p[:, 5]).norm(dim=-1) + (p[:, 2] - p[:, 4]).norm(dim=-1)
        ratios.append(height / (2 * (p[:, 0] - p[:, 3]).norm(dim=-1)).clamp_min(1e-6))
    return torch.stack(ratios, 1)


def as_tensors(seen: Condition, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Landmarks, AU45 and audio of a condition, as `Conditioner` wants them."""
    landmarks, au45, audio = (torch.from_numpy(np.array(getattr(seen, f.name), np.float32)) for f in fields(seen))
    return landmarks.to(device), au45.to(device), audio.to(device)


def _residual(told: Tensor, found: Tensor) -> Tensor:
    """What is told (B, n) itself, in standard deviations, plus what a network finds in it (B, code).

    Codes that begin as a fresh network's output hardly differ from frame to frame, and the field learns to do without
    them: in short runs some seeds never learned mouth or eyes.
    """
    return found + nn.functional.pad(told, (0, found.shape[1] - told.shape[1]))


def _fill(module: nn.Module, **values: np.ndarray) -> None:
    for name, value in values.items():
        getattr(module, name).copy_(torch.from_numpy(np.asarray(value, np.float32)))
