"""Performance files: round trips, every format read, every mistake named."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vultus.core.bases import ARKIT52, index_of
from vultus.core.errors import InputError
from vultus.core.pose import degrees_from_matrix
from vultus.core.types import Performance
from vultus.face.rig import check_target, convert, load_performance, save_performance


def some_performance(frames: int = 7, fps: float = 25.0, reference: str = "rest") -> Performance:
    rng = np.random.default_rng(frames)
    return Performance(
        fps=fps,
        valid=rng.random(frames) > 0.2,
        expression=rng.random((frames, 52)).astype(np.float32),
        rotation=rng.normal(0, 10, (frames, 3)).astype(np.float32),
        translation=rng.normal(0, 10, (frames, 3)).astype(np.float32),
        gaze=rng.normal(0, 10, (frames, 2)).astype(np.float32),
        au45=(5 * rng.random(frames)).astype(np.float32),
        landmarks=rng.normal(0, 100, (frames, 68, 3)).astype(np.float32),
        reference=reference,
        source={"method": "test"},
    )


@settings(max_examples=25, deadline=None)
@given(
    frames=st.integers(1, 40),
    fps=st.sampled_from([12.0, 23.976, 25.0, 29.97, 30.0, 59.94, 60.0]),
    reference=st.sampled_from(["rest", "camera"]),
)
def test_both_formats_give_back_what_was_saved(tmp_path_factory, frames, fps, reference):
    folder = tmp_path_factory.mktemp("rig")
    performance = some_performance(frames, fps, reference)
    for name, tolerance in (("p.npz", 0.0), ("p.csv", 1e-3)):
        save_performance(performance, folder / name)
        back = load_performance(folder / name)
        assert (back.fps, back.reference, back.basis, len(back)) == (fps, reference, "arkit52", frames)
        np.testing.assert_array_equal(back.valid, performance.valid)
        for channel in set(performance.channels) - ({"landmarks"} if name == "p.csv" else set()):
            np.testing.assert_allclose(getattr(back, channel), getattr(performance, channel), rtol=0, atol=tolerance)


@settings(max_examples=20, deadline=None)
@given(values=arrays(np.float32, (3, 174), elements=st.floats(-1e6, 1e6, width=32)))
def test_npz_keeps_controls_bit_for_bit_and_absent_channels_absent(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("rig") / "p.npz"
    save_performance(Performance(fps=60, valid=np.ones(3, bool), controls=values), path)
    back = load_performance(path)
    assert back.channels == ("controls",)
    np.testing.assert_array_equal(back.controls, values)


def test_nothing_is_left_beside_the_file(tmp_path):
    save_performance(some_performance(), tmp_path / "p.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["p.csv"]
    with pytest.raises(InputError, match="cannot be written"):
        save_performance(some_performance(), tmp_path / "no folder" / "p.csv")


def test_until_it_is_whole_a_file_has_a_temporary_name(tmp_path, monkeypatch):
    seen: list[str] = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda old, new: seen.append(old.name) or replace(old, new))
    save_performance(some_performance(), tmp_path / "p.csv")
    assert len(seen) == 1 and ".part." in seen[0]


def test_places_that_cannot_be_written_to_are_known_before(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="not a usable file name"):
        check_target(tmp_path / ("x" * 400 + ".csv"))
    monkeypatch.setattr(os, "access", lambda *_: False)  # permissions would not stop root
    with pytest.raises(InputError, match="may not be written to"):
        check_target(tmp_path / "p.csv")


def test_csv_edited_by_hand_may_miss_columns_and_order(tmp_path):
    path = write(tmp_path, "time_s,jawOpen,yaw\n0.08,0.2,2\n0.0,0,0\n0.04,0.1,1\n")
    performance = load_performance(path)
    assert performance.fps == 25
    assert performance.channels == ("expression", "rotation", "gaze")
    np.testing.assert_allclose(performance.expression[:, index_of("jawOpen")], [0, 0.1, 0.2], atol=1e-6)
    assert performance.expression.sum() == pytest.approx(0.3, abs=1e-6)
    np.testing.assert_allclose(performance.rotation, [[0, 0, 0], [1, 0, 0], [2, 0, 0]])


def test_uneven_times_are_resampled_to_the_stated_rate(tmp_path):
    path = write(tmp_path, "# fps=10\ntime_s,jawOpen,valid\n0,0,1\n0.25,0.5,0\n1,0.5,1\n")
    performance = load_performance(path)
    assert len(performance) == 11
    expected = np.interp(np.arange(11) / 10, [0, 0.25, 1], [0, 0.5, 0.5])
    np.testing.assert_allclose(performance.expression[:, index_of("jawOpen")], expected, atol=1e-6)
    assert performance.valid.tolist() == [True] * 2 + [False] * 5 + [True] * 4


def test_semicolons_capitals_short_sides_and_byte_order_marks_are_read(tmp_path):
    path = tmp_path / "p.csv"
    path.write_bytes(b"\xef\xbb\xbftime_s; EyeBlinkLeft;eyeBlink_R\r\n0;1;0.5\r\n0.5;0;0\r\n")
    performance = load_performance(path)
    assert performance.fps == 2
    assert performance.expression[0, index_of("eyeBlinkLeft")] == 1
    assert performance.expression[0, index_of("eyeBlinkRight")] == 0.5


def test_gaze_comes_from_eye_look_weights_where_there_is_no_gaze(tmp_path):
    path = write(
        tmp_path, "time_s,eyeLookOutLeft,eyeLookInRight,eyeLookDownLeft,eyeLookDownRight\n0,1,1,0,0\n1,0,0,.5,.5\n"
    )
    np.testing.assert_allclose(load_performance(path).gaze, [[30, 0], [0, -15]])


def test_live_link_face(tmp_path):
    names = [name[0].upper() + name[1:] for name in ARKIT52]
    header = ["Timecode", "BlendshapeCount", *names, "HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw", "LeftEyePitch"]
    rows = []
    for i in range(90):
        weights = ["0.25" if name == "JawOpen" else "0" for name in names]
        angles = [0.1, 0.2, 0.3, 0.05, 0.1]
        rows.append(
            [f"23:59:59:{i:02d}.125" if i < 60 else f"00:00:00:{i - 60:02d}.125", "61", *weights, *map(str, angles)]
        )
    path = write(tmp_path, "\n".join(",".join(row) for row in [header, *rows]))
    performance = load_performance(path)
    assert (performance.fps, len(performance), performance.reference) == (60, 90, "camera")
    np.testing.assert_allclose(performance.expression[:, index_of("jawOpen")], 0.25)
    np.testing.assert_allclose(performance.rotation[0], np.degrees([-0.1, -0.2, 0.3]), rtol=1e-5)
    np.testing.assert_allclose(performance.gaze[0], np.degrees([-0.025, -0.05]), rtol=1e-5)


def test_openface_with_its_leading_blanks(tmp_path):
    header = "frame, timestamp, confidence, success, gaze_angle_x, gaze_angle_y, pose_Tx, pose_Ty, pose_Tz, "
    header += "pose_Rx, pose_Ry, pose_Rz, AU12_r, AU45_r, AU45_c"
    rows = [
        f"{i + 1}, {i / 30:.3f}, .98, {int(i != 3)}, 0.1, 0.05, 10, 20, 500, 0.2, 0, 0, 2.5, {i}, 1" for i in range(5)
    ]
    performance = load_performance(write(tmp_path, "\n".join([header, *rows])))
    assert (performance.fps, performance.valid.tolist()) == (30, [True, True, True, False, True])
    np.testing.assert_allclose(performance.au45, [0, 1, 2, 3, 4])
    np.testing.assert_allclose(performance.translation[0], [1, -2, -50])
    np.testing.assert_allclose(performance.rotation[0], [0, -np.degrees(0.2), 0], atol=1e-4)  # looks down
    # the eyes look down by .05 in the camera's view, the head by .2: relative to the head they look up
    np.testing.assert_allclose(performance.gaze[0, 1], np.degrees(0.15), atol=0.2)
    assert performance.expression[0, index_of("mouthSmileLeft")] == 0.5


def test_openface_rotation_is_rx_ry_rz_in_the_camera_frame(tmp_path):
    from scipy.spatial.transform import Rotation

    angles = (0.2, -0.3, 0.15)
    text = "timestamp, pose_Rx, pose_Ry, pose_Rz\n0,{},{},{}\n0.04,0,0,0\n".format(*angles)
    flip = np.diag([1, -1, -1])
    matrix = flip @ Rotation.from_euler("XYZ", angles).as_matrix() @ flip
    np.testing.assert_allclose(
        load_performance(write(tmp_path, text)).rotation[0], degrees_from_matrix(matrix), atol=1e-4
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("# only a comment\n", "empty"),
        ("time_s,jawOpen\n", "no rows"),
        ("jawOpen\n0.5\n", '"time_s" is missing'),
        ("time_s,jawOpen\n0,0\n0.04,open\n", 'line 3: "open" in column "jawOpen" is not a number'),
        ("time_s,jawOpen\n0,nan\n0.04,1\n", 'line 2: "nan" in column "jawOpen"'),
        ("time_s,jawOpen\n0\n", "1 values where the header has 2"),
        ("time_s,jawOpne,jawOpen\n0,1,0\n", '"jawOpne" is unknown; did you mean jawOpen'),
        ("time_s,jawOpen,jawOpen\n0,1,0\n", "occurs twice"),
        ("time_s,jawOpen\n0,1\n0,1\n", "line 3: two rows have the same time"),
        ("time_s,jawOpen\n0,1\n", "one row alone"),
        ("# fps=fast\ntime_s,jawOpen\n0,1\n", "fps=fast is impossible"),
        ("# fps=25 reference=moon\ntime_s,jawOpen\n0,1\n", '"moon" is unknown'),
        ("# fps=25\ntime_s,jawOpen\n0,1\n1e9,1\n", "span"),
        ("height,weight\n1,2\n", "not those of a performance"),
        ("Timecode,BlendshapeCount,EyeBlinkLeft\n00:00:00:00.0,61,0\n", 'the column "BrowDownLeft" is missing'),
        ("timestamp, AU45_r\n0,1\n", '"pose_Rx" is missing'),
    ],
)
def test_every_mistake_is_named(tmp_path, text, said):
    with pytest.raises(InputError) as caught:
        load_performance(write(tmp_path, text))
    assert said in str(caught.value)
    assert "p.csv" in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(text=st.one_of(st.text(max_size=80), st.text(alphabet='time_s,jawOpen0123.\n"; #=fps', max_size=80)))
def test_any_text_is_read_or_refused_politely(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("rig") / "p.csv"
    path.write_text(text, "utf-8")
    try:
        assert len(load_performance(path)) > 0
    except InputError as error:
        assert str(path) in str(error)


def test_damaged_and_foreign_archives_are_refused(tmp_path):
    whole = tmp_path / "whole.npz"
    save_performance(some_performance(), whole)
    (tmp_path / "cut.npz").write_bytes(whole.read_bytes()[:-200])
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    np.savez(tmp_path / "pickled.npz", valid=np.array([{}], object), facts=np.array("{}"))
    for name, said in (("cut", "not a readable"), ("other", '"valid" is missing'), ("pickled", "not a readable")):
        with pytest.raises(InputError, match=said):
            load_performance(tmp_path / f"{name}.npz")
    with pytest.raises(InputError, match="cannot be read"):
        load_performance(tmp_path / "absent.npz")
    with pytest.raises(InputError, match="cannot be read from"):
        load_performance(tmp_path / "film.mp4")


def test_archive_channels_of_wrong_shape_or_content_are_refused(tmp_path):
    good = dict(np.load(saved(tmp_path), allow_pickle=False))
    for name, value in (("rotation", np.zeros((7, 2), np.float32)), ("au45", np.full(7, np.nan, np.float32))):
        np.savez(tmp_path / "bad.npz", **{**good, name: value})
        with pytest.raises(InputError, match=name):
            load_performance(tmp_path / "bad.npz")


def test_a_basis_without_conversion_is_refused_by_name():
    performance = some_performance()
    assert convert(performance, "arkit52") is performance
    with pytest.raises(InputError, match="arkit52 cannot be turned into bfm64"):
        convert(performance, "bfm64")
    with pytest.raises(InputError, match="no expression basis"):
        convert(performance, "flame")


def saved(folder: Path) -> Path:
    save_performance(some_performance(), folder / "p.npz")
    return folder / "p.npz"


def write(folder: Path, text: str) -> Path:
    path = folder / "p.csv"
    path.write_text(text, "utf-8")
    return path
