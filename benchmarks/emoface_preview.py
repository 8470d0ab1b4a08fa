"""Are EmoFace's seven emotions recognised where people see them? By `emotion_vultus`, the judge, on previews.

    python -m benchmarks.emoface_preview

Every emotion is said at level 2 by the sample voice, and shown on the shaded head of `vultus rig --preview` and on the
astronaut. A clip's guess is the likeliest mean probability of every fifth frame, among the seven that EmoFace knows.
The judge learned from faces that we acted, as EmoFace's were: it is no outside opinion.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from skimage.data import astronaut

from benchmarks.emoface import perform
from benchmarks.voices import SAMPLE
from vultus.animate import open_portrait
from vultus.audio.io import read_speech
from vultus.core.controls import EMOTIONS, Controls
from vultus.core.method import Look, Renderer
from vultus.face.stream import FaceStream
from vultus.methods import DEFAULT_METHOD, get_method
from vultus.methods.emoface.config import EMOTIONS as KNOWN
from vultus.methods.emoface.config import FPS
from vultus.perception.judges.emotion_image import load_emotion_image
from vultus.rendering.head_preview import HeadPreview

SECONDS, SIZE, EVERY = 5.0, 384, 5


def guess(images: Iterable[np.ndarray]) -> tuple[str, dict[str, float]]:
    """The emotion that is seen in pictures (H, W, 3), and the mean probability of each that EmoFace knows."""
    judge = load_emotion_image("judge")
    rows = []
    with FaceStream() as stream:
        for number, image in enumerate(images):
            points = stream.next(image)
            if points is not None and number % EVERY == 0:
                rows.append(judge.probabilities(image[None].copy(), points[None])[0])
    mean = np.mean(rows, 0)
    shares = {name: float(mean[EMOTIONS.index(name)]) for name in KNOWN}
    return max(shares, key=shares.__getitem__), shares


def main() -> None:
    """Print what is seen of every emotion on either face, and the share that is right."""
    voice = read_speech(SAMPLE, end_s=SECONDS).waveform
    portrait = open_portrait(astronaut())
    renderers: dict[str, Renderer] = {
        "head": HeadPreview(FPS, SIZE),
        "astronaut": get_method(DEFAULT_METHOD).renderer(portrait, Look(crop="face", size=SIZE)),
    }
    for title, renderer in renderers.items():
        right = 0
        for emotion in KNOWN:
            made = perform(voice, Controls.parse(emotion=emotion, intensity=2.0, pose="still"))
            seen, shares = guess(renderer.play([made], len(made)))
            right += seen == emotion
            print(
                f"{title:10s} {emotion:10s} seen as {seen:10s}", {k: round(v, 2) for k, v in shares.items()}, flush=True
            )
        print(f"{title}: {right} of {len(KNOWN)} right", flush=True)


if __name__ == "__main__":
    main()
