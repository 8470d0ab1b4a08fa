"""Training: the driver, then the renderer (section III.D): coarse on the whole picture, then fine on the mouth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vultus.methods.blink_nerf.config import BlinkNerfConfig, TrainConfig
from vultus.methods.blink_nerf.data import person_in
from vultus.methods.blink_nerf.driver.train import Motion
from vultus.methods.blink_nerf.infer import Painter
from vultus.methods.blink_nerf.material import (
    LOOKS,
    Material,
    draw_frames,
    draw_patches,
    draw_rays,
    fitted_guess,
    material,
    standardised_pose,
)
from vultus.methods.blink_nerf.model import BlinkNerf, Seen, Signals
from vultus.methods.blink_nerf.numerics import Kept, compile_in_place
from vultus.methods.blink_nerf.person import HEAD
from vultus.training.stage import Run, Share

REFRESH_EVERY = 16
"""Steps between looks at where the field is dense."""
REFRESH_AFTER = 150
"""Steps before which everything counts as dense."""
_REFRESH_FRAMES = 256
_WARM_UP = 100
"""Steps over which the learning rates rise; in a short run a tenth of it."""
_MOTION_RATE = 0.1
"""Of the torso's motions, as a share of the networks': they begin as measured."""
_UNSEEN = 0.1
"""Weight of the guess of what is behind the head."""

Distance = Callable[[Tensor, Tensor], Tensor]
"""Pictures (N, 3, H, W) in 0-1 and as many others -> (N,)."""
Batch = dict[str, Tensor]


def stages(config: BlinkNerfConfig, data: Path) -> list[Motion | Rays]:
    """The driver, then the renderer, which does not need it; the last stage's weights hold both."""
    person = person_in(data, config.size, config.ear)
    motion = Motion(config.driver, person)
    return [motion, *renderer_stages(config, material(person, config.size, config.layer), motion.modules())]


def renderer_stages(
    config: BlinkNerfConfig, made: Material, beside: Mapping[str, nn.Module] | None = None
) -> list[Rays]:
    """Coarse and fine on one network; modules `beside` it are kept with its weights."""
    net = fitted_net(config, made)
    return [Rays(config.train, made, net), Patches(config.train, made, net, beside)]


def fitted_net(config: BlinkNerfConfig, made: Material) -> BlinkNerf:
    """A network that knows a person's statistics, and nothing yet of how they look."""
    net = BlinkNerf(config, made.signals.audio.shape[1])
    chosen = made.signals.at(torch.from_numpy(made.train))
    net.fit(chosen, made.person.focal_px, made.person.center_px, made.person.size)
    net.fit_condition(chosen)
    net.backdrop.fit(made.person.background, made.motion.motions)
    guess = fitted_guess(made, standardised_pose(made.signals, made.train))
    net.torso_guess.copy_(torch.from_numpy(guess.weights))
    return net


def squared_error(colour: Tensor, truth: Tensor) -> Tensor:
    """Mean over rays of |C - C^|^2 (equation 8, whose sum is over them), of colours (R, 3) in 0-1."""
    return (colour - truth).square().sum(-1).mean()


def fine_error(colour: Tensor, truth: Tensor, distance: Distance, weight: float) -> Tensor:
    """Equation 9 of patches (N, H, W, 3) in 0-1: squared error and `weight` times the perceptual distance."""
    one, other = (patch.permute(0, 3, 1, 2) for patch in (colour, truth))
    return squared_error(colour, truth) + weight * distance(one, other).mean()


