"""Curves written for other programs: column by column, read back, and refused where they cannot be."""

from __future__ import annotations

import csv
import json
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.core.bases import ARKIT52, index_of
from vultus.core.errors import ControlError, InputError
from vultus.core.types import Performance
from vultus.face.exports import FORMS, check_export, suffix_of, write_export
from vultus.face.exports.tables import LIVE_LINK_HEADER, time_code
from vultus.face.metahuman import COLUMNS
from vultus.face.rig import convert, load_performance

# The first line of a recording by the app Live Link Face (2021).
RECORDED = (
    "Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,EyeLookUpLeft,EyeSquintLeft,"
    "EyeWideLeft,EyeBlinkRight,EyeLookDownRight,EyeLookInRight,EyeLookOutRight,EyeLookUpRight,EyeSquintRight,"
    "EyeWideRight,JawForward,JawRight,JawLeft,JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft,"
    "MouthSmileLeft,MouthSmileRight,MouthFrownLeft,MouthFrownRight,MouthDimpleLeft,MouthDimpleRight,MouthStretchLeft,"
    "MouthStretchRight,MouthRollLower,MouthRollUpper,MouthShrugLower,MouthShrugUpper,MouthPressLeft,MouthPressRight,"
    "MouthLowerDownLeft,MouthLowerDownRight,MouthUpperUpLeft,MouthUpperUpRight,BrowDownLeft,BrowDownRight,BrowInnerUp,"
    "BrowOuterUpLeft,BrowOuterUpRight,CheekPuff,CheekSquintLeft,CheekSquintRight,NoseSneerLeft,NoseSneerRight,"
    "TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,RightEyePitch,RightEyeRoll"
)
RECORDED_ROW = "12:27:47:47.169,61," + ",".join(["0.0000000000"] * 61)


def acted(frames: int = 9, fps: float = 60.0, seed: int = 0) -> Performance:
    """A driver's kind of performance: no eyeLook weights, no two opposite weights at once, gaze and rotation."""
    rng = np.random.default_rng(seed)
    weights = rng.random((frames, 52)).astype(np.float32)
    for name in ARKIT52:
        if name.startswith(("eyeLook", "eyeWide")) or name in ("jawLeft", "mouthRight"):
            weights[:, index_of(name)] = 0
    return Performance(
        fps=fps,
        valid=np.ones(frames, bool),
        expression=weights,
        rotation=rng.uniform(-20, 20, (frames, 3)).astype(np.float32),
        translation=rng.uniform(-1, 1, (frames, 3)).astype(np.float32),
        gaze=rng.uniform(-15, 15, (frames, 2)).astype(np.float32),
        au45=np.zeros(frames, np.float32),
    )


def test_live_link_columns_are_those_of_a_recording() -> None:
    assert ",".join(LIVE_LINK_HEADER) == RECORDED
    assert {name.lower() for name in LIVE_LINK_HEADER[2:54]} == {name.lower() for name in ARKIT52}


def test_live_link_values_column_by_column(tmp_path: Path) -> None:
    performance = acted()
    path = write_export(performance, tmp_path / "l.csv", "livelink")
    lines = path.read_text().splitlines()
    assert lines[0] == RECORDED and len(lines) == 10
    shape = [len(cell.partition(".")[2]) for cell in RECORDED_ROW.split(",")]
    rows = list(csv.DictReader(lines))
    for i, (row, line) in enumerate(zip(rows, lines[1:], strict=True)):
        assert [len(cell.partition(".")[2]) for cell in line.split(",")] == shape
        assert row["Timecode"] == f"00:00:00:{i:02d}.000" and row["BlendShapeCount"] == "61"
        for name in ARKIT52:
            if not name.startswith("eyeLook"):
                wanted = performance.expression[i, index_of(name)]
                assert float(row[name[0].upper() + name[1:]]) == pytest.approx(wanted, abs=1e-7)
        yaw, pitch, roll = np.radians(performance.rotation[i])
        assert [float(row["Head" + a]) for a in ("Yaw", "Pitch", "Roll")] == pytest.approx(
            [-yaw, -pitch, roll], abs=1e-6
        )
        across, up = performance.gaze[i]
        assert float(row["LeftEyeYaw"]) == float(row["RightEyeYaw"]) == pytest.approx(-np.radians(across), abs=1e-6)
        assert (
            float(row["EyeLookOutLeft"]) == float(row["EyeLookInRight"]) == pytest.approx(max(across, 0) / 30, abs=1e-6)
        )
        assert float(row["EyeLookUpLeft"]) - float(row["EyeLookDownRight"]) == pytest.approx(up / 30, abs=1e-6)


