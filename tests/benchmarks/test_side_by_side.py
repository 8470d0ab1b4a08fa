"""The pictures beside each other: a person moved into step with the voice, and mouths in rows."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from benchmarks.side_by_side import CAPTION_PX, CELL_PX, COLUMNS, FRAMES, Player, _moved, sheet
from vultus.core.types import Frames, Phone


@pytest.mark.parametrize(
    ("late", "expected"), [(0, [0, 1, 2, 3, 3, 3]), (2, [2, 3, 3, 3, 3, 3]), (-2, [0, 0, 0, 1, 2, 3])]
)
def test_pictures_that_come_late_are_taken_earlier_and_the_last_holds_on(late: int, expected: list[int]) -> None:
    pictures = (np.full((2, 2, 3), k, np.uint8) for k in range(4))
    moved = _moved(Frames(pictures, 25, 2, 2, 4), late)
    assert [int(picture[0, 0, 0]) for picture in islice(moved, 6)] == expected


def test_a_sheet_shows_every_wanted_frame_of_every_player_once() -> None:
    def player(title: str, level: int) -> Player:
        images = (np.full((64, 64, 3), level, np.uint8) for _ in range(20))
        return Player(title, images, [(np.array([32.0, 32.0]), 60.0)])

    players = [player("old", 80), player("new", 160)]
    for k in range(20):
        for one in players:
            assert one.next(k, 3 <= k < 3 + FRAMES).shape == (512, 512, 3)
    picture = sheet(players, 3, (Phone("AH", 0, 1),))
    bands, height = FRAMES // COLUMNS, CELL_PX[1] + CAPTION_PX + 4
    assert picture.shape == (2 * bands * height, COLUMNS * (CELL_PX[0] + 4), 3)
    middles = [int(picture[row * height + CAPTION_PX + 100, 200, 0]) for row in range(2 * bands)]
    assert middles == [80, 160] * bands
