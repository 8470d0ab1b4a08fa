"""From a finished `vultus train` of a judge to the weights that ship: vultus/assets/<judge>-<role>-*.

    python tools/ship_judge.py WEIGHTS [FIGURES.json]

WEIGHTS is the folder that `vultus train` named; FIGURES.json, which `python -m benchmarks.judges NAME --json` wrote,
joins the card.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from pathlib import Path

import vultus
from vultus.core.weights import load_weights, save_weights

ASSETS = Path(vultus.__file__).parent / "assets"
DATA = {
    "sync": (
        "200 clips of 20 rendered people who say synthetic speech (vultus synthesize, vultus prepare); no picture, "
        "sound or measurement of a real person"
    ),
    "emotion_image": (
        "contrasts of stills of rendered people (584 for the judge, 134 others for the teacher, each "
        "with ten builds), and of 31 portraits and frames of public research clips, made by the renderers to babble "
        "and to act expressions from FACS tables and our own acting, in most stills of rendered people a weaker draft "
        "of it; no picture is kept; no real emotion"
    ),
    "emotion_text": "a lexicon, and sentences made from phrases, written for vultus",
    "emotion_voice": (
        "eSpeak NG's voices, acting by rules of pitch, pace and timbre; prosody in numbers (no sounds) of half of 20 "
        "public recordings, taken for normal speech; no real emotion"
    ),
    "identity": "points of people drawn from the embedded head model; nothing of anybody real",
    "perceptual": "pictures of rendered people (vultus.training.judges.face_pictures), distorted; no photograph",
}
"""What the shipped weights learned from."""
HALVED = {"emotion_text": "table.weight", "emotion_image": "flat.weight"}
"""A large tensor that ships in half precision."""


def main(weights: Path, figures: Path | None) -> None:
    """Put trained weights, with a card that says where they come from, in place of those that ship."""
    tensors, card = load_weights(weights)
    if card.method in HALVED:
        tensors[HALVED[card.method]] = tensors[HALVED[card.method]].half()
    results = dict(card.results)
    if figures is not None:
        results |= json.loads(figures.read_text("utf-8"))
    card = dataclasses.replace(
        card, version="1", training_data=DATA[card.method], licence="Apache-2.0", results=results
    )
    for old in ASSETS.glob(f"{card.method}-{card.preset}-*"):
        shutil.rmtree(old)
    print(save_weights(ASSETS, tensors, card))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
