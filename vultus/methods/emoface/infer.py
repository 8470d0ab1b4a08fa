"""The EmoFace driver: a voice and emotions over time in, MetaHuman curves and what they look like out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from vultus.core.config import overlay
from vultus.core.controls import Controls
from vultus.core.errors import InputError, MissingPartError
from vultus.core.types import Performance
from vultus.core.weights import load_arrays
from vultus.face.metahuman import COUNT, HIGH, LOW, NAMES, columns_of
from vultus.face.rig_map import with_expression
from vultus.methods.emoface.config import EMOTIONS, FPS, NEUTRAL, NetConfig
from vultus.methods.emoface.data import levelled, shipped_ear
from vultus.methods.emoface.eyes import Gazes, Lids
from vultus.methods.emoface.feelings import emotion_rows
from vultus.methods.emoface.network import NumpyNet
from vultus.methods.emoface.windows import FILE, Curves, FrameStates, Hear, InWindows, WindowedCurves, Windows
from vultus.motion.energy import EnergyStream, VoiceEnergy
from vultus.motion.lips import frame_count
from vultus.motion.noise import frame_times
from vultus.motion.pose import head_motion
from vultus.motion.resampling import Resampled
from vultus.motion.smoothing import SavitzkyGolay
from vultus.perception.speech import RATE_HZ, Listener, SpeechEncoder, state_count

ASSETS = Path(__file__).parents[2] / "assets"
SPOKEN = np.array(
    [i for i in columns_of("jaw", "mouth", "tongue") if not any(w in NAMES[i] for w in ("Together", "ress"))]
)
"""Controls that a larger articulation moves further: not those that seal and press the lips."""
SHORTEST_SAMPLES = 400
"""What wav2vec2's first state needs."""


@dataclass(frozen=True)
class RigWeights:
    """Trained weights ready to play: `curves`, the configuration of their network, and the ear if it learned along."""

    curves: Curves
    config: NetConfig
    hear: Hear | None = None

    def listener(self) -> Listener:
        """A fresh ear for one voice. Raises MissingPartError."""
        if self.hear is not None:
            return InWindows(self.hear)
        ear = shipped_ear()
        return SpeechEncoder(ear.tensors, ear.config, far=True)


def load_rig(folder: str | Path) -> RigWeights:
    """Trained weights from a folder.

    Raises InputError for what is not EmoFace's, or was trained on another speech encoder than the one installed.
    """
    tensors, card = load_arrays(folder)
    if card.method != "emoface" or "net" not in card.config:
        raise InputError(f"these weights are of {card.method}, not of emoface", folder, "give a folder of its weights")
    config = overlay(NetConfig(), card.config["net"])
    net, ear = (
        {name.removeprefix(part): tensor for name, tensor in tensors.items() if name.startswith(part)}
        for part in ("net.", "ear.")
    )
    _check_ear(net, config, folder)
    curves: Curves = NumpyNet(net, config) if config.decoder == "encoder" else _torch_curves(net, config)
    return RigWeights(curves, config, _trained_ear(ear) if config.ear == "wav2vec2" else None)


@lru_cache(maxsize=1)
def shipped_rig() -> RigWeights:
    """The weights that come with vultus. Raises MissingPartError where they were left out, InputError as `load_rig`."""
    folders = sorted(ASSETS.glob("emoface-*/"))
    if not folders:
        fix = "train some: vultus train emoface DATA OUT"
        raise MissingPartError("no weights of emoface are installed", "vultus/assets/emoface-*", fix)
    return load_rig(folders[-1])


def articulated(curves: Curves, lip_scale: float) -> Curves:
    """Curves with `lip_scale` (0-3) times the movements of lips, jaw and tongue of a neutral face; seals stay."""
    if lip_scale == 1:
        return curves

    def scaled(states: np.ndarray, emotion: np.ndarray) -> np.ndarray:
        made, neutral = curves(states, emotion), np.eye(len(EMOTIONS), dtype=np.float32)[NEUTRAL]
        made[:, SPOKEN] += (lip_scale - 1) * curves(states, np.tile(neutral, (len(states), 1)))[:, SPOKEN]
        return made

    return scaled


