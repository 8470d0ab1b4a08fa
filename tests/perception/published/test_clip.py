"""CLIP: both official layouts at full size; a small one layer by layer against plain functions; pictures."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from tests.perception.published import layouts
from vultus.core.errors import InputError
from vultus.perception import published
from vultus.perception.published.checkpoint import build
from vultus.perception.published.clip import ClipSizes, scaled
from vultus.perception.published.clip_names import openai_names
from vultus.perception.published.clip_text import Tokenizer

SMALL = ClipSizes(
    embedding=24, picture_px=64, patch_px=16, vision_width=128, vision_layers=2, text_width=64, text_layers=3,
    vocabulary=50, context=9,
)  # fmt: skip
FULL = ClipSizes()


def openai_layout(sizes: ClipSizes) -> layouts.Layout:
    """CLIP.state_dict() of openai/CLIP, clip/model.py, with a vision transformer."""

    def tower(prefix: str, width: int, count: int) -> list[layouts.Layout]:
        parts = []
        for i in range(count):
            block = f"{prefix}transformer.resblocks.{i}"
            parts.append(
                {f"{block}.attn.in_proj_weight": (3 * width, width), f"{block}.attn.in_proj_bias": (3 * width,)}
            )
            parts += [layouts.conv(f"{block}.attn.out_proj", width, width), layouts.layer_norm(f"{block}.ln_1", width)]
            parts += [layouts.conv(f"{block}.mlp.c_fc", 4 * width, width), layouts.layer_norm(f"{block}.ln_2", width)]
            parts += [layouts.conv(f"{block}.mlp.c_proj", width, 4 * width)]
        return parts

    wide, narrow = sizes.vision_width, sizes.text_width
    patches = (sizes.picture_px // sizes.patch_px) ** 2
    return layouts.merged(
        [
            {"positional_embedding": (sizes.context, narrow), "text_projection": (narrow, sizes.embedding)},
            {"logit_scale": (), "token_embedding.weight": (sizes.vocabulary, narrow)},
            {"visual.class_embedding": (wide,), "visual.positional_embedding": (patches + 1, wide)},
            {"visual.proj": (wide, sizes.embedding), "visual.conv1.weight": (wide, 3, sizes.patch_px, sizes.patch_px)},
            layouts.layer_norm("visual.ln_pre", wide), layouts.layer_norm("visual.ln_post", wide),
            layouts.layer_norm("ln_final", narrow),
            *tower("visual.", wide, sizes.vision_layers), *tower("", narrow, sizes.text_layers),
        ]
    )  # fmt: skip


def transformers_layout(sizes: ClipSizes) -> layouts.Layout:
    """CLIPModel.state_dict() of transformers when openai/clip-vit-base-patch32 was saved (with position_ids)."""

    def tower(prefix: str, width: int, count: int) -> list[layouts.Layout]:
        parts = []
        for i in range(count):
            layer = f"{prefix}.encoder.layers.{i}"
            parts += [layouts.conv(f"{layer}.self_attn.{which}_proj", width, width) for which in ("k", "v", "q", "out")]
            parts += [layouts.layer_norm(f"{layer}.layer_norm{n}", width) for n in (1, 2)]
            parts += [
                layouts.conv(f"{layer}.mlp.fc1", 4 * width, width),
                layouts.conv(f"{layer}.mlp.fc2", width, 4 * width),
            ]
        return parts

    wide, narrow = sizes.vision_width, sizes.text_width
    patches = (sizes.picture_px // sizes.patch_px) ** 2
    text, vision = "text_model.embeddings", "vision_model.embeddings"
    return layouts.merged(
        [
            {"logit_scale": (), f"{text}.position_ids": (1, sizes.context)},
            {f"{text}.token_embedding.weight": (sizes.vocabulary, narrow)},
            {f"{text}.position_embedding.weight": (sizes.context, narrow)},
            {f"{vision}.class_embedding": (wide,), f"{vision}.position_ids": (1, patches + 1)},
            {f"{vision}.patch_embedding.weight": (wide, 3, sizes.patch_px, sizes.patch_px)},
            {f"{vision}.position_embedding.weight": (patches + 1, wide)},
            {"visual_projection.weight": (sizes.embedding, wide), "text_projection.weight": (sizes.embedding, narrow)},
            layouts.layer_norm("text_model.final_layer_norm", narrow),
            layouts.layer_norm("vision_model.pre_layrnorm", wide),
            layouts.layer_norm("vision_model.post_layernorm", wide),
            *tower("text_model", narrow, sizes.text_layers), *tower("vision_model", wide, sizes.vision_layers),
        ]
    )  # fmt: skip


class Transformer:
    """The blocks of clip/model.py by plain functions, from tensors under OpenAI's names."""

    def __init__(self, tensors: dict[str, torch.Tensor], heads_wide: int = 64) -> None:
        self.tensors, self.heads_wide = tensors, heads_wide
        self.kept: dict[str, torch.Tensor] = {}

    def linear(self, name: str, x: torch.Tensor) -> torch.Tensor:
        self.kept[name] = x @ self.tensors[f"{name}.weight"].T + self.tensors[f"{name}.bias"]
        return self.kept[name]

    def norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        centred = x - x.mean(-1, keepdim=True)
        unit = centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + 1e-5)
        self.kept[name] = unit * self.tensors[f"{name}.weight"] + self.tensors[f"{name}.bias"]
        return self.kept[name]

    def attention(self, name: str, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        width = x.shape[-1]
        stacked = x @ self.tensors[f"{name}.in_proj_weight"].T + self.tensors[f"{name}.in_proj_bias"]
        results = []
        for start in range(0, width, self.heads_wide):
            part = slice(start, start + self.heads_wide)
            query, key, value = (stacked[..., i * width : (i + 1) * width][..., part] for i in range(3))
            scores = query @ key.transpose(1, 2) / self.heads_wide**0.5 + mask
            results.append(torch.softmax(scores, -1) @ value)
        return self.linear(f"{name}.out_proj", torch.cat(results, -1))

    def blocks(self, prefix: str, count: int, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        for i in range(count):
            block = f"{prefix}transformer.resblocks.{i}"
            x = x + self.attention(f"{block}.attn", self.norm(f"{block}.ln_1", x), mask)
            hidden = self.linear(f"{block}.mlp.c_fc", self.norm(f"{block}.ln_2", x))
            x = x + self.linear(f"{block}.mlp.c_proj", hidden / (1 + torch.exp(-1.702 * hidden)))
            self.kept[block] = x
        return x

    def picture(self, images: torch.Tensor, sizes: ClipSizes) -> torch.Tensor:
        mean = torch.tensor((0.48145466, 0.4578275, 0.40821073)).view(3, 1, 1)
        sd = torch.tensor((0.26862954, 0.26130258, 0.27577711)).view(3, 1, 1)
        x = F.conv2d((images - mean) / sd, self.tensors["visual.conv1.weight"], stride=sizes.patch_px)
        x = x.reshape(*x.shape[:2], -1).permute(0, 2, 1)
        first = self.tensors["visual.class_embedding"] + torch.zeros(len(x), 1, 1)
        x = torch.cat([first, x], 1) + self.tensors["visual.positional_embedding"]
        x = self.blocks("visual.", sizes.vision_layers, self.norm("visual.ln_pre", x), torch.zeros(1))
        x = self.norm("visual.ln_post", x[:, 0]) @ self.tensors["visual.proj"]
        return x / x.norm(dim=-1, keepdim=True)

    def text(self, tokens: torch.Tensor, sizes: ClipSizes) -> torch.Tensor:
        x = self.tensors["token_embedding.weight"][tokens] + self.tensors["positional_embedding"]
        later = torch.full((sizes.context, sizes.context), -torch.inf).triu(1)
        x = self.blocks("", sizes.text_layers, x, later)
        x = torch.stack([row[ids.index(max(ids))] for row, ids in zip(x, tokens.tolist(), strict=True)])
        x = self.norm("ln_final", x) @ self.tensors["text_projection"]
        return x / x.norm(dim=-1, keepdim=True)


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory) -> Path:
    """A file of the format of bpe_simple_vocab_16e6.txt.gz, with merges of our own."""
    merges = ["t h", "th e</w>", "h a", "ha p", "hap p", "happ y</w>", "i n", "1 2</w>", "! !</w>", "Ã ©</w>"]
    path = tmp_path_factory.mktemp("clip") / "vocabulary.txt.gz"
    filling = [f"q{i} z{i}" for i in range(48894 - len(merges) + 20)]  # the official file is longer than what is used
    path.write_bytes(gzip.compress("\n".join(["#version: 0.2", *merges, *filling]).encode()))
    return path


@pytest.mark.parametrize("of", [openai_layout, transformers_layout])
def test_the_official_layouts_load_at_full_size(of, tmp_path, vocabulary) -> None:
    tensors = layouts.hollow_tensors(of(FULL))
    assert sum(tensor.numel() for name, tensor in tensors.items() if "position_ids" not in name) == 151_277_313
    path = layouts.save(tensors, tmp_path / "clip.pt")
    network = published.ClipViTB32.load(path, vocabulary)
    assert sum(weight.numel() for weight in network.parameters()) == 151_277_313
    lacking = dict(tensors)
    del lacking[next(name for name in tensors if name.endswith(("1.attn.out_proj.bias", "1.self_attn.k_proj.bias")))]
    with pytest.raises(InputError, match="not the official file of ClipViTB32"):
        published.ClipViTB32.load(layouts.save(lacking, tmp_path / "lacking.pt"), vocabulary)


def test_settings_among_openais_tensors_are_left_out() -> None:
    tensors = layouts.hollow_tensors(openai_layout(SMALL))
    settings = {name: torch.tensor(1) for name in ("input_resolution", "context_length", "vocab_size")}
    assert openai_names(tensors | settings).keys() == tensors.keys()


def small(tensors: dict[str, torch.Tensor]) -> published.ClipViTB32:
    return build(lambda: published.ClipViTB32(sizes=SMALL), openai_names(tensors), "small")


def test_every_layer() -> None:
    tensors = layouts.random_tensors(openai_layout(SMALL))
    network = small(tensors)
    recorder = layouts.Recorder(network)
    images = layouts.images_of(layouts.noise_pictures(3, 64, 64))
    tokens = torch.tensor([[48, 3, 5, 49, 0, 0, 0, 0, 0], [48, 49, 0, 0, 0, 0, 0, 0, 0], [48, 7, 7, 7, 7, 7, 7, 7, 49]])
    reference = Transformer(tensors)
    layouts.close(network.pictures(images), reference.picture(images, SMALL))
    layouts.close(network.texts(tokens), reference.text(tokens, SMALL))
    recorder.agrees_with(reference.kept)
    changed = tokens.clone()
    changed[0, 5] = 9  # after the end: not seen
    torch.testing.assert_close(network.texts(changed), network.texts(tokens))


def test_names_of_transformers_are_the_same_network() -> None:
    theirs = layouts.random_tensors(transformers_layout(SMALL))
    theirs = {name: tensor.long() if name.endswith("position_ids") else tensor for name, tensor in theirs.items()}
    tensors: dict[str, torch.Tensor] = {
        "logit_scale": theirs["logit_scale"],
        "text_projection": theirs["text_projection.weight"].T,
        "visual.proj": theirs["visual_projection.weight"].T,
        "token_embedding.weight": theirs["text_model.embeddings.token_embedding.weight"],
        "positional_embedding": theirs["text_model.embeddings.position_embedding.weight"],
        "visual.class_embedding": theirs["vision_model.embeddings.class_embedding"],
        "visual.conv1.weight": theirs["vision_model.embeddings.patch_embedding.weight"],
        "visual.positional_embedding": theirs["vision_model.embeddings.position_embedding.weight"],
    }
    for kind in ("weight", "bias"):
        tensors[f"ln_final.{kind}"] = theirs[f"text_model.final_layer_norm.{kind}"]
        tensors[f"visual.ln_pre.{kind}"] = theirs[f"vision_model.pre_layrnorm.{kind}"]
        tensors[f"visual.ln_post.{kind}"] = theirs[f"vision_model.post_layernorm.{kind}"]
        for tower, prefix, count in (("text_model", "", 3), ("vision_model", "visual.", 2)):
            for i in range(count):
                layer, block = f"{tower}.encoder.layers.{i}", f"{prefix}transformer.resblocks.{i}"
                stack = [theirs[f"{layer}.self_attn.{which}_proj.{kind}"] for which in "qkv"]
                tensors[f"{block}.attn.in_proj_{kind}"] = torch.cat(stack)
                tensors[f"{block}.attn.out_proj.{kind}"] = theirs[f"{layer}.self_attn.out_proj.{kind}"]
                for n, part in ((1, "c_fc"), (2, "c_proj")):
                    tensors[f"{block}.mlp.{part}.{kind}"] = theirs[f"{layer}.mlp.fc{n}.{kind}"]
                    tensors[f"{block}.ln_{n}.{kind}"] = theirs[f"{layer}.layer_norm{n}.{kind}"]
    found = openai_names(theirs)
    assert found.keys() == tensors.keys() == openai_layout(SMALL).keys()
    for name, tensor in tensors.items():
        assert torch.equal(found[name], tensor), name
    small(theirs)


def test_pictures_are_scaled_and_cut_as_by_torchvision() -> None:
    ramp = np.linspace(0, 255, 300, dtype=np.uint8)
    wide = np.broadcast_to(ramp[None, :, None], (100, 300, 3)).copy()
    found = scaled(wide[None], 64)[0]
    whole = np.asarray(Image.fromarray(wide).resize((192, 64), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(found, whole[:, 64:128])
    tall = scaled(wide.transpose(1, 0, 2)[None], 64)[0]
    np.testing.assert_array_equal(tall, found.transpose(1, 0, 2))
    same = layouts.noise_pictures(1, 64, 64)
    np.testing.assert_array_equal(scaled(same, 64), same)


def test_public_calls(vocabulary) -> None:
    network = small(layouts.random_tensors(openai_layout(SMALL)))
    found = network.embed_pictures(layouts.noise_pictures(2, 90, 70))
    assert found.shape == (2, 24)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)
    with pytest.raises(ValueError, match="tokenizer"):
        network.embed_texts(["a"])
    sizes = ClipSizes(vision_layers=1, text_layers=1)  # all words, but few layers
    tensors = layouts.random_tensors(openai_layout(sizes))
    worded = build(lambda: published.ClipViTB32(Tokenizer(vocabulary), sizes), tensors, "worded")
    texts = worded.embed_texts(["the happy", "THE   happy", "happy"])
    assert texts.shape == (3, 512)
    np.testing.assert_allclose(texts[0], texts[1], atol=1e-6)
    assert texts[0] @ texts[2] < 0.999
