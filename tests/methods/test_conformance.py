"""Every registered method keeps the protocol of `core.method`: one test for all, no exceptions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import vultus
from vultus.audio.io import read_speech
from vultus.core.controls import Controls
from vultus.core.method import Look, Method
from vultus.core.types import SAMPLE_RATE, Performance, Portrait
from vultus.methods import METHODS, PERSONAL, get_method, get_personal

VOICE = Path(vultus.__file__).parent / "assets" / "sample_speech.flac"
LOOK = Look(fps=10, crop="face", size=128)


@pytest.fixture(params=[*METHODS, *PERSONAL])
def cast(request: pytest.FixtureRequest, portrait: Portrait) -> tuple[Method, Portrait | None]:
    """A method and whom it shows: a personal one shows the person of `<name>_weights` (conftest)."""
    if request.param in METHODS:
        return get_method(request.param), portrait
    return get_personal(request.param).person(request.getfixturevalue(f"{request.param}_weights")), None


def performed(method: Method, waveform: np.ndarray, chunk: int) -> Iterator[Performance]:
    driver = method.driver(Controls(seed=3), LOOK.fps, None, None)
    assert driver.lookahead_s >= 0
    for start in range(0, len(waveform), chunk):
        piece = driver.push(waveform[start : start + chunk])
        if piece is not None:
            yield piece
    rest = driver.finish()
    if rest is not None:
        yield rest


def test_it_says_who_it_is(cast):
    method, _ = cast
    assert (METHODS | PERSONAL)[method.name] == f"vultus.methods.{method.name}"
    assert method.paper
    assert method.controls <= {field.name for field in fields(Controls)}


def test_a_voice_becomes_the_same_frames_every_time(cast):
    method, subject = cast
    waveform = read_speech(VOICE, end_s=1.5).waveform
    whole = Performance.concatenate(performed(method, waveform, len(waveform)))
    pieces = Performance.concatenate(performed(method, waveform, 1700))
    assert len(whole) == len(pieces) == round(len(waveform) / SAMPLE_RATE * LOOK.fps)
    for name in whole.channels:
        np.testing.assert_allclose(getattr(whole, name), getattr(pieces, name), rtol=1e-5, atol=1e-5)

    renderer = method.renderer(subject, LOOK)
    assert set(renderer.needs) <= set(whole.channels)
    takes = [np.stack(list(renderer.play([whole], len(whole)))) for _ in range(2)]
    assert takes[0].shape == (len(whole), LOOK.size, LOOK.size, 3)
    assert takes[0].dtype == np.uint8
    np.testing.assert_array_equal(takes[0], takes[1])
    assert np.abs(np.diff(takes[0].astype(int), axis=0)).mean() > 0.1, "nothing moves"
