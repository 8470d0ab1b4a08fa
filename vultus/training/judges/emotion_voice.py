"""`vultus train emotion_voice DATA OUT`: emotions of voices, from synthetic ones that act (`acted_voices`).

Recordings in DATA (.wav, .flac), if any, are taken for people who speak as they normally do: each role takes every
other one, and lets the synthetic voices depart from these people's prosody instead of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from vultus.audio.io import read_speech
from vultus.core.controls import EMOTIONS
from vultus.core.errors import InputError
from vultus.perception.judges import Role
from vultus.perception.judges.emotion_net import EmotionNet, EmotionNetConfig
from vultus.perception.judges.emotion_voice import pieces
from vultus.perception.judges.prosody import NUMBERS, prosody
from vultus.training.judges.acted_voices import acted, random_speaker
from vultus.training.judges.emotion_stage import EmotionStage, Lessons, faded
from vultus.training.stage import Stage

SOUNDS = (".wav", ".flac")


@dataclass(frozen=True)
class EmotionVoiceConfig:
    """The network, and the voices it learns from."""

    hidden: tuple[int, ...] = (64, 48)
    dropout: float = 0.15
    speakers: int = 36
    takes: int = 10
    """Utterances of each speaker beside `NEUTRAL_TAKES` in a normal voice."""
    speakers_seed: int = 52
    held_speakers: int = 8
    held_seed: int = 53
    exchange: float = 0.5
    """Share of voices that depart from a real person's prosody, if there are recordings."""
    noise: float = 0.15
    """Standard deviation of what is added to every number, in its own."""
    lessons: Lessons = field(default_factory=lambda: Lessons(steps=800, batch=128, lr=2e-3, weight_decay=0.05))

    @property
    def net(self) -> EmotionNetConfig:
        """Of the network."""
        return EmotionNetConfig(len(NUMBERS), self.hidden, self.dropout)


PRESETS: dict[Role, EmotionVoiceConfig] = {
    "judge": EmotionVoiceConfig(),
    "teacher": replace(EmotionVoiceConfig(), speakers_seed=51, lessons=replace(EmotionVoiceConfig().lessons, seed=1)),
}
NEUTRAL_TAKES = 3


@dataclass(frozen=True)
class Voices:
    """Prosody (n, 21) of utterances, what they show (n, 8), and their speakers' normal prosody (n, 21)."""

    numbers: np.ndarray
    shares: np.ndarray
    normal: np.ndarray


class VoiceStage(EmotionStage):
    """Prosody of voices that act, as these speakers or as other people."""

    net: EmotionNet

    def __init__(self, config: EmotionVoiceConfig, voices: Voices, held: Voices, people: np.ndarray) -> None:
        super().__init__(EmotionNet(config.net), config.lessons)
        self.config, self._voices, self._held, self._people = config, voices, held, people
        main = voices.shares.copy()
        main[:, 0] = np.where(main[:, 1:].any(1), 0, 1)
        self._by_emotion = [np.flatnonzero(main.argmax(1) == at) for at in range(len(EMOTIONS))]
        self.net.expect(np.concatenate([voices.numbers, people]), floor=0.01)
        self._sd = voices.numbers.std(0)

    def lesson(self, rng: np.random.Generator, count: int) -> tuple[torch.Tensor, np.ndarray]:
        """See `EmotionStage`."""
        rows = np.array([rng.choice(self._by_emotion[at]) for at in rng.integers(len(EMOTIONS), size=count)])
        numbers = self._voices.numbers[rows]
        if len(self._people):
            person = self._people[rng.integers(len(self._people), size=count)]
            elsewhere = person + rng.uniform(0.8, 1.4, (count, 1)) * (numbers - self._voices.normal[rows])
            numbers = np.where(rng.random((count, 1)) < self.config.exchange, elsewhere, numbers)
        numbers = numbers + self.config.noise * self._sd * rng.standard_normal(numbers.shape)
        return torch.from_numpy(numbers.astype(np.float32)), self._voices.shares[rows]

    def held(self) -> tuple[torch.Tensor, np.ndarray]:
        """See `EmotionStage`: synthetic speakers who are never in a lesson."""
        return torch.from_numpy(self._held.numbers), self._held.shares


def acted_voices(seed: int, speakers: int, takes: int) -> Voices:
    """Prosody of acting speakers, emotions and levels in turn (.1 s an utterance)."""
    numbers, shares, normal = [], [], []
    for number in range(speakers):
        rng = np.random.default_rng([seed, number, 0x70CE])
        speaker = random_speaker(rng)
        try:
            own = [prosody(acted(speaker, "neutral", 0.0, rng)) for _ in range(NEUTRAL_TAKES)]
            order = rng.permutation(takes) % (len(EMOTIONS) - 1) + 1
            levels = rng.uniform(0.8, 3.0, takes)
            others = [prosody(acted(speaker, EMOTIONS[e], x, rng)) for e, x in zip(order, levels, strict=True)]
        except InputError:
            continue  # a few timbres have no sound for a few texts
        numbers += own + others
        shares += [np.eye(8)[0]] * len(own) + list(faded(np.eye(8)[order], levels))
        normal += [np.mean(own, axis=0)] * (len(own) + len(others))
    return Voices(np.stack(numbers), np.stack(shares), np.stack(normal))


def recorded_people(recordings: Sequence[Path]) -> np.ndarray:
    """Prosody (n, 21) of pieces of recordings."""
    found = [prosody(piece) for path in recordings for piece in pieces(read_speech(path).waveform)]
    return np.stack(found) if found else np.zeros((0, len(NUMBERS)), np.float32)


def stages(config: EmotionVoiceConfig, data: Path) -> list[Stage]:
    """See `training.judges.JudgeModule`."""
    recordings = sorted(path for path in data.iterdir() if path.suffix.lower() in SOUNDS)
    people = recorded_people(recordings[config.speakers_seed % 2 :: 2])
    voices = acted_voices(config.speakers_seed, config.speakers, config.takes)
    held = acted_voices(config.held_seed, config.held_speakers, config.takes)
    return [VoiceStage(config, voices, held, people)]
