"""EmoFace in figures: errors, lips, emotions, ablations, speed, length.

    python -m benchmarks.emoface held-out clips speed length     the weights that ship
    python -m benchmarks.emoface ablations --speech-s 400 --rounds 6     table 4, trained here (minutes)
    python -m benchmarks.emoface decoder                         the transformer encoder against the decoder
    python -m benchmarks.emoface utterance figures sheet --out FOLDER

The last: the real utterance of ../shared/data/real/emoface, figures 7 and 8 of synthetic curves, and all emotions on
the head. Set OMP_NUM_THREADS=1. --json FILE also writes the figures.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.lips import score, summary
from benchmarks.material import SHARED
from benchmarks.voices import SAMPLE
from vultus.audio.io import read_speech
from vultus.core.bases import index_of
from vultus.core.controls import Controls
from vultus.core.types import SAMPLE_RATE, Performance
from vultus.face.mouth import performed_mouth
from vultus.face.rig_map import arkit_of
from vultus.methods.emoface.config import ABLATIONS, EMOTIONS, FPS, PAPER, SMALL, EmoFaceConfig, ablated
from vultus.methods.emoface.data import DataConfig, Ear, Material, Utterance, synthetic
from vultus.methods.emoface.infer import EmoFaceDriver, RigWeights, shipped_rig
from vultus.methods.emoface.windows import FILE, LIVE, WindowedCurves, Windows
from vultus.methods.portrait.data import talk_clips
from vultus.metrics.lips import RATE_HZ, correlation, on_grid
from vultus.motion.smoothing import smooth

Figures = dict[str, float]
PAPER_TABLE_4 = {
    "EmoFace": (0.04024, 0.03697, 0.05698),
    "wo weight initialize": (0.04706, 0.04641, 0.05826),
    "fc decoder": (0.04166, 0.03897, 0.05703),
    "lstm decoder": (0.04128, 0.03862, 0.05631),
    "wo positional encoding": (0.04043, 0.03743, 0.05648),
}
"""Full face, mouth area, eye area."""
QUIET = Controls.parse(pose="still", blink="none", gaze="still")
SHEET_PX = 200
OTHER_SEED = 77
"""Of the acting that the classifier of emotions learns from."""


def predicted(rig: RigWeights, utterance: Utterance) -> np.ndarray:
    """Smoothed curves (T, 174) of an utterance, window by window as the driver makes them, without blinks and gaze."""
    assert utterance.states is not None
    windowed = WindowedCurves(rig.curves, FILE)
    head = windowed.push(utterance.states, utterance.emotion)
    parts = [part for part in (head, windowed.finish()) if len(part)]
    return smooth(np.concatenate(parts))


def errors(made: Sequence[np.ndarray], utterances: Sequence[Utterance]) -> tuple[float, float, float]:
    """Mean absolute errors, full face, mouth and eyes, meaned over utterances."""
    from vultus.methods.emoface.train import mean_absolute_errors

    rows = [list(mean_absolute_errors(m, u.controls).values()) for m, u in zip(made, utterances, strict=True)]
    full, mouth, eye = np.mean(rows, 0)
    return float(full), float(mouth), float(eye)


def apertures(controls: np.ndarray) -> np.ndarray:
    """Aperture and width (T, 2) of the lips that controls make."""
    return performed_mouth(arkit_of(controls)[0])


def held_out(rig: RigWeights) -> Figures:
    """Unseen synthetic voices and sentences, seven labels in turn."""
    ear = Ear(rig.config)
    unseen = list(synthetic(SMALL.data, True, ear))
    taught = list(synthetic(replace(SMALL.data, speech_s=300.0), False, ear))
    made = [predicted(rig, utterance) for utterance in unseen]
    mean = np.concatenate([u.controls for u in taught]).mean(0)
    own = {label: np.concatenate([u.controls for u in unseen if u.emotion[0, label]]).mean(0) for label in range(7)}
    rows = {
        "model": errors(made, unseen),
        "mean curve": errors([mean[None]] * len(unseen), unseen),
        "mean of the label": errors([own[int(u.emotion[0].argmax())][None] for u in unseen], unseen),
        "zeros": errors([np.zeros((1, 174))] * len(unseen), unseen),
    }
    for name, row in rows.items():
        print(f"  MAE, {name:18s} full {row[0]:.4f}   mouth {row[1]:.4f}   eye {row[2]:.4f}")
    lips = [lip_correlations(m, u.controls) for m, u in zip(made, unseen, strict=True)]
    aperture, width = np.mean(lips, 0)
    return {
        "mae": rows["model"][0],
        "mae_mouth": rows["model"][1],
        "mae_eye": rows["model"][2],
        "below_mean_curve": 1 - rows["model"][0] / rows["mean curve"][0],
        "below_mean_of_label": 1 - rows["model"][0] / rows["mean of the label"][0],
        "aperture_r": float(aperture),
        "width_r": float(width),
        "emotions_recognised": recognised(made, unseen),
    }


def lip_correlations(made: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Of aperture and of width, both smoothed alike, at 50 Hz."""
    count = len(truth) * RATE_HZ // int(FPS)
    a, b = (on_grid(apertures(c), FPS, count, 0.5 / FPS) for c in (made, truth))
    return correlation(a[:, 0], b[:, 0]), correlation(a[:, 1], b[:, 1])


