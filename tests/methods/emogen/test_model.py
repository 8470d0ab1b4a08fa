"""Shapes of the paper, what each switch changes, and colour and time that stay apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from vultus.methods.emogen.config import EMOTIONS, PAPER, SMALL, TINY, ablated  # noqa: E402
from vultus.methods.emogen.experts import EmotionDiscriminator, SyncExpert, agreement, mutual_agreement  # noqa: E402
from vultus.methods.emogen.model import NOISE, Generator, looked_at  # noqa: E402

SIDE = TINY.net.side


def given(batch: int = 2, frames: int = 5, side: int = SIDE) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """References, mels and one-hot emotions."""
    torch.manual_seed(0)
    emotion = torch.eye(6)[torch.arange(batch) % 6][:, None].expand(-1, frames, -1)
    return torch.rand(batch, frames, 3, side, side), torch.randn(batch, frames, 1, 80, 16), emotion


def test_the_papers_sizes():
    net = Generator(PAPER.net).eval()
    assert net.output_channels == 80
    assert Generator(ablated(PAPER, "END").net).output_channels == 81
    references, mels, emotion = given(1, 1, 96)
    captured = []
    net.output.register_forward_hook(lambda _, inputs, out: captured.append((inputs[0].shape, out.shape)))
    with torch.no_grad():
        made = net(looked_at(references), mels, emotion)
    assert captured == [((1, 80, 96, 96), (1, 3, 96, 96))]
    assert made.shape == (1, 1, 3, 96, 96) and 0 <= made.min() <= made.max() <= 1


def test_end_joins_one_plane_of_emotion_before_the_output():
    net = Generator(ablated(TINY, "END").net).eval()
    captured = []
    net.output.register_forward_hook(lambda _, inputs, out: captured.append(inputs[0]))
    references, mels, emotion = given()
    with torch.no_grad():
        net(looked_at(references), mels, emotion)
        net(looked_at(references), mels, emotion.flip(0))
    assert captured[0].shape[1] == TINY.net.decoder_widths[-1] + TINY.net.face_widths[0] + 1
    changed = (captured[0] != captured[1]).flatten(2).any(2).any(0)
    assert changed[-1] and not changed[:-1].any()


def test_small_is_small():
    count = sum(parameter.numel() for parameter in Generator(SMALL.net).parameters())
    assert 1_000_000 < count <= 2_000_000, count  # 8 MB in fp32


def test_what_is_not_new_is_kept():
    net = Generator(replace(TINY.net, keep=True)).eval()
    references, mels, emotion = given()
    with torch.no_grad():
        begun = net(looked_at(references), mels, emotion)
        net.output[-1].bias[3] = -50
        kept = net(looked_at(references), mels, emotion)
        net.output[-1].bias[3] = 50
        new = net(looked_at(references), mels, emotion)
    assert torch.equal(kept, references)
    assert 0 < (begun - references).abs().mean() < 0.5 * (new - references).abs().mean()


@pytest.mark.parametrize("row", ["END", "PL+DA"])
def test_voice_emotion_and_reference_all_count(row):
    net = Generator(ablated(TINY, row).net).train()
    references, mels, emotion = given()
    first = net(looked_at(references), mels, emotion)
    for other in (
        net(looked_at(references), mels.flip(0), emotion),
        net(looked_at(references), mels, emotion.flip(0)),
        net(looked_at(references.flip(0)), mels, emotion),
    ):
        assert (other - first).abs().max() > 1e-4


def test_any_number_of_frames_each_from_its_own_voice():
    net = Generator(TINY.net).eval()
    references, mels, emotion = given(1, 9)
    whole = net(looked_at(references), mels, emotion)
    apart = torch.cat(
        [net(looked_at(references[:, t : t + 1]), mels[:, t : t + 1], emotion[:, :1]) for t in range(9)], 1
    )
    assert whole.shape == (1, 9, 3, SIDE, SIDE)
    torch.testing.assert_close(whole, apart, atol=1e-5, rtol=1e-4)


def test_frames_are_masked_wholly():
    seen = looked_at(given()[0])
    assert seen.shape[2] == 6 and not seen[:, :, :3].any()
    assert seen[:, :, 3:].any()


def test_the_noise_encoder_runs_over_time():
    net = Generator(replace(TINY.net, noise=4)).eval()
    references, mels, emotion = given(1, 3)
    noise = torch.zeros(1, 3, NOISE)
    first = net(looked_at(references), mels, emotion, noise)
    noise[:, 1] = 2.0
    second = net(looked_at(references), mels, emotion, noise)
    moved = (first - second).abs().flatten(2).amax(2)[0]
    assert moved[0] == 0 and moved[1] > 0 and moved[2] > 0


def test_the_base_model_takes_no_emotion_and_its_face_encoder_fits():
    base, net = Generator(TINY.net, feeling=False), Generator(TINY.net)
    references, mels, emotion = given()
    assert base(looked_at(references), mels).shape == references.shape
    for model, wrong in ((base, emotion), (net, None)):
        with pytest.raises(ValueError, match="emotion"):
            model(looked_at(references), mels, wrong)
    net.face.load_state_dict(base.face.state_dict())


def test_the_expert_sees_colour_within_time():
    """The 15 planes of the first convolution are red, green, blue of the first frame, then of the second, ..."""
    expert = SyncExpert(TINY.net).eval()
    faces = torch.zeros(1, 5, 3, SIDE, SIDE)
    for t in range(5):
        for colour in range(3):
            faces[0, t, colour] = 10 * t + colour
    captured = []
    expert.face[0].register_forward_pre_hook(lambda _, inputs: captured.append(inputs[0]))
    expert(faces, torch.randn(1, 1, 80, 16))
    assert captured[0].shape == (1, 15, SIDE // 2, SIDE)
    assert captured[0][0, :, 0, 0].tolist() == [10 * t + c for t in range(5) for c in range(3)]


def test_the_expert_looks_at_the_lower_half_only():
    expert = SyncExpert(TINY.net).eval()
    faces, mel = torch.rand(2, 5, 3, SIDE, SIDE), torch.randn(2, 1, 80, 16)
    changed = faces.clone()
    changed[..., : SIDE // 2, :] = 0
    torch.testing.assert_close(expert(faces, mel), expert(changed, mel))


def test_agreement_is_cross_entropy_of_the_cosine():
    truth = torch.tensor([1.0, 0.0])
    loss = agreement(lambda faces, mel: torch.tensor([0.8, 0.4]), torch.zeros(2, 5, 3, 4, 4), None, truth)
    assert loss.item() == pytest.approx(-(torch.tensor(0.8).log() + torch.tensor(0.6).log()).item() / 2)


def test_windows_of_a_clip_are_told_from_each_others_voices():
    expert = SyncExpert(TINY.net).eval()
    faces, mel = torch.rand(6, 5, 3, SIDE, SIDE), torch.randn(6, 1, 80, 16)
    among = expert(faces, mel, 3)
    assert among.shape == (2, 3, 3)
    torch.testing.assert_close(among[1, 2, 0], expert(faces[5:], mel[3:4])[0])
    torch.testing.assert_close(torch.diagonal(among, dim1=1, dim2=2).flatten(), expert(faces, mel))
    told = torch.tensor([[[0.9, 0.3], [0.6, 0.5]]])
    apart = torch.tensor([[[False, True], [False, False]]])  # the second may be the first's wrong voice, not otherwise
    loss = mutual_agreement(lambda *_: told, torch.zeros(2, 5, 3, 4, 4), None, apart)
    by_hand = (-(torch.tensor([0.9, 0.5]).log().mean()) - torch.tensor(0.7).log()) / 2
    assert loss.item() == pytest.approx(by_hand.item())
    none = mutual_agreement(lambda *_: told, torch.zeros(2, 5, 3, 4, 4), None, apart & False)
    assert none.item() == pytest.approx(-torch.tensor([0.9, 0.5]).log().mean().item() / 2)


def test_the_discriminator_is_given_frames_in_rgb():
    """A coloured sequence, red then green then blue: each frame arrives as one colour, in its own turn."""
    judge = EmotionDiscriminator(TINY.net).eval()
    faces = torch.zeros(2, 3, 3, SIDE, SIDE)
    for t in range(3):
        faces[:, t, t] = 1
    captured = []
    judge.look[0].register_forward_pre_hook(lambda _, inputs: captured.append(inputs[0]))
    assert judge(faces).shape == (2, len(EMOTIONS))
    assert captured[0].shape == (6, 3, SIDE, SIDE)
    assert captured[0][:, :, 0, 0].tolist() == (torch.eye(3) - 0.5).repeat(2, 1).tolist()


def test_the_discriminator_hears_of_the_order():
    judge = EmotionDiscriminator(TINY.net).eval()
    with torch.no_grad():
        for parameter in judge.lstm.parameters():
            parameter.mul_(3)
    faces = torch.rand(1, 7, 3, SIDE, SIDE) * torch.linspace(0, 1, 7)[None, :, None, None, None]
    assert (judge(faces) - judge(faces.flip(1))).abs().max() > 1e-6
    assert (judge(faces) - judge(faces.repeat(2, 1, 1, 1, 1))[:1]).abs().max() < 1e-5


def test_widths_that_do_not_fit_are_refused():
    for wrong in ({"side": 90}, {"face_widths": (4, 4)}, {"judge_widths": (4,)}):
        with pytest.raises(ValueError, match=r"multiple|sizes|widths"):
            replace(TINY.net, **wrong)
