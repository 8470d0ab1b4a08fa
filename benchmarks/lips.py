"""How well the lips follow people: every known clip against its own voice, at lag 0 after its committed offset.

    python -m benchmarks.lips                          the lips that ship, and the baselines
    python -m benchmarks.lips --cross-validate RUN     trained without each speaker, from RUN's stage pretrain
    python -m benchmarks.lips --sounds [FILE ...]      unseen synthetic voices, silence, noise, music, speed

FILEs hold music, or anything else without a voice; their first 60 seconds are heard in tens.

RUN is the folder of a `vultus train portrait` run. Clips lie in ../shared/data/real, or where --data says. --json FILE
also writes the means.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from benchmarks.material import SHARED
from benchmarks.voices import SAMPLE
from vultus.audio.io import read_speech
from vultus.core.types import SAMPLE_RATE
from vultus.data.sounds import music
from vultus.data.spoken import held_out_voices, utterance
from vultus.face.mouth import performed_mouth
from vultus.methods.portrait.data import TalkClip, talk_clips
from vultus.methods.portrait.lessons import lesson_of_speech, measured_mouth
from vultus.metrics.lips import RATE_HZ, bootstrap_interval, closures, correlation, on_grid
from vultus.motion.energy import LoudnessStream
from vultus.motion.learned_lips import LearnedLips, LipWeights, shipped_lips
from vultus.motion.lips import LipMotion, PhoneLips
from vultus.perception.speech import SpeechEncoder, states_of

FOLDS = (
    {"Obama"}, {"andrew"}, {"feifeili"}, {"anchor_71s"}, {"WDA_KatieHill_000", "face_1", "face_2"},
    {"face_3", "00015", "00086"}, {"00373", "id_00010", "5176", "7312"}, {"7414", "6209"},
)  # fmt: skip
"""Speakers that are left out together."""
_NULL_STEP = 7
"""A clip is compared with the lips of the clip so many places on for the null; never the same speaker's."""

Mouths = dict[str, np.ndarray]
"""Clip name -> performed aperture and width (n, 2) on the comparison grid."""


@dataclass(frozen=True)
class Row:
    """One clip: correlations, share of closures made, and ratios of standard deviations."""

    aperture_r: float
    width_r: float
    closure_recall: float
    closure_chance: float
    aperture_sd_ratio: float
    width_sd_ratio: float
    null_r: float


