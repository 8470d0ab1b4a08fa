"""Training of the lips: first on synthetic speech, whose phones are known, then on measured mouths of real people."""

from __future__ import annotations

from pathlib import Path

from vultus.core.errors import InputError
from vultus.methods.portrait.config import LipTrainConfig
from vultus.methods.portrait.train.finetune import Finetune
from vultus.methods.portrait.train.lip_stage import Material
from vultus.methods.portrait.train.pretrain import Pretrain
from vultus.perception.speech_net import SpeechNet
from vultus.training.loop import finished_weights
from vultus.training.stage import Stage

__all__ = ["Material", "stages", "trained_net"]


def stages(config: LipTrainConfig, material: Material) -> list[Stage]:
    """Both stages of one network."""
    net = SpeechNet(config.net)
    return [Pretrain(net, config, material), Finetune(net, config, material)]


def trained_net(config: LipTrainConfig, stage: Path) -> SpeechNet:
    """The network as a stage's folder in a run has it. Raises InputError where nothing, or something else, is saved."""
    tensors = {name.removeprefix("net."): tensor for name, tensor in finished_weights(stage).items()}
    net = SpeechNet(config.net)
    wanted = net.state_dict()
    if not wanted.keys() <= tensors.keys():
        raise InputError("these weights are of another model", stage, "train into a new folder")
    net.load_state_dict({name: tensors[name] for name in wanted})
    return net.eval()
