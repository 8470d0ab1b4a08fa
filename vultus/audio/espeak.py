"""eSpeak NG as a library: speech with the exact start of every sound, in about a hundred languages."""

from __future__ import annotations

import _ctypes
import ctypes
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from ctypes import POINTER, Structure, Union, c_char_p, c_int, c_short, c_ubyte, c_uint, c_void_p
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np

_SYNCHRONOUS = 2  # sound goes to the callback, on the caller's thread
_PHONEME_EVENTS, _PHONEME_IPA, _DONT_EXIT = 0x1, 0x2, 0x8000
_RATE, _PITCH, _RANGE = 1, 3, 4  # espeak_PARAMETER
_EVENT_END, _EVENT_PHONEME = 0, 7
_UTF8 = 1
WORDS_PER_MINUTE = 175
"""eSpeak NG's normal rate."""


class _EventId(Union):
    _fields_: ClassVar = [("number", c_int), ("name", c_char_p), ("string", ctypes.c_char * 8)]


class _Event(Structure):
    _fields_: ClassVar = [
        ("type", c_int), ("unique_identifier", c_uint), ("text_position", c_int), ("length", c_int),
        ("audio_position", c_int), ("sample", c_int), ("user_data", c_void_p), ("id", _EventId),
    ]  # fmt: skip


class _Voice(Structure):
    _fields_: ClassVar = [
        ("name", c_char_p), ("languages", c_char_p), ("identifier", c_char_p), ("gender", c_ubyte), ("age", c_ubyte),
        ("variant", c_ubyte), ("unused", c_ubyte), ("score", c_int), ("spare", c_void_p),
    ]  # fmt: skip


_Callback = ctypes.CFUNCTYPE(c_int, POINTER(c_short), c_int, POINTER(_Event))


class Espeak:
    """The library, opened once a process by `open_espeak`. It keeps its state in globals: one call at a time.

    `voices` maps names ("en-us", "fr", "pt-br") to the library's own identifiers; `variants` are timbres that go with
    every voice ("f3", "klatt").
    """

    def __init__(self, library: ctypes.CDLL, data_path: str | None) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._blocks: list[np.ndarray] = []
        self._events: list[tuple[int, str]] = []
        self._callback = _Callback(self._receive)  # held here, or it would be collected while the library calls it
        flags = _PHONEME_EVENTS | _PHONEME_IPA | _DONT_EXIT
        path = None if data_path is None else data_path.encode()
        self.sample_rate: int = library.espeak_Initialize(_SYNCHRONOUS, 0, path, flags)
        if self.sample_rate <= 0:
            raise OSError("eSpeak NG does not find its data")
        library.espeak_SetSynthCallback(self._callback)
        library.espeak_ListVoices.restype = POINTER(POINTER(_Voice))
        self.voices = self._listed(None)
        self.variants = tuple(sorted(self._listed("variant")))

    def _listed(self, language: str | None) -> dict[str, str]:
        """Name -> identifier; voices of MBROLA need further programs and are left out."""
        spec = None if language is None else ctypes.byref(_Voice(languages=language.encode()))
        found, listed, at = {}, self._library.espeak_ListVoices(spec), 0
        while listed[at]:
            identifier = (listed[at].contents.identifier or b"").decode("utf-8", "replace")
            name = identifier.rsplit("/", 1)[-1]
            if identifier and not identifier.startswith("mb/") and (language or not identifier.startswith("!v/")):
                found[name if language else name.lower()] = identifier
            at += 1
        return found

    def _receive(self, samples: ctypes._Pointer[c_short], count: int, events: ctypes._Pointer[_Event]) -> int:
        if samples and count > 0:
            self._blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        at = 0
        while events[at].type != _EVENT_END:
            if events[at].type == _EVENT_PHONEME:  # 8 bytes: a longer name is cut, perhaps within a letter
                self._events.append((events[at].sample, events[at].id.string.decode("utf-8", "ignore")))
            at += 1
        return 0

    def speak(
        self, text: str, voice: str, variant: str, rate: float, pitch: float, melody: float = 1.0
    ) -> tuple[np.ndarray, list]:
        """(n,) float32 in [-1, 1] at `sample_rate`, and (first sample, IPA name) of each sound in order.

        `melody` 0-2 is how far the pitch moves, 1 as the voice does it.
        The same calls in a new process give the same samples; what was said before changes a few of them.
        """
        encoded = text.encode()
        name = self.voices[voice] + (f"+{variant}" if variant else "")
        with self._lock:
            self._blocks.clear()
            self._events.clear()
            if self._library.espeak_SetVoiceByName(name.encode()) != 0:
                raise OSError(f"eSpeak NG lists the voice {name} but does not load it")
            self._library.espeak_SetParameter(_RATE, round(WORDS_PER_MINUTE * rate), 0)
            self._library.espeak_SetParameter(_PITCH, round(50 + 50 * np.log2(pitch)), 0)  # its scale: 50 an octave
            self._library.espeak_SetParameter(_RANGE, round(50 * melody), 0)
            if hasattr(self._library, "espeak_ng_SetRandSeed"):  # since 1.52, where it is the clock otherwise
                self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))
            self._library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, _UTF8, None, None)
            self._library.espeak_Synchronize()
            samples = np.concatenate(self._blocks) if self._blocks else np.zeros(0, np.int16)
            return samples.astype(np.float32) / 32768, list(self._events)


def open_espeak() -> Espeak | None:
    """The library of the `espeakng-loader` package, or the system's; None where there is neither."""
    return _fresh.get() or _shared_espeak()


@contextmanager
def fresh_espeak() -> Iterator[None]:
    """Inside, speech does not depend on what was said before: eSpeak NG is loaded anew (12 ms), with its first state.

    Its globals outlive `espeak_Terminate`, so that only a copy of the library is really new. Where the library is the
    system's, whose file is not known, nothing changes.
    """
    files = [(library, data_path) for library, data_path in _candidates() if Path(library).is_file()]
    if not files:
        yield
        return
    library, data_path = files[0]
    with tempfile.TemporaryDirectory(prefix="vultus-espeak-") as folder:
        copy = shutil.copyfile(library, Path(folder) / "espeak.so")
        loaded = ctypes.CDLL(str(copy))
    token = _fresh.set(Espeak(loaded, data_path))
    try:
        yield
    finally:
        _fresh.reset(token)
        loaded.espeak_Terminate()
        if hasattr(_ctypes, "dlclose"):
            _ctypes.dlclose(loaded._handle)


_fresh: ContextVar[Espeak | None] = ContextVar("fresh", default=None)


@cache
def _shared_espeak() -> Espeak | None:
    for library, data_path in _candidates():
        try:
            return Espeak(ctypes.CDLL(library), data_path)
        except OSError:
            continue
    return None


def _candidates() -> list[tuple[str, str | None]]:
    system: list[tuple[str, str | None]] = [("libespeak-ng.so.1", None), ("libespeak-ng.dylib", None)]
    try:
        import espeakng_loader
    except ImportError:
        return system
    return [(espeakng_loader.get_library_path(), espeakng_loader.get_data_path()), *system]