def test_eye_angles_have_the_signs_of_a_recording(tmp_path: Path) -> None:
    """In the app's files eyes that look to the subject's left and up have negative yaw and pitch."""
    row = dict.fromkeys(LIVE_LINK_HEADER, "0")
    row |= {
        "Timecode": "12:24:26:15.944",
        "BlendShapeCount": "61",
        "EyeLookOutLeft": "0.548",
        "EyeLookInRight": "0.640",
    }
    row |= {"EyeLookUpLeft": "0.452", "EyeLookUpRight": "0.443", "LeftEyeYaw": "-0.383", "RightEyeYaw": "-0.328"}
    row |= {"LeftEyePitch": "-0.2085", "RightEyePitch": "-0.2085"}
    path = tmp_path / "recorded.csv"
    path.write_text(RECORDED + "\n" + ",".join(row.values()) + "\n" + ",".join(row.values()).replace(":15", ":17"))
    across, up = load_performance(path).gaze[0]
    assert across == pytest.approx(np.degrees(0.3555), abs=0.01) and up == pytest.approx(np.degrees(0.2085), abs=0.01)


@pytest.mark.parametrize(
    ("time_s", "code"),
    [(0, "00:00:00:00.000"), (1 / 25, "00:00:00:02.400"), (59.999999999, "00:01:00:00.000"), (86400, "00:00:00:00.000"),
     (3661.5, "01:01:01:30.000")],
)  # fmt: skip
def test_time_codes(time_s: float, code: str) -> None:
    assert time_code(time_s) == code


@settings(max_examples=20, deadline=None)
@given(
    frames=st.integers(2, 40),
    fps=st.sampled_from([24.0, 25.0, 29.97, 30.0, 50.0, 60.0, 120.0]),
    seed=st.integers(0, 99),
)
@pytest.mark.parametrize("format", ["metahuman", "arkit", "livelink"])
def test_tables_are_read_back(tmp_path_factory, format: str, frames: int, fps: float, seed: int) -> None:
    path = tmp_path_factory.mktemp("rig") / "p.csv"
    performance = acted(frames, fps, seed)
    back = convert(load_performance(write_export(performance, path, format)), "arkit52")
    assert len(back) == frames and back.fps == pytest.approx(fps, rel=2e-3)
    looks = np.array([name.startswith("eyeLook") for name in ARKIT52])
    np.testing.assert_allclose(back.expression[:, ~looks], performance.expression[:, ~looks], atol=0.02)
    np.testing.assert_allclose(back.gaze, performance.gaze, atol=0.01)
    np.testing.assert_allclose(back.rotation, performance.rotation, atol=0.01)


def test_controls_go_through_untouched(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).uniform(-1, 1, (5, 174)).astype(np.float32)
    rig = Performance(fps=60, valid=np.ones(5, bool), controls=rows)
    back = load_performance(write_export(rig, tmp_path / "p.csv", "metahuman"))
    assert back.fps == 60 and back.channels == ("controls",)
    np.testing.assert_allclose(back.controls, rows, atol=1e-5)


def test_json_says_what_each_number_is(tmp_path: Path) -> None:
    performance = acted()
    document = json.loads(write_export(performance, tmp_path / "p.json", "metahuman").read_text())
    assert (document["fps"], len(document["values"]), len(document["values"][0])) == (60, 9, 174)
    assert [control["name"] for control in document["controls"]] == list(COLUMNS)
    jaw = next(c for c in document["controls"] if c["control"] == "CTRL_C_jaw" and c["axis"] == "Y")
    column = document["controls"].index(jaw)
    wanted = performance.expression[:, index_of("jawOpen")]
    np.testing.assert_allclose([row[column] for row in document["values"]], wanted, atol=1e-5)
    assert (jaw["low"], jaw["high"]) == (0, 1)
    np.testing.assert_allclose(document["rotation_deg"], performance.rotation, atol=1e-3)


@pytest.mark.parametrize("format", sorted(FORMS))
def test_nothing_is_left_where_curves_cannot_be_made(tmp_path: Path, format: str) -> None:
    lids = Performance(fps=25, valid=np.ones(2, bool), au45=np.zeros(2, np.float32))
    with pytest.raises(InputError, match="no ARKit weights"):
        write_export(lids, tmp_path / f"p{suffix_of(format)}", format)
    assert not list(tmp_path.iterdir())


