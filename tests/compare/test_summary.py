"""From clips to figures and to a report: means, intervals, nulls, words."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from vultus.compare.clip import COPY, NULLS, STILL, SWAPPED, ClipResult
from vultus.compare.measures import ARROWS, BY_NAME, MEASURES
from vultus.compare.report import Report
from vultus.compare.summary import Figure, block_interval, frechet_row, summarise, worse_than_still
from vultus.metrics.frechet import Moments


def clip(name: str, psnr: float, series: list[float] | None = None) -> ClipResult:
    sync = {"av_confidence": 0.9}
    values = {
        "mine": {"psnr": psnr, "lmd_mouth": math.nan, "aperture_r": 0.1} | sync,
        COPY: {"psnr": math.inf, "lmd_mouth": 0.0, "aperture_r": 1.0} | sync,
        STILL: {"psnr": 21.0, "lmd_mouth": 9.0, "aperture_r": 0.2} | sync,
        SWAPPED: {"av_confidence": 0.1},
    }
    frames = {"mine": {"psnr": series}} if series else {}
    return ClipResult(name, 5.0, values, frames, 25.0)


def report_of(*clips: ClipResult) -> Report:
    return Report(
        ["mine"],
        list(clips),
        summarise(clips, ["mine"]),
        {"fid": "needs X (vultus weights fetch X)"},
        {"bad": "no face found."},
        ["a note"],
        5,
    )


def test_means_and_intervals_over_clips():
    table = summarise([clip("a", 28.0), clip("b", 30.0), clip("c", 32.0)], ["mine"])
    found = table["psnr"]["mine"]
    assert found.mean == pytest.approx(30) and 28 <= found.low < 30 < found.high <= 32 and found.clips == 3
    assert table["psnr"][COPY].mean == math.inf == table["psnr"][COPY].low
    assert math.isnan(table["lmd_mouth"]["mine"].mean) and table["lmd_mouth"]["mine"].clips == 0
    assert SWAPPED not in table["psnr"] and table["av_confidence"][SWAPPED].mean == pytest.approx(0.1)
    assert "ssim" not in table


def test_a_single_clip_has_an_interval_from_its_frames():
    series = list(np.random.default_rng(0).normal(30, 2, 200))
    found = summarise([clip("a", float(np.mean(series)), series)], ["mine"])["psnr"]["mine"]
    assert found.low < found.mean < found.high and found.high - found.low < 2
    assert math.isnan(summarise([clip("a", 30.0)], ["mine"])["psnr"]["mine"].low)


def test_blocks_widen_the_interval_of_slow_series():
    slow = np.repeat(np.random.default_rng(1).normal(size=40), 25)
    by_block, by_frame = block_interval(slow, 25), block_interval(slow, 1)
    assert by_block[1] - by_block[0] > 2 * (by_frame[1] - by_frame[0])
    assert all(math.isnan(bound) for bound in block_interval(np.ones(30), 25))


def test_fid_joins_all_clips():
    rng = np.random.default_rng(2)
    a, b = (Moments.of(rng.normal(size=(30, 4))) for _ in range(2))
    row = frechet_row([a, b], {"mine": [b, a], "none": []})
    assert row["mine"].mean == pytest.approx(0, abs=1e-6) and row[COPY].mean == 0 and "none" not in row


def test_no_better_than_a_still_photo_is_said():
    row = {"mine": Figure(0.1, 0, 0, 1), STILL: Figure(0.2, 0, 0, 1)}
    assert worse_than_still(BY_NAME["aperture_r"], row, "mine") and not worse_than_still(BY_NAME["psnr"], {}, "mine")
    assert not worse_than_still(BY_NAME["lmd_mouth"], row, "mine")
    assert not worse_than_still(BY_NAME["flicker"], row, "mine")


def test_the_text_explains_every_row():
    text = report_of(clip("a", 28.0), clip("b", 32.0)).text()
    for measure in MEASURES:
        assert f"{ARROWS[measure.better]} {measure.name}" in text and measure.meaning in text
    assert "unavailable: needs X (vultus weights fetch X)" in text
    assert "30.00 [28.00, 32.00]" in text and "0.10 [0.10, 0.10]!" in text
    assert "bad: no face found." in text and "a note" in text
    assert all(name in text for name in NULLS)


def test_json_is_strict_and_whole(tmp_path):
    report = report_of(clip("a", 28.0), clip("b", 32.0))
    path = report.save(tmp_path / "report.json")
    read = json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    rows = {row["name"]: row for row in read["measures"]}
    assert list(rows) == [measure.name for measure in MEASURES]
    assert rows["psnr"]["figures"]["mine"]["mean"] == pytest.approx(30)
    assert rows["psnr"]["figures"][COPY]["mean"] == "inf" and rows["lmd_mouth"]["figures"]["mine"]["mean"] is None
    assert rows["fid"]["unavailable"].startswith("needs X")
    assert read["by_clip"]["a"]["mine"]["psnr"] == 28 and read["failed"] == {"bad": "no face found."}
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]
    assert report.value("psnr") == pytest.approx(30)


def test_results_cross_processes_unchanged():
    there = ClipResult.from_json(clip("a", math.inf, [1.0, math.nan]).to_json())
    assert there.values["mine"]["psnr"] == math.inf and math.isnan(there.series["mine"]["psnr"][1])


def test_the_page_of_measures_tells_of_every_row():
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
    for measure in MEASURES:
        assert f"`{measure.name}`" in page, measure.name
        if measure.needs is not None and measure.needs.startswith("weights:"):
            assert f"`{measure.needs.removeprefix('weights:')}`" in page
