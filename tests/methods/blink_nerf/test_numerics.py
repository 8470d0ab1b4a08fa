"""bf16, compiled kernels and other devices against plain float32 on the CPU: values, gradients, whole steps."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.methods.blink_nerf.painted import painted_person

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("lightning", reason="lightning is not installed")

from vultus.core.errors import MissingPartError  # noqa: E402
from vultus.methods.blink_nerf.config import PAPER, TINY, FieldConfig, GridConfig  # noqa: E402
from vultus.methods.blink_nerf.field import RadianceField  # noqa: E402
from vultus.methods.blink_nerf.infer import Painter, TrainedPerson  # noqa: E402
from vultus.methods.blink_nerf.material import Material, material  # noqa: E402
from vultus.methods.blink_nerf.model import BlinkNerf, Signals  # noqa: E402
from vultus.methods.blink_nerf.numerics import Kept, best_device, compile_in_place, counted_in, cpp_compiler  # noqa: E402
from vultus.methods.blink_nerf.train import fitted_net, renderer_stages  # noqa: E402
from vultus.training.loop import LoopConfig, train  # noqa: E402

compiles = pytest.mark.skipif(cpp_compiler() is None, reason="torch.compile finds no C++ compiler")
BF16 = LoopConfig(accelerator="cpu", precision="bf16-mixed", validate_every=10**6, save_every=10**6)
RAYS = 24


@pytest.fixture(scope="module")
def made() -> Material:
    return material(painted_person(), TINY.size, TINY.layer)


@pytest.fixture
def net(made) -> BlinkNerf:
    """A field that says something: its tables are as large as learned ones."""
    torch.manual_seed(3)
    net = fitted_net(TINY, made)
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if "tables" in name:
                parameter.uniform_(-0.5, 0.5)
    return net


def seen(net: BlinkNerf, made: Material, precision="32-true") -> tuple:
    """Colours of some rays, head and all, and their gradients by name."""
    signals, place = made.signals.at(slice(0, 2)), made.squares()[400 : 400 + RAYS].expand(2, -1, -1)
    net.zero_grad()
    with counted_in(precision, torch.device("cpu")):
        colour = net(signals, place, 6).colour
    (colour * torch.linspace(0.1, 1, colour.numel()).view_as(colour)).sum().backward()
    return colour.detach(), {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}


def off(found: torch.Tensor, truth: torch.Tensor) -> float:
    """Root mean square of the difference over that of the truth."""
    return float((found - truth).norm() / truth.norm().clamp_min(1e-12))


def test_bf16_is_float32_to_a_hundredth(net, made):
    (true, slopes), (found, found_slopes) = seen(net, made), seen(net, made, "bf16-mixed")
    assert found.dtype == torch.float32
    assert 1e-6 < off(found, true) < 1e-2, "bf16 is on, and close"
    assert set(found_slopes) == set(slopes)
    for part in ("field.space", "field.density", "field.colour", "conditioner"):
        one, other = (torch.cat([g.flatten() for n, g in all_.items() if part in n]) for all_ in (found_slopes, slopes))
        assert other.norm() > 0 and off(one, other) < 5e-2, part


def test_bf16_moves_no_ray_and_no_sample(net, made, monkeypatch):
    """Where the field is asked, and with what codes, does not depend on what it counts in."""
    asked: dict[str, list] = {}
    for precision in ("32-true", "bf16-mixed"):
        kept = asked.setdefault(precision, [])
        forward = RadianceField.forward

        def listen(self, *told, kept=kept, forward=forward):
            kept.extend(told)
            return forward(self, *told)

        monkeypatch.setattr(RadianceField, "forward", listen)
        Painter(net, TINY.size, precision=precision).picture(made.signals.at(slice(0, 1)))
        monkeypatch.undo()
    assert len(asked["32-true"]) == len(asked["bf16-mixed"]) > 0
    for true, found in zip(asked["32-true"], asked["bf16-mixed"], strict=True):
        assert found.dtype == torch.float32 and torch.equal(true, found)


def test_fabric_leaves_what_is_kept_alone(net, made):
    """Its mixed precision rounds all tensors that a module is told: the head might be a quarter of a unit off."""
    from lightning.fabric import Fabric

    wrapped = Fabric(accelerator="cpu", precision="bf16-mixed").setup_module(net)
    signals, place = made.signals.at(slice(0, 2)), made.squares()[400 : 400 + RAYS].expand(2, -1, -1)
    with torch.no_grad():
        with counted_in("bf16-mixed", place.device):
            true = net(signals, place, 6)
        found = wrapped(Kept(signals), Kept(place), 6)
    assert torch.equal(found.colour, true.colour) and torch.equal(found.depth, true.depth)


def test_the_fields_gradients_are_those_of_its_values(net):
    field = net.field.double()
    points = (torch.rand(5, 3, dtype=torch.float64) * 1.8 - 0.9).requires_grad_()
    told = (torch.rand(5, n, dtype=torch.float64).requires_grad_() for n in widths(TINY.head))
    assert torch.autograd.gradcheck(field, (points, *told), fast_mode=True)


def widths(head: FieldConfig) -> tuple[int, ...]:
    """Of what the field is told beside places."""
    return 3, head.face_code, head.eye_code, head.lower_face


@compiles
def test_compiled_is_plain_to_a_ten_thousandth():
    """One small field, as kernels take long to make: values and all gradients, for more than one number of points."""
    torch.manual_seed(0)
    head = replace(TINY.head, space=GridConfig(1, 8, 8, 2, 12))
    plain, compiled = RadianceField(head), RadianceField(head)
    compiled.load_state_dict(plain.state_dict())
    compile_in_place(compiled, "cpu")
    for count in (50, 51, 7):
        points = torch.rand(count, 3) * 2 - 1
        told = [torch.rand(count, n) for n in widths(head)]
        found = []
        for field in (plain, compiled):
            field.zero_grad()
            density, colour = field(points, *told)
            (density.square().mean() + (colour * colour.detach()).sum()).backward()
            found.append([density.detach(), colour.detach(), *(p.grad.clone() for p in field.parameters())])
        for true, made in zip(*found, strict=True):
            assert off(made, true) < 1e-4
    assert list(compiled.state_dict()) == list(plain.state_dict())


@pytest.mark.parametrize("compiled", [False, True])
def test_training_and_playing_compile_where_asked(compiled, made, net, monkeypatch):
    told = []
    for module in ("train", "infer"):
        name = f"vultus.methods.blink_nerf.{module}.compile_in_place"
        monkeypatch.setattr(name, lambda field, device: told.append((field, torch.device(device).type)))
    stages = renderer_stages(replace(TINY, train=replace(TINY.train, compile=compiled)), made)
    for stage in stages:
        stage.optimizers()
    TrainedPerson(net, compiled=compiled)
    wanted = [(stages[0].net.field, "cpu")] * 2 + [(net.field, "cpu")]
    assert told == (wanted if compiled else [])


def test_compiling_without_a_compiler_is_refused_in_a_sentence(net, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(MissingPartError, match=r"needs a C\+\+ compiler"):
        compile_in_place(net.field, "cpu")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingPartError, match="needs Triton"):
        compile_in_place(net.field, "cuda")


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_the_paper_preset_takes_two_steps(precision, made, tmp_path):
    """Its field, its layers and its one frame a step, at 32 pixels with fewer rays; the judge that ships, not LPIPS."""
    shorter = replace(
        PAPER.train, coarse_steps=2, fine_steps=2, rays=256, patch=8, perceptual_by="teacher", validation_frames=2
    )
    config = replace(PAPER, size=32, train=shorter)
    kept: list[BlinkNerf] = []

    def build():
        stages = renderer_stages(config, material(made.person, 32, config.layer))
        kept.append(stages[0].net)
        return stages

    figures = train(build, config, tmp_path, replace(BF16, precision=precision))
    assert all(math.isfinite(value) for found in figures.values() for value in found.values())
    assert all(p.dtype == torch.float32 and p.isfinite().all() for p in kept[0].parameters())
    assert any(kept[0].field.space.planes.is_hashed(r) for r in config.head.space.resolutions)


def test_bf16_learns_what_float32_learns(made, tmp_path):
    config = replace(TINY, train=replace(TINY.train, coarse_steps=40, frames=16, rays=32))
    figures = [
        train(lambda: renderer_stages(config, made)[:1], config, tmp_path / p, replace(BF16, precision=p))["coarse"]
        for p in ("32-true", "bf16-mixed")
    ]
    assert figures[1]["whole_psnr_db"] == pytest.approx(figures[0]["whole_psnr_db"], abs=0.5)


def test_nothing_is_made_on_another_device(made):
    """Tensors on torch's device "meta" have no values, and may not meet the CPU's: as far as a GPU goes without one."""
    from torch.fx.experimental import _config as shapes_only

    config = replace(TINY, head=replace(TINY.head, canonical=False, blended=0))  # which ask for values
    net = BlinkNerf(config, made.signals.audio.shape[1]).to("meta")
    signals, place = made.signals.at(slice(0, 2)).to("meta"), made.squares()[:8].expand(2, -1, -1).to("meta")
    with shapes_only.patch(meta_nonzero_assume_all_nonzero=True):
        for head in (None, torch.ones(16, dtype=torch.bool, device="meta")):
            found = net(signals, place, 4, head)
            assert all(part.device.type == "meta" for part in found)
        net.refresh_density(signals)
    with pytest.raises(RuntimeError, match="device"):
        net(signals._replace(torso=made.signals.torso[:2]), place, 4)


def test_a_gpu_is_taken_where_there_is_one(monkeypatch, blink_nerf_weights):
    from vultus.methods import get_personal

    chosen = []
    load = TrainedPerson.load.__func__
    monkeypatch.setattr(
        TrainedPerson, "load", classmethod(lambda cls, folder, device: chosen.append(device) or load(cls, folder))
    )
    for there, device in ((False, "cpu"), (True, "cuda")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert best_device() == device
        get_personal("blink_nerf").person(blink_nerf_weights)
    assert chosen == ["cpu", "cuda"]


def test_a_person_plays_in_bf16(net, made):
    shown = {p: TrainedPerson(net, precision=p) for p in ("32-true", "bf16-mixed")}
    poses = shown["32-true"].turntable(fps=1)
    one, other = (
        torch.stack([torch.from_numpy(f).float() for f in who.frames(who.at_rest(len(poses)), poses, fps=1)])
        for who in shown.values()
    )
    assert 0 < off(other, one) < 1e-2
    assert isinstance(made.signals, Signals)
