"""Writes state-dictionary.json: a small network's weights as PyTorch holds them, an input and its logits.

Run: python test-fixtures/golden/generate_state_dictionary.py
"""

import json
import pathlib

import torch

torch.manual_seed(5)
layers = torch.nn.Sequential()
layers.add_module("conv1", torch.nn.Conv2d(2, 4, (3, 2), stride=(1, 2), padding=(1, 0), bias=False))
layers.add_module("bn1", torch.nn.BatchNorm2d(4))
layers.add_module("relu1", torch.nn.ReLU())
layers.add_module("conv2", torch.nn.Conv2d(4, 6, 3, padding=1, groups=2))
layers.add_module("prelu2", torch.nn.PReLU(6))
layers.add_module("up", torch.nn.ConvTranspose2d(6, 3, (2, 3)))
layers.add_module("flatten", torch.nn.Flatten())
layers.add_module("logits", torch.nn.Linear(3 * 6 * 5, 3))
with torch.no_grad():
    for name, value in layers.state_dict().items():
        if "running_mean" in name or "bn1.bias" in name or "prelu2" in name:
            value.uniform_(-0.5, 0.5)
        if "running_var" in name or "bn1.weight" in name:
            value.uniform_(0.5, 1.5)
layers.eval()
images = torch.randn(2, 2, 5, 6)


def store(tensor):
    return {"shape": list(tensor.shape), "data": [float(f"{value:.9g}") for value in tensor.flatten().tolist()]}


path = pathlib.Path(__file__).with_name("state-dictionary.json")
path.write_text(
    json.dumps(
        {
            "provenance": {"script": path.with_name(pathlib.Path(__file__).name).name, "torch": torch.__version__},
            "weights": {name: store(value) for name, value in layers.state_dict().items()},
            "images": store(images),
            "logits": store(layers(images).detach()),
        }
    )
    + "\n"
)
