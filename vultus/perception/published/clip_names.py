"""CLIP's tensors under OpenAI's names, from files with those of transformers."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

_TOWERS = {"text_model.": "", "vision_model.": "visual."}
_PLACES = {
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.final_layer_norm.weight": "ln_final.weight",
    "text_model.final_layer_norm.bias": "ln_final.bias",
    "vision_model.embeddings.class_embedding": "visual.class_embedding",
    "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
    "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
    "vision_model.pre_layrnorm.weight": "visual.ln_pre.weight",  # so it is spelt
    "vision_model.pre_layrnorm.bias": "visual.ln_pre.bias",
    "vision_model.post_layernorm.weight": "visual.ln_post.weight",
    "vision_model.post_layernorm.bias": "visual.ln_post.bias",
}
_TRANSPOSED = {"text_projection.weight": "text_projection", "visual_projection.weight": "visual.proj"}
_IN_A_LAYER = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}
_SETTINGS = ("input_resolution", "context_length", "vocab_size")
"""Numbers that OpenAI's archives hold among the tensors."""
_COUNTS = ("text_model.embeddings.position_ids", "vision_model.embeddings.position_ids")
"""0, 1, 2, ...: held by older files of transformers."""


def openai_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under OpenAI's names, whichever of both they had; names of neither stay as they are."""
    if "visual.proj" in tensors:
        return {name: tensor for name, tensor in tensors.items() if name not in _SETTINGS}
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name in _COUNTS or ".k_proj." in name or ".v_proj." in name:
            continue  # keys and values are taken together with their queries
        if name in _TRANSPOSED:
            found[_TRANSPOSED[name]] = tensor.T
        elif ".q_proj." in name:
            stack = [tensors.get(name.replace(".q_proj.", f".{which}_proj."), tensor[:0]) for which in "qkv"]
            found[_layer_name(name).replace("self_attn.q_proj.", "attn.in_proj_")] = torch.cat(stack)
        else:
            found[_PLACES.get(name) or _layer_name(name)] = tensor
    return found


def _layer_name(name: str) -> str:
    for theirs, ours in _TOWERS.items():
        name = name.replace(f"{theirs}encoder.layers.", f"{ours}transformer.resblocks.")
    for theirs, ours in _IN_A_LAYER.items():
        name = name.replace(f".{theirs}.", f".{ours}.")
    return name