def recognised(made: Sequence[np.ndarray], utterances: Sequence[Utterance]) -> float:
    """Share of utterances whose label is found in their curves by a classifier that has seen acted curves only.

    Linear discriminants on the mean curve of an utterance, taught by other held-out voices' true curves, other seeds.
    """
    other = list(synthetic(DataConfig("synthetic", held_out=140, seed=OTHER_SEED), True, None))
    features = np.stack([u.controls.mean(0) for u in other])
    labels = np.array([u.emotion[0].argmax() for u in other])
    means = np.stack([features[labels == label].mean(0) for label in range(len(EMOTIONS))])
    within = np.cov((features - means[labels]).T) + 1e-3 * np.eye(features.shape[1])
    turned = np.linalg.solve(within, means.T)  # (174, 7)
    offset = 0.5 * (means * turned.T).sum(1)
    guesses = np.stack([m.mean(0) for m in made]) @ turned - offset
    truth = np.array([u.emotion[0].argmax() for u in utterances])
    return float((guesses.argmax(1) == truth).mean())


def perform(waveform: np.ndarray, controls: Controls, windows: Windows = FILE) -> Performance:
    """All frames of a voice that arrives in half seconds."""
    driver = EmoFaceDriver(controls, FPS, windows=windows)
    pieces = [driver.push(waveform[at : at + 8000]) for at in range(0, len(waveform), 8000)]
    return Performance.concatenate([piece for piece in (*pieces, driver.finish()) if piece is not None])


def clips(data: Path) -> Figures:
    """Lips of real people against the neutral performance of their voices, as `benchmarks.lips` scores."""
    known = list(talk_clips(data))
    mouths = {}
    for clip in known:
        expression = perform(clip.waveform, QUIET).expression
        assert expression is not None
        count = len(clip.waveform) * RATE_HZ // SAMPLE_RATE
        mouths[clip.name] = on_grid(performed_mouth(expression), FPS, count, 0.5 / FPS)
    return {name: values[0] for name, values in summary(score(known, mouths)).items()}


def speed() -> Figures:
    """Seconds of voice performed in one second of one core, whole driver, windows for files and live."""
    voice = np.tile(read_speech(SAMPLE).waveform, 12)[: 60 * SAMPLE_RATE]
    found = {}
    for name, windows, piece in (("file", FILE, voice), ("live", LIVE, voice[: 20 * SAMPLE_RATE])):
        perform(piece[:SAMPLE_RATE], QUIET, windows)
        started_s = time.process_time()
        perform(piece, Controls(), windows)
        found[f"{name}_times_real_time"] = len(piece) / SAMPLE_RATE / (time.process_time() - started_s)
    return found


def length() -> Figures:
    """Ten minutes of a voice: frames, memory after two minutes and at the end, and whether the jaw moves throughout."""
    voice = read_speech(SAMPLE).waveform
    minutes = np.tile(voice, int(np.ceil(600 * SAMPLE_RATE / len(voice))))[: 600 * SAMPLE_RATE]
    driver = EmoFaceDriver(Controls(), FPS)
    frames, peaks_mb, stillest = 0, [], np.inf
    for second in range(601):
        piece = driver.push(minutes[second * SAMPLE_RATE :][:SAMPLE_RATE]) if second < 600 else driver.finish()
        if piece is not None and piece.controls is not None:
            frames += len(piece)
            if len(piece) > 60:
                stillest = min(stillest, float(piece.controls[:, 4].std()))
        if second in (120, 600):
            peaks_mb.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return {
        "frames": frames,
        "frames_expected": 600 * FPS,
        "peak_mb_after_2_min": peaks_mb[0],
        "peak_mb_after_10_min": peaks_mb[1],
        "least_jaw_sd_of_a_piece": stillest,
    }


