"""What networks say of two videos: learned distances, identity, emotion, and lips against sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vultus.compare.judges import judge
from vultus.compare.measures import BY_NAME
from vultus.compare.pictures import SMALL_FACE_PX, Samples, comparable, same_faces
from vultus.compare.watch import Seen
from vultus.core.controls import EMOTIONS
from vultus.core.errors import InputError
from vultus.core.types import SAMPLE_RATE
from vultus.face.points import landmarks68
from vultus.metrics.emotion import clip_emotion, emotion_feature_distance
from vultus.metrics.frechet import Moments
from vultus.metrics.identity import cosine_similarity
from vultus.metrics.image import perceptual_distance
from vultus.metrics.sync import lip_sync_error
from vultus.motion.av_offset import MouthSeries, av_offset

SYNCNET_FPS = 25.0
SYNCNET_S = 60.0
"""SyncNet looks at so much of a clip at most: it wants every frame in memory."""


@dataclass(frozen=True)
class Faces:
    """Sampled frames of one video as networks want them."""

    pictures: list[np.ndarray]
    """(H, W, 3) uint8 RGB each, all of one size."""
    points: np.ndarray
    """(N, 478, 3) pixels of the pictures."""
    expression: np.ndarray
    """(N, 52) ARKit weights as tracked."""

    @staticmethod
    def of(samples: Samples, seen: Seen, chosen: Sequence[int]) -> Faces:
        """The samples with these frame numbers; every one must be there."""
        place = {index: k for k, index in enumerate(samples.index)}
        rows = [place[index] for index in chosen]
        assert seen.performance.expression is not None
        return Faces(
            [samples.pictures[row] for row in rows],
            np.array([samples.points[row] for row in rows], np.float32).reshape(-1, 478, 3),
            seen.performance.expression[list(chosen)],
        )

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def stacked(self) -> np.ndarray:
        """(N, H, W, 3)"""
        return np.stack(self.pictures)


def compare_faces(made: Faces, real: Faces, emotion: str | None) -> dict[str, float]:
    """Measures of sampled frames, taken at the same moments; nothing of a network that is not at hand.

    `emotion` is what was asked for; where it is None, what the same network sees in the real clip.
    """
    if len(made) == 0:
        return {}
    values: dict[str, float] = {}
    pairs = list(zip(real.pictures, real.points, made.pictures, made.points, strict=True))
    if (network := _network("lpips")) is not None:
        aligned = [pair for pair in (comparable(*one) for one in pairs) if pair is not None]
        theirs, own = (np.stack([pair[k] for pair in aligned]) for k in (0, 1))
        values["lpips"] = perceptual_distance(own, theirs, network.distance)
    if (network := _network("perceptual_vultus")) is not None:
        faces_px = [same_faces(*one, SMALL_FACE_PX) for one in pairs]
        theirs, own = (np.stack([pair[k] for pair in faces_px]) for k in (0, 1))
        values["perceptual_vultus"] = perceptual_distance(own, theirs, network.distance)
    if (network := _network("identity_vultus")) is not None:
        embeddings = (network.embed(faces.stacked, faces.points) for faces in (made, real))
        values["identity_vultus"] = float(cosine_similarity(*embeddings).mean())
    if (network := _network("csim")) is not None:
        from vultus.perception.published.arcface import aligned_faces

        embeddings = (network.embed(aligned_faces(faces.stacked, faces.points)) for faces in (made, real))
        values["csim"] = float(cosine_similarity(*embeddings).mean())
    return values | _emotions(made, real, emotion)


def _emotions(made: Faces, real: Faces, emotion: str | None) -> dict[str, float]:
    values: dict[str, float] = {}
    if (network := _network("emotion_vultus")) is not None:
        given = [(faces.stacked, faces.points, faces.expression) for faces in (made, real)]
        own, theirs = (network.probabilities(*one) for one in given)
        values["emotion_vultus"] = float(clip_emotion(own) == _wanted(theirs, emotion))
        values["emotion_vultus_distance"] = _distance(*(network.embed(*one) for one in given))
    if (network := _network("emo_acc")) is not None:
        from vultus.perception.published.emonet import face_crops

        crops = [face_crops(faces.stacked, landmarks68(faces.points)) for faces in (made, real)]
        own, theirs = (network.probabilities(one) for one in crops)
        values["emo_acc"] = float(clip_emotion(own) == _wanted(theirs, emotion))
        values["efd"] = _distance(*(network.embed(one) for one in crops))
    return values


def _wanted(real_probabilities: np.ndarray, emotion: str | None) -> int:
    return clip_emotion(real_probabilities) if emotion is None else EMOTIONS.index(emotion)


def _distance(own: np.ndarray, theirs: np.ndarray) -> float:
    return float(emotion_feature_distance(own, theirs).mean())


def inception_moments(faces: Faces) -> Moments | None:
    """What FID needs of these pictures; None without the network or with fewer than two."""
    network = _network("fid")
    if network is None or len(faces) < 2:
        return None
    return Moments.of(network.embed(faces.stacked))


def compare_sound(seen: Seen, waveform: np.ndarray, path: Path | None) -> dict[str, float]:
    """Lips of a video against a voice (n,) at 16 kHz that begins with it; SyncNet reads the video's file once more.

    Without a `path` SyncNet is not asked. NaN where an offset cannot be told.
    """
    sound = voice_as_long_as(waveform, seen.duration_s)
    offset = av_offset(sound, MouthSeries(seen.mouth, seen.fps, seen.valid))
    values = {
        "av_confidence": offset.confidence,
        "av_offset": float(abs(offset.offset_ms)) if offset.in_sync else float("nan"),
    }
    if (network := _network("sync_vultus")) is not None:
        values |= _our_sync(network, seen, sound)
    if path is not None and (network := _network("lse_c")) is not None:
        found = _syncnet(network, path, seen, sound)
        values |= {} if found is None else {"lse_c": found[0], "lse_d": found[1]}
    return values


def _our_sync(network: Any, seen: Seen, sound: np.ndarray) -> dict[str, float]:
    """What our own judge says; nothing of a clip that is too short for it."""
    try:
        curve = network.curve(np.where(seen.valid[:, None, None], seen.points, np.nan), seen.fps, sound)
    except InputError:
        return {}
    return {
        "sync_vultus": float(curve.confidence),
        "sync_vultus_in_step": float(curve.in_sync),
        "sync_vultus_offset": float(abs(curve.offset_ms)),
    }


def voice_as_long_as(waveform: np.ndarray, duration_s: float) -> np.ndarray:
    """The voice cut, or ended by silence, to a length in seconds."""
    count = round(duration_s * SAMPLE_RATE)
    return np.pad(waveform[:count], (0, max(0, count - len(waveform))))


def _syncnet(network: Any, path: Path, seen: Seen, sound: np.ndarray) -> tuple[float, float] | None:
    """LSE-C and LSE-D of the first minute; None for a clip that is too short."""
    from vultus.perception.published.syncnet import face_crops
    from vultus.video.read import open_video

    count = round(min(seen.duration_s, SYNCNET_S) * SYNCNET_FPS)
    pictures = [image for _, image in zip(range(count), open_video(path).frames(SYNCNET_FPS), strict=False)]
    rows = np.minimum((np.arange(len(pictures)) / SYNCNET_FPS * seen.fps).astype(int), len(seen) - 1)
    skin = seen.points[rows, :468, :2]
    boxes = np.concatenate([skin.min(1), skin.max(1)], 1)
    lips, voice = network.embed_clip(face_crops(np.stack(pictures), boxes), sound)
    if len(lips) == 0:
        return None
    error = lip_sync_error(lips, voice)
    return error.confidence, error.distance


def read_voice(path: Path) -> np.ndarray | None:
    """The voice of a file (n,) at 16 kHz; None if it has no sound that can be read."""
    from vultus.audio.io import read_speech

    try:
        return read_speech(path).waveform
    except InputError:
        return None


def _network(measure: str) -> Any | None:
    need = BY_NAME[measure].needs
    return None if need is None else judge(need)
