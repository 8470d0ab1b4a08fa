"""The driver's networks as torch trains them: audio features and blinks in, 68 landmarks out (figures 1 and 2)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.core.bases import ARKIT52
from vultus.core.types import DEFAULT_FPS
from vultus.face.blinks import blink_events
from vultus.methods.blink_nerf.driver.config import MotionConfig
from vultus.methods.blink_nerf.driver.expression import neutral_landmarks
from vultus.methods.blink_nerf.driver.units import UNITS
from vultus.methods.blink_nerf.person import Person
from vultus.motion.retarget import RESTING_QUANTILE

LANDMARKS = 68
EYES = slice(36, 48)
"""The twelve landmarks around both eyes."""
_EYE_VALUES = 36
_AU45_FULL = 5.0
_LEAST_SPREAD = 0.02
"""Head units that every coordinate is taken to move by, at least."""
_LIMIT, _EYE_LIMIT = 4.0, 10.0
"""Features, and eye states, are held within so many standard deviations."""
_BLINK_VALUES = 3
_UPPER = np.array([name.startswith(("brow", "cheek", "nose")) for name in ARKIT52])
"""What a face may keep up at rest, of ARKit's weights."""


class Heard(NamedTuple):
    """What is made of a voice: `audio` (B, T, A) in standard deviations, smoothed; of the autoencoder its `latent`
    (B, T, Z), `mean` and `log_variance` alike, and `rebuilt` audio; `units` (B, T, 17) action units 0-5."""

    audio: Tensor
    latent: Tensor
    mean: Tensor
    log_variance: Tensor
    rebuilt: Tensor
    units: Tensor


class TemporalFilter(nn.Module):
    """Smoothed features A: each frame a mean of those around it, weighted by attention (section III.B, after [7])."""

    def __init__(self, features: int, reach: int) -> None:
        super().__init__()
        self.reach = reach
        self.score = nn.Sequential(nn.Conv1d(features, 16, 3, padding=1), nn.LeakyReLU(0.02), nn.Conv1d(16, 1, 1))
        self.place = nn.Parameter(torch.zeros(2 * reach + 1))
        """How much a frame so far away counts, whatever is heard."""

    def forward(self, audio: Tensor) -> Tensor:
        """(B, T, A) to the same; before the beginning and after the end its first and last frame are taken to be."""
        scores = self.score(audio.transpose(1, 2))  # (B, 1, T)
        around = functional.pad(scores, (self.reach, self.reach), "replicate").unfold(2, 2 * self.reach + 1, 1)
        weights = (around[:, 0] + self.place).softmax(-1)  # (B, T, window)
        padded = functional.pad(audio.transpose(1, 2), (self.reach, self.reach), "replicate")
        return torch.einsum("batw,btw->bta", padded.unfold(2, 2 * self.reach + 1, 1), weights)


