"""EmoGen in figures: emotions that a classifier of its own sees, likeness, FID, speed.

    python -m benchmarks.emogen score WEIGHTS DATA [--judge RUN] [--clips 60] [--split val]
    vultus train emogen DATA RUN --stage emotion --seed 1           section 6.1's classifier; else our own emotion judge
    python -m benchmarks.emogen sheet WEIGHTS DATA OUT.png [--clips 6]
    python -m benchmarks.emogen tsne DATA JUDGE OUT.png [--actor 1011]
    python -m benchmarks.emogen overfit DATA [--steps 400]          PAPER on one clip, by the reconstruction loss alone
    python -m benchmarks.emogen speed
    python -m benchmarks.emogen_videos --help                       from end to end, lips against voices

WEIGHTS is a folder of weights, or of a stage within a run: RUN/generator as far as it has come, RUN/base without
emotion. `score` gives held-out clips' voices, and all six emotions, to frames of the same actor's next clip in which
the head is held alike (`Shelf.counterpart`). Beside the figures stand those of a null: the frames that were given,
unchanged. FID wants the published Inception network (`vultus weights fetch inception-fid`) and is left out without it;
`frechet_house` is the same distance of our perceptual judge's features, comparable with itself alone. --json FILE also
writes all figures. Set OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.emogen_judges import Embed, Judge, embeds, house_judge, load_classifier, load_judge, load_maker
from benchmarks.emogen_pictures import Case, asked_for, embeddings, neighbours_agree, plot, sheet
from benchmarks.material import portraits
from vultus.animate import open_portrait
from vultus.core.controls import Controls
from vultus.core.errors import InputError
from vultus.core.types import SAMPLE_RATE
from vultus.methods.emogen.config import EMOTIONS, PAPER, SMALL, WINDOW, NetConfig, TrainConfig
from vultus.methods.emogen.data import TalkingFace, material
from vultus.methods.emogen.model import Generator, looked_at
from vultus.methods.emogen.weights import FaceMaker
from vultus.metrics.emotion import emotion_accuracy
from vultus.metrics.frechet import Moments, frechet_distance
from vultus.metrics.image import psnr, ssim

Figures = dict[str, float]
BORDER = 0.06
"""Share of a crop's side that is its border, on each side."""
OVERFIT_SHOWN, OVERFIT_LR, OVERFIT_FALL = 50, 1e-3, 0.02
"""Steps between figures; the rate, ten times the paper's, and the share of it that is left in the end."""


def score(maker: FaceMaker, cases: Sequence[Case], judge: Judge, embeds: Mapping[str, Embed]) -> Figures:
    """EmoAcc of every emotion asked for, PSNR and SSIM in the clip's own, FID averaged over emotions; and the null."""
    asked, seen, null_seen, real, border = [], [], [], [], []
    likeness: dict[str, list[float]] = {name: [] for name in ("psnr", "ssim", "null_psnr", "null_ssim")}
    features: dict[str, dict[int, list[np.ndarray]]] = {name: {} for name in embeds}
    for case in cases:
        real.append(judge(case.clip.frames) == case.clip.emotion)
        for emotion in range(len(EMOTIONS)):
            made = asked_for(maker, case, emotion)
            border.append(border_hue_shift(made, case.given))
            asked.append(emotion)
            seen.append(judge(made))
            null_seen.append(judge(case.given) if emotion == 0 else null_seen[-1])
            for name, embed in embeds.items():
                features[name].setdefault(emotion, []).append(embed(made))
            if emotion == case.clip.emotion:
                for name, other in (("", made), ("null_", case.given)):
                    pairs = list(zip(other, case.truth, strict=True))
                    likeness[f"{name}psnr"] += [min(psnr(a, b), 100.0) for a, b in pairs]
                    likeness[f"{name}ssim"] += [ssim(a, b) for a, b in pairs]
    figures = {
        "clips": float(len(cases)),
        "judge_right_on_real": float(np.mean(real)),
        "emo_acc": emotion_accuracy(np.array(seen), np.array(asked)),
        "null_emo_acc": emotion_accuracy(np.array(null_seen), np.array(asked)),
    }
    named = np.array(seen) == np.array(asked)
    figures |= {f"emo_acc_{name}": float(named[np.array(asked) == k].mean()) for k, name in enumerate(EMOTIONS)}
    figures |= {name: float(np.mean(values)) for name, values in likeness.items()}
    figures |= {"border_hue_shift": float(np.mean(border)), "border_hue_shift_worst": float(np.max(border))}
    for name, embed in embeds.items():
        figures[name] = mean_fid(features[name], [embed(case.truth) for case in cases])
    return figures