def perform(lips: LipMotion, waveform: np.ndarray) -> np.ndarray:
    """Aperture and width (n, 2) on the comparison grid of the performance that lips give a voice (n,)."""
    expression = np.concatenate([lips.push(waveform), lips.finish()])
    return on_grid(performed_mouth(expression), lips.fps, len(waveform) * RATE_HZ // SAMPLE_RATE, 0.5 / lips.fps)


def loudness(waveform: np.ndarray) -> np.ndarray:
    """The voice's level on the comparison grid, for aperture and width."""
    level = LoudnessStream().push(waveform)
    return np.repeat(on_grid(level[:, None], 100, len(level) // 2, 0.005), 2, axis=1)


def score(clips: list[TalkClip], mouths: Mouths) -> dict[str, Row]:
    """Figures of every clip."""
    rows = {}
    for place, clip in enumerate(clips):
        count = min(len(mouths[clip.name]), int(clip.duration_s * RATE_HZ))
        measured, seen = measured_mouth(clip, count)
        measured, made = measured[seen], mouths[clip.name][:count][seen]
        found = closures(made[:, 0], measured[:, 0])
        others = [other for other in clips if other.speaker != clip.speaker]
        swapped = np.resize(mouths[others[(place + _NULL_STEP) % len(others)].name], (count, 2))[seen]
        ratio = made.std(0) / measured.std(0)
        rows[clip.name] = Row(
            correlation(made[:, 0], measured[:, 0]),
            correlation(made[:, 1], measured[:, 1]),
            found.recall,
            found.chance,
            float(ratio[0]),
            float(ratio[1]),
            correlation(swapped[:, 0], measured[:, 0]),
        )
    return rows


def summary(rows: Mapping[str, Row]) -> dict[str, tuple[float, float, float]]:
    """Mean over clips of every figure and its 95 % interval."""
    table = {f.name: np.array([getattr(row, f.name) for row in rows.values()]) for f in fields(Row)}
    return {name: (float(np.nanmean(values)), *bootstrap_interval(values)) for name, values in table.items()}


def show(title: str, rows: Mapping[str, Row], each: bool) -> None:
    """Print a table."""
    print(f"\n{title}\n{'':28s}" + "".join(f"{f.name.replace('closure', 'clos.'):>18s}" for f in fields(Row)))
    for name, row in rows.items() if each else ():
        print(f"{name:28s}" + "".join(f"{value:18.2f}" for value in asdict(row).values()))
    cells = "".join(f"{f'{m:.2f} ({a:.2f}-{b:.2f})':>18s}" for m, a, b in summary(rows).values())
    print(f"{'mean (95 % interval)':28s}{cells}", flush=True)


def cross_validated(run: Path, data: Path, clips: list[TalkClip]) -> dict[str, Mouths]:
    """Lips of every clip from weights that never heard its speaker, and from synthetic speech alone; live, and not."""
    import torch

    from vultus.methods.portrait.config import TRAINING
    from vultus.methods.portrait.train import Material

    torch.set_num_threads(1)
    config = TRAINING["small"]
    material = Material(config, data)
    tables: dict[str, Mouths] = {}

    def take(title: str, weights: LipWeights, heard: list[TalkClip]) -> None:
        for live in (False, True):
            mouths = {clip.name: perform(LearnedLips(RATE_HZ, weights, live), clip.waveform) for clip in heard}
            tables.setdefault(f"{title}, live" if live else title, {}).update(mouths)

    for fold in FOLDS:
        weights = _finetuned(run, material.without(frozenset(fold)))
        take("speaker-disjoint cross-validation", weights, [clip for clip in clips if clip.speaker in fold])
    take("synthetic speech only (zero-shot)", _weights(run / "pretrain"), clips)
    return tables


def _finetuned(run: Path, material: object) -> LipWeights:
    """The network after the stage finetune on some material, from a run's stage pretrain."""
    from vultus.methods.portrait.config import TRAINING
    from vultus.methods.portrait.train import Material, stages
    from vultus.training.loop import LoopConfig, train

    assert isinstance(material, Material)
    config = TRAINING["small"]
    with tempfile.TemporaryDirectory(prefix="vultus-lips-") as folder:
        for name in ("config.yaml", "loop.yaml"):
            shutil.copy(run / name, folder)
        shutil.copytree(run / "pretrain", Path(folder) / "pretrain")
        loop = LoopConfig(**_yaml(run / "loop.yaml"))
        train(lambda: stages(config, material), config, folder, loop, resume=True)
        return _weights(Path(folder) / "finetune")


def _yaml(path: Path) -> dict:
    import yaml

    return yaml.safe_load(path.read_text("utf-8"))


def _weights(stage: Path) -> LipWeights:
    """What a stage's last checkpoint holds, as the lips run it."""
    from vultus.core.weights import Card
    from vultus.methods.portrait.config import TRAINING
    from vultus.methods.portrait.train import trained_net

    net = trained_net(TRAINING["small"], stage)
    tensors = {name: tensor.numpy() for name, tensor in net.exported().items()}
    return LipWeights(tensors, net.config, Card("lips", "unsaved", "0", {}, "", ""))


def phone_accuracy(weights: LipWeights, far: bool) -> Iterator[tuple[str, float]]:
    """Share of 20 ms frames whose phone is recognised, for voices that were never heard in training."""
    for what, names in held_out_voices().items():
        rng = np.random.default_rng(1)
        right = total = 0
        for name in names * max(1, 12 // len(names)):
            speech = utterance(name, rng, varied=False)
            phones = lesson_of_speech(speech).phones
            states = states_of(SpeechEncoder(weights.tensors, weights.config, far), speech.waveform)
            assert phones is not None and states.posteriors is not None
            right += int((states.posteriors[: len(phones)].argmax(1) == phones).sum())
            total += len(phones)
        yield what, right / total


def openness(weights: LipWeights, files: list[Path], live: bool) -> Iterator[tuple[str, float, float, float]]:
    """Of 10 s of what is no voice: aperture, median and largest, over the median while speaking; share above 15 %."""
    rng = np.random.default_rng(5)
    speaking = np.median(perform(LearnedLips(RATE_HZ, weights, live), read_speech(SAMPLE).waveform)[:, 0])
    sounds: dict[str, Callable[[], np.ndarray]] = {
        "silence": lambda: np.zeros(10 * SAMPLE_RATE, np.float32),
        "white noise": lambda: (0.1 * rng.standard_normal(10 * SAMPLE_RATE)).astype(np.float32),
        **{f"music {k + 1}": lambda: music(10.0, rng) for k in range(6)},
    }
    for file in files:
        waveform = read_speech(file).waveform[: 60 * SAMPLE_RATE]
        for k, piece in enumerate(np.split(waveform, range(10 * SAMPLE_RATE, len(waveform), 10 * SAMPLE_RATE))):
            sounds[f"{file.stem}, {10 * k} s"] = lambda piece=piece: piece
    for what, make in sounds.items():
        aperture = perform(LearnedLips(RATE_HZ, weights, live), make())[:, 0] / speaking
        yield what, float(np.median(aperture)), float(aperture.max()), float((aperture > 0.15).mean())


def speed(weights: LipWeights) -> float:
    """Seconds of voice turned into lips in one second of one core."""
    voice = np.tile(read_speech(SAMPLE).waveform, 20)
    start_s = time.process_time()
    lips = LearnedLips(25, weights)
    lips.push(voice)
    lips.finish()
    return len(voice) / SAMPLE_RATE / (time.process_time() - start_s)


def _report_sounds(weights: LipWeights, files: list[Path]) -> None:
    for live in (False, True):
        print("live lips" if live else "lips of files")
        for what, accuracy in phone_accuracy(weights, far=not live):
            print(f"  phone accuracy, {what}: {accuracy:.1%}")
        print("  aperture over its median while speaking:")
        for what, median, largest, share in openness(weights, files, live):
            print(f"    {what}: median {median:.1%}, largest {largest:.1%}, above 15 % in {share:.1%} of the time")
    print(f"{speed(weights):.0f} s of voice a CPU second (set OMP_NUM_THREADS=1)", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--cross-validate", type=Path, metavar="RUN")
    parser.add_argument("--sounds", nargs="*", type=Path, metavar="FILE")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    weights = shipped_lips()
    if chosen.sounds is not None and weights is not None:
        _report_sounds(weights, chosen.sounds)
        return
    clips = list(talk_clips(chosen.data))
    rows: dict[str, dict[str, Row]] = {}
    if chosen.cross_validate is not None:
        tables = cross_validated(chosen.cross_validate, chosen.data, clips)
        rows |= {title: score(clips, mouths) for title, mouths in tables.items()}
    elif weights is not None:
        shipped = {clip.name: perform(LearnedLips(RATE_HZ, weights), clip.waveform) for clip in clips}
        rows["as shipped, which learned from these clips"] = score(clips, shipped)
    rows["recognised phones and viseme table"] = score(
        clips, {clip.name: perform(PhoneLips(RATE_HZ), clip.waveform) for clip in clips}
    )
    rows["loudness"] = score(clips, {clip.name: loudness(clip.waveform) for clip in clips})
    for place, (title, found) in enumerate(rows.items()):
        show(title, found, each=place == 0)
    if chosen.json is not None:
        means = {title: {k: round(v[0], 3) for k, v in summary(found).items()} for title, found in rows.items()}
        chosen.json.write_text(json.dumps(means, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