class EmoFaceDriver:
    """Curves of one voice: `push` samples and get the frames that became final, or None; `finish` gives the rest.

    All frames together number `frame_count(samples, fps)` and do not depend on chunking; the same seed gives the same.
    Channels: controls (T, 174), and expression (arkit52), gaze and au45 that go with them (`face.rig_map`), rotation
    and translation; reference "rest". The network runs at 60 fps; other rates are interpolated from that.

    Args:
        controls: what the user asked for.
        fps: frame rate of the performance.
        pose_source, blink_source: tracked performances; required when `controls` takes pose or blinks from a video.
        rig: trained weights; those that ship unless given.
        windows: how long pieces the network looks at: `windows.FILE`, or `windows.LIVE` for a short look-ahead.
    """

    def __init__(
        self,
        controls: Controls,
        fps: float,
        pose_source: Performance | None = None,
        blink_source: Performance | None = None,
        rig: RigWeights | None = None,
        windows: Windows = FILE,
    ) -> None:
        rig = shipped_rig() if rig is None else rig
        self.fps = fps
        self._controls = controls
        self._emotions(0)  # one that was never learned is refused at once
        self._ear, self._frames = rig.listener(), FrameStates()
        self._windowed, self._smoothing = (
            WindowedCurves(articulated(rig.curves, controls.lip_scale), windows),
            SavitzkyGolay(),
        )
        self._lids, self._gazes = Lids(controls, blink_source), Gazes(controls)
        self._resampled = Resampled(FPS, fps)
        self._energy, self._waiting = EnergyStream(fps), VoiceEnergy(np.zeros(0), np.zeros(0))
        self._head = head_motion(controls.pose, fps, controls.seed, pose_source)
        self._samples = self._heard = 0
        self._behind_s = (windows.lookahead_frames + self._smoothing.lookahead + 1) / FPS + 1 / RATE_HZ

    @property
    def lookahead_s(self) -> float:
        """A frame is out at the latest when this much of the voice past its time has been pushed."""
        return self._ear.lookahead_s + self._behind_s

    def push(self, samples: np.ndarray) -> Performance | None:
        """Take (n,) float32 samples, mono, 16 kHz in [-1, 1]; return the frames that became final, if any."""
        samples = np.asarray(samples, np.float32)
        self._samples += len(samples)
        self._wait_with(self._energy.push(samples))
        curves = self._smoothed(self._frames.push(self._ear.push(samples)))
        return self._performed(self._resampled.push(curves)) if len(curves) else None

    def finish(self) -> Performance | None:
        """The remaining frames, if any; the voice has ended."""
        if self._samples == 0:
            return None
        self._wait_with(self._energy.finish())
        states = np.concatenate([self._frames.push(self._ear.finish()), self._frames.finish(self._samples)])
        missing = frame_count(self._samples, FPS) - self._heard
        curves = self._smoothed(states[:missing], ended=True)
        wanted = frame_count(self._samples, self.fps)
        return self._performed(_joined([self._resampled.push(curves), self._resampled.finish(wanted)]))

    def _emotions(self, count: int) -> np.ndarray:
        """(count, 7) of the next frames."""
        controls, time_s = self._controls, frame_times(self._heard, count, FPS) if count else np.zeros(0)
        return emotion_rows(controls.emotion, controls.intensity, controls.expression_scale, time_s)

    def _smoothed(self, states: np.ndarray, ended: bool = False) -> np.ndarray:
        """Controls (m, 174) at 60 fps that the next frames' states (n, width) make final, with blinks and gaze."""
        emotion = self._emotions(len(states))
        self._heard += len(states)
        made = [self._windowed.push(states, emotion)] + ([self._windowed.finish()] if ended else [])
        smooth = [self._smoothing.push(curves) for curves in made if len(curves)]
        curves = np.clip(_joined(smooth + ([self._smoothing.finish()] if ended else [])), LOW, HIGH)
        self._lids.apply(curves)
        self._gazes.apply(curves)
        return curves

    def _performed(self, curves: np.ndarray) -> Performance | None:
        """The next frames of controls (n, 174) with all that goes with them."""
        count = len(curves)
        if count == 0:
            return None
        heard = (self._waiting.level, self._waiting.emphasis)
        level, emphasis = (np.pad(values, (0, max(0, count - len(values)))) for values in heard)
        self._waiting = VoiceEnergy(level[count:], emphasis[count:])
        rotation, translation = self._head.frames(VoiceEnergy(level[:count], emphasis[:count]))
        performance = Performance(
            fps=self.fps,
            valid=np.ones(count, bool),
            rotation=rotation,
            translation=translation,
            controls=curves.astype(np.float32),
            reference="rest",
            source={"method": "emoface", "seed": self._controls.seed},
        )
        return with_expression(performance)

    def _wait_with(self, energy: VoiceEnergy) -> None:
        self._waiting = VoiceEnergy(
            np.concatenate([self._waiting.level, energy.level]),
            np.concatenate([self._waiting.emphasis, energy.emphasis]),
        )


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    """Frames of all parts; those without any may have any width."""
    filled = [part for part in parts if len(part)]
    return np.concatenate(filled) if filled else np.zeros((0, COUNT), np.float32)


def _check_ear(net: Mapping[str, np.ndarray], config: NetConfig, folder: str | Path) -> None:
    if config.ear == "wav2vec2":
        return
    wanted, there = bytes(net["heard_by"]).decode("ascii"), shipped_ear().card.sha256[:8]
    if wanted != there or not config.initialised:
        what = f"these weights listen through the speech encoder {wanted}, and the one installed is {there}"
        raise InputError(what, folder, "train them anew: vultus train emoface DATA OUT")


def _trained_ear(tensors: Mapping[str, np.ndarray]) -> Hear:
    """wav2vec2 as it has learned along. Raises MissingPartError without transformers or wav2vec2's configuration."""
    import torch

    from vultus.methods.emoface.model import Wav2Vec2Ear

    ear = Wav2Vec2Ear(initialised=False).eval()
    ear.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in tensors.items()})

    def hear(waveform: np.ndarray) -> np.ndarray:
        count = state_count(len(waveform))
        padded = np.pad(waveform, (0, max(0, SHORTEST_SAMPLES - len(waveform))))
        with torch.no_grad():
            states = ear(torch.from_numpy(levelled(padded))[None])[0].numpy()
        return states[np.minimum(np.arange(count), len(states) - 1)]  # held where its convolutions run out of voice

    return hear


def _torch_curves(net: Mapping[str, np.ndarray], config: NetConfig) -> Curves:
    """Ablations run in torch."""
    import torch

    from vultus.methods.emoface.model import EmoFaceNet

    model = EmoFaceNet(config).eval()
    model.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in net.items()})

    def curves(states: np.ndarray, emotion: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            made: np.ndarray = model(torch.from_numpy(states)[None], torch.from_numpy(emotion)[None])[0].numpy()
        return made

    return curves
