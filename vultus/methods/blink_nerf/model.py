"""The renderer of one person: codes -> radiance field -> volume rendering, in front of torso and background."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from vultus.methods.blink_nerf.backdrop import POSE, Backdrop
from vultus.methods.blink_nerf.blend import ShapePlanes
from vultus.methods.blink_nerf.conditioning import Codes, Condition, Conditioner
from vultus.methods.blink_nerf.config import BlinkNerfConfig
from vultus.methods.blink_nerf.field import LENGTH_UNIT, DensityGrid, RadianceField
from vultus.methods.blink_nerf.numerics import Kept, exactly, opened
from vultus.methods.blink_nerf.torso import LAGS_S
from vultus.rendering.volume import (
    EMPTY,
    composite,
    expected_depth,
    likely_intervals,
    ray_weights,
    through_box,
)

_LOOKS = 40
"""Cells of the density grid that are looked up along a ray to decide where to sample."""
_PLACES = 1024
"""Looked at in one step of training to see how full space is."""
_POSE_LIMIT = 3.0
"""The backdrop sees poses up to so many standard deviations from the mean."""
_NOSE_BASE, _LOWER_LIDS = 33, [40, 41, 46, 47]
"""Among the 68 landmarks."""
BOX = ((-1.15, 1.15), (-1.5, 2.15), (-0.95, 0.8))
"""Of the head around the middle of eyes and mouth, in distances between the outer eye corners: x, y, z from and to."""


class Signals(NamedTuple):
    """All that a frame is rendered from, for B frames, as tensors. A tuple, as Fabric passes no frozen dataclass."""

    rotation: Tensor
    """(B, 3, 3) as `core.types.Fit`."""
    translation: Tensor
    """(B, 3) head units."""
    landmarks: Tensor
    """(B, 68, 3) head frame, head units."""
    au45: Tensor
    """(B,) 0-5."""
    audio: Tensor
    """(B, A)."""
    torso: Tensor
    """(B, K) motion of the torso in standard deviations."""

    def at(self, frames: Tensor | slice) -> Signals:
        """Those of some frames."""
        return Signals(*(signal[frames] for signal in self))

    def to(self, device: torch.device | str) -> Signals:
        """The same on a device."""
        return Signals(*(signal.to(device) for signal in self))


class Seen(NamedTuple):
    """What R rays see."""

    colour: Tensor
    """(R, 3) in 0-1."""
    opacity: Tensor
    """(R,) of the head."""
    behind: Tensor
    """(R, 3) what is behind the head."""
    torso: Tensor
    """(R,) how much of that is torso."""
    depth: Tensor
    """(R,) head units from the camera; infinite where there is no head."""
    fullness: Tensor
    """() mean log(1 + density) at random places of the box; 0 unless in training."""


class BlinkNerf(nn.Module):
    """One person. `audio`: width of the audio features."""

    middle: Tensor
    half_box: Tensor
    focal: Tensor
    center: Tensor
    pose_mean: Tensor
    pose_spread: Tensor
    view_mean: Tensor
    view_spread: Tensor
    rest: Tensor
    torso_guess: Tensor

    def __init__(self, config: BlinkNerfConfig, audio: int) -> None:
        super().__init__()
        self.config = config
        self.conditioner = Conditioner(config.head, audio)
        self.field = RadianceField(config.head)
        self.blend = ShapePlanes(config.head.mouth_shapes, config.head.lower_face) if config.head.lower_face else None
        self.density = DensityGrid()
        self.backdrop = Backdrop(config.layer, config.size)
        self.register_buffer("middle", torch.zeros(3))
        self.register_buffer("half_box", torch.ones(3))
        self.register_buffer("focal", torch.tensor(1.0))
        self.register_buffer("center", torch.zeros(2))
        self.register_buffer("pose_mean", torch.zeros(POSE))
        self.register_buffer("pose_spread", torch.ones(POSE))
        self.register_buffer("view_mean", torch.zeros(3))
        self.register_buffer("view_spread", torch.ones(3))
        self.register_buffer("rest", torch.zeros(68, 3))
        self.register_buffer("torso_guess", torch.zeros(POSE * len(LAGS_S), config.layer.motions))

    @torch.no_grad()
    def fit(self, seen: Signals, focal_px: float, center_px: tuple[float, float], picture_px: int) -> None:
        """Learn where the head is, from all frames to learn from; the camera is that of pictures of `picture_px`."""
        points = seen.landmarks.mean(0)
        eyes = (points[36] - points[45]).norm()
        middle = (points[36] + points[45] + points[48] + points[54]) / 4
        low, high = (torch.tensor([side[k] for side in BOX]) * eyes for k in (0, 1))
        self.middle.copy_(middle + (low + high) / 2)
        self.half_box.copy_((high - low) / 2)
        heights = (points[:, 1] - self.middle[1]) / self.half_box[1]
        self.field.lids.copy_(torch.stack([heights[_NOSE_BASE], heights[_LOWER_LIDS].mean()]))
        if self.blend is not None:
            self.blend.fit((points - self.middle) / self.half_box)
        awake = seen.au45 <= seen.au45.median()
        self.rest.copy_(seen.landmarks[awake].mean(0))
        self.focal.fill_(2 * focal_px / picture_px)
        self.center.copy_(torch.tensor(center_px) * 2 / picture_px - 1)
        pose = pose_numbers(seen.rotation, seen.translation)
        self.pose_mean.copy_(pose.mean(0))
        self.pose_spread.copy_(pose.std(0).clamp_min(1e-4))
        view = _to_camera(seen.rotation, seen.translation)
        self.view_mean.copy_(view.mean(0))
        self.view_spread.copy_(view.std(0).clamp_min(1e-2))

    def fit_condition(self, seen: Signals) -> None:
        """Learn the statistics of what the face does, from all frames to learn from."""
        self.conditioner.fit(Condition(seen.landmarks.numpy(), seen.au45.numpy(), seen.audio.numpy()))

    def codes(self, signals: Signals) -> Codes:
        """What the frames tell the field."""
        with exactly(signals.au45.device):
            codes: Codes = self.conditioner(signals.landmarks, signals.au45, signals.audio)
        return codes

    def backdrop_pose(self, signals: Signals) -> Tensor:
        """Poses (B, 6) as the backdrop is told them, in standard deviations."""
        pose = (pose_numbers(signals.rotation, signals.translation) - self.pose_mean) / self.pose_spread
        return pose.clamp(-_POSE_LIMIT, _POSE_LIMIT)

    def forward(
        self,
        signals: Signals | Kept[Signals],
        place: Tensor | Kept[Tensor],
        samples: int,
        head: Tensor | None = None,
        codes: Codes | None = None,
    ) -> Seen:
        """What rays through places (B, r, 2) of the pictures, -1 to 1, of B frames see; R = B r.

        In training `head` (R,) bool says which rays show the head: from their colours the backdrop does not learn, and
        all rays are sampled with jitter. `codes` stand for those of the signals where they are known.
        """
        signals, place = opened(signals), opened(place)
        codes = self.codes(signals) if codes is None else codes
        with exactly(place.device):
            behind, torso = self.backdrop(place, signals.torso, self.backdrop_pose(signals))
            origin, direction, view = self._rays(signals, place)
        seen_behind = behind if head is None else torch.where(head[:, None], behind.detach(), behind)
        frame = torch.arange(len(place), device=place.device).repeat_interleave(place.shape[1])
        with torch.no_grad():
            edges, hit = self._intervals(origin, direction, samples, jitter=head is not None)
        distance = (edges[:, 1:] + edges[:, :-1]) / 2  # (H, N)
        points = (origin[hit, None] + direction[hit, None] * distance[..., None]) / self.half_box
        each = frame[hit].repeat_interleave(samples)
        points = self._at_rest(points.view(-1, 3), codes, each)
        density, colour = self._look_up(points, view[hit].repeat_interleave(samples, 0), codes, each)
        length = (edges[:, 1:] - edges[:, :-1]) * direction[hit].norm(dim=1, keepdim=True) / LENGTH_UNIT
        weights = ray_weights(density.view(-1, samples), length)
        blended = composite(weights, colour.view(-1, samples, 3), seen_behind[hit])
        opacity = torch.zeros_like(torso).index_copy(0, hit, weights.sum(1))
        depth = torch.full_like(torso, torch.inf).index_copy(0, hit, expected_depth(weights, distance, torch.inf))
        fullness = weights.new_zeros(()) if head is None else self._fullness(codes)
        return Seen(seen_behind.index_copy(0, hit, blended), opacity, behind, torso, depth, fullness)

    def refresh_density(self, signals: Signals) -> None:
        """Look again at where the field is dense, in the frames of `signals`."""
        with torch.no_grad():
            codes = self.codes(signals)
        self.density.refresh(lambda points: self._densities(points, codes))

    def _fullness(self, codes: Codes) -> Tensor:
        places = torch.rand(_PLACES, 3, device=codes.face.device) * 2 - 1
        return self._densities(places, codes).log1p().mean()

    def _densities(self, points: Tensor, codes: Codes) -> Tensor:
        """At points (M, 3) in the box, each in any frame."""
        each = torch.randint(len(codes.face), (len(points),), device=points.device).sort().values
        return self._look_up(self._at_rest(points, codes, each), torch.zeros_like(points), codes, each)[0]

    def _look_up(self, points: Tensor, view: Tensor, codes: Codes, each: Tensor) -> tuple[Tensor, Tensor]:
        """Densities (M,) and colours (M, 3) at resting points (M, 3) of frames `each` (M,), seen from `view` (M, 3)."""
        lower = points.new_zeros(len(points), 0)
        if self.blend is not None:
            with exactly(points.device):
                lower = self.blend(points, codes.face[:, : self.config.head.mouth_shapes], each)
        found: tuple[Tensor, Tensor] = self.field(points, view, codes.face[each], codes.eyes[each], lower)
        return found

    def _at_rest(self, points: Tensor, codes: Codes, each: Tensor) -> Tensor:
        """Points (M, 3) in the box, seen in frames `each` (M,), -> where they lie in the resting face."""
        canonical = self.conditioner.canonical
        if canonical is None or codes.pull is None:
            return points
        seen = points * self.half_box + self.middle
        with exactly(points.device):
            rest: Tensor = canonical(seen, codes.pull, each)
        return (rest - self.middle) / self.half_box

    def _rays(self, signals: Signals, place: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Origins and directions (R, 3) in the head frame about the box's middle, and view directions (R, 3).

        Directions advance one head unit along the camera's axis; view directions are standardised and held within what
        was seen, so that a turned head is lit as at the edge of that.
        """
        flip = torch.tensor([1.0, -1.0, -1.0], device=place.device)
        camera = torch.cat([(place - self.center) / self.focal, torch.ones_like(place[..., :1])], -1)
        back = signals.rotation.transpose(1, 2)  # head from camera
        direction = (camera * flip) @ back.transpose(1, 2)
        origin = (back @ (-signals.translation * flip)[..., None])[..., 0] - self.middle
        view = (_to_camera(signals.rotation, signals.translation) - self.view_mean) / self.view_spread
        rays = place.shape[1]
        return (
            origin[:, None].expand(-1, rays, -1).flatten(0, 1),
            direction.flatten(0, 1),
            view.clamp(-2, 2).div(2)[:, None].expand(-1, rays, -1).flatten(0, 1),
        )

    def _intervals(self, origin: Tensor, direction: Tensor, samples: int, jitter: bool) -> tuple[Tensor, Tensor]:
        """Edges (H, samples + 1) of what to sample on those rays, (H,) of R, that meet something."""
        near, far, hit = through_box(origin, direction, self.half_box)
        hits = hit.nonzero()[:, 0]
        steps = torch.linspace(0, 1, _LOOKS + 1, device=origin.device)
        edges = near[hits, None] + (far - near)[hits, None] * steps
        middles = (edges[:, 1:] + edges[:, :-1]) / 2
        points = (origin[hits, None] + direction[hits, None] * middles[..., None]) / self.half_box
        length = (edges[:, 1:] - edges[:, :-1]) * direction[hits].norm(dim=1, keepdim=True) / LENGTH_UNIT
        weights = ray_weights(self.density(points), length)
        full = (weights.sum(1) > EMPTY).nonzero()[:, 0]
        return likely_intervals(edges[full], weights[full], samples, jitter), hits[full]


