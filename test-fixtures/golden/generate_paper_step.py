"""Writes the golden values of the official DAFL training step: paper-step.json.

Two steps of the loop of DAFL-train.py (huawei-noah/Efficient-Computing, DAFL), MNIST settings, with its generator and
its networks, as PyTorch computes them in float64 and in float32. No array is stored: both sides compute the weights and
the latent vectors.

- A weight's values are amplitude x (2 mix(hash(name) + 0x9e3779b1 x index) / 2^32 - 1), rounded to float32. `index`
  counts row-major in dafl's layout (filters [height, width, input, output], dense kernels [input, output]), `hash` is
  FNV-1a of the name, `mix` a 32-bit finaliser; see `formula`. Amplitudes stand in the file. Names start with the
  network's: `teacher/conv1.kernel`.
- Latent vectors are what dafl's stream of the purpose 'latent' draws from the seed: Philox4x32-10 with the key (seed,
  FNV-1a of the purpose), counted from 0, and Box-Muller; see `Latents`.

Run it in this folder, deliberately: continuous integration doesn't. Needs torch and numpy, and some minutes.

    python generate_paper_step.py
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

SEED = 7
# What dafl has to reach in each precision. Adam's first update is about the learning rate times the sign of the gradient, so
# that float32 rounding turns some weights of the generator round: PyTorch's own float32 losses of the second step are up to
# 2.5e-4 off its float64 ones. conv3's bias has a gradient that is a small difference of large sums.
TOLERANCE = {
    "float64": {
        "losses": [{"relative": 1e-6, "absolute": 1e-9}, {"relative": 1e-6, "absolute": 1e-9}],
        "gradientNorms": {"relative": 1e-6, "absolute": 1e-9},
        "weightNorms": {"relative": 1e-6, "absolute": 1e-9},
    },
    "float32": {
        "losses": [{"relative": 1e-4, "absolute": 0}, {"relative": 5e-3, "absolute": 0}],
        "gradientNorms": {"relative": 1e-4, "absolute": 2e-5},
        "weightNorms": {"relative": 1e-4, "absolute": 0},
    },
}
# Before a normalisation a bias has no gradient but rounding, and after Adam's update its weights are rounding as well.
WITHOUT_GRADIENT = ["generator/conv1.bias", "generator/conv2.bias"]
IMAGE_SIZE = 32
LATENT_SIZE = 100
GENERATOR_LEARNING_RATE = 0.2
STUDENT_LEARNING_RATE = 2e-3
WEIGHTS = {"oneHot": 1, "informationEntropy": 5, "activation": 0.1}

# Bounds of the uniform distribution: PyTorch's default (1 / sqrt(fan-in)) for what is trained, what keeps the variance
# through ReLUs for the teacher, so that its answers differ between images.
GAINS = {"teacher": 2.5, "student": 1.0, "generator": 1.0}


def fnv1a(text):
    value = 0x811C9DC5
    for character in text:
        value = ((value ^ ord(character)) * 0x01000193) & 0xFFFFFFFF
    return value


def formula(name, count):
    """`count` numbers in [-1, 1), the same on every machine."""
    index = np.arange(count, dtype=np.uint64)
    mask = np.uint64(0xFFFFFFFF)
    value = (np.uint64(fnv1a(name)) + np.uint64(0x9E3779B1) * index) & mask
    value ^= value >> np.uint64(16)
    value = (value * np.uint64(0x7FEB352D)) & mask
    value ^= value >> np.uint64(15)
    value = (value * np.uint64(0x846CA68B)) & mask
    value ^= value >> np.uint64(16)
    return value.astype(np.float64) / 2.0**32 * 2 - 1


class Latents:
    """dafl's `createRandomStream(seed, 'latent').normal`."""

    def __init__(self):
        self.key = (SEED, fnv1a("latent"))
        self.counter = 0

    def normal(self, count):
        blocks = math.ceil(count / 4)
        mask = np.uint64(0xFFFFFFFF)
        half = np.uint64(32)
        c0 = np.arange(self.counter, self.counter + blocks, dtype=np.uint64)
        c1, c2, c3 = (np.zeros(blocks, dtype=np.uint64) for _ in range(3))
        k0, k1 = (np.uint64(part) for part in self.key)
        for _ in range(10):
            product0 = np.uint64(0xD2511F53) * c0
            product1 = np.uint64(0xCD9E8D57) * c2
            c0, c1, c2, c3 = (product1 >> half) ^ c1 ^ k0, product1 & mask, (product0 >> half) ^ c3 ^ k1, product0 & mask
            k0 = (k0 + np.uint64(0x9E3779B9)) & mask
            k1 = (k1 + np.uint64(0xBB67AE85)) & mask
        self.counter += blocks
        bits = np.stack([c0, c1, c2, c3], axis=1).reshape(-1, 2).astype(np.float64)
        radius = np.sqrt(-2 * np.log((bits[:, 0] + 0.5) / 2.0**32))
        angle = 2 * math.pi * (bits[:, 1] / 2.0**32)
        pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        return pairs.reshape(-1)[:count].astype(np.float32)


