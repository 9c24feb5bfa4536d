#!/usr/bin/env python3
"""Makes small checkpoints, and reads quantized ones as others do, for test/conformance/checkpoint.ts.

  checkpoint-oracle.py make FOLDER
      one folder for each architecture below, random weights in BFLOAT16
  checkpoint-oracle.py judge ORIGINAL QUANTIZED DECODED
      decodes QUANTIZED with compressed-tensors and compares each weight with the file DECODED (safetensors) bit for bit, loads it with
      transformers, runs both models on the same tokens, and prints one JSON line

Needs torch, transformers, compressed-tensors and safetensors from PyPI.
"""

import json
import os
import sys

import torch
import transformers
from safetensors.torch import load_file

SIZES = dict(
    hidden_size=256,
    intermediate_size=512,
    num_hidden_layers=2,
    num_attention_heads=8,
    num_key_value_heads=4,
    vocab_size=1000,
    max_position_embeddings=512,
)
ARCHITECTURES = {
    "llama": ("Llama", {}, "2MB"),
    "qwen2": ("Qwen2", {"tie_word_embeddings": True}, "5GB"),
    "mistral": ("Mistral", {}, "5GB"),
    "phi": ("Phi", {}, "5GB"),
    "odd": ("Llama", {"intermediate_size": 200}, "5GB"),
}


def make(folder):
    for name, (family, extra, shard) in ARCHITECTURES.items():
        torch.manual_seed(1)
        config = getattr(transformers, f"{family}Config")(**{**SIZES, **extra})
        model = getattr(transformers, f"{family}ForCausalLM")(config).to(torch.bfloat16)
        model.save_pretrained(os.path.join(folder, name), max_shard_size=shard)


def tensors(folder):
    merged = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".safetensors"):
            merged.update(load_file(os.path.join(folder, name)))
    return merged


def decoded(folder):
    from compressed_tensors.compressors import BaseCompressor
    from compressed_tensors.quantization import QuantizationConfig

    with open(os.path.join(folder, "config.json")) as file:
        config = QuantizationConfig.model_validate(json.load(file)["quantization_config"])
    scheme = config.config_groups["group_0"]
    compressor = BaseCompressor.get_value_from_registry(config.format)
    modules = {}
    for name, tensor in tensors(folder).items():
        module, _, leaf = name.rpartition(".")
        modules.setdefault(module, {})[leaf] = tensor
    weights = {}
    for module, state in modules.items():
        if "weight_scale" in state:
            weights[f"{module}.weight"] = compressor.decompress(state, scheme)["weight"]
    return weights


def logits(folder):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    torch.manual_seed(2)
    tokens = torch.randint(0, 1000, (4, 64))
    with torch.no_grad():
        return model(tokens).logits.double()


def judge(original, quantized, ours):
    theirs = decoded(quantized)
    mine = load_file(ours)
    unequal = [
        name
        for name in sorted(set(theirs) | set(mine))
        if name not in theirs
        or name not in mine
        or theirs[name].dtype != mine[name].dtype
        or not torch.equal(theirs[name], mine[name])
    ]
    before, after = logits(original), logits(quantized)
    noise = ((before - after) ** 2).mean() / before.var()
    print(
        json.dumps(
            {
                "layers": len(theirs),
                "unequal": unequal,
                "finite": bool(torch.isfinite(after).all()),
                "logitsNoise": float(noise),
                "tokensEqual": float((before.argmax(-1) == after.argmax(-1)).double().mean()),
            }
        )
    )


if __name__ == "__main__":
    {"make": make, "judge": judge}[sys.argv[1]](*sys.argv[2:])