class Rays:
    """Coarse: rays from many frames, by equation 8."""

    name = "coarse"
    needs: tuple[str, ...] = ()

    def __init__(self, config: TrainConfig, made: Material, net: BlinkNerf) -> None:
        self.config, self.made, self.net = config, made, net
        self.steps, self.done = config.coarse_steps, 0

    def modules(self) -> Mapping[str, nn.Module]:
        """See `Stage`."""
        return {"net": self.net}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """See `Stage`. The network is on its device by now, so that it can be compiled for it."""
        if self.config.compile:
            compile_in_place(self.net.field, self.net.half_box.device)
        tables: list[nn.Parameter] = []
        motions: list[nn.Parameter] = []
        nets: list[nn.Parameter] = []
        for name, parameter in self.net.named_parameters():
            group = motions if "motions" in name else tables if "tables" in name or "background" in name else nets
            group.append(parameter)
        rates = (self.config.grid_lr, self.config.net_lr * _MOTION_RATE, self.config.net_lr)
        groups = [
            {"params": group, "lr": rate, "full": rate}
            for group, rate in zip((tables, motions, nets), rates, strict=True)
        ]
        return {"net": torch.optim.Adam(groups, betas=(0.9, 0.99), eps=1e-12, fused=True)}

    def batches(self, start: int, share: Share) -> Iterator[Batch]:
        """See `Stage`."""
        step = start
        while True:
            yield self._batch(np.random.default_rng((step, share.rank, len(self.name))))
            step += 1

    def _batch(self, rng: np.random.Generator) -> Batch:
        frames = draw_frames(self.made, self.config, rng)
        return self._look(frames, draw_rays(self.made, frames, self.config.rays, rng))

    def _look(self, frames: np.ndarray, pixels: np.ndarray) -> Batch:
        made = self.made
        at, spot = torch.from_numpy(frames), torch.from_numpy(pixels)
        behind = torch.from_numpy(made.behind).flatten(0, 1)
        rays = {
            "truth": made.pictures[at[:, None], spot].float() / 255,
            "behind": behind[spot].float() / 255,
            "label": made.labels[at[:, None], spot],
            "place": made.squares()[spot],
        }
        return rays | made.signals.at(at)._asdict()

    def step(self, batch: Batch, run: Run) -> Mapping[str, Tensor]:
        """See `Stage`."""
        if self.done % REFRESH_EVERY == 0 and self.done >= (REFRESH_AFTER if self.name == "coarse" else 0):
            frames = torch.from_numpy(np.resize(self.made.train, max(len(self.made.train), _REFRESH_FRAMES)))
            chosen = frames[torch.randint(len(frames), (_REFRESH_FRAMES,))]
            self.net.refresh_density(self.made.signals.at(chosen).to(batch["truth"].device))
        optimizer = run.optimizers["net"]
        for group in optimizer.param_groups:
            group["lr"] = group["full"] * self._rate()
        optimizer.zero_grad()
        losses = self.losses(batch, run.modules["net"])
        run.fabric.backward(torch.stack(list(losses.values())).sum())
        optimizer.step()
        self.done += 1
        return {name: loss.detach() for name, loss in losses.items()}

    def losses(self, batch: Batch, net: Any) -> dict[str, Tensor]:
        """What is minimised, by name, of rays."""
        seen = self._seen(batch, net)
        return {"squared_error": squared_error(seen.colour, batch["truth"].flatten(0, 1))} | self._shape(batch, seen)

    def _seen(self, batch: Batch, net: Any) -> Seen:
        signals = Signals(*(batch[name] for name in Signals._fields))
        head = batch["label"].flatten() >= HEAD
        seen: Seen = net(Kept(signals), Kept(batch["place"]), self.config.samples, head)
        return seen

    def _shape(self, batch: Batch, seen: Seen) -> dict[str, Tensor]:
        """Ours: a face is opaque, nothing is where no head or no ray is, what it hides is like what is around it."""
        label = batch["label"].flatten()
        unseen = (seen.behind - batch["behind"].flatten(0, 1)).square().sum(-1)
        return {
            "opaque": self.config.opaque * ((1 - seen.opacity).square() * (label > HEAD)).mean(),
            "silhouette": self.config.silhouette * (seen.opacity.square() * (label < HEAD)).mean(),
            "full": self.config.full * self._settled() * seen.fullness,
            "unseen": _UNSEEN * (unseen * (label >= HEAD)).mean(),
        }

    def _settled(self) -> bool:
        """Whether the head has its form: emptied before, it becomes a few flat shells that turning tears apart."""
        return 2 * self.done >= self.steps

    def _rate(self) -> float:
        progress = self.done / self.steps
        return min(1.0, (self.done + 1) / min(_WARM_UP, self.steps / 10)) * self.config.final_lr ** max(
            0.0, 2 * progress - 1
        )

    def validate(self, run: Run) -> Mapping[str, float]:
        """PSNR in dB on held-out frames, of the pooled error: whole picture, head, mouth, eyes."""
        made = self.made
        count = min(self.config.validation_frames, len(made.test))
        chosen = torch.from_numpy(made.test[np.linspace(0, len(made.test) - 1, count).astype(int)])
        painter = Painter(self.net, made.size)
        errors: dict[str, list[np.ndarray]] = {name: [] for name in LOOKS}
        for k in chosen:
            signals = made.signals.at(slice(k, k + 1)).to(run.fabric.device)
            error = (painter.picture(signals) - made.pictures[k].view(made.size, made.size, 3).numpy() / 255.0) ** 2
            for name, box in zip(LOOKS, made.boxes[int(k)].astype(int), strict=True):
                errors[name].append(error[box[1] : box[3], box[0] : box[2]].ravel())
        return {f"{name}_psnr_db": decibels(np.concatenate(found)) for name, found in errors.items()}

    def state_dict(self) -> dict[str, Any]:
        """See `Stage`."""
        return {"done": self.done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `Stage`."""
        self.done = state["done"]


class Patches(Rays):
    """Fine: patches of the mouth, by equation 9, at a tenth of the rates.

    Every step also learns from rays as before (ours): from patches alone the field forgets what is not mouth.
    """

    name = "fine"
    needs = ("coarse",)

    def __init__(
        self, config: TrainConfig, made: Material, net: BlinkNerf, beside: Mapping[str, nn.Module] | None = None
    ) -> None:
        super().__init__(config, made, net)
        self._beside = dict(beside or {})
        self.steps = config.fine_steps

    def modules(self) -> Mapping[str, nn.Module]:
        """See `Stage`."""
        return {**super().modules(), **self._beside}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """See `Stage`. The judge is loaded here: building it draws random numbers, which must not come in between."""
        self._distance = perceptual_distance(self.config, self.net.half_box.device)
        return super().optimizers()

    def _batch(self, rng: np.random.Generator) -> Batch:
        frames = rng.choice(self.made.train, self.config.patch_frames)
        patches = self._look(frames, draw_patches(self.made, frames, self.config.patch, rng))
        return super()._batch(rng) | {f"patch_{name}": tensor for name, tensor in patches.items()}

    def losses(self, batch: Batch, net: Any) -> dict[str, Tensor]:
        """What is minimised, by name, of patches and rays."""
        patches = {name.removeprefix("patch_"): t for name, t in batch.items() if name.startswith("patch_")}
        seen, shape = self._seen(patches, net), (-1, self.config.patch, self.config.patch, 3)
        fine = fine_error(seen.colour.view(shape), patches["truth"].view(shape), self._distance, self.config.perceptual)
        return {"fine": fine} | super().losses(batch, net)

    def _settled(self) -> bool:
        return True

    def _rate(self) -> float:
        return 0.1 * self.config.final_lr ** (self.done / self.steps)


def perceptual_distance(config: TrainConfig, device: torch.device) -> Distance:
    """The frozen network of equation 9. Raises MissingPartError where its weights are not there."""
    if config.perceptual_by == "lpips":
        from vultus.perception.published.lpips import Lpips

        return Lpips.load().to(device).requires_grad_(False)
    from vultus.perception.judges.perceptual import load_perceptual

    return load_perceptual("teacher").net.to(device)


def decibels(squared: np.ndarray) -> float:
    """PSNR in dB of squared errors of values in 0-1."""
    return float(-10 * np.log10(max(float(np.mean(squared, dtype=np.float64)), 1e-12)))