def decoder() -> Figures:
    """Encoder against autoregressive decoder, curves from states, one thread; the paper: 254 ms and 811 ms on a CPU."""
    import torch

    from vultus.methods.emoface.model import EmoFaceNet

    torch.set_num_threads(1)
    found = {}
    for name, config, seconds in (("small", SMALL, 2), ("paper", PAPER, 0.5)):
        frames = round(seconds * FPS)
        states, emotion = torch.randn(1, frames, config.net.states), torch.eye(7)[:1].expand(1, frames, 7)
        for kind in ("encoder", "decoder"):
            net = EmoFaceNet(replace(config.net, decoder=kind)).eval()
            with torch.no_grad():
                net(states[:, :4], emotion[:, :4])
                started_s = time.process_time()
                net(states, emotion)
            found[f"{name}_{kind}_ms"] = 1000 * (time.process_time() - started_s)
        found[f"{name}_ratio"] = found[f"{name}_decoder_ms"] / found[f"{name}_encoder_ms"]
    return found


def ablations(speech_s: float, rounds: int) -> Figures:
    """Table 4 on synthetic speech: every row trained alike, errors on held-out voices; signs against the paper's."""
    import torch

    torch.set_num_threads(1)
    config = replace(
        SMALL,
        data=replace(SMALL.data, speech_s=speech_s, held_out=35),
        train=replace(SMALL.train, rounds=rounds),
    )
    made: dict[str, Material] = {}
    table: dict[str, tuple[float, ...]] = {}
    for row in ABLATIONS:
        chosen = ablated(config, row)
        ear = f"initialised: {chosen.net.initialised}"
        if ear not in made:
            made[ear] = _material(chosen)
        table[row] = tuple(_trained(chosen, made[ear]).values())
        change = np.array(table[row]) - table["EmoFace"]
        paper = np.array(PAPER_TABLE_4[row]) - PAPER_TABLE_4["EmoFace"]
        same = " ".join("same" if a * b >= 0 else "other" for a, b in zip(change, paper, strict=True))
        print(f"  {row:24s}" + "".join(f"{value:9.5f}" for value in table[row]) + f"   sign: {same}", flush=True)
    return {
        f"{row}: {area}": v for row, vs in table.items() for area, v in zip(("full", "mouth", "eye"), vs, strict=True)
    }


def _material(config: EmoFaceConfig) -> Material:
    ear = Ear(config.net)
    return Material(list(synthetic(config.data, False, ear)), list(synthetic(config.data, True, ear)))


def _trained(config: EmoFaceConfig, learned_from: Material) -> Mapping[str, float]:
    from vultus.methods.emoface.train import stages
    from vultus.training.loop import LoopConfig, train

    loop = LoopConfig(accelerator="cpu", validate_every=10**6, save_every=10**6)
    with tempfile.TemporaryDirectory(prefix="vultus-emoface-") as folder:
        return train(lambda: stages(config, Path(), learned_from), config, folder, loop)["curves"]


def utterance(data: Path, out: Path | None) -> Figures:
    """The real angry utterance: curves for the whole sound, and the actor's lips as tracked in his video."""
    from vultus.animate import track
    from vultus.face.exports import write_export

    waveform = read_speech(data / "emoface" / "angry_gd04_001_021.wav").waveform
    made = perform(waveform, Controls.parse(emotion="angry"))
    assert made.controls is not None
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_export(made, out / "utterance.csv", "metahuman")
    assert made.expression is not None
    actor = track(data / "emoface" / "angry_gd04_001_021_actor.mov").expression
    assert actor is not None
    count, column = min(len(made), len(actor)), index_of("jawOpen")
    jaw, seen = made.controls[:count, 4], actor[:count, column]
    ours, theirs = (performed_mouth(e[:count]) for e in (made.expression, actor))
    return {
        "jaw_r": correlation(jaw, seen),
        "aperture_r": correlation(ours[:, 0], theirs[:, 0]),
        "width_r": correlation(ours[:, 1], theirs[:, 1]),
        "tracked_jaw_sd": float(seen.std()),
        "seconds_of_sound": len(waveform) / SAMPLE_RATE,
        "frames": len(made),
        "controls": made.controls.shape[1],
        "mean_absolute_control": float(np.abs(made.controls).mean()),
        "jaw_mean": float(jaw.mean()),
        "jaw_sd": float(jaw.std()),
    }


