"""Fit the viseme table of `motion/visemes.py` to talking people, and print it.

    python tools/fit_visemes.py ../shared/data/real [--cross-validate]

Words of the known clips are recognised and aligned by pocketsphinx; apertures, widths and dominances then follow the
measured mouths by gradient descent on the correlation of `articulation`'s blend with them, drawn towards the table as
it stands. `--cross-validate` leaves speakers out (`benchmarks.lips.FOLDS`) and prints what the fit is worth on them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.lips import FOLDS
from vultus.audio.phones import SILENCE, PhoneStream
from vultus.core.types import SAMPLE_RATE, Phone
from vultus.methods.portrait.data import TalkClip, talk_clips
from vultus.methods.portrait.lessons import measured_mouth
from vultus.metrics.lips import RATE_HZ, SMOOTH_S
from vultus.motion import visemes
from vultus.motion.visemes import CLOSING, VISEMES

STEPS, RATE = 150, 0.03
TOWARDS_TABLE = 1.5
"""Weight of the squared changes: how much evidence it takes to move a figure."""
WIDTH = 0.7
"""Weight of the width's correlation beside the aperture's."""
PAD_S = 0.3
SHARPNESS = 20.0
"""Of the bend of the jaw at 0."""
PLACES = [(phone, part) for phone, parts in VISEMES.items() for part in range(len(parts))]
TABLE = torch.tensor([
    [v.aperture_z, v.width_z, v.dominance, v.lip_dominance] for parts in VISEMES.values() for v in parts
])  # fmt: skip


def aligned(waveform: np.ndarray) -> list[Phone]:
    """Phones of the words that are recognised in an English voice (n,), gaps filled with silence."""
    from pocketsphinx import Decoder

    padding = np.zeros(round(PAD_S * SAMPLE_RATE))
    padded = np.concatenate([padding, waveform, padding])
    pcm = (0.8 * padded / np.abs(padded).max() * 32767).astype(np.int16).tobytes()
    decoder: Any = Decoder(loglevel="FATAL")

    def decode() -> None:
        decoder.start_utt()
        decoder.process_raw(pcm, full_utt=True)
        decoder.end_utt()

    decode()
    words = [seg.word.split("(")[0] for seg in decoder.seg() if not seg.word.startswith(("<", "[", "+"))]
    decoder.set_align_text(" ".join(words))
    decode()
    decoder.set_alignment()
    decode()
    phones: list[Phone] = []
    for found in (phone for word in decoder.get_alignment() for phone in word):
        start_s = max(0.0, found.start / 100 - PAD_S)
        symbol = found.name if found.name in VISEMES else SILENCE
        phones.append(Phone(symbol, start_s, max(start_s, (found.start + found.duration) / 100 - PAD_S)))
    return phones


def phones_of(waveform: np.ndarray) -> list[Phone]:
    """Aligned phones, or freely recognised ones where the words do not align (pocketsphinx gives up on some clips)."""
    try:
        return aligned(waveform)
    except RuntimeError:
        stream = PhoneStream()
        return stream.push(waveform) + stream.finish()


@dataclass(frozen=True)
class Case:
    """One clip: influence of each viseme on each moment (T, V), contacts (T,), and the mouth (T, 2) where `seen`."""

    speaker: str
    which: Tensor
    influence: Tensor
    contact: Tensor
    mouth: Tensor
    seen: Tensor


def case_of(clip: TalkClip) -> Case:
    """What the fit sees of a clip."""
    count = int(clip.duration_s * RATE_HZ)
    time_s = np.arange(count) / RATE_HZ
    phones = [phone for phone in phones_of(clip.waveform) if phone.symbol in VISEMES]
    which, columns = [], []
    contact = np.zeros(count)
    for phone in phones:
        for part, (_, start_s, end_s) in enumerate(visemes._spans(phone)):
            which.append(PLACES.index((phone.symbol, part)))
            columns.append(visemes._influence(time_s, start_s, end_s))
        if phone.symbol in CLOSING:
            contact = np.maximum(contact, visemes._contact(time_s, phone))
    mouth, seen = measured_mouth(clip, count)
    as_tensor = (torch.tensor(values, dtype=torch.float32) for values in (np.stack(columns, 1), contact, mouth))
    return Case(clip.speaker, torch.tensor(which), *as_tensor, torch.tensor(seen))


def performed(case: Case, change: Tensor) -> Tensor:
    """Aperture and width (T, 2), up to scale, by the table with changes (V, 4); dominances change by a factor."""
    target = TABLE[:, :2] + change[:, :2]
    dominance = TABLE[:, 2:] * change[:, 2:].exp()
    blended = []
    rest = visemes._PARTED
    for column, parted in enumerate((rest.aperture_z, rest.width_z)):
        weight = case.influence * dominance[case.which, column]
        top = (weight * target[case.which, column]).sum(1) + parted * visemes._PARTED_WEIGHT
        blended.append(top / (weight.sum(1) + visemes._PARTED_WEIGHT))
    jaw = visemes._JAW + visemes._JAW_PER_SD * blended[0]
    gap = functional.softplus(SHARPNESS * jaw) / SHARPNESS * (1 - case.contact)
    return _smooth(torch.stack([gap, blended[1]], 1))


def _smooth(series: Tensor) -> Tensor:
    reach = torch.arange(-4.0, 5.0)
    kernel = torch.softmax(-0.5 * (reach / (SMOOTH_S * RATE_HZ)) ** 2, 0)
    padded = functional.pad(series.T[:, None], (4, 4), mode="replicate")
    return functional.conv1d(padded, kernel[None, None])[:, 0].T


def likeness(case: Case, change: Tensor) -> Tensor:
    """Correlations (2,) of aperture and width with the measured mouth."""
    pair = torch.stack([performed(case, change)[case.seen], case.mouth[case.seen]])
    pair = pair - pair.mean(1, keepdim=True)
    return (pair[0] * pair[1]).sum(0) / torch.sqrt(pair.square().sum(1).prod(0) + 1e-9)


def fitted(cases: list[Case]) -> Tensor:
    """Changes (V, 4) of the table that suit the cases best."""
    change = torch.zeros_like(TABLE, requires_grad=True)
    optimizer = torch.optim.Adam([change], RATE)
    for _ in range(STEPS):
        optimizer.zero_grad()
        found = torch.stack([likeness(case, change) for case in cases]).mean(0)
        loss = TOWARDS_TABLE * change.square().mean() - found[0] - WIDTH * found[1]
        loss.backward()
        optimizer.step()
    return change.detach()


def table(change: Tensor) -> Iterator[str]:
    """The fitted table as lines of code."""
    parts: dict[str, list[str]] = {}
    for (phone, part), moved in zip(PLACES, change.tolist(), strict=True):
        old = VISEMES[phone][part]
        scaled = [old.dominance * np.exp(moved[2]), old.lip_dominance * np.exp(moved[3])]
        figures = [round(float(v), 2) for v in (old.aperture_z + moved[0], old.width_z + moved[1], *scaled)]
        names = ("aperture_z", "width_z", "dominance", "lip_dominance")
        parts.setdefault(phone, []).append(str(replace(old, **dict(zip(names, figures, strict=True)))))
    yield from (f'"{phone}": ({", ".join(found)},),' for phone, found in parts.items())


def main() -> None:
    """Print the fit, or what it is worth on speakers left out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cross-validate", action="store_true")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    cases = [case_of(clip) for clip in talk_clips(chosen.data)]
    print("as it stands:", mean_likeness(cases, torch.zeros_like(TABLE)))
    if chosen.cross_validate:
        folds = [
            ([c for c in cases if c.speaker not in fold], [c for c in cases if c.speaker in fold]) for fold in FOLDS
        ]
        found = [likeness(case, change) for ours, theirs in folds for change in [fitted(ours)] for case in theirs]
        print("speakers left out:", torch.stack(found).mean(0).tolist())
    else:
        change = fitted(cases)
        print("fitted:", mean_likeness(cases, change))
        print("\n".join(table(change)))


def mean_likeness(cases: list[Case], change: Tensor) -> list[float]:
    """Mean correlations of aperture and width."""
    with torch.no_grad():
        return torch.stack([likeness(case, change) for case in cases]).mean(0).tolist()


if __name__ == "__main__":
    main()
