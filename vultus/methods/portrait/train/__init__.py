"""Training of the lips: first on synthetic speech, whose phones are known, then on measured mouths of real people."""

from __future__ import annotations

from vultus.methods.portrait.config import LipTrainConfig
from vultus.methods.portrait.train.finetune import Finetune
from vultus.methods.portrait.train.lip_stage import Material
from vultus.methods.portrait.train.pretrain import Pretrain
from vultus.perception.speech_net import SpeechNet
from vultus.training.stage import Stage

__all__ = ["Material", "stages"]


def stages(config: LipTrainConfig, material: Material) -> list[Stage]:
    """Both stages of one network."""
    net = SpeechNet(config.net)
    return [Pretrain(net, config, material), Finetune(net, config, material)]