class Generator(nn.Module):
    """The official generator, but for its widths."""

    def __init__(self, first, second, third):
        super().__init__()
        self.first = first
        self.size = IMAGE_SIZE // 4
        self.project = nn.Linear(LATENT_SIZE, first * self.size**2)
        self.norm0 = nn.BatchNorm2d(first)
        self.conv1 = nn.Conv2d(first, second, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(second, 0.8)
        self.conv2 = nn.Conv2d(second, third, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(third, 0.8)
        self.conv3 = nn.Conv2d(third, 1, 3, padding=1)
        self.norm3 = nn.BatchNorm2d(1, affine=False)

    def forward(self, z):
        x = self.norm0(self.project(z).view(len(z), self.first, self.size, self.size))
        x = self.conv1(F.interpolate(x, scale_factor=2))
        x = F.leaky_relu(self.norm1(x), 0.2)
        x = self.conv2(F.interpolate(x, scale_factor=2))
        x = F.leaky_relu(self.norm2(x), 0.2)
        return self.norm3(torch.tanh(self.conv3(x)))


class LeNet(nn.Module):
    """LeNet-5 of the official code, or its half."""

    def __init__(self, widths):
        super().__init__()
        first, second, third, fourth = widths
        self.conv1 = nn.Conv2d(1, first, 5)
        self.conv2 = nn.Conv2d(first, second, 5)
        self.conv3 = nn.Conv2d(second, third, 5)
        self.fc1 = nn.Linear(third, fourth)
        self.fc2 = nn.Linear(fourth, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        features = F.relu(self.conv3(x)).flatten(1)
        return self.fc2(F.relu(self.fc1(features))), features


def to_dafl(parameter, values, generator):
    """A parameter's values (or its gradient's) in dafl's layout."""
    if values.dim() == 4:
        return values.permute(2, 3, 1, 0)
    if parameter.startswith("project"):
        # The official code lays the map out as channels x height x width, dafl as height x width x channels.
        maps = values.reshape(generator.first, generator.size, generator.size, *values.shape[1:])
        values = maps.permute(1, 2, 0, *range(3, maps.dim())).flatten(0, 2)
    return values.T if values.dim() == 2 else values


def from_dafl(parameter, values, shape, generator):
    """The way back: flat values in dafl's layout to PyTorch's."""
    if len(shape) == 4:
        outputs, inputs, height, width = shape
        return values.reshape(height, width, inputs, outputs).permute(3, 2, 0, 1)
    if len(shape) == 2:
        values = values.reshape(shape[1], shape[0]).T
    if parameter.startswith("project"):
        maps = values.reshape(generator.size, generator.size, generator.first, *values.shape[1:])
        values = maps.permute(2, 0, 1, *range(3, maps.dim())).flatten(0, 2)
    return values


def dafl_name(parameter):
    node, kind = parameter.split(".")
    names = ["scale", "offset"] if node.startswith("norm") else ["kernel", "bias"]
    return f"{node}.{names[kind == 'bias']}"


def load(network, name, generator=None):
    """Gives each parameter its formula; returns the amplitudes and centres by dafl's names."""
    amplitudes = {}
    with torch.no_grad():
        for parameter, tensor in network.named_parameters():
            full_name = f"{name}/{dafl_name(parameter)}"
            node = parameter.split(".")[0]
            if node.startswith("norm"):
                amplitude, centre = 0.25, 1.0 if parameter.endswith("weight") else 0.0
            else:
                fan_in = getattr(network, node).weight[0].numel()
                amplitude, centre = GAINS[name] / math.sqrt(fan_in), 0.0
            values = (formula(full_name, tensor.numel()) * amplitude + centre).astype(np.float32)
            tensor.copy_(from_dafl(parameter, torch.from_numpy(values), tensor.shape, generator))
            amplitudes[full_name] = {"amplitude": amplitude, "centre": centre}
    return amplitudes


def norms(network, name, of):
    return {f"{name}/{dafl_name(parameter)}": of(tensor).double().norm().item()
            for parameter, tensor in network.named_parameters()}


def run(batch_size, widths, dtype):
    torch.set_default_dtype(dtype)
    generator, teacher, student = Generator(*widths), LeNet((6, 16, 120, 84)), LeNet((3, 8, 60, 42))
    weights = {**load(generator, "generator", generator), **load(teacher, "teacher"), **load(student, "student")}
    generator_optimizer = torch.optim.Adam(generator.parameters(), lr=GENERATOR_LEARNING_RATE)
    student_optimizer = torch.optim.Adam(student.parameters(), lr=STUDENT_LEARNING_RATE)
    teacher.eval()
    latents = Latents()
    steps = []
    for _ in range(2):
        z = torch.from_numpy(latents.normal(batch_size * LATENT_SIZE)).to(dtype).reshape(batch_size, LATENT_SIZE)
        generator_optimizer.zero_grad()
        student_optimizer.zero_grad()
        images = generator(z)
        logits, features = teacher(images)
        one_hot = F.cross_entropy(logits, logits.detach().argmax(1))
        softmax = F.softmax(logits, dim=1).mean(dim=0)
        information_entropy = (softmax * torch.log10(softmax)).sum()
        activation = -features.abs().mean()
        student_logits, _ = student(images.detach())
        distillation = F.kl_div(F.log_softmax(student_logits, dim=1), F.softmax(logits.detach(), dim=1),
                                reduction="sum") / batch_size
        total = (WEIGHTS["oneHot"] * one_hot + WEIGHTS["informationEntropy"] * information_entropy
                 + WEIGHTS["activation"] * activation + distillation)
        total.backward()
        gradients = {**norms(generator, "generator", lambda tensor: tensor.grad),
                     **norms(student, "student", lambda tensor: tensor.grad)}
        generator_optimizer.step()
        student_optimizer.step()
        steps.append({
            "losses": {"oneHot": one_hot.item(), "informationEntropy": information_entropy.item(),
                       "activation": activation.item(), "distillation": distillation.item()},
            "gradientNorms": gradients,
            # After the update.
            "weightNorms": {**norms(generator, "generator", lambda tensor: tensor.detach()),
                            **norms(student, "student", lambda tensor: tensor.detach())},
        })
    return weights, steps


cases = []
for name, batch_size, widths in [("paper", 512, (128, 128, 64)), ("narrow", 16, (16, 16, 8))]:
    weights, float64 = run(batch_size, widths, torch.float64)
    _, float32 = run(batch_size, widths, torch.float32)
    cases.append({"name": name, "batchSize": batch_size, "widths": widths, "weights": weights,
                  "float64": float64, "float32": float32})

# What the formulas give, so that a mismatch shows where it starts.
check = {
    "formula": formula("teacher/conv1.kernel", 3).tolist(),
    "latents": [float(value) for value in Latents().normal(4)],
}
head = {
    "provenance": {
        "generator": "test-fixtures/golden/generate_paper_step.py",
        "command": "python generate_paper_step.py",
        "torch": torch.__version__,
        "numpy": np.__version__,
        "seed": SEED,
    },
    "tolerance": TOLERANCE,
    "withoutGradient": WITHOUT_GRADIENT,
    "check": check,
    "cases": cases,
}
(Path(__file__).parent / "paper-step.json").write_text(json.dumps(head, indent=1) + "\n")
