"""Tiny folders laid out as the data sets are. Readers look at names alone, so that empty files do."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vultus.face.metahuman import COUNT

CREMA_SENTENCES = ("DFA", "IEO", "TSI")


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def voxceleb2(root: Path, people: int = 10) -> None:
    for number in range(people):
        part = "dev" if number < 8 else "test"
        who = f"id{10000 + number}"
        touch(root, f"{part}/mp4/{who}/abcDEF123_-/00001.mp4", f"{part}/mp4/{who}/xyz/00002.mp4")
        touch(root, f"{part}/aac/{who}/xyz/00002.m4a")


def mead(
    root: Path, people: tuple[str, ...] = ("M003", "M005", "M007", "M009", "W009", "W011", "W014", "W015")
) -> None:
    for who in people:
        touch(root, f"{who}/video/front/neutral/level_1/001.mp4", f"{who}/audio/neutral/level_1/001.m4a")
        for level in (1, 2, 3):
            touch(root, f"{who}/video/front/happy/level_{level}/002.mp4", f"{who}/video/left_30/happy/level_1/002.mp4")


def crema_d(root: Path, actors: tuple[int, ...] = tuple(range(1001, 1041))) -> None:
    for actor in actors:
        for sentence in CREMA_SENTENCES:
            touch(root, f"VideoFlash/{actor}_{sentence}_ANG_XX.flv", f"AudioWAV/{actor}_{sentence}_ANG_XX.wav")
    touch(root, "VideoFlash/readme.txt", "VideoFlash/9999_XXX_ANG_XX.flv")


def lrs2(root: Path) -> None:
    touch(root, "main/111/00001.mp4", "main/111/00002.mp4", "main/222/00001.mp4", "main/333/00007.mp4")
    touch(root, "pretrain/111/00001.mp4", "pretrain/333/00001.mp4", "pretrain/444/00001.mp4")
    (root / "main/111/00001.txt").write_text("Text:  WHEN YOU'RE COOKING CHIPS AT HOME\nConf:  5\n")
    (root / "train.txt").write_text("111/00001\n111/00002\n111/00099\n")
    (root / "val.txt").write_text("222/00001\n")
    (root / "test.txt").write_text("333/00007 NF\n\n")


def hdtf(root: Path) -> None:
    touch(root, "RD/RD_Radio1_000.mp4", "RD/RD_Radio31_000.mp4", "notes.mp4", "WRA_JohnBoozman_001.mp4")
    touch(root, "WDA_BarbaraLee0_000.mp4", "WDA_BarbaraLee1_000.mp4", "WDA_KatieHill_000.mp4")


def emoface(root: Path, utterances: int = 40, split: bool = False) -> None:
    for number in range(utterances):
        emotion = ("angry", "disgusted", "fear", "happy", "neutral", "sad", "surprise", "neutral")[number % 8]
        folder = ("validation/" if number % 4 == 0 else "train/") if split else ""
        name = f"{emotion}_gd04_001_{number:03d}"
        touch(root, f"{folder}WAV/{name}.wav", f"{folder}VALID_CTR/{name}.txt")
    touch(root, "WAV/angry_gd04_009_001.wav" if not split else "train/WAV/angry_gd04_009_001.wav")  # without curves


def synthetic(root: Path, people: int = 10) -> None:
    for number in range(people):
        touch(root, f"p{number:03d}/000.mp4", f"p{number:03d}/000.npz")
        (root / f"p{number:03d}/000.json").write_text(
            f'{{"speaker": "p{number:03d}", "emotion": "happy", "level": 2, "text": "Hello."}}'
        )


def write_curves(path: Path, frames: int, columns: int = COUNT) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, np.random.default_rng(0).uniform(0, 1, (frames, columns)), fmt="%.6f", delimiter=",")