class Autoencoder(nn.Module):
    """The VAE over audio features: each frame's into a distribution in latent space, and back (section III.B)."""

    def __init__(self, features: int, config: MotionConfig) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(features, config.hidden), nn.LeakyReLU(0.02), nn.Linear(config.hidden, 2 * config.latent)
        )
        self.decoder = nn.Sequential(
            nn.Linear(config.latent, config.hidden), nn.LeakyReLU(0.02), nn.Linear(config.hidden, features)
        )

    def forward(self, audio: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Audio (B, T, A) -> latent, mean, log variance (B, T, Z) and the audio again; drawn only in training."""
        mean, log_variance = self.encoder(audio).chunk(2, -1)
        latent = mean
        if self.training:
            latent = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        return latent, mean, log_variance, self.decoder(latent)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Mean over frames of the Kullback-Leibler divergence of N(mean, variance) from N(0, 1)."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(-1).mean()


class UnitReader(nn.Module):
    """Audio -> action units: features of the whole segment beside those of each frame (section III.C)."""

    def __init__(self, features: int, config: MotionConfig) -> None:
        super().__init__()
        self.local = nn.Conv1d(features, config.hidden, 5, padding=2)
        self.segment = nn.Sequential(
            nn.Conv1d(features, config.hidden, 5, padding=2), nn.LeakyReLU(0.02), nn.AdaptiveAvgPool1d(1)
        )
        self.dropout = nn.Dropout(config.dropout)
        self.out = nn.Conv1d(2 * config.hidden, len(UNITS), 1)

    def forward(self, audio: Tensor) -> Tensor:
        """(B, T, A) -> intensities (B, T, 17)."""
        x = audio.transpose(1, 2)
        local = functional.leaky_relu(self.local(x), 0.02)
        segment = self.segment(x).expand_as(local)
        return self.out(self.dropout(torch.cat([local, segment], 1))).transpose(1, 2)


class EyeControl(nn.Module):
    """Figure 2: eye landmarks -> how open the eyes are -> where their landmarks are in the next frame.

    States are the twelve landmarks' coordinates (B, 36) in standard deviations from their mean. The control module's
    linear part begins as what least squares makes of the person's own eyes (ours).
    """

    def __init__(self, config: MotionConfig) -> None:
        super().__init__()
        hidden = config.eye_hidden
        self.conv = nn.Conv1d(3, hidden, 3, padding=1)  # along the six points around each eye
        self.size = nn.Linear(6 * hidden, 1)
        self.control = nn.Sequential(
            nn.Linear(_EYE_VALUES + 3, 2 * hidden), nn.LeakyReLU(0.02), nn.Linear(2 * hidden, _EYE_VALUES)
        )
        self.linear = nn.Linear(_EYE_VALUES + 1, _EYE_VALUES)
        for parameter in self.control[-1].parameters():
            nn.init.zeros_(parameter)

    def sizes(self, state: Tensor) -> Tensor:
        """The mapping network: states (..., 36) -> how open right and left eye are (..., 2)."""
        eyes = state.reshape(-1, 6, 3).transpose(1, 2)
        sizes = self.size(functional.leaky_relu(self.conv(eyes), 0.02).flatten(1))
        return sizes.view(*state.shape[:-1], 2)

    def next(self, state: Tensor, au45: Tensor) -> Tensor:
        """The control module: the state (B, 36) that follows one (B, 36) when the blink is at `au45` (B,)."""
        blink = au45[:, None] / _AU45_FULL
        moves = self.linear(torch.cat([state, blink], -1))
        moves = moves + self.control(torch.cat([state, self.sizes(state), blink], -1))
        following: Tensor = (state + moves).clamp(-_EYE_LIMIT, _EYE_LIMIT)
        return following

    @torch.no_grad()
    def fit(self, states: Tensor, au45: Tensor) -> None:
        """Begin from states (T, 36) and AU45 (T,) of a person's video."""
        told = torch.cat([states[:-1], au45[1:, None] / _AU45_FULL], -1)
        weight, bias = ridge(told, states[1:] - states[:-1], 0, 1e-2 * len(told))
        self.linear.weight.copy_(weight[..., 0])
        self.linear.bias.copy_(bias)

    def forward(self, state: Tensor, au45: Tensor) -> Tensor:
        """States (B, T, 36) of frames with AU45 (B, T), from the state (B, 36) before the first."""
        states = []
        for now in au45.unbind(1):
            state = self.next(state, now)
            states.append(state)
        return torch.stack(states, 1)


class LandmarkTransformer(nn.Module):
    """DLT, equation 6: P = DLT(A, V). Audio asks, the blink code answers, both near in time; 68 landmarks come out.

    Coordinates (B, T, 204) are in standard deviations from the person's mean. They are a residual on a linear map of
    the features around (ours): a minute of video is too little to learn speech from, so the map is what least
    squares makes of the house's speech encoder.
    """

    def __init__(self, features: int, config: MotionConfig) -> None:
        super().__init__()
        self.reach = config.attention_reach
        self.audio, self.blink = nn.Linear(config.latent, config.width), nn.Linear(_BLINK_VALUES, config.width)
        layer = nn.TransformerDecoderLayer(
            config.width, config.heads, config.feedforward, config.dropout, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerDecoder(layer, config.layers)
        self.out = nn.Linear(config.width, 3 * LANDMARKS)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        self.lips = nn.Conv1d(features, 3 * LANDMARKS, 2 * config.lips_reach + 1).requires_grad_(False)

    def forward(self, heard: Heard, blink: Tensor) -> Tensor:
        """Coordinates (B, T, 204) of what was heard and blink codes (B, T, 3)."""
        places = positions(blink.shape[1], self.audio.out_features).to(blink)
        asked, answers = self.audio(heard.latent) + places, self.blink(blink) + places
        far = too_far(blink.shape[1], self.reach).to(blink.device)
        residual = self.out(self.layers(asked, answers, tgt_mask=far, memory_mask=far))
        reach = self.lips.kernel_size[0] // 2
        linear = self.lips(functional.pad(heard.audio.transpose(1, 2), (reach, reach), "replicate"))
        return linear.transpose(1, 2) + residual


def positions(count: int, width: int) -> Tensor:
    """(count, width) sines and cosines of position / 10000^(2 i / width)."""
    angle = torch.arange(count)[:, None] * torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)[:, :width]


def too_far(count: int, reach: int) -> Tensor:
    """(count, count) bool: True where two frames are more than `reach` apart."""
    at = torch.arange(count)
    return (at[:, None] - at).abs() > reach


class MotionNet(nn.Module):
    """All of the driver, with what it knows of its person: means and spreads, the face without expression, the ARKit
    weights that brows, cheeks and nose keep at rest, and the rates of frames a second and of blinks a minute."""

    audio_mean: Tensor
    audio_spread: Tensor
    landmark_mean: Tensor
    landmark_spread: Tensor
    unit_mean: Tensor
    unit_spread: Tensor
    neutral: Tensor
    resting: Tensor
    rates: Tensor

    def __init__(self, features: int, config: MotionConfig) -> None:
        super().__init__()
        self.config = config
        self.filter = TemporalFilter(features, config.filter_reach)
        self.autoencoder = Autoencoder(features, config)
        self.units = UnitReader(features, config)
        self.eyes = EyeControl(config)
        self.transformer = LandmarkTransformer(features, config)
        for name, shape in (("audio", (features,)), ("landmark", (3 * LANDMARKS,)), ("unit", (len(UNITS),))):
            self.register_buffer(f"{name}_mean", torch.zeros(shape))
            self.register_buffer(f"{name}_spread", torch.ones(shape))
        self.register_buffer("neutral", torch.zeros(LANDMARKS, 3))
        self.register_buffer("resting", torch.zeros(len(ARKIT52)))
        self.register_buffer("rates", torch.tensor([DEFAULT_FPS, 0.0]))

    def hear(self, audio: Tensor) -> Heard:
        """What is made of audio features (B, T, A) as `methods.blink_nerf.hearing` gives them."""
        normal = ((audio - self.audio_mean) / self.audio_spread).clamp(-_LIMIT, _LIMIT)
        if self.training:
            normal = normal + self.config.noise * torch.randn_like(normal)
        smooth = self.filter(normal)
        units = self.units(smooth) * self.unit_spread + self.unit_mean
        latent, mean, log_variance, rebuilt = self.autoencoder(smooth)
        return Heard(normal, latent, mean, log_variance, rebuilt, units)

    def blink_code(self, eyes: Tensor, au45: Tensor) -> Tensor:
        """Blink codes V (B, T, 3): how open the eyes of states (B, T, 36) are, and AU45 (B, T).

        No more of the eyes than that: their landmarks also tell of smiles, which a voice must not be denied.
        """
        return torch.cat([self.eyes.sizes(eyes), au45[..., None] / _AU45_FULL], -1)

    def landmarks(self, heard: Heard, eyes: Tensor, au45: Tensor) -> Tensor:
        """Landmarks (B, T, 68, 3) in head units of a voice, eye states (B, T, 36) and AU45 (B, T)."""
        return self.placed(self.transformer(heard, self.blink_code(eyes, au45)))

    def placed(self, coordinates: Tensor) -> Tensor:
        """Landmarks (..., 68, 3) in head units of coordinates (..., 204) in standard deviations."""
        return (coordinates * self.landmark_spread + self.landmark_mean).unflatten(-1, (LANDMARKS, 3))

    def eye_states(self, landmarks: Tensor) -> Tensor:
        """States (..., 36) of the eyes in landmarks (..., 68, 3)."""
        mean, spread = (values.view(LANDMARKS, 3)[EYES] for values in (self.landmark_mean, self.landmark_spread))
        return ((landmarks[..., EYES, :] - mean) / spread).flatten(-2)

    def placed_eyes(self, states: Tensor) -> Tensor:
        """Landmarks (..., 12, 3) in head units of eye states (..., 36)."""
        mean, spread = (values.view(LANDMARKS, 3)[EYES] for values in (self.landmark_mean, self.landmark_spread))
        return states.unflatten(-1, (12, 3)) * spread + mean

    @torch.no_grad()
    def fit(self, person: Person, units: np.ndarray) -> None:
        """Take a person's means and spreads, and the linear map from features to landmarks, from the frames to learn
        from; `units` (T, 17) are its action units."""
        chosen = np.arange(len(person))[person.train][person.valid[person.train]]
        flat = person.landmarks3d[chosen].reshape(len(chosen), -1)
        for name, values, least in (("audio", person.audio[chosen], 1e-3), ("landmark", flat, _LEAST_SPREAD),
                                    ("unit", units[chosen], 0.05)):  # fmt: skip
            getattr(self, f"{name}_mean").copy_(torch.from_numpy(values.mean(0)))
            getattr(self, f"{name}_spread").copy_(torch.from_numpy(np.maximum(values.std(0), least)))
        count = len(person.audio[person.train])
        audio = torch.from_numpy(np.array(person.audio[:count]))
        normal = ((audio - self.audio_mean) / self.audio_spread).clamp(-_LIMIT, _LIMIT)
        every = torch.from_numpy(np.array(person.landmarks3d[:count])).flatten(1)
        wanted = (every - self.landmark_mean) / self.landmark_spread
        weight, bias = ridge(normal, wanted, self.config.lips_reach, self.config.lips_ridge)
        self.transformer.lips.weight.copy_(weight)
        self.transformer.lips.get_parameter("bias").copy_(bias)
        states = self.eye_states(torch.from_numpy(np.array(person.landmarks3d[:count])))
        self.eyes.fit(states, torch.from_numpy(np.array(person.au45[:count])))
        self._meet(person, chosen)

    def _meet(self, person: Person, chosen: np.ndarray) -> None:
        """Take what the person looks like at rest, and how often they blink, from frames `chosen` (n,)."""
        expression = person.expression[chosen]
        self.neutral.copy_(torch.from_numpy(neutral_landmarks(person.landmarks3d[chosen], expression)))
        resting = np.where(_UPPER, np.quantile(expression, RESTING_QUANTILE, axis=0), 0)
        self.resting.copy_(torch.from_numpy(resting.astype(np.float32)))
        blinks = len(blink_events(person.au45[person.train], person.valid[person.train]))
        minutes = max(len(chosen) / person.fps / 60, 1e-6)
        self.rates.copy_(torch.tensor([person.fps, blinks / minutes]))


def ridge(audio: Tensor, wanted: Tensor, reach: int, strength: float) -> tuple[Tensor, Tensor]:
    """Convolution weight (D, A, 2 reach + 1) and bias (D,) that bring features (T, A) closest to values (T, D)."""
    padded = functional.pad(audio.T[None], (reach, reach), "replicate")[0]
    around = padded.unfold(1, 2 * reach + 1, 1).permute(1, 0, 2).flatten(1).double()  # (T, A window)
    middle, aim = around.mean(0), wanted.double().mean(0)
    x, y = around - middle, wanted.double() - aim
    solved = torch.linalg.solve(x.T @ x + strength * torch.eye(x.shape[1], dtype=x.dtype), x.T @ y)
    bias = aim - middle @ solved
    return solved.T.reshape(wanted.shape[1], audio.shape[1], -1).float(), bias.float()
