"""`sync_vultus`: do these lips say what is heard, and how far are they off? Landmarks against log-mel.

Not SyncNet and no stand-in for LSE-C or LSE-D: it looks at numbers of the mouth, not at pixels, so a blurred mouth with
the right motion passes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vultus.audio.features import FRAME_RATE_HZ, HOP, log_mel
from vultus.core.errors import InputError
from vultus.perception.judges import Role, load_network, weights_folder
from vultus.perception.judges.mouth_numbers import RATE_HZ, mouth_numbers

if TYPE_CHECKING:
    from vultus.perception.judges.sync_net import SyncNet

NAME = "sync"
MOST_ROWS = 15
"""Offsets up to this many rows of 40 ms are looked at, either way, as LSE-C does."""
LEAST_S = 1.0
"""Lips and voice must share so much."""
_LEAD_FRAMES = 1
"""Log-mel frame i looks back from 10 (i + 1) ms over 25 ms: four of them lie about a row's 40 ms if one is left out."""


@dataclass(frozen=True)
class SyncCurve:
    """How well lips and sound go together, by how far the lips are late.

    `offsets_ms` (L,): time of the picture's lips less that of the same lips in the sound, negative when the picture is
    early (as `motion.av_offset`); `similarity` (L,) -1 to 1, mean over the clip.
    """

    offsets_ms: np.ndarray
    similarity: np.ndarray

    @property
    def offset_ms(self) -> float:
        """Where the similarity peaks, refined by a parabola."""
        top = int(np.argmax(self.similarity))
        step = float(self.offsets_ms[1] - self.offsets_ms[0])
        if not 0 < top < len(self.similarity) - 1:
            return float(self.offsets_ms[top])
        before, peak, after = self.similarity[top - 1 : top + 2]
        bend = before - 2 * peak + after
        return float(self.offsets_ms[top] + (0.5 * (before - after) / bend * step if bend < 0 else 0.0))

    @property
    def confidence(self) -> float:
        """The peak less the median over all offsets, 0-2: LSE-C's formula on similarities instead of distances."""
        return float(self.similarity.max() - np.median(self.similarity))

    @property
    def in_sync(self) -> float:
        """The similarity at offset 0 less the median over all offsets: what a clip that runs late or early loses."""
        return float(np.interp(0.0, self.offsets_ms, self.similarity) - np.median(self.similarity))


class SyncJudge:
    """A trained pair of towers; `net` is the frozen torch module, through which gradients flow."""

    def __init__(self, net: SyncNet) -> None:
        self.net = net

    def curve(self, landmarks: np.ndarray, fps: float, waveform: np.ndarray) -> SyncCurve:
        """Lips against a voice whose first sample is heard when the first picture appears.

        Args:
            landmarks: (T, 68 or 468 or 478, 3) in pixels; rows that are not finite are gaps.
            fps: of the landmarks.
            waveform: (n,) float32, mono, 16 kHz.

        Raises InputError where no face is seen, or lips and voice share less than `LEAST_S`.
        """
        found = self.products(mouth_numbers(landmarks, fps), sound_rows(waveform))
        offsets_ms = np.arange(-MOST_ROWS, MOST_ROWS + 1) * (1000 / RATE_HZ)
        return SyncCurve(offsets_ms, found.mean(1))

    def products(self, mouth: np.ndarray, mel: np.ndarray, most: int = MOST_ROWS) -> np.ndarray:
        """Similarity (2 most + 1, T) of every moment of `mouth_numbers` (n, NUMBERS) by offset, as `SyncCurve`'s.

        `mel` is (4 m, BANDS), as `sound_rows` gives it; the longer of the two is cut.
        """
        import torch

        from vultus.perception.judges.sync_net import MEL_PER_ROW, similarity

        rows = min(len(mouth), len(mel) // MEL_PER_ROW)
        if rows < LEAST_S * RATE_HZ:
            raise InputError("lips and voice share less than a second", "sync", "give a longer clip")
        with torch.no_grad():
            seen, heard = self.net(
                torch.from_numpy(mouth[None, :rows].transpose(0, 2, 1)),
                torch.from_numpy(mel[None, : MEL_PER_ROW * rows].transpose(0, 2, 1)),
            )
            products: np.ndarray = similarity(seen, heard, most)[0].numpy()
        return products


def sound_rows(waveform: np.ndarray) -> np.ndarray:
    """Log-mel (4 n, BANDS) of a voice, four frames to each whole row of `mouth_numbers`."""
    samples = round(HOP * FRAME_RATE_HZ / RATE_HZ)
    rows = len(waveform) // samples
    padded = np.concatenate([np.asarray(waveform, np.float32)[: rows * samples], np.zeros(_LEAD_FRAMES * HOP)])
    return log_mel(padded)[_LEAD_FRAMES:]


def load_sync(role: Role = "judge", folder: str | Path | None = None) -> SyncJudge:
    """The shipped towers in one of their roles, or those in a folder of `vultus train sync`.

    Raises MissingPartError without torch or weights, InputError for other weights.
    """

    def build(config: Any) -> SyncNet:
        from vultus.perception.judges.sync_net import SyncNet, SyncNetConfig

        return SyncNet(SyncNetConfig.of(config["net"]))

    net, _ = load_network(folder or weights_folder(NAME, role), build)
    return SyncJudge(net)
