"""Our own small networks that teach and judge: lip sync, identity, perceptual distance, emotion.

Each exists twice, of other seeds and, where there are enough, other clips: the teacher may stand in a method's loss,
the judge measures what comes out and never teaches. Neither is a published network nor a stand-in for one: their
figures have names of their own (`sync_vultus`, `identity_vultus`, ...).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from vultus.core.errors import ControlError, MissingPartError
from vultus.core.weights import Card, load_into, read_card, require_torch

if TYPE_CHECKING:
    import torch

    Network = TypeVar("Network", bound=torch.nn.Module)

Role = Literal["teacher", "judge"]
ROLES: tuple[Role, ...] = get_args(Role)

ASSETS = Path(__file__).parent.parent.parent / "assets"
"""Where shipped weights lie, in folders `<name>-<role>-<version>-<sha8>` (`core.weights`)."""


def weights_folder(name: str, role: Role = "judge") -> Path:
    """The folder of the shipped weights of a judge ("sync", "emotion_voice", ...) in one of its roles.

    Raises ControlError for an unknown role, MissingPartError where the weights were left out.
    """
    if role not in ROLES:
        raise ControlError(f"there is no role {role!r}", name, f"choose {' or '.join(ROLES)}")
    folders = sorted(ASSETS.glob(f"{name}-{role}-*/"))
    if not folders:
        raise MissingPartError(
            f"the weights of {name} ({role}) are not installed", name, f"run: vultus train {name} DATA OUT"
        )
    return folders[-1]


def load_network(folder: str | Path, build: Callable[[Mapping[str, Any]], Network]) -> tuple[Network, Card]:
    """A trained network in eval mode, its weights frozen, and its card; `build` makes it from the card's config.

    Gradients still flow through it to its input. Raises MissingPartError without torch, InputError for a folder that
    holds no such weights.
    """
    require_torch("judges")
    card = read_card(folder)
    network = build(card.config)
    load_into(network, folder)
    return network.eval().requires_grad_(False), card
