"""Who judges EmoGen's faces: classifiers of emotions that taught no generator, and the features of FID."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from vultus.core.config import load_overlay
from vultus.core.controls import EMOTIONS as ALL_EMOTIONS
from vultus.core.errors import MissingPartError
from vultus.face.stream import FaceStream
from vultus.methods.emogen.config import EMOTIONS, PAPER
from vultus.methods.emogen.experts import EmotionDiscriminator
from vultus.methods.emogen.model import Generator
from vultus.methods.emogen.weights import PREFIX, FaceMaker, load_face_maker
from vultus.perception.judges.emotion_image import load_emotion_image
from vultus.perception.judges.perceptual import load_perceptual
from vultus.training.loop import CONFIG_FILE, finished_weights

Judge = Callable[[np.ndarray], int]
"""The emotion, an index into `EMOTIONS`, of a video (T, S, S, 3) uint8."""
Embed = Callable[[np.ndarray], np.ndarray]


def load_classifier(run: Path) -> EmotionDiscriminator:
    """The classifier that a run's stage `emotion` has trained."""
    judge = EmotionDiscriminator(load_overlay(PAPER, run / CONFIG_FILE).net).eval()
    tensors = finished_weights(run / "emotion")
    judge.load_state_dict({name.removeprefix("emotion."): tensor for name, tensor in tensors.items()})
    return judge


def load_maker(folder: Path) -> FaceMaker:
    """A generator from a folder of weights, or from a stage's folder within a run: `generator`, or the `base` model."""
    if not (folder.parent / CONFIG_FILE).is_file():
        return load_face_maker(folder)
    generator = Generator(load_overlay(PAPER, folder.parent / CONFIG_FILE).net, feeling=folder.name != "base")
    tensors = finished_weights(folder)
    own = {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items() if name.startswith(PREFIX)}
    generator.load_state_dict(own)
    return FaceMaker(generator)


def load_judge(run: Path) -> tuple[Judge, int]:
    """What that classifier says of a video, and the side of what it looks at."""
    judge, side = load_classifier(run), load_overlay(PAPER, run / CONFIG_FILE).net.side

    def named(video: np.ndarray) -> int:
        faces = torch.from_numpy(np.ascontiguousarray(video.transpose(0, 3, 1, 2)))[None].float() / 255
        with torch.inference_mode():
            return int(judge(faces)[0].argmax())

    return named, side


def house_judge() -> Judge:
    """Our own reader of faces (`perception.judges.emotion_image`), which taught no generator; -1 where it sees no face.

    It looks at every third frame, enlarged and with room around it, as FaceMesh needs; its other two emotions are left
    aside.
    """
    reader = load_emotion_image("judge")
    six = [ALL_EMOTIONS.index(name) for name in EMOTIONS]

    def named(video: np.ndarray) -> int:
        pictures, points = [], []
        with FaceStream() as stream:
            for image in video[::3]:
                large = cv2.resize(image, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
                picture = cv2.copyMakeBorder(large, *[image.shape[0]] * 4, cv2.BORDER_REPLICATE)
                found = stream.next(picture)
                if found is not None:
                    pictures.append(picture)
                    points.append(found)
        if not points:
            return -1
        return int(reader.probabilities(pictures, np.stack(points))[:, six].mean(0).argmax())

    return named


def embeds() -> dict[str, Embed]:
    """Whose features make Fréchet distances: `fid`, the published network where it is at hand, and `frechet_house`."""
    from vultus.perception.published import InceptionV3

    found = {"frechet_house": _house_features()}
    try:
        found["fid"] = InceptionV3.load().embed
    except MissingPartError as error:
        print(f"no FID: {error}")
    return found


def _house_features() -> Embed:
    """Mean and spread of each feature of our perceptual judge, over a picture's places."""
    net = load_perceptual("judge").net

    def embed(video: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            layers = net.features(torch.from_numpy(np.ascontiguousarray(video.transpose(0, 3, 1, 2))).float() / 255)
        return torch.cat([part(layer, (2, 3)) for layer in layers for part in (torch.mean, torch.std)], 1).numpy()

    return embed
