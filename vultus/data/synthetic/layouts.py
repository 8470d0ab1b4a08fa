"""Where a synthetic clip's files go, and under which names: our own layout, and those of the real data sets.

In a foreign layout the labels lie apart, under `labels/`, where the data set's readers do not look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from vultus.core.errors import ControlError
from vultus.data.clips import Split
from vultus.data.readers import crema_d, hdtf, lrs2
from vultus.data.readers import synthetic as synthetic_reader
from vultus.data.readers.splits import split_by_share
from vultus.data.synthetic.plan import ClipPlan, LayoutName

LABELS = PurePosixPath("labels")


@dataclass(frozen=True)
class Places:
    """Paths of one clip under the set's folder; None for what the layout does not have."""

    speaker: str
    labels: PurePosixPath
    """Without suffix: .json and .npz are added."""
    video: PurePosixPath | None
    sound: PurePosixPath | None = None
    """The voice as a file of its own, .wav or .m4a."""
    silent: bool = False
    """Whether the video has no sound of its own."""
    text: PurePosixPath | None = None
    curves: PurePosixPath | None = None
    """Rig controls."""


@dataclass(frozen=True)
class Layout:
    """How one data set names its clips."""

    places: Callable[[ClipPlan], Places]
    emotions: tuple[str, ...] | None = None
    """The only ones it has; None for all."""
    english: bool = False
    fps: float | None = None
    """The only rate it has."""
    one_session: bool = False
    """Whether light, place, camera and clothes of a speaker are the same in all clips."""


def layout_of(name: LayoutName) -> Layout:
    """The layout of that name. Raises ControlError for an unknown one."""
    if name not in LAYOUTS:
        raise ControlError(f"there is no layout {name!r}", "--layout", f"choose {', '.join(LAYOUTS)}")
    return LAYOUTS[name]


def fitted(plans: Sequence[ClipPlan], name: LayoutName) -> list[ClipPlan]:
    """The plans with the texts that a layout prescribes. Raises ControlError where it has no room for them."""
    if name != "crema_d":
        return list(plans)
    said: Counter[tuple[int, str, int]] = Counter()
    spoken = []
    for plan in plans:
        case = (plan.person, plan.emotion, plan.level)
        if said[case] >= len(crema_d.SENTENCES):
            fix = f"choose at most {len(crema_d.SENTENCES)} for each emotion and level"
            raise ControlError("CREMA-D's actors say each sentence once", "--clips-per-person", fix)
        start = plan.person + _CREMA_D.index(plan.emotion) + plan.level
        text = list(crema_d.SENTENCES.values())[(start + said[case]) % len(crema_d.SENTENCES)]
        said[case] += 1
        spoken.append(replace(plan, text=text))
    return spoken


def split_lists(plans: Sequence[ClipPlan], layout: LayoutName) -> dict[str, str]:
    """Texts of the list files that a layout wants, by name: LRS2's, speakers apart."""
    if layout != "lrs2":
        return {}
    names: dict[Split, list[str]] = {"train": [], "val": [], "test": []}
    places = {plan: LAYOUTS[layout].places(plan) for plan in plans}
    split_of = split_by_share((place.speaker for place in places.values()), "lrs2", 0, synthetic_reader.SHARES)
    for place in places.values():
        assert place.video is not None
        names[split_of[place.speaker]].append("/".join(place.video.with_suffix("").parts[-2:]))
    return {lrs2.LISTS[split]: "".join(f"{name}\n" for name in listed) for split, listed in names.items()}


def _synthetic(plan: ClipPlan) -> Places:
    speaker = f"p{plan.person:04d}"
    stem = PurePosixPath(speaker, f"{plan.take:03d}_{plan.emotion}_{plan.level}")
    return Places(speaker, stem, stem.with_suffix(".mp4"))


def _mead(plan: ClipPlan) -> Places:
    speaker = f"{'W' if plan.feminine else 'M'}{plan.person + 1:03d}"
    inside = PurePosixPath(plan.emotion, f"level_{plan.level}", f"{plan.take + 1:03d}")
    video = PurePosixPath(speaker, "video", "front", inside).with_suffix(".mp4")
    sound = PurePosixPath(speaker, "audio", inside).with_suffix(".m4a")
    return Places(speaker, LABELS / speaker / inside, video, sound, silent=True)


def _crema_d(plan: ClipPlan) -> Places:
    codes = {"angry": "ANG", "disgusted": "DIS", "fear": "FEA", "happy": "HAP", "neutral": "NEU", "sad": "SAD"}
    speaker = str(1001 + plan.person)
    sentence = next(code for code, text in crema_d.SENTENCES.items() if text == plan.text)
    level = ("LO", "MD", "HI")[plan.level - 1] if plan.emotion != "neutral" else "XX"
    stem = f"{speaker}_{sentence}_{codes[plan.emotion]}_{level}"
    sound = PurePosixPath("AudioWAV", f"{stem}.wav")
    return Places(speaker, LABELS / stem, PurePosixPath("VideoFlash", f"{stem}.mp4"), sound)


def _voxceleb2(plan: ClipPlan) -> Places:
    speaker = f"id{10001 + plan.person:05d}"
    inside = PurePosixPath(speaker, f"synth{plan.take // 5:06d}", f"{plan.take % 5 + 1:05d}")
    base = PurePosixPath("dev")
    return Places(speaker, LABELS / inside, (base / "mp4" / inside).with_suffix(".mp4"),
                  (base / "aac" / inside).with_suffix(".m4a"))  # fmt: skip


def _lrs2(plan: ClipPlan) -> Places:
    programme = str(5535415699068794046 + plan.person)
    stem = PurePosixPath("main", programme, f"{plan.take + 1:05d}")
    return Places(programme, LABELS / stem, stem.with_suffix(".mp4"), text=stem.with_suffix(".txt"))


def _hdtf(plan: ClipPlan) -> Places:
    name = "".join(chr(ord("a") + int(digit)) for digit in f"{plan.person:04d}").capitalize()
    stem = f"WDA_Synthetic{name}_{plan.take:03d}"
    speaker = hdtf.speaker_of(stem)
    assert speaker is not None
    return Places(speaker, LABELS / stem, PurePosixPath(f"{stem}.mp4"))


def _emoface(plan: ClipPlan) -> Places:
    stem = f"{plan.emotion}_gd{plan.person + 1:02d}_{plan.level:03d}_{plan.take + 1:03d}"
    home = PurePosixPath("validation" if plan.take % 20 == 19 else "train")
    return Places("actor", LABELS / stem, None, home / "WAV" / f"{stem}.wav", curves=home / "VALID_CTR" / f"{stem}.txt")


_CREMA_D = ("neutral", "angry", "disgusted", "fear", "happy", "sad")
_EMOFACE = ("neutral", "angry", "disgusted", "fear", "happy", "sad", "surprised")
LAYOUTS: dict[LayoutName, Layout] = {
    "synthetic": Layout(_synthetic),
    "mead": Layout(_mead),
    "crema_d": Layout(_crema_d, _CREMA_D, english=True, one_session=True),
    "voxceleb2": Layout(_voxceleb2),
    "lrs2": Layout(_lrs2, english=True),
    "hdtf": Layout(_hdtf),
    "emoface": Layout(_emoface, _EMOFACE, fps=60.0),
}


def under(root: Path, place: PurePosixPath) -> Path:
    """A place as a path of this system, its folder made."""
    path = root.joinpath(*place.parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
