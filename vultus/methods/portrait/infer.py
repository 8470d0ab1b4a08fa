"""The portrait driver: a voice and the user's controls in, a whole performance out, as the voice arrives."""

from __future__ import annotations

import numpy as np

from vultus.core.controls import MAX_GAZE_DEG, Controls
from vultus.core.types import Performance
from vultus.methods.portrait.config import DEFAULT, PortraitConfig
from vultus.motion.blink import FULL, lid_motion
from vultus.motion.compose import SpeechBlend, add_blinks, add_emphasis
from vultus.motion.emotion import EmotionTrack
from vultus.motion.energy import EnergyStream, VoiceEnergy
from vultus.motion.gaze import GazeTrack
from vultus.motion.learned_lips import default_lips
from vultus.motion.lips import LipMotion
from vultus.motion.pose import head_motion


class PortraitDriver:
    """Lips, emotion, blinks, gaze and head motion for one voice.

    `push` samples and get the performance frames that became final, or None; `finish` gives the rest. All frames
    together number `frame_count(samples, fps)`, do not depend on chunking, and are the same for the same seed.
    Channels: expression (arkit52), rotation, translation, gaze, au45; reference "rest".

    Args:
        controls: what the user asked for.
        fps: frame rate of the performance.
        pose_source, blink_source: tracked performances; required when `controls` takes pose or blinks from a video.
        lips: any lip motion at the same fps; `default_lips` unless given.
    """

    def __init__(
        self,
        controls: Controls,
        fps: float,
        pose_source: Performance | None = None,
        blink_source: Performance | None = None,
        lips: LipMotion | None = None,
        config: PortraitConfig = DEFAULT,
    ) -> None:
        self.fps = fps
        self._controls = controls
        self._config = config
        self._lips = default_lips(fps) if lips is None else lips
        if self._lips.fps != fps:
            raise ValueError(f"lips run at {self._lips.fps} fps, the driver at {fps}")
        self._energy = EnergyStream(fps)
        self._waiting = VoiceEnergy(np.zeros(0), np.zeros(0))
        self._emotion = EmotionTrack(controls.emotion, controls.intensity, fps, controls.seed)
        self._blend = SpeechBlend(fps)
        self._lids = lid_motion(controls.blink, fps, controls.seed, controls.blink_rate, blink_source)
        self._gaze = GazeTrack(controls.gaze, fps, controls.seed)
        self._head = head_motion(controls.pose, fps, controls.seed, pose_source)

    @property
    def lookahead_s(self) -> float:
        """A frame is out at the latest when this much of the voice past its time has been pushed."""
        return self._lips.lookahead_s

    def push(self, samples: np.ndarray) -> Performance | None:
        """Take (n,) float32 samples, mono, 16 kHz in [-1, 1]; return the frames that became final, if any."""
        self._wait_with(self._energy.push(samples))
        return self._perform(self._lips.push(samples))

    def finish(self) -> Performance | None:
        """The remaining frames, if any; the voice has ended."""
        self._wait_with(self._energy.finish())
        lips = self._lips.finish()
        missing = len(lips) - len(self._waiting)
        if missing > 0:  # a last frame whose middle lies past the last sample
            self._wait_with(VoiceEnergy(np.zeros(missing), np.zeros(missing)))
        return self._perform(lips)

    def _wait_with(self, energy: VoiceEnergy) -> None:
        self._waiting = VoiceEnergy(
            np.concatenate([self._waiting.level, energy.level]),
            np.concatenate([self._waiting.emphasis, energy.emphasis]),
        )

    def _perform(self, lips: np.ndarray) -> Performance | None:
        """The next len(lips) frames, with the voice energy that has waited for them."""
        count = len(lips)
        if count == 0:
            return None
        energy = VoiceEnergy(self._waiting.level[:count], self._waiting.emphasis[:count])
        self._waiting = VoiceEnergy(self._waiting.level[count:], self._waiting.emphasis[count:])
        controls = self._controls
        emotion = self._emotion.frames(count) * controls.expression_scale
        expression = self._blend(lips, emotion, controls.lip_scale)
        add_emphasis(expression, energy.emphasis, self._config.brow_emphasis)
        closed = self._lids.frames(count)
        add_blinks(expression, closed)
        rotation, translation = self._head.frames(energy)
        gaze, holding = self._gaze.frames(count)
        gaze = gaze - self._config.eye_contact * holding[:, None] * rotation[:, :2]
        return Performance(
            fps=self.fps,
            valid=np.ones(count, bool),
            expression=np.clip(expression, 0, 1).astype(np.float32),
            rotation=rotation,
            translation=translation,
            gaze=np.clip(gaze, -np.array(MAX_GAZE_DEG), MAX_GAZE_DEG).astype(np.float32),
            au45=(FULL * closed.mean(1)).astype(np.float32),
            reference="rest",
            source={"method": "portrait", "seed": controls.seed},
        )
