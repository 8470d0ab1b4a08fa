"""Text to speech: draft voices whose every sound has an exact time, or any other program's voice.

eSpeak NG (package `espeakng-loader`, or the system's library) and flite know when each sound starts, which makes them
teachers of lips. Neither sounds like a person: for a finished video take a recording, or a program through
`speech_of_command`.
"""

from __future__ import annotations

import difflib
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np

from vultus.audio.espeak import open_espeak
from vultus.audio.io import read_speech
from vultus.audio.ipa import phone_of_flite, phones_of_ipa
from vultus.audio.timings import Span, gapless, heard
from vultus.core.errors import ControlError, InputError, MissingPartError, with_extra
from vultus.core.types import SAMPLE_RATE, Speech

DEFAULT_VOICE = "en-us"
MAX_TEXT = 20_000
"""Characters of text: about twenty minutes."""
RATES, PITCHES = (0.5, 2.5), (0.5, 2.0)
"""Accepted factors on a voice's own speed and pitch."""
COMMAND_LIMIT_S = 600.0
_FLITE_PREFIX = "flite-"
_FLITE_VOICES = ("slt", "rms", "kal16", "awb")
_INSTALL = with_extra("tts")


@dataclass(frozen=True)
class VoiceName:
    """A voice of `synthesise`: `name` is what to ask for, `language` a code like "pt-br"."""

    name: str
    engine: str
    language: str


def voices() -> list[VoiceName]:
    """The voices that are installed, those of eSpeak NG first. "en-us" may be varied as "en-us+f3": `variants`."""
    espeak = open_espeak()
    names = [] if espeak is None else sorted(espeak.voices)
    return [VoiceName(name, "espeak", name) for name in names] + [
        VoiceName(_FLITE_PREFIX + name, "flite", "en-us") for name in _flite_voices()
    ]


def variants() -> tuple[str, ...]:
    """Timbres that go with every voice of eSpeak NG, after a plus: "fr+f3"."""
    espeak = open_espeak()
    return () if espeak is None else espeak.variants


def synthesise(text: str, voice: str = DEFAULT_VOICE, rate: float = 1.0, pitch: float = 1.0) -> Speech:
    """A voice that says `text`, with all its phones: gapless from 0 s to the end, ARPAbet or "SIL".

    Args:
        text: at most `MAX_TEXT` characters, in the voice's language.
        voice: see `voices`.
        rate, pitch: factors on the voice's own, within `RATES` and `PITCHES`. flite's voices change pitch as a longer
            or shorter throat would: formants move along.

    Raises ControlError, InputError for an empty or silent text, MissingPartError where no engine is installed.
    """
    text = _checked_text(text)
    for name, value, (low, high) in (("rate", rate, RATES), ("pitch", pitch, PITCHES)):
        if not low <= value <= high:
            limits = f"choose {low:g} to {high:g}"
            raise ControlError(f"a {name} of {value:g} is out of range", "text to speech", limits)
    if voice.startswith(_FLITE_PREFIX):
        return _speak_flite(text, voice.removeprefix(_FLITE_PREFIX), rate, pitch)
    return _speak_espeak(text, voice, rate, pitch)


def speech_of_command(text: str, command: str, time_limit_s: float = COMMAND_LIMIT_S) -> Speech:
    """The voice another program makes of `text`; phones unknown.

    Args:
        command: as one would type it; it gets the text on standard input and writes an audio file where it says
            {output}: "piper -m voice.onnx -f {output}". No shell sees it.

    Raises ControlError for a malformed command, InputError for one that fails, takes too long or writes no audio.
    """
    text = _checked_text(text)
    try:
        arguments = shlex.split(command)
    except ValueError as error:
        raise ControlError(f"a quotation mark is not closed in {command!r}", "--tts-command") from error
    if not any("{output}" in argument for argument in arguments):
        raise ControlError("the command does not say where it writes", "--tts-command", "put {output} into it")
    with tempfile.TemporaryDirectory(prefix="vultus-tts-") as folder:
        target = Path(folder) / "voice.wav"
        _run([a.replace("{output}", str(target)) for a in arguments], text, time_limit_s)
        if not target.is_file():
            raise InputError("the command wrote no file", arguments[0], "check where it puts its {output}")
        return read_speech(target)


