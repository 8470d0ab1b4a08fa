"""How loud the voice is, frame by frame: what head, brows and lips take their emphasis from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vultus.core.types import SAMPLE_RATE

HOP = SAMPLE_RATE // 100


@dataclass(frozen=True)
class VoiceEnergy:
    """`level` (n,) 0 in silence to 1 at the voice's own loudest; `emphasis` (n,) 0-1, high on stressed syllables."""

    level: np.ndarray
    emphasis: np.ndarray

    def __len__(self) -> int:
        return len(self.level)


class LoudnessStream:
    """Loudness at 100 Hz as samples arrive, relative to the voice's own peak; independent of chunking."""

    RANGE_DB = 36.0
    """Level 0 lies this far below the peak."""
    SMOOTH_S = 0.05
    PEAK_DECAY_DB_S = 1.5
    QUIETEST_PEAK_DB = -40.0

    def __init__(self) -> None:
        self._pending = np.zeros(0, np.float32)
        self._smooth = 0.0
        self._peak_db = self.QUIETEST_PEAK_DB

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Levels 0-1 of the 10 ms hops completed by (n,) samples."""
        pending = np.concatenate([self._pending, np.asarray(samples, np.float32)])
        hops = len(pending) // HOP
        power = np.square(pending[: hops * HOP].reshape(hops, HOP).astype(np.float64)).mean(1)
        self._pending = pending[hops * HOP :]
        keep = np.exp(-1 / (100 * self.SMOOTH_S))
        levels = np.empty(hops)
        for i in range(hops):
            self._smooth = keep * self._smooth + (1 - keep) * power[i]
            level_db = 10 * np.log10(self._smooth + 1e-10)
            self._peak_db = max(level_db, self._peak_db - self.PEAK_DECAY_DB_S / 100, self.QUIETEST_PEAK_DB)
            levels[i] = np.clip(1 + (level_db - self._peak_db) / self.RANGE_DB, 0, 1)
        return levels

    def finish(self) -> np.ndarray:
        """The level of a last, incomplete hop, if any samples are left."""
        if len(self._pending) == 0:
            return np.zeros(0)
        return self.push(np.zeros(HOP - len(self._pending), np.float32))


class EnergyStream:
    """Voice level and emphasis at the video's frame rate as samples arrive; independent of chunking."""

    FAST_S, RISE_S, FALL_S = 0.06, 0.35, 1.2
    """Time constants of the level, and of the slow mean it stands out of, rising and falling."""
    START_LEVEL = 0.5
    """The slow mean to begin with, so that the first word is not all emphasis."""
    EMPHASIS_FROM, EMPHASIS_GAIN = 0.03, 4.5

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._loudness = LoudnessStream()
        self._fast, self._loud, self._slow = 0.0, 0.0, self.START_LEVEL
        self._hop = 0
        self._frame = 0

    def push(self, samples: np.ndarray) -> VoiceEnergy:
        """Energy of the frames whose middle the samples (n,) have reached."""
        return self._frames(self._loudness.push(samples))

    def finish(self) -> VoiceEnergy:
        """Energy of the last frame, if its middle lies in the last hop."""
        return self._frames(self._loudness.finish())

    def _frames(self, levels: np.ndarray) -> VoiceEnergy:
        fast_share, rise_share, fall_share = (
            1 - np.exp(-1 / (100 * s)) for s in (self.FAST_S, self.RISE_S, self.FALL_S)
        )
        frames: list[tuple[float, float]] = []
        for level in levels:
            self._fast += fast_share * (level - self._fast)
            loudness = self._loud_of(level)
            self._loud += fast_share * (loudness - self._loud)
            self._slow += (rise_share if loudness > self._slow else fall_share) * (loudness - self._slow)
            self._slow = max(self._slow, 0.5 * self.START_LEVEL)
            self._hop += 1
            while (self._frame + 0.5) / self._fps < self._hop / 100:
                rise = max(0.0, self._loud - self._slow - self.EMPHASIS_FROM)
                frames.append((self._fast, min(1.0, self.EMPHASIS_GAIN * rise)))
                self._frame += 1
        table = np.array(frames, np.float64).reshape(-1, 2)
        return VoiceEnergy(table[:, 0], table[:, 1])

    @staticmethod
    def _loud_of(level: float) -> float:
        """Perceived loudness 0-1 (amplitude to the power .6) of a level, in which stress stands out as it is heard."""
        return 10 ** (0.6 * LoudnessStream.RANGE_DB / 20 * (level - 1)) if level > 0 else 0.0
