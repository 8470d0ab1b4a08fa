"""The driver at work: a voice in, a person's landmarks, blinks and head motion out, as the voice arrives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from vultus.core.bases import index_of
from vultus.core.config import overlay
from vultus.core.controls import Controls
from vultus.core.types import Performance
from vultus.methods.blink_nerf.driver.config import DriverConfig, MotionConfig
from vultus.methods.blink_nerf.driver.expression import expression_of
from vultus.methods.blink_nerf.driver.model import EYES, LANDMARKS, MotionNet
from vultus.methods.blink_nerf.hearing import EarName, FrameFeatures
from vultus.motion.blink import FULL, lid_motion
from vultus.motion.energy import EnergyStream, VoiceEnergy
from vultus.motion.lips import frame_count
from vultus.motion.pose import head_motion
from vultus.motion.resampling import Resampled

BEFORE, BLOCK, AFTER = 24, 25, 14
"""Frames that the networks look at together: those of a block, and as many around it. The beginning of a voice has its
first frame before it, its end the last after it."""
MOUTH_AND_JAW = [*range(17), *range(48, 68)]
_LIDS = [index_of("eyeBlinkLeft"), index_of("eyeBlinkRight")]
_WIDTH = 3 * LANDMARKS + 1


def load_motion(tensors: Mapping[str, torch.Tensor], config: Mapping[str, Any]) -> MotionNet:
    """The driver's networks from tensors by name and the resolved `DriverConfig` of their card."""
    chosen: MotionConfig = overlay(DriverConfig(), config).net
    net = MotionNet(len(tensors["audio_mean"]), chosen)
    net.load_state_dict(dict(tensors), strict=True)
    return net.eval()


