"""What a rendered person does: lips on exact phones, an emotion, blinks, gaze and a moving head.

The same parts of `motion` that make photos talk, joined here in the same way; values are absolute ("camera").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vultus.core.bases import index_of
from vultus.core.controls import MAX_GAZE_DEG, Emotion, Gaze
from vultus.core.timeline import Timeline
from vultus.core.types import SAMPLE_RATE, Performance, Phone, Speech
from vultus.motion.blink import FULL, NaturalBlinks
from vultus.motion.compose import SpeechBlend, add_blinks, add_emphasis
from vultus.motion.emotion import EmotionTrack
from vultus.motion.energy import EnergyStream, VoiceEnergy
from vultus.motion.gaze import GazeTrack
from vultus.motion.known_phones import KnownPhoneLips
from vultus.motion.noise import SmoothNoise, frame_times
from vultus.motion.pose import IdleHead

BROW_EMPHASIS = 0.18
LID_FOLLOWS_DEG = (35.0, 28.0)
"""Gaze at which ARKit's eyeLook weights, to the side and up or down, are 1."""
LARGEST_TURN_DEG = np.array([38.0, 20.0, 16.0])


@dataclass(frozen=True)
class Acting:
    """How a clip is to be acted. Angles are yaw, pitch, roll."""

    emotion: str = "neutral"
    level: int = 2
    view_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """About which pose the head moves."""
    sway_deg: tuple[float, float, float] = (4.0, 2.5, 2.0)
    """Standard deviation of slow turning."""
    gaze_swing: float = 1.6
    """Factor on the natural wandering of the eyes."""
    blink_rate: float | None = None
    stirred: bool = True
    """Whether the voice stirs the head; else it moves as in silence, whatever is said."""
    seed: int = 0


def act(speech: Speech, acting: Acting, fps: float, held: np.ndarray | None = None) -> Performance:
    """The performance of a voice with known phones; all channels but landmarks, translation relative to rest.

    `held` (52,) is an expression to hold all along instead of acting the emotion: it gives way to nothing, as people
    who laugh bare their teeth on every vowel.
    """
    lips_motion = KnownPhoneLips(fps, speech.phones or (Phone("SIL", 0.0, speech.duration_s),))
    lips = np.concatenate([lips_motion.push(speech.waveform), lips_motion.finish()])
    count = len(lips)
    energy = _energy(speech, fps, count)
    mood = EmotionTrack(
        Timeline.constant(Emotion(((acting.emotion, 1.0),), float(acting.level))), acting.level, fps, acting.seed
    ).frames(count)
    expression = SpeechBlend(fps)(lips, mood, 1.0) if held is None else np.clip(lips + held, 0, 1)
    add_emphasis(expression, energy.emphasis, BROW_EMPHASIS)
    closed = NaturalBlinks(fps, acting.seed, acting.blink_rate).frames(count)
    add_blinks(expression, closed)
    stirring = energy if acting.stirred else VoiceEnergy(*np.zeros((2, count)))
    rotation, shift = IdleHead(fps, acting.seed).frames(stirring)
    rotation = _turned(rotation, acting, fps)
    gaze, holding = GazeTrack(Timeline.constant(Gaze()), fps, acting.seed).frames(count)
    gaze = acting.gaze_swing * gaze - 0.6 * holding[:, None] * rotation[:, :2]
    gaze = np.clip(gaze, -np.array(MAX_GAZE_DEG), MAX_GAZE_DEG)
    lids_follow(expression, gaze)
    return Performance(
        fps=fps, valid=np.ones(count, bool), expression=np.clip(expression, 0, 1).astype(np.float32),
        rotation=rotation.astype(np.float32), translation=(2.5 * shift).astype(np.float32),
        gaze=gaze.astype(np.float32), au45=(FULL * closed.mean(1)).astype(np.float32), reference="camera",
        source={"method": "synthetic", "seed": acting.seed, "emotion": acting.emotion, "level": acting.level},
    )  # fmt: skip


def cut_speech(speech: Speech, duration_s: float) -> Speech:
    """The first seconds of a voice, silence added where it is shorter; phones stay gapless."""
    count = round(duration_s * SAMPLE_RATE)
    waveform = np.zeros(count, np.float32)
    heard = speech.waveform[:count]
    waveform[: len(heard)] = heard
    phones = [
        Phone(p.symbol, p.start_s, min(p.end_s, duration_s)) for p in speech.phones or () if p.start_s < duration_s
    ]
    end_s = phones[-1].end_s if phones else 0.0
    if end_s < duration_s:
        phones.append(Phone("SIL", end_s, duration_s))
    return Speech(waveform, tuple(phones))


def _energy(speech: Speech, fps: float, count: int) -> VoiceEnergy:
    stream = EnergyStream(fps)
    parts = [stream.push(speech.waveform), stream.finish()]
    level, emphasis = (np.concatenate([getattr(p, name) for p in parts]) for name in ("level", "emphasis"))
    missing = max(0, count - len(level))
    return VoiceEnergy(np.pad(level, (0, missing))[:count], np.pad(emphasis, (0, missing))[:count])


def _turned(rotation: np.ndarray, acting: Acting, fps: float) -> np.ndarray:
    """Idle motion about the clip's view, and slow turning on top of it."""
    time_s = frame_times(0, len(rotation), fps)
    slow = SmoothNoise(3, 0.06, 0.45, 0.8, np.random.default_rng([acting.seed, 0x512]))
    total = rotation + np.array(acting.view_deg) + np.array(acting.sway_deg) * slow.at(time_s)
    return np.clip(total, -LARGEST_TURN_DEG, LARGEST_TURN_DEG)


def lids_follow(expression: np.ndarray, gaze: np.ndarray) -> None:
    """Set the eyeLook weights that go with a gaze (T, 2), in place; lids that close follow no longer."""
    across, up = (gaze / LID_FOLLOWS_DEG).T
    shares = {
        "eyeLookUp{}": np.maximum(up, 0), "eyeLookDown{}": np.maximum(-up, 0),
        "eyeLookOut{}": np.maximum(across, 0), "eyeLookIn{}": np.maximum(-across, 0),
    }  # fmt: skip
    for side, mirrored in (("Left", False), ("Right", True)):
        shut = expression[:, index_of("eyeBlink" + side)]
        for name, value in shares.items():
            if mirrored:
                name = name.replace("Out", "~").replace("In", "Out").replace("~", "In")
            expression[:, index_of(name.format(side))] = value * (1 - shut)
