"""Many jobs on all cores, or on a Ray cluster: results as they come, and a fault in one job harms no other."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import connection
from typing import Any, TypeVar

from vultus.core.errors import InputError, MissingPartError, with_extra
from vultus.core.threads import THREAD_LIMITS

Job = TypeVar("Job")
Work = Callable[[Job], None]
Outcome = tuple[Job, BaseException | None]
"""A job that is over, and what it raised."""

_AHEAD = 2
"""Jobs a worker has waiting: it never idles, and little is lost with it."""


class WorkerDiedError(Exception):
    """The process that did a job ended with it: a fault in a decoder, or memory ran out."""


def run_here(work: Work[Job], jobs: Iterable[Job]) -> Iterator[Outcome[Job]]:
    """One job after the other in this process, without protection from what kills a process; for tests and debugging.

    An error that is not raised by one of the house's classes is raised to the caller.
    """
    from vultus.core.errors import VultusError

    for job in jobs:
        try:
            work(job)
        except VultusError as error:
            yield job, error
        else:
            yield job, None


def run_in_processes(work: Work[Job], jobs: Iterable[Job], workers: int) -> Iterator[Outcome[Job]]:
    """Jobs in `workers` fresh processes, each with one thread for linear algebra, in the order in which they end.

    Where a process dies, the jobs then under way are done again, one by one, to find the one that killed it.
    """
    waiting = iter(jobs)
    while True:
        suspects: list[Job] = []
        for job, error in _run_pool(work, waiting, workers):
            if isinstance(error, BrokenProcessPool):
                suspects.append(job)
            else:
                yield job, error
        if not suspects:
            return
        for suspect in suspects:
            for job, error in _run_pool(work, iter([suspect]), 1):
                died = isinstance(error, BrokenProcessPool)
                yield job, WorkerDiedError("the process working on it died") if died else error


def _run_pool(work: Work[Job], jobs: Iterator[Job], workers: int) -> Iterator[Outcome[Job]]:
    """Jobs in one pool until they are done or the pool breaks; the jobs then under way end in BrokenProcessPool."""
    context = multiprocessing.get_context("spawn")  # forking would copy the threads of MediaPipe and OpenCV
    with _one_thread_each(), ProcessPoolExecutor(workers, context, initializer=_start_worker) as pool:
        running: dict[Future[None], Job] = {}
        broken = False
        try:
            while True:
                for job in islice(jobs, 0 if broken else max(0, _AHEAD * workers - len(running))):
                    try:
                        running[pool.submit(work, job)] = job
                    except BrokenProcessPool as error:
                        broken = True
                        yield job, error
                        break
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    job, failure = running.pop(future), future.exception()
                    broken = broken or isinstance(failure, BrokenProcessPool)
                    yield job, failure
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _start_worker() -> None:
    """Prepare a worker: one thread a process, and an end with the process that started it, however that ends."""
    import signal

    import cv2

    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C: end at once and say nothing, which the parent does
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: Any) -> None:
    connection.wait([sentinel])
    os._exit(1)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes started inside get one thread for linear algebra: they are as many as there are cores already."""
    before = {name: os.environ.get(name) for name in THREAD_LIMITS}
    os.environ.update(dict.fromkeys(THREAD_LIMITS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def run_on_ray(work: Work[Job], jobs: Iterable[Job], address: str) -> Iterator[Outcome[Job]]:
    """Jobs on the Ray cluster at `address` ("auto", "local", "ray://host:10001"), one core each.

    Every machine must see the data under the same paths. Raises MissingPartError where Ray is not installed and
    InputError where no cluster answers.
    """
    try:
        import ray
    except ImportError:
        raise MissingPartError("Ray is not installed", "--ray", with_extra("scale")) from None
    try:
        ray.init(address=address, log_to_driver=False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise InputError(f"no Ray cluster answers ({error})", address, "start one: ray start --head") from error
    try:
        remote = ray.remote(num_cpus=1, max_retries=0)(work)  # Ray lets a task of one core use one thread
        yield from _gathered(ray, remote, iter(jobs))
    finally:
        ray.shutdown()


def _gathered(ray: Any, remote: Any, jobs: Iterator[Job]) -> Iterator[Outcome[Job]]:
    at_once = _AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
    running: dict[Any, Job] = {}
    while True:
        for job in islice(jobs, max(0, at_once - len(running))):
            running[remote.remote(job)] = job
        if not running:
            return
        for done in ray.wait(list(running))[0]:
            job = running.pop(done)
            try:
                ray.get(done)
            except ray.exceptions.RayTaskError as error:
                yield job, error.cause or error
            except ray.exceptions.RayError as error:
                yield job, WorkerDiedError(str(error))
            else:
                yield job, None