def border_hue_shift(made: np.ndarray, real: np.ndarray) -> float:
    """How far (0-255) the colour of the crops' borders moved, brightness apart: the largest of red, green and blue.

    Videos (T, S, S, 3). A generator that paints the background of its training set into every picture moves it.
    """
    edge = np.ones(made.shape[1:3], bool)
    width = max(1, round(BORDER * made.shape[1]))
    edge[width:-width, width:-width] = False
    colours = [video[:, edge].astype(np.float64).mean((0, 1)) for video in (made, real)]
    shift = np.subtract(*colours)
    return float(np.abs(shift - shift.mean()).max())


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


def portrait_ms() -> float:
    """Milliseconds that the portrait renderer takes a frame of 512 pixels, in the same run."""
    from benchmarks.speed import drawn, speaking
    from benchmarks.voices import SAMPLE
    from vultus.audio.io import read_speech

    picture = open_portrait(next(iter(portraits(()).values())))
    performance = speaking(Controls.parse(), read_speech(SAMPLE).waveform[: 2 * SAMPLE_RATE])
    return sum(drawn(picture, performance)[1].values())


def overfit(clip: TalkingFace, net: NetConfig, steps: int, seed: int = 0) -> Iterator[tuple[int, float]]:
    """Learn one clip by the reconstruction loss alone, frames from others of it; steps done and PSNR, now and then.

    As `GeneratorStage` teaches, 5 frames a step; PSNR is that of the whole clip, in eval mode.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    generator = Generator(net)
    adam = torch.optim.Adam(generator.parameters(), OVERFIT_LR, TrainConfig.betas)
    fall = torch.optim.lr_scheduler.ExponentialLR(adam, OVERFIT_FALL ** (1 / steps))
    faces = torch.from_numpy(np.ascontiguousarray(clip.frames.transpose(0, 3, 1, 2))).float()[None] / 255
    mels = torch.from_numpy(clip.voices(0, len(clip.frames)))[None, :, None]
    feeling = torch.eye(len(EMOTIONS))[clip.emotion].expand(1, len(clip.frames), -1)
    for step in range(1, steps + 1):
        chosen, away = (rng.integers(len(clip.frames), size=WINDOW) for _ in range(2))
        generator.train()
        with torch.autocast("cpu", torch.bfloat16):
            made = generator(looked_at(faces[:, away]), mels[:, chosen], feeling[:, chosen])
        adam.zero_grad()
        torch.nn.functional.l1_loss(made.float(), faces[:, chosen]).backward()
        adam.step()
        fall.step()
        if step % OVERFIT_SHOWN == 0 or step == steps:
            generator.eval()
            with torch.inference_mode():
                made = generator(looked_at(faces.roll(len(clip.frames) // 2, 1)), mels, feeling)
            yield step, float(-10 * torch.log10(torch.mean((made - faces) ** 2)))


def held_out(data: Path, side: int, most: int, split: str = "test") -> list[Case]:
    """Test clips, or validation ones (asked for, or there are no others), spread over them. Raises InputError."""
    shelves = material(data, side, replace(PAPER.data, kept_clips=2))
    shelf = shelves.val if split == "val" or shelves.test is None else shelves.test
    chosen = np.unique(np.linspace(0, len(shelf) - 1, most).round()).astype(int).tolist()
    return [Case(shelf[number], *shelf.counterpart(number)) for number in chosen]


def of_actor(data: Path, side: int, actor: str) -> list[TalkingFace]:
    """All clips of an actor of the validation or test split. Raises InputError for one who is in neither."""
    shelves = material(data, side, replace(PAPER.data, kept_clips=1, val_actors=0))
    validated = shelves.val if shelves.val.clips != shelves.train.clips else None
    for shelf in (shelves.test, validated):
        if shelf is not None and actor in shelf.by_actor:
            return [shelf[number] for number in shelf.by_actor[actor]]
    raise InputError(f"no actor {actor} is held out", data, "choose another --actor")


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    wanted = {
        "score": ("weights", "data"),
        "sheet": ("weights", "data", "out"),
        "tsne": ("data", "judge", "out"),
        "overfit": ("data",),
        "speed": (),
    }
    for name, paths in wanted.items():
        command = commands.add_parser(name)
        for path in paths:
            command.add_argument(path, type=Path)
        command.add_argument("--json", type=Path)
        if name == "score":
            command.add_argument("--judge", type=Path)
        if name in ("score", "sheet"):
            command.add_argument("--clips", type=int, default=60 if name == "score" else 6)
            command.add_argument("--split", choices=("test", "val"), default="test")
        if name == "tsne":
            command.add_argument("--actor", default="1011")
        if name == "overfit":
            command.add_argument("--steps", type=int, default=850)
    return parser.parse_args()


def scored(chosen: argparse.Namespace) -> Figures:
    """`score` on files."""
    maker = load_maker(chosen.weights)
    judge, side = (house_judge(), maker.side) if chosen.judge is None else load_judge(chosen.judge)
    if side != maker.side:
        raise InputError(f"the judge looks at {side} pixels, not at {maker.side}", chosen.judge, "train another")
    return score(maker, held_out(chosen.data, side, chosen.clips, chosen.split), judge, embeds())


def timed() -> Figures:
    """`speed` of both sizes, and how many times the portrait renderer's frame a face takes."""
    found = {f"{name}_{key}": v for name, net in (("small", SMALL.net), ("paper", PAPER.net))
             for key, v in speed(net).items()}  # fmt: skip
    frame_ms = portrait_ms()
    ratios = {f"{key}_of_portrait": ms / frame_ms for key, ms in found.items() if key.endswith("_ms")}
    return found | {"portrait_frame_ms": frame_ms} | ratios