def figures(out: Path) -> Figures:
    """Figure 7 (which sounds are spoken) and figure 8 (left against right controls), of synthetic utterances."""
    from PIL import Image

    from vultus.compare.charts import Series, chart
    from vultus.face.metahuman import PAIRS

    spoken = list(synthetic(replace(SMALL.data, speech_s=200.0), False, None))
    curves = np.concatenate([u.controls for u in spoken])
    left, right = (curves[:, [pair[side] for pair in PAIRS]] for side in (0, 1))
    moving = (left.std(0) > 1e-3) & (right.std(0) > 1e-3)
    both = np.corrcoef(np.concatenate([left[:, moving], right[:, moving]], 1).T)
    heat = np.uint8(np.clip(255 * np.stack([both, 1 - abs(both), -both], -1), 0, 255))
    out.mkdir(parents=True, exist_ok=True)
    Image.fromarray(heat).resize((4 * len(heat),) * 2, 0).save(out / "figure_8.png")
    counts = sound_counts()
    bars = Series("sounds", np.arange(len(counts)), np.array(list(counts.values()), float), "bars")
    picture = chart([bars], "Sounds of the synthetic speech, by frequency", " ".join(counts))
    Image.fromarray(picture).save(out / "figure_7.png")
    own = np.diag(both[: moving.sum(), moving.sum() :])
    return {
        "pairs_that_move": float(moving.sum()),
        "mean_correlation_of_pairs": float(own.mean()),
        "sounds": len(counts),
    }


def sheet(out: Path) -> Figures:
    """Seven emotions at level 2, one at levels 1 and 3, and a mix: five frames of the sample voice each."""
    from PIL import Image

    from vultus.rendering.head_preview import HeadPreview

    voice = read_speech(SAMPLE, end_s=4.0).waveform
    rows = []
    for emotion in (*EMOTIONS, "angry@1", "angry@3", "happy:0.5,surprised:0.5"):
        made = perform(voice, Controls.parse(emotion=emotion, pose="still", blink="none", gaze="still"))
        moments = [made[k : k + 1] for k in np.linspace(50, len(made) - 20, 5).astype(int)]
        rows.append(np.concatenate([image.copy() for image in HeadPreview(FPS, SHEET_PX).play(moments)], 1))
    out.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(rows)).save(out / "sheet.png")
    return {"rows": len(rows)}


def sound_counts() -> dict[str, int]:
    """How often each sound is spoken in synthetic speech, the most frequent first."""
    from collections import Counter

    from vultus.data.spoken import training_speech

    counts = Counter(phone.symbol for speech in training_speech(200.0, 0) for phone in speech.phones or ())
    del counts["SIL"]
    return dict(counts.most_common())


def parts(chosen: argparse.Namespace) -> Iterator[tuple[str, Figures]]:
    """The figures that were asked for, one after the other."""
    calls: dict[str, Callable[[], Figures]] = {
        "held-out": lambda: held_out(shipped_rig()),
        "clips": lambda: clips(chosen.data),
        "speed": speed,
        "length": length,
        "decoder": decoder,
        "ablations": lambda: ablations(chosen.speech_s, chosen.rounds),
        "utterance": lambda: utterance(chosen.data, chosen.out),
        "figures": lambda: figures(chosen.out or Path("emoface-figures")),
        "sheet": lambda: sheet(chosen.out or Path("emoface-figures")),
    }
    for name in chosen.parts:
        print(name, flush=True)
        yield name, calls[name]()


def main() -> None:
    """Print what was asked for."""
    names = ("held-out", "clips", "speed", "length", "decoder", "ablations", "utterance", "figures", "sheet")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=names)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--speech-s", type=float, default=400.0)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    found = {}
    for name, numbers in parts(chosen):
        found[name] = {key: round(value, 5) for key, value in numbers.items()}
        for key, value in found[name].items():
            print(f"  {key:32s} {value:g}", flush=True)
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
