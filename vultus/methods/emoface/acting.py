"""Synthetic rig curves: a voice with known phones acted on the MetaHuman board, lips and feeling, at 60 fps.

Lips, emotion and their blend are those of `motion`; what the board can do beyond ARKit's weights comes on top: a
nose that wrinkles, lids and lips that tighten, a neck that strains, a tongue that goes with the sounds. A held feeling
lives: it swells with the voice, and every part of the face grows and shrinks a little by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vultus.core.bases import index_of as weight
from vultus.core.controls import Emotion
from vultus.core.timeline import Timeline
from vultus.core.types import Phone, Speech
from vultus.face.metahuman import CONTROLS, COUNT, HIGH, LOW, Side, index_of
from vultus.face.rig_map import controls_of
from vultus.methods.emoface.config import EMOTIONS, FPS
from vultus.methods.emoface.feelings import emotion_rows
from vultus.motion.compose import SpeechBlend, add_emphasis, closure
from vultus.motion.emotion import EASE_S, EmotionTrack
from vultus.motion.energy import EnergyStream, VoiceEnergy
from vultus.motion.known_phones import KnownPhoneLips
from vultus.motion.learned_lips import LearnedLips, shipped_lips
from vultus.motion.noise import SmoothNoise, frame_times

Shape = dict[str, float]

BEYOND: dict[str, Shape] = {
    "angry": {
        "brow_lateral": 0.35, "nose_wrinkleUpper": 0.5, "nose_nasolabialDeepen": 0.45, "eye_faceScrunch": 0.25,
        "eye_lidPress": 0.15, "jaw_clench": 0.4, "mouth_tightenU": 0.3, "mouth_tightenD": 0.35, "neck_stretch": 0.3,
        "neck_mastoidContract": 0.25, "mouth_lipsTowardsTeethU": 0.15,
    },
    "disgusted": {
        "nose_wrinkleUpper": 0.75, "nose_nasolabialDeepen": 0.7, "eye_faceScrunch": 0.35, "mouth_sharpCornerPull": 0.2,
        "mouth_lipsTowardsTeethU": 0.25, "jaw_chinCompress": 0.3, "neck_stretch": 0.2, "mouth_pushPullD": 0.15,
    },
    "fear": {
        "brow_lateral": 0.45, "eye_eyelidU": -0.35, "mouth_stretchLipsClose": 0.3, "mouth_lipsTowardsTeethD": 0.25,
        "neck_stretch": 0.55, "neck_mastoidContract": 0.35, "eye_pupil": 0.3, "mouth_tightenD": 0.15,
    },
    "happy": {
        "mouth_sharpCornerPull": 0.4, "nose_nasolabialDeepen": 0.45, "mouth_corner.y": 0.25, "eye_eyelidD": 0.25,
        "mouth_cornerSharpnessU": 0.15, "mouth_lipsTowardsTeethU": 0.15, "ear_up": 0.1,
    },
    "neutral": {},
    "sad": {
        "brow_lateral": 0.4, "mouth_corner.y": -0.25, "jaw_chinCompress": 0.4, "nose_nasolabialDeepen": 0.25,
        "eye_eyelidU": 0.12, "eye.y": -0.12, "mouth_tightenD": 0.15, "neck_stretch": 0.1,
    },
    "surprised": {
        "eye_eyelidU": -0.35, "eye_pupil": 0.2, "ear_up": 0.2, "mouth_funnelD": 0.1, "neck_stretch": 0.1,
    },
}  # fmt: skip
"""Per emotion at level 3: controls that no ARKit weight moves, by short name, on both sides."""
_PLACES: dict[str, Shape] = {
    "T D N L": {"tongue_tip.y": 0.6, "tongue.y": 0.25},
    "K G NG": {"tongue.y": 0.4, "tongue_roll.y": 0.3},
    "S Z": {"tongue_tip.y": 0.35, "tongue_press": 0.2},
    "SH ZH CH JH R ER": {"tongue_tip.y": 0.3, "tongue_narrowWide": -0.25},
    "TH DH": {"tongue_inOut": -0.3, "tongue_tip.y": 0.1},
    "IY IH EY Y": {"tongue.y": 0.2, "tongue_narrowWide": 0.2},
    "AA AO AW AY": {"tongue.y": -0.2},
}
TONGUE = {phone: shape for phones, shape in _PLACES.items() for phone in phones.split()}
"""Where the tongue goes in each sound."""
_TONGUE_FADE_S = 0.05
ARTICULATION = 1.3
"""Lips move so much more than the mean of both teachers: what is averaged, and learned by least squares, is timid.
Without it apertures vary .58 times as much as those of people in the known clips."""
BROW_EMPHASIS = 0.18
SWELL = 0.3
"""A feeling in what goes beyond ARKit is so much stronger at the voice's loudest than in silence."""
VARIATION = 0.1
_AREAS = tuple(sorted({control.area for control in CONTROLS}))
_AREA_OF = np.array([_AREAS.index(control.area) for control in CONTROLS])
_MOUTH = np.array([control.area in ("mouth", "jaw") for control in CONTROLS])


