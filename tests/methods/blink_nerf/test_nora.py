"""The person who comes with vultus: found by name, speaks the sample, opens her mouth to it and shuts her eyes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import vultus
from vultus import animate
from vultus.cli import run
from vultus.cli.methods import methods
from vultus.core import weights
from vultus.core.weights import read_card
from vultus.face import mediapipe_graphs
from vultus.face.landmarks import process_mesh
from vultus.face.points import eye_aspect_ratio
from vultus.methods.blink_nerf import shipped_people
from vultus.video.provenance import is_marked
from vultus.video.read import open_video

pytest.importorskip("torch", reason="torch is not installed")

VOICE = Path(vultus.__file__).parent / "assets" / "sample_speech.flac"
FPS, SECONDS, BLINK_S = 25.0, 1.2, 0.6
INNER_LIPS = (13, 14)


def seen_points(video: Path) -> np.ndarray:
    """FaceMesh's points (T, 478, 3) of a small video, each picture enlarged."""
    graph = mediapipe_graphs.face_mesh(stream=False, min_detection=0.2)
    found = [
        process_mesh(graph, cv2.resize(picture, (384, 384), interpolation=cv2.INTER_CUBIC))[0]
        for picture in open_video(video).frames()
    ]
    graph.close()
    return np.stack(found)


def test_her_weights_are_small_and_say_where_they_come_from():
    folder = shipped_people()["nora"]
    card = read_card(folder)
    assert folder.name == card.name and card.licence == "Apache-2.0"
    assert "synthesize" in card.training_data and "held out" in card.training_data
    assert sum(file.stat().st_size for file in folder.iterdir()) < 8e6


def test_she_is_listed(capsys):
    assert methods() == 0
    assert "vultus speak nora --method blink_nerf" in capsys.readouterr().out


def test_without_her_method_she_says_which_it_is(tmp_path, capsys):
    assert run(["speak", "nora", "--voice", str(VOICE), "-o", str(tmp_path / "nora.mp4")]) == 2
    assert "add --method blink_nerf" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_without_torch_one_sentence_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(weights, "find_spec", {}.get)
    out = tmp_path / "nora.mp4"
    assert run(["speak", "nora", "--voice", str(VOICE), "-o", str(out), "--method", "blink_nerf"]) == 2
    assert "torch is not installed" in capsys.readouterr().err and not out.exists()


def test_she_speaks_and_blinks(tmp_path):
    video = animate.speak(
        "nora", VOICE, tmp_path / "nora.mp4", method="blink_nerf", end_s=SECONDS, fps=FPS, pose="still",
        blink=str(BLINK_S),
    )  # fmt: skip
    assert is_marked(video)
    points = seen_points(video)
    assert len(points) == SECONDS * FPS
    eyes = eye_aspect_ratio(points).mean(1)
    shut = round(BLINK_S * FPS)
    assert eyes[shut - 3 : shut + 6].min() < 0.6 * np.median(eyes)
    eye_corners = np.linalg.norm(points[:, 33, :2] - points[:, 263, :2], axis=1)
    gap = np.linalg.norm(points[:, INNER_LIPS[0], :2] - points[:, INNER_LIPS[1], :2], axis=1) / eye_corners
    assert gap.max() > 0.06 and gap.min() < 0.03
