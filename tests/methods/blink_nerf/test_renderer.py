"""The renderer: camera, signals and losses by hand; a painted person is learned; a killed run ends as a whole one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.methods.blink_nerf.painted import painted_person

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("lightning", reason="lightning is not installed")

from vultus.methods.blink_nerf.conditioning import BlinkCode, Condition, Shapes, eye_opening  # noqa: E402
from vultus.methods.blink_nerf.config import ABLATIONS, TINY, ablated  # noqa: E402
from vultus.methods.blink_nerf.field import DensityGrid  # noqa: E402
from vultus.methods.blink_nerf.infer import Painter  # noqa: E402
from vultus.methods.blink_nerf.material import LOOKS, draw_frames, draw_patches, draw_rays, material, projected  # noqa: E402
from vultus.methods.blink_nerf.model import BlinkNerf, Signals, pixel_places, pose_numbers  # noqa: E402
from vultus.methods.blink_nerf.person import Person  # noqa: E402
from vultus.methods.blink_nerf.train import Rays, decibels, fine_error, fitted_net, renderer_stages, squared_error  # noqa: E402
from vultus.training.loop import LoopConfig, train  # noqa: E402
from vultus.training.stage import Share  # noqa: E402

CPU = LoopConfig(accelerator="cpu", log_every=10, validate_every=10**6, save_every=10**6)
LEARNS = replace(
    TINY,
    layer=replace(TINY.layer, motions=2, motion_grid=8),
    train=replace(TINY.train, coarse_steps=300, fine_steps=4, frames=24, rays=48, samples=6, net_lr=5e-3, grid_lr=3e-2,
                  opaque=0.02, silhouette=0.02, final_lr=0.1, validation_frames=8),
)  # fmt: skip


@pytest.fixture(scope="module")
def person() -> Person:
    return painted_person()


@pytest.fixture(scope="module")
def learned(person: Person, tmp_path_factory: pytest.TempPathFactory) -> Rays:
    made = material(person, LEARNS.size, LEARNS.layer)
    kept: list[Rays] = []

    def build() -> list[Rays]:
        kept.extend(renderer_stages(LEARNS, made))
        return kept

    train(build, LEARNS, tmp_path_factory.mktemp("run"), CPU)
    return kept[0]


def test_equations_8_and_9_by_hand():
    colour, truth = torch.tensor([[0.5, 0.5, 0.5], [1.0, 0.0, 0.0]]), torch.tensor([[0.5, 0.25, 0.5], [0.0, 0.0, 0.5]])
    assert squared_error(colour, truth).item() == pytest.approx((0.0625 + 1.25) / 2)
    ones, zeros = torch.ones(2, 4, 4, 3), torch.zeros(2, 4, 4, 3)

    def distance(a, b):
        assert a.shape == (2, 3, 4, 4)
        return (a - b).abs().mean((1, 2, 3)) * torch.tensor([1.0, 3.0])

    assert fine_error(ones, zeros, distance, 1e-3).item() == pytest.approx(3 + 1e-3 * 2)
    assert decibels(np.array([0.1, 0.0])) == pytest.approx(-10 * np.log10(0.05))


def test_rays_pass_through_the_points_that_land_on_their_pixels(person):
    """The camera is that of `core.types.Fit`."""
    made = material(person, 32, TINY.layer)
    net = fitted_net(TINY, made)
    signals = made.signals.at(slice(3, 5))
    points = projected(person, 32)[3:5]
    for frame in range(2):
        one = signals.at(slice(frame, frame + 1))
        place = torch.from_numpy(points[frame] * 2 / 32 - 1)[None]
        origin, direction, _ = net._rays(one, place)
        to = one.landmarks[0] - net.middle - origin
        along = (to * direction).sum(1, keepdim=True) / direction.square().sum(1, keepdim=True) * direction
        assert (to - along).norm(dim=1).max() < 1e-3
        depth = (one.rotation[0] @ one.landmarks[0].T).T[:, 2] * -1 + one.translation[0, 2]
        torch.testing.assert_close((along / direction)[:, 2], depth, atol=1e-3, rtol=1e-4)


def test_poses_are_rotation_vectors():
    from scipy.spatial.transform import Rotation

    rotation = Rotation.from_rotvec([[0.3, -0.2, 0.9], [0, 0, 0]])
    numbers = pose_numbers(torch.from_numpy(rotation.as_matrix()), torch.tensor([[1.0, 2, 3]] * 2).double())
    np.testing.assert_allclose(numbers, [[0.3, -0.2, 0.9, 1, 2, 3], [0, 0, 0, 1, 2, 3]], atol=1e-7)


def test_shapes_give_back_what_they_were_learned_from():
    rng = np.random.default_rng(0)
    landmarks = (rng.normal(size=(50, 3)) @ rng.normal(size=(3, 12)) + 5).reshape(50, 4, 3).astype(np.float32)
    shapes = Shapes(4, 3)
    shapes.fit(landmarks, np.array([1.0, 2.0, 1.0, 1.0]))
    found, seen = shapes(torch.from_numpy(landmarks))
    np.testing.assert_allclose(found.std(0, unbiased=False), 1, atol=1e-3)
    back = seen.flatten(1) * 3.5 * shapes.spread + shapes.mean
    assert np.abs(back.numpy() - landmarks.reshape(50, -1)).max() < 1e-3


def test_lids_follow_au45_alone_where_it_says_they_move(person):
    torch.manual_seed(0)
    blink = BlinkCode(TINY.head)
    blink.fit(person.landmarks3d, person.au45)
    opening = eye_opening(torch.from_numpy(person.landmarks3d)).numpy()
    shut = person.au45 == 5
    np.testing.assert_allclose(blink.usual[0], opening[~shut].mean(0), atol=0.02)
    np.testing.assert_allclose(blink.usual[5], opening[shut].mean(0), atol=0.03)
    open_eyes = torch.from_numpy(person.landmarks3d[~shut][:1])
    shut_eyes = torch.from_numpy(person.landmarks3d[shut][:1])
    for au45, equal in ((0.0, False), (1.0, True), (5.0, True)):
        codes = [blink(points, torch.tensor([au45])) for points in (open_eyes, shut_eyes)]
        assert torch.allclose(*codes) == equal


def test_blinks_leave_everything_below_the_nose_alone(person):
    torch.manual_seed(0)
    net = fitted_net(TINY, material(person, TINY.size, TINY.layer))
    low, high = net.field.lids
    heights = [(person.landmarks3d[:72, k, 1].mean() - net.middle[1]) / net.half_box[1] for k in (33, 41)]
    np.testing.assert_allclose([low, high], heights, atol=1e-2)
    points = torch.rand(60, 3) * 2 - 1
    points[:, 1] = torch.cat([torch.linspace(-1, float(low), 30), torch.linspace(float(low) + 1e-3, 1, 30)])
    face, view, lower = (torch.zeros(60, width) for width in (TINY.head.face_code, 3, TINY.head.lower_face))
    shut, awake = (net.field(points, view, face, torch.full((60, TINY.head.eye_code), x), lower) for x in (3.0, 0.0))
    change = (shut[1] - awake[1]).abs().amax(1)
    assert (change[:30] == 0).all() and (change[30:] > 0).all()


def test_fullness_is_what_the_field_holds_in_training_only(person):
    torch.manual_seed(0)
    made = material(person, TINY.size, TINY.layer)
    net = fitted_net(TINY, made)
    signals, place = made.signals.at(slice(0, 2)), made.squares()[:8].expand(2, -1, -1)
    assert net(signals, place, 4).fullness == 0
    with torch.no_grad():
        for parameter in net.field.density.parameters():
            parameter.zero_()
    full = net(signals, place, 4, head=torch.ones(16, dtype=torch.bool)).fullness
    assert full.item() == pytest.approx(np.log1p(8 * np.log1p(np.exp(-1))), abs=1e-5)
    assert full.requires_grad


def test_space_is_emptied_once_the_head_has_its_form(person):
    config = replace(TINY, train=replace(TINY.train, coarse_steps=10, full=0.5))
    coarse, fine = renderer_stages(config, material(person, TINY.size, TINY.layer))
    weights = []
    for coarse.done in (0, 4, 5, 9):
        losses = coarse.losses(next(coarse.batches(0, Share())), coarse.net)
        weights.append(float(losses["full"].detach()) > 0)
    assert weights == [False, False, True, True]
    assert fine._settled()


def test_the_density_grid_keeps_what_was_dense():
    torch.manual_seed(0)
    grid = DensityGrid()
    for _ in range(100):
        grid.refresh(lambda points: 9.0 * (points.norm(dim=1) < 0.5))
    inside = grid(torch.tensor([[0.0, 0.0, 0.0], [0.2, -0.2, 0.1]]))
    outside = grid(torch.tensor([[0.9, 0.0, 0.0], [0.0, -0.8, 0.3]]))
    assert inside.min() > 8.9 and outside.max() < 0.6


def test_conditions_must_fit_together():
    with pytest.raises(ValueError, match="2 frames of AU45"):
        Condition(np.zeros((3, 68, 3), np.float32), np.zeros(2, np.float32), np.zeros((2, 4), np.float32))


def test_rays_are_drawn_where_the_face_is(person):
    made = material(person, 32, TINY.layer)
    rng = np.random.default_rng(0)
    frames = np.array([0, 7])
    pixels = draw_rays(made, frames, 4000, rng)
    assert pixels.min() >= 0 and pixels.max() < 32 * 32
    labels = np.take_along_axis(made.labels[torch.from_numpy(frames)].numpy(), pixels, 1)
    everywhere = made.labels[torch.from_numpy(frames)].numpy()
    assert (labels >= 3).mean() > 2 * (everywhere >= 3).mean()
    assert sum(LOOKS.values()) == pytest.approx(1)
    patches = draw_patches(made, frames, 8, rng).reshape(2, 8, 8)
    assert (np.diff(patches, axis=2) == 1).all() and (np.diff(patches, axis=1) == 32).all()


def test_blinks_and_wide_mouths_are_drawn_more_often(person):
    made = material(person, TINY.size, TINY.layer)
    shares = replace(TINY.train, frames=200, blinking=0.5, wide=0.25)
    drawn = draw_frames(made, shares, np.random.default_rng(0))
    opening = np.ptp(person.landmarks3d[:, 60:68, 1], axis=1)
    assert (person.au45[drawn[:100]] == 5).all() and set(drawn) <= set(made.train)
    assert opening[drawn[100:150]].min() >= np.quantile(opening[made.train], 0.74)
    assert 0.1 < (person.au45[drawn[150:]] == 5).mean() < 0.3  # the rest as they come: every fifth
    plain = draw_frames(made, replace(shares, blinking=0, wide=0), np.random.default_rng(0))
    assert len(np.unique(plain)) > 0.8 * len(made.train)


def test_batches_depend_on_their_step_alone(person):
    made = material(person, TINY.size, TINY.layer)
    for stage in renderer_stages(TINY, made):
        first = stage.batches(0, Share())
        whole = [next(first) for _ in range(3)]
        later = next(stage.batches(2, Share()))
        for name, tensor in later.items():
            assert torch.equal(tensor, whole[2][name])
        assert not torch.equal(whole[0]["truth"], whole[1]["truth"])


def test_a_painted_person_is_learned(learned):
    """Mouth by landmarks, eyes by AU45, torso by its own signal: each is lost with its signal."""
    made, painter = learned.made, Painter(learned.net, learned.made.size)
    test = torch.from_numpy(made.test)

    def psnr(change=lambda signals: signals) -> dict[str, float]:
        errors: dict[str, list[np.ndarray]] = {name: [] for name in (*LOOKS, "torso")}
        for k in test:
            picture = painter.picture(change(made.signals.at(slice(k, k + 1))))
            error = (picture - made.pictures[k].view(32, 32, 3).numpy() / 255) ** 2
            for name, box in zip(LOOKS, made.boxes[int(k)].astype(int), strict=True):
                errors[name].append(error[box[1] : box[3], box[0] : box[2]].ravel())
            errors["torso"].append(error[-8:].ravel())
        return {name: decibels(np.concatenate(found)) for name, found in errors.items()}

    still = made.signals.landmarks[: len(made.train)].mean(0, keepdim=True)
    true = psnr()
    assert true["whole"] > 20 and true["mouth"] > 15, true
    assert psnr(lambda s: s._replace(landmarks=still))["mouth"] < true["mouth"] - 1.5
    assert psnr(lambda s: s._replace(au45=0 * s.au45, landmarks=still))["eyes"] < true["eyes"] - 1.5
    assert psnr(lambda s: s._replace(torso=-s.torso))["torso"] < true["torso"] - 1.5


def test_the_head_is_nearer_than_nothing(learned):
    made = learned.made
    depth = Painter(learned.net, made.size).depth(made.signals.at(slice(0, 1)))
    label = made.labels[0].view(32, 32).numpy()
    assert np.isfinite(depth[label >= 2]).mean() > 0.9
    assert np.isinf(depth[label == 0]).mean() > 0.8
    assert 78 < np.median(depth[label >= 2]) < 102


@pytest.mark.parametrize("row", ABLATIONS)
def test_every_row_of_table_3_learns(row, person, tmp_path):
    config = ablated(TINY, row)
    made = material(person, config.size, config.layer)
    figures = train(lambda: renderer_stages(config, made), config, tmp_path, CPU)
    assert set(figures) == {"coarse", "fine"}
    net = renderer_stages(config, made)[0].net
    names = [name for name, _ in net.named_parameters()]
    assert any("conditioner.landmarks" in name for name in names) == config.head.landmarks
    assert any("conditioner.blink" in name for name in names) == config.head.blink
    assert any("space.planes" in name for name in names) == (config.head.encoder == "triplane")


def test_a_killed_run_ends_as_a_whole_one(person, tmp_path):
    config = replace(TINY, train=replace(TINY.train, coarse_steps=20, fine_steps=6))
    loop = replace(CPU, save_every=3)
    made = material(person, config.size, config.layer)

    def run(folder: str, kill_at: int | None) -> dict[str, dict[str, float]]:
        def on_step(stage: str, done: int, total: int, losses: object) -> None:
            if (stage == "fine") == (kill_at == 4) and done == kill_at:
                raise KeyboardInterrupt

        return train(
            lambda: renderer_stages(config, made), config, tmp_path / folder, loop, resume=True, on_step=on_step
        )

    whole = run("whole", None)
    for kill_at in (17, 4):
        with pytest.raises(KeyboardInterrupt):
            run("killed", kill_at)
    assert run("killed", None) == whole
    for stage in ("coarse", "fine"):
        files = [next((tmp_path / name / stage).glob("step-*/weights.safetensors")) for name in ("whole", "killed")]
        assert files[0].read_bytes() == files[1].read_bytes()


def test_places_are_pixels_middles():
    places = pixel_places(4)
    np.testing.assert_allclose(places[:2], [[-0.75, -0.75], [-0.25, -0.75]])
    assert len(places) == 16


def test_what_is_rendered_does_not_depend_on_chunks(person, monkeypatch):
    made = material(person, TINY.size, TINY.layer)
    torch.manual_seed(0)
    painter = Painter(fitted_net(TINY, made), TINY.size)
    signals: Signals = made.signals.at(slice(0, 1))
    whole = painter.picture(signals)
    monkeypatch.setattr("vultus.methods.blink_nerf.infer.CHUNK", 100)
    np.testing.assert_allclose(painter.picture(signals), whole, atol=1e-5)


def test_weights_are_loaded_strictly(person):
    made = material(person, TINY.size, TINY.layer)
    net = fitted_net(TINY, made)
    other = BlinkNerf(TINY, 4)
    other.load_state_dict(net.state_dict(), strict=True)
    signals: Signals = made.signals.at(slice(0, 1))
    np.testing.assert_array_equal(*[Painter(n, TINY.size).picture(signals) for n in (net, other)])
    wider = replace(TINY, head=replace(TINY.head, hidden=17))
    with pytest.raises(RuntimeError):
        BlinkNerf(wider, 4).load_state_dict(net.state_dict())