def pose_numbers(rotation: Tensor, translation: Tensor) -> Tensor:
    """Rotation vectors in radians beside translations, (B, 6), of (B, 3, 3) and (B, 3); for less than half a turn."""
    skew = (rotation - rotation.transpose(1, 2)) / 2
    axis = torch.stack([skew[:, 2, 1], skew[:, 0, 2], skew[:, 1, 0]], 1)
    sine = axis.norm(dim=1, keepdim=True).clamp_min(1e-8)
    cosine = (rotation.diagonal(dim1=1, dim2=2).sum(1, keepdim=True) - 1) / 2
    return torch.cat([axis * torch.atan2(sine, cosine) / sine, translation], 1)


def _to_camera(rotation: Tensor, translation: Tensor) -> Tensor:
    """Unit vectors (B, 3) in the head frame from the head towards the camera: the view direction d."""
    flip = torch.tensor([1.0, -1.0, -1.0], device=rotation.device)
    return nn.functional.normalize((rotation.transpose(1, 2) @ (-translation * flip)[..., None])[..., 0], dim=1)


def pixel_places(size: int) -> np.ndarray:
    """Places (size * size, 2), -1 to 1, of the middles of a picture's pixels, row by row."""
    line = (np.arange(size, dtype=np.float32) + 0.5) * 2 / size - 1
    return np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