def test_targets_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="no format 'fbx'; choose metahuman, arkit, livelink, gltf"):
        suffix_of("fbx")
    with pytest.raises(InputError, match=r"end the name in \.glb"):
        check_export(tmp_path / "p.csv", "gltf")
    with pytest.raises(InputError, match="folder does not exist"):
        check_export(tmp_path / "none" / "p.csv", "arkit")


def read_glb(path: Path) -> tuple[dict, bytes]:
    data = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size = struct.unpack_from("<I", data, 12)[0]
    return json.loads(data[20 : 20 + size]), data[20 + size + 8 :]


def array_of(document: dict, binary: bytes, index: int) -> np.ndarray:
    """The dense values of an accessor."""
    accessor = document["accessors"][index]
    width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor["type"]]

    def view(number: int, kind: str, count: int) -> np.ndarray:
        return np.frombuffer(binary, kind, count, document["bufferViews"][number]["byteOffset"])

    if "sparse" not in accessor:
        kind = "<f4" if accessor["componentType"] == 5126 else "<u2"
        return view(accessor["bufferView"], kind, accessor["count"] * width).reshape(-1, width)
    sparse = accessor["sparse"]
    dense = np.zeros((accessor["count"], width), np.float32)
    rows = view(sparse["indices"]["bufferView"], "<u2", sparse["count"])
    dense[rows] = view(sparse["values"]["bufferView"], "<f4", sparse["count"] * width).reshape(-1, width)
    return dense


def test_gltf_holds_the_head_its_shapes_and_the_performance(tmp_path: Path) -> None:
    from vultus.core.pose import matrix_from_degrees
    from vultus.face.head import embedded_head

    performance = acted()
    document, binary = read_glb(write_export(performance, tmp_path / "p.glb", "gltf"))
    face = document["meshes"][0]
    assert face["extras"]["targetNames"] == list(ARKIT52) and len(face["weights"]) == 52
    assert all(len(part["targets"]) == 52 for part in face["primitives"])
    head = embedded_head()
    jaw = array_of(document, binary, face["primitives"][0]["targets"][index_of("jawOpen")]["POSITION"])
    longest = np.linalg.norm(head.expression_basis[index_of("jawOpen")], axis=1).max()
    assert np.linalg.norm(jaw, axis=1).max() == pytest.approx(0.01 * longest, rel=1e-4)
    animation = document["animations"][0]
    tracks = {
        (c["target"]["node"], c["target"]["path"]): animation["samplers"][c["sampler"]] for c in animation["channels"]
    }
    weights = array_of(document, binary, tracks[0, "weights"]["output"]).reshape(9, 52)
    looks = np.array([name.startswith("eyeLook") for name in ARKIT52])
    np.testing.assert_allclose(weights[:, ~looks], performance.expression[:, ~looks], atol=1e-6)
    times = array_of(document, binary, tracks[0, "weights"]["input"])[:, 0]
    np.testing.assert_allclose(times, np.arange(9) / 60, atol=1e-6)
    x, y, z, w = array_of(document, binary, tracks[0, "rotation"]["output"]).T.astype(np.float64)
    forward = np.stack([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)], 1)
    np.testing.assert_allclose(forward, matrix_from_degrees(performance.rotation)[:, :, 2], atol=1e-5)
    assert (1, "rotation") in tracks and (2, "rotation") in tracks  # the eyes
    centre = np.array(document["nodes"][1]["translation"])
    assert document["nodes"][1]["name"] == "left_eye" and centre[0] > 0  # the subject's left is +x


def test_gltf_passes_the_khronos_validator(tmp_path: Path) -> None:
    """Needs node, and `npm install gltf-validator` in the folder that VULTUS_GLTF_VALIDATOR names, or above."""
    import os

    node = shutil.which("node")
    home = os.environ.get("VULTUS_GLTF_VALIDATOR")
    if node is None or home is None:
        pytest.skip("node and the folder of gltf-validator (VULTUS_GLTF_VALIDATOR) are not here")
    path = write_export(acted(60), tmp_path / "p.glb", "gltf")
    script = (
        "const fs=require('fs');require(require.resolve('gltf-validator',{paths:[process.argv[2]]}))"
        ".validateBytes(new Uint8Array(fs.readFileSync(process.argv[1])))"
        ".then(r=>console.log(JSON.stringify(r.issues)))"
    )
    done = subprocess.run(
        [node, "-e", script, str(path), home], capture_output=True, text=True, check=True, timeout=120
    )
    issues = json.loads(done.stdout)
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"][:5]
