"""The 174 controls of a MetaHuman: order, ranges, mirror images, and curves read from tables."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.core.errors import InputError
from vultus.face.metahuman import (
    COLUMNS,
    CONTROLS,
    COUNT,
    HIGH,
    LOW,
    MIRROR,
    NAMES,
    PAIRS,
    columns_of,
    index_of,
    mirrored,
)
from vultus.face.metahuman_files import is_bare_table, read_bare_table
from vultus.face.rig import load_performance

AUTHORS = Path(__file__).parents[3] / "shared/data/real/emoface/metahuman_control_names.txt"


def test_names_stand_in_the_authors_order() -> None:
    if not AUTHORS.exists():
        pytest.skip("the authors' list of names (shared data) is not here")
    assert tuple(AUTHORS.read_text().split()) == NAMES


def test_two_names_occur_twice_and_columns_never() -> None:
    assert COUNT == len(NAMES) == 174
    assert sorted({name for name in NAMES if NAMES.count(name) == 2}) == [
        "CTRL_C_tongue_tip-translateX",
        "CTRL_C_tongue_tip-translateY",
    ]
    assert len(set(COLUMNS)) == 174
    assert [i for i in range(174) if NAMES[i] != COLUMNS[i]] == [25, 26]


def test_known_places_and_ranges() -> None:
    """36 and 105 are the blinks, 0 and 1 the gaze in the authors' released code."""
    assert (index_of("eye_blink", "left"), index_of("eye_blink", "right")) == (36, 105)
    assert (index_of("eye.x"), index_of("eye.y"), index_of("jaw")) == (0, 1, 4)
    assert index_of("neck_throatUpDown") == 173
    with pytest.raises(KeyError):
        index_of("brow_down", "middle")
    blink, jaw = CONTROLS[36], CONTROLS[4]
    assert (blink.control, blink.axis, blink.low, blink.side, blink.area) == (
        "CTRL_L_eye_blink",
        "Y",
        -1,
        "left",
        "eye",
    )
    assert (jaw.low, jaw.high, jaw.side, jaw.area) == (0, 1, "middle", "jaw")
    assert set(LOW) == {-1, 0} and set(HIGH) == {1}


def test_areas_divide_the_face() -> None:
    areas = ("eye", "jaw", "mouth", "teeth", "tongue", "brow", "ear", "nose", "neck")
    assert sum(len(columns_of(area)) for area in areas) == 174
    assert {NAMES[i].split("_")[2].split("-")[0] for i in columns_of("brow")} == {"brow"}
    with pytest.raises(KeyError, match="chin"):
        columns_of("chin")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31))
def test_a_mirror_of_a_mirror_is_the_face_itself(seed: int) -> None:
    curves = np.random.default_rng(seed).uniform(-1, 1, (3, 174))
    np.testing.assert_array_equal(mirrored(mirrored(curves)), curves)


def test_a_mirror_swaps_sides_and_turns_what_points_aside() -> None:
    assert len(PAIRS) == 69 and all(NAMES[a].replace("_L_", "_R_") == NAMES[b] for a, b in PAIRS)
    assert (MIRROR[MIRROR] == np.arange(174)).all()
    curves = np.zeros(174)
    curves[index_of("jaw.x")], curves[index_of("jaw")] = 0.3, 0.5
    curves[index_of("eye.x", "left")], curves[index_of("mouth_corner.x", "left")] = 0.2, 0.4
    seen = mirrored(curves)
    assert (seen[index_of("jaw.x")], seen[index_of("jaw")]) == (-0.3, 0.5)
    assert (seen[index_of("eye.x", "right")], seen[index_of("mouth_corner.x", "right")]) == (-0.2, 0.4)


def test_bare_rows_as_in_the_emoface_data(tmp_path: Path) -> None:
    path = tmp_path / "angry.txt"
    rows = np.random.default_rng(0).random((5, 174)).round(6)
    path.write_text("".join(",".join(f"{v:g}" for v in row) + "\n" for row in rows))
    performance = load_performance(path)
    assert (performance.fps, performance.channels) == (60, ("controls",))
    np.testing.assert_allclose(performance.controls, rows, atol=1e-6)


@pytest.mark.parametrize("text", ["", "1,2,3\n", ",".join(["a"] * 174), ",".join(["nan"] * 174)])
def test_other_text_is_no_bare_table(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    assert not is_bare_table(path)


def test_a_short_row_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text(",".join(["0"] * 174) + "\n0,0\n")
    assert is_bare_table(path)
    with pytest.raises(InputError, match="rows of 174"):
        read_bare_table(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("time_s,CTRL_C_jaw-translateZ\n0,1\n", '"CTRL_C_jaw-translateZ" is no control'),
        ("CTRL_C_jaw-translateY\n0\n", '"time_s" is missing'),
        ("# fps=0\nCTRL_C_jaw-translateY\n0\n", "fps=0 is impossible"),
        ("time_s,CTRL_C_jaw-translateY\n0,wide\n", "is not a number"),
        ("time_s,CTRL_C_jaw-translateY,CTRL_C_jaw-translateY\n0,0,0\n", "occurs twice"),
    ],
)
def test_mistakes_in_a_table_are_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_performance(path)
    assert said in str(caught.value) and "p.csv" in str(caught.value)


def test_a_table_may_hold_some_controls_only(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("# fps=30\nCTRL_C_jaw-translateY,yaw,pitch,roll\n0.5,1,2,3\n0.25,0,0,0\n")
    performance = load_performance(path)
    assert (performance.fps, len(performance)) == (30, 2)
    np.testing.assert_allclose(performance.controls.sum(1), [0.5, 0.25])
    np.testing.assert_allclose(performance.rotation[0], [1, 2, 3])
