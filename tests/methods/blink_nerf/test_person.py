"""A person on disk: what is saved comes back, mapped and whole, and nothing half-made is taken for one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.methods.blink_nerf.people import toy_person
from vultus.core.errors import InputError
from vultus.methods.blink_nerf.person import FACTS_FILE, Person, open_person


def test_what_is_saved_comes_back(tmp_path):
    person = toy_person(20)
    there = open_person(person.save(tmp_path / "ann"))
    for field in dataclasses.fields(Person):
        np.testing.assert_array_equal(getattr(there, field.name), getattr(person, field.name), err_msg=field.name)
    assert isinstance(there.frames, np.memmap) and not there.frames.flags.writeable
    assert (len(there), there.size) == (20, 16)
    assert [path.name for path in tmp_path.iterdir()] == ["ann"]


def test_the_end_is_held_out():
    person = toy_person(30)
    assert person.held_out == 3
    assert len(person.au45[person.train]) == 27
    np.testing.assert_array_equal(person.au45[person.test], person.au45[-3:])
    whole = dataclasses.replace(person, held_out=0)
    assert len(whole.au45[whole.test]) == 0 and len(whole.au45[whole.train]) == 30


@pytest.mark.parametrize(
    "wrong",
    [
        {"rotation": np.zeros((12, 3, 3))},
        {"au45": np.zeros(11, np.float32)},
        {"landmarks3d": np.zeros((12, 68, 2), np.float32)},
        {"background": np.zeros((8, 8, 3), np.uint8)},
        {"frames": np.zeros((12, 16, 18, 3), np.uint8)},
        {"held_out": 12},
    ],
)
def test_arrays_must_agree(wrong):
    with pytest.raises(ValueError):
        dataclasses.replace(toy_person(), **wrong)


def test_what_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "ann").mkdir()
    with pytest.raises(InputError, match="already"):
        toy_person().save(tmp_path / "ann")


def test_anything_else_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(InputError, match="no prepared person"):
        open_person(tmp_path)
    folder = toy_person().save(tmp_path / "ann")
    np.save(folder / "au45.npy", np.zeros(3, np.float32))
    with pytest.raises(InputError, match="damaged"):
        open_person(folder)
    (folder / "masks.npy").unlink()
    with pytest.raises(InputError, match=r"missing .*masks.npy"):
        open_person(folder)
    (folder / FACTS_FILE).write_text('{"format": 99}')
    with pytest.raises(InputError, match="another version"):
        open_person(folder)
    (folder / FACTS_FILE).write_text("{")
    with pytest.raises(InputError, match="damaged"):
        open_person(folder)
