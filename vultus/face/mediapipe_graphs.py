"""The three networks bundled in MediaPipe's wheel (face mesh, face detection, person segmentation), loaded lean.

MediaPipe's package `__init__` imports matplotlib, jax and sounddevice, which vultus neither needs nor installs. Bare
module objects stand in for the packages, so that the three solution modules import without running it.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from vultus.core.errors import MissingPartError

MEDIAPIPE_VERSION = "0.10.21"
_BLACK = np.zeros((64, 64, 3), np.uint8)
_PACKAGES = ("mediapipe", "mediapipe.python", "mediapipe.python.solutions")


def face_mesh(*, stream: bool, max_faces: int = 1, min_detection: float = 0.5) -> Any:
    """A FaceMesh graph of 478 points; with `stream` it follows the face from one picture to the next."""
    return _start(
        _solution("face_mesh").FaceMesh,
        static_image_mode=not stream,
        max_num_faces=max_faces,
        refine_landmarks=True,
        min_detection_confidence=min_detection,
    )


def face_detector(*, far: bool, min_detection: float) -> Any:
    """A face detection graph, for faces within about 2 m or (`far`) 5 m of a camera phone."""
    solution = _solution("face_detection").FaceDetection
    return _start(solution, model_selection=int(far), min_detection_confidence=min_detection)


def person_segmenter() -> Any:
    """The selfie segmentation graph (256 x 256 network)."""
    return _start(_solution("selfie_segmentation").SelfieSegmentation, model_selection=0)


def restart(graph: Any) -> None:
    """Make a streaming graph forget the faces it was following (10 ms)."""
    with quiet_stderr():
        graph.reset()
        graph.process(_BLACK)


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what MediaPipe's C++ code writes to standard error: it has no other switch for it."""
    sys.stderr.flush()
    with contextlib.ExitStack() as stack:
        try:
            saved = os.dup(2)
        except OSError:  # standard error is closed: nothing to hold back
            yield
            return
        stack.callback(os.close, saved)
        sink = os.open(os.devnull, os.O_WRONLY)
        stack.callback(os.close, sink)
        os.dup2(sink, 2)
        stack.callback(os.dup2, saved, 2)
        yield


def _start(solution: Callable[..., Any], **options: Any) -> Any:
    """Build a graph and show it a black picture: its threads load the networks, and chat, only then."""
    with quiet_stderr():
        graph = solution(**options)
        graph.process(_BLACK)
    return graph


def _solution(name: str) -> types.ModuleType:
    """Import `mediapipe.python.solutions.<name>`, without the package's `__init__` if that has not run already."""
    if "mediapipe" not in sys.modules:
        _install_bare_packages()
    try:
        return importlib.import_module(f"mediapipe.python.solutions.{name}")
    except ImportError as error:
        raise _missing(str(error)) from error


def _install_bare_packages() -> None:
    spec = importlib.util.find_spec("mediapipe")
    if spec is None or not spec.submodule_search_locations:
        raise _missing("not found")
    root = spec.submodule_search_locations[0]
    for package in _PACKAGES:
        module = types.ModuleType(package)
        module.__path__ = [os.path.join(root, *package.split(".")[1:])]
        sys.modules[package] = module


def _missing(why: str) -> MissingPartError:
    return MissingPartError(
        f"MediaPipe, which finds faces, cannot be loaded ({why})",
        fix=f"pip install --no-deps mediapipe=={MEDIAPIPE_VERSION}",
    )