class MotionStream:
    """Landmarks, AU45 and audio features of one voice, side by side in rows (n, 205 + A) at the person's frame rate.

    Chunks change nothing.
    """

    def __init__(self, net: MotionNet, ear: EarName, controls: Controls, blink_source: Performance | None) -> None:
        self.fps, natural = (float(rate) for rate in net.rates)
        self._net, self._lip_scale = net, controls.lip_scale
        rate = natural if controls.blink_rate is None else controls.blink_rate
        self._lids = lid_motion(controls.blink, self.fps, controls.seed, rate, blink_source)
        self._features = FrameFeatures(ear, self.fps)
        self._rows: np.ndarray | None = None  # features that are still looked at, and before them those of the past
        self._au45 = np.zeros(0, np.float32)  # in step with the rows
        self._eyes = torch.zeros(1, 3 * 12)
        self._samples = self._ready = 0

    @property
    def lookahead_s(self) -> float:
        """A row is out at the latest when this much of the voice past its time has been pushed."""
        return self._features.lookahead_s + (BLOCK + AFTER) / self.fps

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Take (n,) float32 samples at 16 kHz; return the rows that became final."""
        self._samples += len(samples)
        self._take(self._features.push(samples))
        return self._blocks(ended=False)

    def finish(self) -> np.ndarray:
        """The remaining rows; the voice has ended."""
        self._take(self._features.finish())
        return self._blocks(ended=True)

    def _take(self, rows: np.ndarray) -> None:
        if len(rows) == 0:
            return
        if self._rows is None:
            self._rows, self._au45 = np.repeat(rows[:1], BEFORE, 0), np.zeros(BEFORE, np.float32)
        self._rows = np.concatenate([self._rows, rows])
        self._au45 = np.concatenate([self._au45, FULL * self._lids.frames(len(rows)).mean(1)]).astype(np.float32)

    def _blocks(self, ended: bool) -> np.ndarray:
        made = [np.zeros((0, _WIDTH + len(self._net.audio_mean)), np.float32)]
        while self._rows is not None and len(self._rows) > BEFORE:
            fresh = len(self._rows) - BEFORE
            if fresh < BLOCK + AFTER and not ended:
                break
            made.append(self._block(min(BLOCK, fresh)))
            self._rows, self._au45 = self._rows[BLOCK:], self._au45[BLOCK:]
            if fresh <= BLOCK:
                self._rows = None
        return np.concatenate(made)

    @torch.no_grad()
    def _block(self, count: int) -> np.ndarray:
        """The next `count` rows, the networks looking at `BEFORE` + `BLOCK` + `AFTER` frames."""
        assert self._rows is not None
        window = np.minimum(np.arange(BEFORE + BLOCK + AFTER), len(self._rows) - 1)
        au45 = torch.from_numpy(self._au45[window])[None]
        heard = self._net.hear(torch.from_numpy(self._rows[window])[None])
        eyes = torch.zeros(1, len(window), 3 * 12)  # of the past and the future only the blink is told
        eyes[:, BEFORE : BEFORE + count] = self._net.eyes(self._eyes, au45[:, BEFORE : BEFORE + count])
        self._eyes = eyes[:, BEFORE + count - 1]
        landmarks = self._net.landmarks(heard, eyes, au45)[0, BEFORE : BEFORE + count]
        mean = self._net.landmark_mean.view(LANDMARKS, 3)
        factor = self._net.config.amplitude * self._lip_scale
        landmarks[:, MOUTH_AND_JAW] += (factor - 1) * (landmarks - mean)[:, MOUTH_AND_JAW]
        landmarks[:, EYES] = self._net.placed_eyes(eyes[0, BEFORE : BEFORE + count])
        rows = torch.cat([landmarks.flatten(1), au45[0, BEFORE : BEFORE + count, None]], 1).numpy()
        return np.concatenate([rows, self._rows[BEFORE : BEFORE + count]], 1)


class BlinkNerfDriver:
    """A person's face for one voice: `push` samples and get the frames that became final, or None; `finish` the rest.

    All frames together number `frame_count(samples, fps)`, do not depend on chunking, and are the same for the same
    seed. Channels, reference "rest": landmarks (head frame, head units), au45, voice, rotation, translation, and what
    the landmarks are in ARKit's weights, so that the performance also plays on other renderers.

    Args:
        net: a trained person's.
        ear: who listened when it was trained.
        controls: what the user asked for: pose, blink, blink_rate (the person's own unless given), lip_scale, seed.
        fps: frame rate of the performance.
        pose_source, blink_source: tracked performances; required when `controls` takes pose or blinks from a video.
    """

    def __init__(
        self,
        net: MotionNet,
        ear: EarName,
        controls: Controls,
        fps: float,
        pose_source: Performance | None = None,
        blink_source: Performance | None = None,
    ) -> None:
        self.fps, self._seed = fps, controls.seed
        self._stream = MotionStream(net, ear, controls, blink_source)
        self._resampled = Resampled(self._stream.fps, fps)
        self._energy, self._waiting = EnergyStream(fps), VoiceEnergy(np.zeros(0), np.zeros(0))
        self._head = head_motion(controls.pose, fps, controls.seed, pose_source)
        self._neutral, self._resting = net.neutral.numpy(), net.resting.numpy()
        self._samples = 0

    @property
    def lookahead_s(self) -> float:
        """A frame is out at the latest when this much of the voice past its time has been pushed."""
        return self._stream.lookahead_s + 1 / self._stream.fps

    def push(self, samples: np.ndarray) -> Performance | None:
        """Take (n,) float32 samples, mono, 16 kHz in [-1, 1]; return the frames that became final, if any."""
        samples = np.asarray(samples, np.float32)
        self._samples += len(samples)
        self._wait_with(self._energy.push(samples))
        rows = self._stream.push(samples)
        return self._performed(self._resampled.push(rows)) if len(rows) else None

    def finish(self) -> Performance | None:
        """The remaining frames, if any; the voice has ended."""
        if self._samples == 0:
            return None
        self._wait_with(self._energy.finish())
        parts = [self._resampled.push(self._stream.finish())]
        parts.append(self._resampled.finish(frame_count(self._samples, self.fps)))
        filled = [part for part in parts if len(part)]
        return self._performed(np.concatenate(filled)) if filled else None

    def _performed(self, rows: np.ndarray) -> Performance | None:
        """The next frames of `MotionStream`'s rows (n, 205 + A) with the head motion that goes with them."""
        count = len(rows)
        if count == 0:
            return None
        heard = (self._waiting.level, self._waiting.emphasis)
        level, emphasis = (np.pad(values, (0, max(0, count - len(values)))) for values in heard)
        self._waiting = VoiceEnergy(level[count:], emphasis[count:])
        rotation, translation = self._head.frames(VoiceEnergy(level[:count], emphasis[:count]))
        landmarks, au45 = rows[:, : _WIDTH - 1].reshape(count, LANDMARKS, 3), rows[:, _WIDTH - 1]
        expression = expression_of(landmarks, self._neutral)
        expression = np.maximum(expression - self._resting, 0) / np.maximum(1 - self._resting, 0.2)
        expression[:, _LIDS] = au45[:, None] / FULL
        return Performance(
            fps=self.fps,
            valid=np.ones(count, bool),
            expression=np.clip(expression, 0, 1).astype(np.float32),
            rotation=rotation,
            translation=translation,
            au45=au45.astype(np.float32),
            landmarks=landmarks.astype(np.float32),
            voice=rows[:, _WIDTH:].astype(np.float32),
            reference="rest",
            source={"method": "blink_nerf", "seed": self._seed},
        )

    def _wait_with(self, energy: VoiceEnergy) -> None:
        self._waiting = VoiceEnergy(
            np.concatenate([self._waiting.level, energy.level]),
            np.concatenate([self._waiting.emphasis, energy.emphasis]),
        )
