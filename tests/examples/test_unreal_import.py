"""The script that users run inside Unreal, against a stand-in for the editor's `unreal` module."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vultus.core.types import Performance
from vultus.face.exports import write_export
from vultus.face.metahuman import index_of

SCRIPT = Path(__file__).parents[2] / "examples" / "unreal_import.py"


@pytest.fixture
def script() -> Any:
    spec = importlib.util.spec_from_file_location("unreal_import", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A level sequence with a body rig and a newer face board; what is keyed lands in `keys`."""
    keys: dict[str, tuple[list[int], list[Any]]] = {}
    names = ["CTRL_C_jaw", "CTRL_L_eye_blink", "CTRL_C_tongue_move", "CTRL_C_mouth"]

    def rig(controls: list[str]) -> SimpleNamespace:
        listed = [SimpleNamespace(name=name) for name in controls]
        board = SimpleNamespace(get_hierarchy=lambda: SimpleNamespace(get_controls=lambda: listed))
        return SimpleNamespace(control_rig=board)

    def key(sequence: Any, board: Any, name: str, frames: list[int], values: list[Any]) -> None:
        keys[name] = (frames, values)

    facts: dict[str, Any] = {"log": [], "warnings": []}
    sequence = SimpleNamespace(
        set_display_rate=lambda rate: facts.update(rate=rate),
        set_playback_start=lambda frame: facts.update(start=frame),
        set_playback_end=lambda frame: facts.update(end=frame),
    )
    module = SimpleNamespace(
        LevelSequenceEditorBlueprintLibrary=SimpleNamespace(get_current_level_sequence=lambda: sequence),
        ControlRigSequencerLibrary=SimpleNamespace(
            get_control_rigs=lambda _: [rig(["hand"]), rig(names)],
            set_local_control_rig_floats=key,
            set_local_control_rig_vector2_ds=key,
        ),
        FrameRate=lambda numerator, denominator: (numerator, denominator),
        FrameNumber=int,
        Vector2D=lambda x, y: (x, y),
        log=facts["log"].append,
        log_warning=facts["warnings"].append,
        facts=facts,
        keys=keys,
    )
    monkeypatch.setitem(sys.modules, "unreal", module)
    return module


def curves(folder: Path) -> Path:
    controls = np.zeros((4, 174), np.float32)
    controls[:, index_of("jaw")] = (0, 0.25, 0.5, 0.25)
    controls[:, index_of("jaw.x")] = -0.125
    controls[:, index_of("eye_blink", "left")] = (0, 1, 0, 0)
    controls[:, index_of("tongue.y")] = 0.5
    controls[:, index_of("nose.y", "left")] = 0.75
    return write_export(Performance(fps=60, valid=np.ones(4, bool), controls=controls), folder / "c.csv", "metahuman")


def test_controls_that_move_are_keyed_on_every_frame(script: Any, editor: Any, tmp_path: Path) -> None:
    script.import_curves(curves(tmp_path), start_frame=10)
    assert editor.keys["CTRL_L_eye_blink"] == ([10, 11, 12, 13], [0, 1, 0, 0])
    assert editor.keys["CTRL_C_jaw"][1] == [(-0.125, 0), (-0.125, 0.25), (-0.125, 0.5), (-0.125, 0.25)]
    assert editor.keys["CTRL_C_tongue_move"][1] == [(0, 0.5)] * 4  # a newer name
    assert set(editor.keys) == {"CTRL_L_eye_blink", "CTRL_C_jaw", "CTRL_C_tongue_move"}  # the mouth rests
    assert (editor.facts["rate"], editor.facts["start"], editor.facts["end"]) == ((60_000, 1000), 10, 14)
    assert "3 controls keyed on 4 frames at 60 fps" in editor.facts["log"][0]
    assert "CTRL_L_nose" in editor.facts["warnings"][0]


def test_what_is_missing_is_said(script: Any, editor: Any, tmp_path: Path) -> None:
    other = tmp_path / "x.csv"
    other.write_text("time,jaw\n0,1\n")
    with pytest.raises(ValueError, match="was not written by vultus"):
        script.import_curves(other)
    editor.ControlRigSequencerLibrary.get_control_rigs = lambda _: []
    with pytest.raises(RuntimeError, match="Face_ControlBoard_CtrlRig"):
        script.import_curves(curves(tmp_path))
    editor.LevelSequenceEditorBlueprintLibrary.get_current_level_sequence = lambda: None
    with pytest.raises(RuntimeError, match="open the level sequence"):
        script.import_curves(curves(tmp_path))
