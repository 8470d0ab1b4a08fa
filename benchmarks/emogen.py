"""EmoGen in figures: emotions that a classifier of its own sees, likeness, FID, speed.

    vultus train emogen DATA JUDGE --stage emotion --seed 1     the classifier of section 6.1: it must not have taught
    python -m benchmarks.emogen score WEIGHTS DATA JUDGE [--clips 60]
    python -m benchmarks.emogen speed

`score` re-generates held-out clips in all six emotions, each frame from one half a clip away. Beside the figures stand
those of a null: the frames that were given, unchanged. FID wants the published Inception network
(`vultus weights fetch inception-fid`) and is left out without it. Set OMP_NUM_THREADS=1. --json FILE also writes them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from vultus.core.config import load_overlay
from vultus.core.errors import InputError, MissingPartError
from vultus.methods.emogen.config import EMOTIONS, PAPER, SMALL, NetConfig
from vultus.methods.emogen.data import TalkingFace, material
from vultus.methods.emogen.experts import EmotionDiscriminator
from vultus.methods.emogen.model import Generator, looked_at
from vultus.methods.emogen.weights import FaceMaker, load_face_maker
from vultus.metrics.emotion import emotion_accuracy
from vultus.metrics.frechet import Moments, frechet_distance
from vultus.metrics.image import psnr, ssim
from vultus.training.loop import CONFIG_FILE, finished_weights

Figures = dict[str, float]
Judge = Callable[[np.ndarray], int]
"""The emotion, an index into `EMOTIONS`, of a video (T, S, S, 3) uint8."""
Embed = Callable[[np.ndarray], np.ndarray]


def load_judge(run: Path) -> tuple[Judge, int]:
    """The classifier that a run's stage `emotion` has trained, and the side of what it looks at."""
    net = load_overlay(PAPER, run / CONFIG_FILE).net
    judge = EmotionDiscriminator(net).eval()
    tensors = finished_weights(run / "emotion")
    judge.load_state_dict({name.removeprefix("emotion."): tensor for name, tensor in tensors.items()})

    def named(video: np.ndarray) -> int:
        faces = torch.from_numpy(np.ascontiguousarray(video.transpose(0, 3, 1, 2)))[None].float() / 255
        with torch.inference_mode():
            return int(judge(faces)[0].argmax())

    return named, net.side


def score(maker: FaceMaker, clips: Sequence[TalkingFace], judge: Judge, embed: Embed | None) -> Figures:
    """EmoAcc of every emotion asked for, PSNR and SSIM in the clip's own, FID averaged over emotions; and the null."""
    asked, seen, null_seen, real = [], [], [], []
    likeness: dict[str, list[float]] = {name: [] for name in ("psnr", "ssim", "null_psnr", "null_ssim")}
    features: dict[int, list[np.ndarray]] = {}
    truth: list[np.ndarray] = []
    for clip in clips:
        real.append(judge(clip.frames) == clip.emotion)
        given = np.roll(clip.frames, len(clip.frames) // 2, axis=0)
        mels = clip.voices(0, len(clip.frames))
        for emotion in range(len(EMOTIONS)):
            rows = np.tile(np.eye(len(EMOTIONS), dtype=np.float32)[emotion], (len(mels), 1))
            made = np.round(maker.faces(given, mels, rows)).astype(np.uint8)
            asked.append(emotion)
            seen.append(judge(made))
            null_seen.append(judge(given))
            if embed is not None:
                features.setdefault(emotion, []).append(embed(made))
            if emotion == clip.emotion:
                for name, other in (("", made), ("null_", given)):
                    likeness[f"{name}psnr"] += [min(psnr(a, b), 100.0) for a, b in zip(other, clip.frames, strict=True)]
                    likeness[f"{name}ssim"] += [ssim(a, b) for a, b in zip(other, clip.frames, strict=True)]
        if embed is not None:
            truth.append(embed(clip.frames))
    figures = {
        "clips": float(len(clips)),
        "judge_right_on_real": float(np.mean(real)),
        "emo_acc": emotion_accuracy(np.array(seen), np.array(asked)),
        "null_emo_acc": emotion_accuracy(np.array(null_seen), np.array(asked)),
    }
    figures |= {name: float(np.mean(values)) for name, values in likeness.items()}
    return figures if embed is None else figures | {"fid": mean_fid(features, truth)}


def mean_fid(features: dict[int, list[np.ndarray]], truth: list[np.ndarray]) -> float:
    """FID of each emotion against all real frames, averaged (section 6.3)."""
    real = Moments.of(np.concatenate(truth))
    return float(np.mean([frechet_distance(Moments.of(np.concatenate(some)), real) for some in features.values()]))


def speed(net: NetConfig) -> Figures:
    """Milliseconds a face, in fp32 and bf16, one and sixteen at a time; random weights."""
    generator = Generator(net).eval().requires_grad_(False)
    figures = {"parameters_m": sum(p.numel() for p in generator.parameters()) / 1e6}
    for name, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        model = generator.to(kind)
        for count in (1, 16):
            inputs = (
                looked_at(torch.rand(1, count, 3, net.side, net.side)).to(kind),
                torch.randn(1, count, 1, 80, 16).to(kind),
                torch.eye(len(EMOTIONS))[:1, None].expand(1, count, -1).to(kind),
            )
            with torch.inference_mode():
                model(*inputs)
                start = time.perf_counter()
                rounds = 3
                for _ in range(rounds):
                    model(*inputs)
            figures[f"{name}_batch_{count}_ms"] = (time.perf_counter() - start) / rounds / count * 1000
    return figures


def held_out(data: Path, side: int, most: int) -> list[TalkingFace]:
    """Test clips, or validation ones where there are none, spread over them. Raises InputError."""
    shelves = material(data, side, replace(PAPER.data, kept_clips=1))
    shelf = shelves.test or shelves.val
    return [shelf[int(k)] for k in np.unique(np.linspace(0, len(shelf) - 1, most).round())]


def inception() -> Embed | None:
    """The published network's features, or None with a word on why there are none."""
    from vultus.perception.published import InceptionV3

    try:
        embed: Embed = InceptionV3.load().embed
    except MissingPartError as error:
        print(f"no FID: {error}")
        return None
    return embed


def main() -> None:
    """Print, and with --json write, the figures asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    scoring = commands.add_parser("score")
    for name in ("weights", "data", "judge"):
        scoring.add_argument(name, type=Path)
    scoring.add_argument("--clips", type=int, default=60)
    for command in (scoring, commands.add_parser("speed")):
        command.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    if chosen.command == "speed":
        figures = {f"{name}_{key}": v for name, net in (("small", SMALL.net), ("paper", PAPER.net))
                   for key, v in speed(net).items()}  # fmt: skip
    else:
        maker, (judge, side) = load_face_maker(chosen.weights), load_judge(chosen.judge)
        if side != maker.side:
            raise InputError(f"the judge looks at {side} pixels, not at {maker.side}", chosen.judge, "train another")
        figures = score(maker, held_out(chosen.data, side, chosen.clips), judge, inception())
    for name, value in figures.items():
        print(f"{name:<24} {value:.4g}")
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