def _checked_text(text: str) -> str:
    text = " ".join(text.replace("\0", " ").split())
    if not text:
        raise InputError("there is nothing to say", "the text", "write a sentence")
    if len(text) > MAX_TEXT:
        raise InputError(f"{len(text)} characters are too many", "the text", f"give at most {MAX_TEXT}")
    return text


def _run(arguments: Sequence[str], text: str, time_limit_s: float) -> str:
    """What a program prints. Raises InputError, one sentence, unless it ends well and in time."""
    try:
        done = subprocess.run(
            arguments, input=text, capture_output=True, encoding="utf-8", errors="replace", timeout=time_limit_s,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise InputError(f"it took longer than {time_limit_s:g} s", arguments[0], "shorten the text") from None
    except OSError as error:
        raise InputError("this program cannot be run", arguments[0], "check the name, or give its full path") from error
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise InputError(f"it failed with exit code {done.returncode} ({said})", arguments[0], "try it by hand")
    return done.stdout


def _speak_espeak(text: str, voice: str, rate: float, pitch: float) -> Speech:
    espeak = open_espeak()
    if espeak is None:
        raise MissingPartError("eSpeak NG is not installed", f"voice {voice}", _INSTALL)
    base, _, variant = voice.partition("+")
    base = base.lower()
    if base not in espeak.voices:
        raise _no_voice(voice, [*espeak.voices, *(_FLITE_PREFIX + name for name in _flite_voices())])
    if variant and variant not in espeak.variants:
        raise _no_voice(voice, [f"{base}+{name}" for name in espeak.variants])
    samples, events = espeak.speak(text, base, variant, rate, pitch)
    starts_s = [at / espeak.sample_rate for at, _ in events] + [len(samples) / espeak.sample_rate]
    spans = [
        Span(phones_of_ipa(name), start_s, end_s)
        for (_, name), start_s, end_s in zip(events, starts_s[:-1], starts_s[1:], strict=True)
    ]
    return _speech(samples, espeak.sample_rate, heard(spans, samples, espeak.sample_rate))


def _speak_flite(text: str, voice: str, rate: float, pitch: float) -> Speech:
    known = _flite_voices()
    if not known:
        fix = f"install flite, or choose a voice of eSpeak NG and {_INSTALL}"
        raise MissingPartError("flite is not installed", f"voice {_FLITE_PREFIX}{voice}", fix)
    if voice not in known:
        raise _no_voice(_FLITE_PREFIX + voice, [_FLITE_PREFIX + name for name in known])
    with tempfile.TemporaryDirectory(prefix="vultus-tts-") as folder:
        target = Path(folder) / "voice.wav"
        stretch = f"duration_stretch={pitch / rate:.4f}"  # playing it faster for the pitch takes this back
        command = ["flite", "-voice", voice, "--setf", stretch, "-psdur", "-t", text, "-o", str(target)]
        timings = _run(command, "", COMMAND_LIMIT_S)
        samples = read_speech(target).waveform
    spans, start_s = [], 0.0
    for name, _, end in (item.rpartition(":") for item in timings.split()):
        spans.append(Span((phone_of_flite(name),), start_s / pitch, float(end) / pitch))
        start_s = float(end)
    return _speech(samples, SAMPLE_RATE * pitch, spans)


@cache
def _flite_voices() -> tuple[str, ...]:
    """flite's voices of 16 kHz that are installed."""
    if shutil.which("flite") is None:
        return ()
    listed = _run(["flite", "-lv"], "", 10.0).split()
    return tuple(name for name in _FLITE_VOICES if name in listed)


def _no_voice(name: str, known: Sequence[str]) -> ControlError:
    near = difflib.get_close_matches(name, known, n=3) or known[:3]
    return ControlError(f"there is no voice {name!r}", "--voice-name", f"for example {', '.join(near)}")


def _speech(samples: np.ndarray, rate: float, spans: Sequence[Span]) -> Speech:
    """Speech at 16 kHz from samples at any rate and the spans of their sounds, in order."""
    from scipy.signal import resample_poly

    if not len(samples):
        raise InputError("the voice has nothing to say for this", "the text", "write it in the voice's language")
    ratio = Fraction(SAMPLE_RATE / rate).limit_denominator(500)  # a pitch shift makes odd rates
    resampled = resample_poly(samples, ratio.numerator, ratio.denominator)
    waveform = np.clip(resampled, -1, 1).astype(np.float32)
    return Speech(waveform, gapless(spans, len(waveform) / SAMPLE_RATE))
