"""Text to speech: sounds where they are, in every language; other programs' voices; mistakes in one sentence."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.audio import espeak, tts
from vultus.audio.ipa import phone_of_flite, phones_of_ipa
from vultus.audio.phones import frame_levels_db
from vultus.audio.sentences import SENTENCES, random_text
from vultus.core.errors import ControlError, InputError, MissingPartError
from vultus.core.types import SAMPLE_RATE, Speech
from vultus.motion.visemes import VISEMES

ROOT = Path(__file__).parents[2]
ARPABET = {*VISEMES, "SIL"}
ENGINES = {"espeak": "en-us", "flite": "flite-slt"}
needs_espeak = pytest.mark.skipif(espeak.open_espeak() is None, reason="eSpeak NG is not installed")


@pytest.fixture(params=ENGINES)
def voice(request: pytest.FixtureRequest) -> str:
    name = ENGINES[request.param]
    if name not in {v.name for v in tts.voices()}:
        pytest.skip(f"{request.param} is not installed")
    return name


def check_phones(speech: Speech) -> None:
    assert speech.phones is not None
    assert {phone.symbol for phone in speech.phones} <= ARPABET
    assert speech.phones[0].start_s == 0
    assert speech.phones[-1].end_s == pytest.approx(speech.duration_s)
    for before, after in pairwise(speech.phones):
        assert before.end_s == after.start_s
        assert after.end_s > after.start_s


def test_phones_come_in_order_and_cover_the_voice(voice: str) -> None:
    speech = tts.synthesise("Paper, movie, five.", voice)
    check_phones(speech)
    assert speech.waveform.dtype == np.float32 and np.abs(speech.waveform).max() <= 1
    closing = "".join(p.symbol for p in speech.phones or () if p.symbol in {"M", "P", "B", "F", "V"})
    assert closing == "PPMVFV"


def test_times_are_those_of_the_sound(voice: str) -> None:
    """Vowels are loud, and stops begin with the silence of their closure, by the stated times."""
    speech = tts.synthesise("Happy puppets pop.", voice)
    level_db = frame_levels_db(speech.waveform)
    time_s = (np.arange(len(level_db)) + 0.5) * 0.01

    def level(symbols: set[str]) -> float:
        inside = [(p.start_s + 0.01, p.end_s - 0.01) for p in speech.phones or () if p.symbol in symbols]
        return float(np.mean([level_db[(time_s > a) & (time_s < b)].mean() for a, b in inside if b - a > 0.02]))

    assert level({"AE", "IY", "AH", "AA"}) > level({"P"}) + 10
    for phone in speech.phones or ():
        if phone.symbol == "P":
            begin = (time_s > phone.start_s) & (time_s < phone.start_s + 0.05)
            assert level_db[begin].min() < level_db.max() - 30


def test_rate_and_pitch(voice: str) -> None:
    plain, fast, high = (tts.synthesise("We were away a year ago.", voice, rate, pitch)
                         for rate, pitch in ((1, 1), (1.5, 1), (1, 1.4)))  # fmt: skip
    assert fast.duration_s < 0.8 * plain.duration_s
    assert high.duration_s == pytest.approx(plain.duration_s, rel=0.1)
    assert 1.2 < fundamental_hz(high) / fundamental_hz(plain) < 1.6
    check_phones(fast)
    check_phones(high)


def fundamental_hz(speech: Speech) -> float:
    found = []
    for block in speech.waveform[: len(speech.waveform) // 640 * 640].reshape(-1, 640):
        if np.square(block).mean() > 1e-3:
            likeness = np.correlate(block, block, "full")[639:]
            lag = 40 + int(np.argmax(likeness[40:250]))
            if likeness[lag] > 0.5 * likeness[0]:
                found.append(SAMPLE_RATE / lag)
    return float(np.median(found))


@needs_espeak
@pytest.mark.parametrize("language", SENTENCES)
def test_every_language_speaks(language: str) -> None:
    for sentence in SENTENCES[language][:3]:
        speech = tts.synthesise(sentence, language)
        check_phones(speech)
        spoken = [p for p in speech.phones or () if p.symbol != "SIL"]
        assert len({p.symbol for p in spoken}) >= 8
        assert sum(p.end_s - p.start_s for p in spoken) > 0.6 * speech.duration_s
        assert 1.0 < speech.duration_s < 12


@needs_espeak
def test_variants_change_the_timbre_and_threads_do_not_mix() -> None:
    names = ["en-us", "en-us+f3", "en-us+m5", "fr"] * 3
    alone = [tts.synthesise("Hello everybody", name) for name in names]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda name: tts.synthesise("Hello everybody", name), names))
    for one, other in zip(alone, together, strict=True):
        # The library's noise and its joints depend a little on what it said before: not to the sample.
        assert [p.symbol for p in one.phones or ()] == [p.symbol for p in other.phones or ()]
        assert one.duration_s == pytest.approx(other.duration_s, abs=0.005)
    assert len(alone[0].waveform) != len(alone[1].waveform)


@needs_espeak
def test_two_processes_say_the_same() -> None:
    program = (
        "import hashlib\nfrom vultus.audio.tts import synthesise\n"
        "said = [synthesise('Hello everybody', v).waveform.tobytes() for v in ('en-us+f3', 'fr', 'en-us+f3')]\n"
        "print(hashlib.sha256(b''.join(said)).hexdigest())"
    )
    command = [sys.executable, "-c", program]
    one, other = (subprocess.run(command, capture_output=True, check=True, cwd=ROOT).stdout for _ in range(2))
    assert one == other


def test_random_texts_are_of_their_language() -> None:
    rng = np.random.default_rng(0)
    words = {word.strip(".,?!") for sentence in SENTENCES["fr"] for word in sentence.split()}
    texts = [random_text("fr", rng) for _ in range(20)]
    assert {word.strip(".,?!") for text in texts for word in text.split()} <= words
    assert len(set(texts)) > 10


@pytest.mark.parametrize(
    ("ipa", "phones"),
    [("tʃ", ("CH",)), ("aɪ", ("AY",)), ("ɛɹ", ("EH", "R")), ("ɔ̃", ("AO",)), ("ˈiː", ("IY",)), ("", ("SIL",)),
     ("_:", ("SIL",)), ("(en)", ()), ("ts", ("T", "S")), ("tʲ", ("T",)), ("ʲ", ("Y",)), ("??", ("AH",)), ("y", ("UW",)),
     ("ˈ", ())],
)  # fmt: skip
def test_ipa(ipa: str, phones: tuple[str, ...]) -> None:
    assert phones_of_ipa(ipa) == phones


@given(st.text(max_size=8))
def test_any_name_of_a_sound_gives_phones(name: str) -> None:
    assert set(phones_of_ipa(name)) <= ARPABET


def test_flite_names() -> None:
    assert [phone_of_flite(name) for name in ("pau", "ax", "hh", "el")] == ["SIL", "AH", "HH", "L"]


@needs_espeak
@settings(max_examples=25, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_spoken_or_refused(text: str) -> None:
    try:
        check_phones(tts.synthesise(text))
    except InputError as error:
        assert "text" in str(error)


@pytest.fixture
def engine(tmp_path: Path) -> Callable[[str], str]:
    """A command that runs a Python program with the text on its standard input."""

    def make(program: str) -> str:
        script = tmp_path / "an engine.py"
        script.write_text(f"import sys\n{program}\n", encoding="utf-8")
        return f"{shlex.quote(sys.executable)} {shlex.quote(str(script))} --file {{output}}"

    return make


TONE = """
import soundfile, numpy as np
text = sys.stdin.read()
soundfile.write(sys.argv[2], np.full(100 * len(text), .1), 8000)
"""


def test_another_program_speaks(engine: Callable[[str], str]) -> None:
    speech = tts.speech_of_command("Grüß dich; rm -rf $HOME", engine(TONE))
    assert speech.phones is None
    assert speech.duration_s == pytest.approx(len("Grüß dich; rm -rf $HOME") / 80, abs=0.02)


@pytest.mark.parametrize(
    ("program", "says"),
    [("sys.exit('no such model')", "no such model"), ("pass", "wrote no file"),
     ("open(sys.argv[2], 'w').write('words')", "not an audio"), ("import time; time.sleep(60)", "longer than 1 s")],
)  # fmt: skip
def test_faults_of_other_programs_are_one_sentence(engine: Callable[[str], str], program: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        tts.speech_of_command("Hello", engine(program), time_limit_s=1.0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("command", "says"), [("piper -m x", "{output}"), ("piper '{output}", "quotation"), ("", "{output}")]
)
def test_malformed_commands(command: str, says: str) -> None:
    with pytest.raises(ControlError, match=says):
        tts.speech_of_command("Hello", command)


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(InputError, match="cannot be run"):
        tts.speech_of_command("Hello", "no-such-engine {output}")


@needs_espeak
@pytest.mark.parametrize("name", ["en-uss", "../../etc/passwd", "en-us+nobody", "", "en-us+../f3", "fr+"])
def test_unknown_voices_are_refused_with_near_names(name: str) -> None:
    if name == "fr+":
        assert tts.synthesise("Bonjour", name).phones
        return
    with pytest.raises(ControlError, match="for example"):
        tts.synthesise("Hello", name)


@pytest.mark.parametrize("options", [{"rate": 9}, {"pitch": 0}, {"rate": float("nan")}])
def test_rates_and_pitches_out_of_range(options: dict[str, float]) -> None:
    with pytest.raises(ControlError, match="out of range"):
        tts.synthesise("Hello", **options)


@pytest.mark.parametrize("text", ["", "  \n", "\0", "x" * (tts.MAX_TEXT + 1)])
def test_nothing_and_too_much_to_say(text: str) -> None:
    with pytest.raises(InputError, match="text"):
        tts.synthesise(text)


def test_what_to_install_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tts, "open_espeak", lambda: None)
    monkeypatch.setattr(tts, "_flite_voices", lambda: ())
    assert tts.voices() == [] and tts.variants() == ()
    with pytest.raises(MissingPartError, match=r"pip install .*\[tts\]"):
        tts.synthesise("Hello")
    with pytest.raises(MissingPartError, match="flite"):
        tts.synthesise("Hello", "flite-slt")


@needs_espeak
def test_a_fresh_library_says_the_same_whatever_was_said_before():
    said = []
    for before in ("Hello there.", "Good morning, everybody."):
        tts.synthesise(before, "en-us+m3")
        with espeak.fresh_espeak():
            said.append(tts.synthesise("Bonjour madame.", "fr+robert").waveform)
    assert np.array_equal(*said)
