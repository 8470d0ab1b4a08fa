"""The published networks: their files, where these come from, how they are recognised, and who may use them."""

from __future__ import annotations

from dataclasses import dataclass

from vultus.core.errors import InputError

_HUB = "https://huggingface.co"
_TORCHVISION = "https://s3.amazonaws.com/pytorch/models"
_CLIP = f"{_HUB}/openai/clip-vit-base-patch32/resolve/3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268"
_WAV2VEC2 = f"{_HUB}/facebook/wav2vec2-base-960h/resolve/22aad52d435eb6dbaf354bdad9b0da84ce7d6156"


@dataclass(frozen=True)
class PublishedFile:
    """A file as its authors publish it."""

    name: str
    address: str = ""
    """Where it can be downloaded; empty if only a person can, from the network's page."""
    sha256: str = ""
    """In hexadecimal, or as much of its beginning as is known; empty if no hash is known."""
    size_bytes: int | None = None
    """None if it is not known."""


@dataclass(frozen=True)
class PublishedNetwork:
    """A network that others trained."""

    name: str
    files: tuple[PublishedFile, ...]
    purpose: str
    licence: str
    """Of the weights."""
    page: str
    """The authors' own page."""


_NETWORKS = (
    PublishedNetwork(
        "vgg19",
        (
            PublishedFile(
                "vgg19-dcbb9e9d.pth",
                f"{_TORCHVISION}/vgg19-dcbb9e9d.pth",
                "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
                574_673_361,
            ),
        ),
        "perceptual losses of emogen and cp_eb",
        "BSD-3-Clause; trained on ImageNet",
        "https://github.com/pytorch/vision",
    ),
    PublishedNetwork(
        "alexnet",
        (
            PublishedFile(
                "alexnet-owt-7be5be79.pth",
                f"{_TORCHVISION}/alexnet-owt-7be5be79.pth",
                "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
                244_408_911,
            ),
        ),
        "the features under LPIPS",
        "BSD-3-Clause; trained on ImageNet",
        "https://github.com/pytorch/vision",
    ),
    PublishedNetwork(
        "lpips-alex",
        (
            PublishedFile(
                "alex.pth",
                "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights/v0.1/alex.pth",
                "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
                6_009,
            ),
        ),
        "LPIPS v0.1 on AlexNet: needs alexnet too",
        "BSD-2-Clause",
        "https://github.com/richzhang/PerceptualSimilarity",
    ),
    PublishedNetwork(
        "inception-fid",
        (
            PublishedFile(
                "pt_inception-2015-12-05-6726825d.pth",
                "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
                "pt_inception-2015-12-05-6726825d.pth",
                "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
                95_628_359,
            ),
        ),
        "FID",
        "Apache-2.0; trained on ImageNet",
        "https://github.com/mseitzer/pytorch-fid",
    ),
    PublishedNetwork(
        "syncnet-v2",
        (
            PublishedFile(
                "syncnet_v2.model",
                "https://www.robots.ox.ac.uk/~vgg/software/lipsync/data/syncnet_v2.model",
                "961e8696f888fce4f3f3a6c3d5b3267cf5b343100b238e79b2659bff2c605442",
                54_573_114,
            ),
        ),
        "LSE-C and LSE-D, Sync",
        "MIT (code); weights published for research",
        "https://github.com/joonson/syncnet_python",
    ),
    PublishedNetwork(
        "clip-vit-b32",
        (
            PublishedFile(
                "pytorch_model.bin",
                f"{_CLIP}/pytorch_model.bin",
                "a63082132ba4f97a80bea76823f544493bffa8082296d62d71581a4feff1576f",
                605_247_071,
            ),
            PublishedFile(
                "bpe_simple_vocab_16e6.txt.gz",
                "https://github.com/openai/CLIP/raw/main/clip/bpe_simple_vocab_16e6.txt.gz",
                "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a",
                1_356_917,
            ),
        ),
        "text and picture encoders of emotion_space",
        "MIT",
        "https://github.com/openai/CLIP",
    ),
    PublishedNetwork(
        "wav2vec2-base-960h",
        (
            PublishedFile(
                "model.safetensors",
                f"{_WAV2VEC2}/model.safetensors",
                "8aa76ab2243c81747a1f832954586bc566090c83a0ac167df6f31f0fa917d74a",
                377_607_901,
            ),
            PublishedFile(
                "config.json",
                f"{_WAV2VEC2}/config.json",
                "d3ec255c063d9f95057b553b19c20135b259875834a4fe9deb218a6be25b4cf3",
                1_596,
            ),
            PublishedFile(
                "preprocessor_config.json",
                f"{_WAV2VEC2}/preprocessor_config.json",
                "b225d617c025463b9e157e06afea8b90dc7078fc70b013c533328423e0486b4a",
                159,
            ),
            PublishedFile(
                "vocab.json",
                f"{_WAV2VEC2}/vocab.json",
                "19727f8944fe6459fc3f240ae2c198395b740f6a029bd23e06656266b83bcf64",
                291,
            ),
        ),
        "speech encoder of emoface, by perception.wav2vec2",
        "Apache-2.0",
        "https://huggingface.co/facebook/wav2vec2-base-960h",
    ),
    PublishedNetwork(
        "arcface-r50",
        (
            PublishedFile(
                "ms1mv3_arcface_r50_fp16.pth",  # `backbone.pth` of that folder at the authors'; here from a mirror
                f"{_HUB}/lithiumice/ArcFace_PyTorch/resolve/main/ms1mv3_arcface_r50_fp16.pth",
                "ef005ba502a2d0f40e7b94245054d3a23e375776f7035080fcbce45ae49cfb01",
                174_680_546,
            ),
        ),
        "identity (CSIM)",
        "non-commercial research only",
        "https://github.com/deepinsight/insightface/tree/master/recognition/arcface_torch",
    ),
    PublishedNetwork(
        "curricularface",
        (PublishedFile("CurricularFace_Backbone.pth"),),
        "identity as emotion_space measures it (CSIM)",
        "MIT (code); weights published for research",
        "https://github.com/HuangYG123/CurricularFace",
    ),
    PublishedNetwork(
        "emonet-8",
        (PublishedFile("emonet_8.pth", "https://github.com/face-analysis/emonet/raw/master/pretrained/emonet_8.pth"),),
        "eight emotions, trained on AffectNet",
        "CC-BY-NC-ND-4.0",
        "https://github.com/face-analysis/emonet",
    ),
)

TABLE: dict[str, PublishedNetwork] = {network.name: network for network in _NETWORKS}
"""Name -> network."""


def published_network(name: str) -> PublishedNetwork:
    """The network of that name. Raises InputError naming the ones there are."""
    if name not in TABLE:
        raise InputError("there is no published network of that name", name, f"choose {', '.join(TABLE)}")
    return TABLE[name]