def main() -> None:
    """Print, and with --json write, the figures asked for."""
    chosen = arguments()
    figures: Figures = {}
    if chosen.command == "speed":
        figures = timed()
    elif chosen.command == "overfit":
        clip = held_out(chosen.data, PAPER.net.side, 1)[0].clip
        for step, decibels in overfit(clip, PAPER.net, chosen.steps):
            figures[f"psnr_db_after_{step}"] = decibels
            print(step, f"{decibels:.2f} dB", flush=True)
    elif chosen.command == "score":
        figures = scored(chosen)
    elif chosen.command == "sheet":
        maker = load_maker(chosen.weights)
        write_image(chosen.out, sheet(maker, held_out(chosen.data, maker.side, chosen.clips, chosen.split)))
    else:
        judge = load_classifier(chosen.judge)
        clips = of_actor(chosen.data, load_judge(chosen.judge)[1], chosen.actor)
        points, labels = embeddings(judge, clips), np.array([clip.emotion for clip in clips])
        picture, placed = plot(points, labels, min(10.0, len(clips) / 4))
        write_image(chosen.out, picture)
        figures = {"clips": float(len(clips)), "neighbours_agree": neighbours_agree(points, labels)}
        figures["neighbours_agree_in_plot"] = neighbours_agree(placed, labels)
    for name, value in figures.items():
        print(f"{name:<24} {value:.4g}")
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def write_image(path: Path, picture: np.ndarray) -> None:
    """An RGB picture as PNG."""
    Image.fromarray(picture).save(path)


if __name__ == "__main__":
    main()
