"""The stopwatch of the benchmarks: exclusive times, and everything put back."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from benchmarks.stages import Stages


def work(seconds: float) -> None:
    """Keep this thread's processor busy."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


class Kitchen:
    def chop(self) -> str:
        work(0.02)
        return "chopped"

    def cook(self) -> str:
        work(0.03)
        return self.chop()


def test_inner_stages_do_not_count_twice() -> None:
    kitchen, stages = Kitchen(), Stages()
    with stages.watching((kitchen, "chop", "chopping"), (kitchen, "cook", "cooking")):
        assert kitchen.cook() == "chopped"
    assert stages.seconds == pytest.approx({"chopping": 0.02, "cooking": 0.03}, abs=0.005)


def test_owners_are_left_as_they_were() -> None:
    kitchen, pantry = Kitchen(), SimpleNamespace(fetch=abs)
    with Stages().watching((kitchen, "chop", "a"), (pantry, "fetch", "a")):
        assert pantry.fetch(-2) == 2 and pantry.fetch is not abs
    assert vars(kitchen) == {} and pantry.fetch is abs
