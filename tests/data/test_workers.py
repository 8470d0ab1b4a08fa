"""Workers: faults stay with their job, a dead process is found out, Ray is optional."""

from __future__ import annotations

import os
import sys
import types

import pytest

from vultus.core.errors import InputError, MissingPartError
from vultus.core.threads import THREAD_LIMITS
from vultus.data.workers import WorkerDiedError, run_here, run_in_processes, run_on_ray


def job(number: int) -> None:
    """Even numbers do; 3 is a user's mistake, 5 a fault, 7 kills the process."""
    assert all(os.environ[name] == "1" for name in THREAD_LIMITS)
    if number == 3:
        raise InputError("a bad clip")
    if number == 5:
        raise ZeroDivisionError("oh")
    if number == 7:
        os._exit(1)


def test_a_dead_process_is_found_out_and_the_others_are_done(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    outcomes = dict(run_in_processes(job, range(10), 2))
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert set(outcomes) == set(range(10))
    kinds = {number: type(error) for number, error in outcomes.items() if error is not None}
    assert kinds == {3: InputError, 5: ZeroDivisionError, 7: WorkerDiedError}


def test_here_a_fault_comes_through(monkeypatch):
    for name in THREAD_LIMITS:
        monkeypatch.setenv(name, "1")
    outcomes = run_here(job, [2, 3, 5])
    assert next(outcomes) == (2, None) and isinstance(next(outcomes)[1], InputError)
    with pytest.raises(ZeroDivisionError):
        next(outcomes)


def test_without_ray_the_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingPartError, match=r"pip install .*\[scale\]"):
        next(run_on_ray(job, [1], "auto"))


class FakeRay(types.ModuleType):
    """The few calls of Ray that are used, in this process."""

    class RayError(Exception):
        pass

    class RayTaskError(RayError):
        def __init__(self, cause: Exception) -> None:
            self.cause = cause

    def __init__(self, reachable: bool = True) -> None:
        super().__init__("ray")
        self.exceptions = types.SimpleNamespace(RayError=self.RayError, RayTaskError=self.RayTaskError)
        self.reachable, self.is_up, self.most_at_once = reachable, False, 0

    def init(self, address: str, log_to_driver: bool) -> None:
        if not self.reachable:
            raise ConnectionError("nobody there")
        self.is_up = True

    def shutdown(self) -> None:
        self.is_up = False

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 2.0}

    def remote(self, **options):
        assert options["num_cpus"] == 1
        return lambda work: types.SimpleNamespace(remote=lambda given: (lambda: work(given), given))

    def wait(self, running):
        self.most_at_once = max(self.most_at_once, len(running))
        return running[:1], running[1:]

    def get(self, reference):
        call, given = reference
        if given == 7:
            raise self.RayError("worker lost")
        try:
            call()
        except (InputError, ZeroDivisionError) as error:
            raise self.RayTaskError(error) from error


def test_on_a_ray_cluster(monkeypatch):
    for name in THREAD_LIMITS:
        monkeypatch.setenv(name, "1")
    ray = FakeRay()
    monkeypatch.setitem(sys.modules, "ray", ray)
    outcomes = dict(run_on_ray(job, range(10), "auto"))
    kinds = {number: type(error) for number, error in outcomes.items() if error is not None}
    assert kinds == {3: InputError, 5: ZeroDivisionError, 7: WorkerDiedError} and len(outcomes) == 10
    assert ray.most_at_once == 4 and not ray.is_up


def test_no_cluster_answers(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", FakeRay(reachable=False))
    with pytest.raises(InputError, match="no Ray cluster"):
        next(run_on_ray(job, [1], "ray://nowhere:10001"))
