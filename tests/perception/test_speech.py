"""The speech encoder: numpy does what torch trained, in any chunks, and looks no further ahead than it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.audio.features import BANDS, log_mel
from vultus.core.types import SAMPLE_RATE
from vultus.perception.speech import SpeechEncoder, SpeechNetConfig, SpeechStates, state_count, states_of

torch = pytest.importorskip("torch", reason="torch is not installed")

RNG = np.random.default_rng(1)
VOICE = (RNG.standard_normal(24_123) * np.sin(np.arange(24_123) / 1500) * 0.2).astype(np.float32)


def small_net() -> torch.nn.Module:
    from vultus.perception.speech_net import SpeechNet

    torch.manual_seed(0)
    net = SpeechNet(SpeechNetConfig(width=12))
    net.expect(log_mel(VOICE), np.zeros((4, 11), np.float32))
    for block in (*net.near.blocks, *net.far.blocks):
        torch.nn.init.normal_(block.norm.running_mean)
        torch.nn.init.uniform_(block.norm.running_var, 0.5, 2)
    return net.eval()


NET = small_net()
TENSORS = {name: tensor.numpy() for name, tensor in NET.exported().items()}


def encoder(far: bool = False) -> SpeechEncoder:
    return SpeechEncoder(TENSORS, NET.config, far)


@pytest.mark.parametrize("tower", ["near", "far"])
def test_numpy_does_what_torch_does(tower: str) -> None:
    mel = log_mel(np.pad(VOICE, (0, SAMPLE_RATE)))
    mel = torch.from_numpy(mel[: len(mel) // 2 * 2].T[None])
    with torch.no_grad():
        heard = NET(mel)[tower]
    hidden, likely = heard.hidden[0].T.numpy(), torch.softmax(heard.phones[0], 0).T.numpy()
    states = states_of(encoder(tower == "far"), VOICE)
    assert len(states) == state_count(len(VOICE)) == 77
    np.testing.assert_allclose(states.hidden, hidden[:77], atol=1e-4)
    assert states.posteriors is not None
    np.testing.assert_allclose(states.posteriors, likely[:77], atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, len(VOICE)), max_size=10), far=st.booleans())
def test_chunks_do_not_matter(cuts: list[int], far: bool) -> None:
    listener = encoder(far)
    parts = [listener.push(chunk) for chunk in np.split(VOICE, sorted(cuts))] + [listener.finish()]
    whole = states_of(encoder(far), VOICE).hidden
    np.testing.assert_allclose(SpeechStates.concatenate(parts).hidden, whole, atol=1e-5)


@pytest.mark.parametrize("far", [False, True])
def test_what_comes_later_than_the_lookahead_is_not_heard_and_states_are_out_by_then(far: bool) -> None:
    listener = encoder(far)
    until = SAMPLE_RATE
    out = listener.push(VOICE[:until])
    assert len(out) > (until / SAMPLE_RATE - listener.lookahead_s) * 50
    changed = VOICE.copy()
    changed[until:] = 0.5
    np.testing.assert_allclose(states_of(encoder(far), changed).hidden[: len(out)], out.hidden, atol=1e-5)


def test_the_shipped_sizes_keep_their_promises() -> None:
    from vultus.perception.speech_net import SpeechNet

    assert sum(parameter.numel() for parameter in SpeechNet(SpeechNetConfig()).parameters()) < 3_000_000
    assert SpeechNetConfig().lookahead_s(far=False) <= 0.1 + 1e-9


def test_an_empty_voice_has_one_state() -> None:
    assert len(states_of(encoder(), np.zeros(0, np.float32))) == 1


def test_distortions_keep_shape_and_stay_finite() -> None:
    from vultus.perception.hearing import distorted

    mel = torch.from_numpy(log_mel(VOICE).T[None]).repeat(8, 1, 1)
    heard = distorted(mel)
    assert heard.shape == (8, BANDS, mel.shape[2]) and bool(torch.isfinite(heard).all())
    assert float((heard - mel).abs().mean()) > 0.1