@dataclass(frozen=True)
class Acted:
    """A voice on the board: `controls` (T, 174) and `emotion` (T, 7), the weights that the network is given."""

    controls: np.ndarray
    emotion: np.ndarray


def act(speech: Speech, mood: Timeline[Emotion], seed: int, lip_teacher: float) -> Acted:
    """The curves of a voice with known phones under a timeline of emotions whose keys all set their level.

    `lip_teacher`: share of the learned lips, if they are installed, in the lips; the rest is the viseme table's.
    """
    lips = spoken_lips(speech, lip_teacher)
    count = len(lips)
    energy = _energy(speech, count)
    feeling = EmotionTrack(mood, 0.0, FPS, seed).frames(count)
    expression = SpeechBlend(FPS)(lips, feeling, ARTICULATION)
    add_emphasis(expression, energy.emphasis, BROW_EMPHASIS)
    emotion = emotion_rows(mood, 0.0, 1.0, frame_times(0, count, FPS))
    controls = controls_of(expression)
    controls += _beyond(mood, energy, 1 - closure(lips), seed) + _tongue(speech.phones or (), count)
    return Acted(np.clip(controls, LOW, HIGH).astype(np.float32), emotion)


def spoken_lips(speech: Speech, lip_teacher: float) -> np.ndarray:
    """ARKit weights (T, 52) of a voice with known phones at 60 fps; see `act`."""
    known = KnownPhoneLips(FPS, speech.phones or (Phone("SIL", 0.0, speech.duration_s),))
    table = np.concatenate([known.push(speech.waveform), known.finish()])
    weights = shipped_lips()
    if weights is None or lip_teacher == 0:
        return table
    learned = LearnedLips(FPS, weights)
    heard = np.concatenate([learned.push(speech.waveform), learned.finish()])
    lips = lip_teacher * heard + (1 - lip_teacher) * table
    shut = closure(table)  # both agree that lips meet, but not to the frame: the phones know
    jaw, close = weight("jawOpen"), weight("mouthClose")
    lips[:, jaw] *= 1 - 0.3 * shut
    lips[:, close] = np.minimum(np.maximum(lips[:, close], shut * lips[:, jaw]), lips[:, jaw])
    return lips.astype(np.float32)


def beyond(emotion: Emotion) -> np.ndarray:
    """What an emotion does to the board beyond ARKit's weights, (174,), at its own level."""
    level = (emotion.level or 0.0) / 3
    return level * sum((share * _SHAPES[EMOTIONS.index(name)] for name, share in emotion.mix), np.zeros(COUNT))


def _beyond(mood: Timeline[Emotion], energy: VoiceEnergy, free: np.ndarray, seed: int) -> np.ndarray:
    """(T, 174) over time; lips that close let go of it (`free` (T,))."""
    time_s = frame_times(0, len(energy), FPS)
    shapes = mood.weights(time_s, EASE_S) @ np.stack([beyond(emotion) for _, emotion in mood.keys])
    life = SmoothNoise(len(_AREAS), 0.07, 0.6, 0.8, np.random.default_rng([seed, 0xE31])).at(time_s)
    swell = (1 - SWELL / 2 + SWELL * energy.level)[:, None]
    return shapes * swell * (1 + VARIATION * life[:, _AREA_OF]) * np.where(_MOUTH, free[:, None], 1)


def _tongue(phones: Sequence[Phone], count: int) -> np.ndarray:
    """(T, 174): a weighted mean of the sounds' places around each frame."""
    time_s = frame_times(0, count, FPS)
    places, total = np.zeros((count, COUNT)), np.full((count, 1), 0.3)
    for phone in phones:
        near = slice(*np.searchsorted(time_s, (phone.start_s - 0.2, phone.end_s + 0.2)))
        outside_s = np.maximum(np.maximum(phone.start_s - time_s[near], time_s[near] - phone.end_s), 0)
        influence = np.exp(-0.5 * (outside_s / _TONGUE_FADE_S) ** 2)[:, None]
        places[near] += influence * _vector(TONGUE.get(phone.symbol, {}))
        total[near] += influence
    return places / total


def _vector(shape: Shape) -> np.ndarray:
    """(174,) of short names: on both sides where there are two."""
    vector = np.zeros(COUNT)
    for word, value in shape.items():
        sides: tuple[Side, ...] = ("middle",) if word in _ONCE else ("left", "right")
        for side in sides:
            vector[index_of(word, side)] = value
    return vector


_ONCE = frozenset({"eye.y", *(word for shape in TONGUE.values() for word in shape)})
_SHAPES = np.stack([_vector(BEYOND[name]) for name in EMOTIONS])


def _energy(speech: Speech, count: int) -> VoiceEnergy:
    stream = EnergyStream(FPS)
    parts = [stream.push(speech.waveform), stream.finish()]
    level, emphasis = (np.concatenate([getattr(part, name) for part in parts]) for name in ("level", "emphasis"))
    missing = max(0, count - len(level))
    return VoiceEnergy(np.pad(level, (0, missing))[:count], np.pad(emphasis, (0, missing))[:count])
