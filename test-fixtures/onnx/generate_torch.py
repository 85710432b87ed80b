"""Small classifiers as torch writes them, by both of its exporters.

Run by hand: python test-fixtures/onnx/generate_torch.py (torch 2, onnx, onnxruntime).
"""

import torch
from torch import nn

from _store import FOLDER, store


def train_statistics(model, shape):
    """Batch norm that does something."""
    model.train()
    for _ in range(4):
        model(torch.randn(16, *shape) * 1.5 + 0.3)
    return model.eval()


class Lenet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 4, 5, stride=2, padding=2), nn.BatchNorm2d(4), nn.ReLU(),
            nn.Conv2d(4, 8, 3), nn.BatchNorm2d(8), nn.LeakyReLU(0.1), nn.MaxPool2d(2),
        )
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(8 * 36, 16), nn.ReLU6(), nn.Dropout(), nn.Linear(16, 10))

    def forward(self, x):
        return self.head(self.body(x))


class Strided(nn.Module):
    """26 classes and a softmax at the end; shapes by view."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 6, 3, stride=2, padding=1)
        self.second = nn.Conv2d(6, 8, 3, stride=2, dilation=2, padding=2)
        self.pool = nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=True)
        self.head = nn.Linear(8 * 25, 26)

    def forward(self, x):
        x = torch.sigmoid(self.first(x))
        x = self.pool(nn.functional.gelu(self.second(x)))
        return torch.softmax(self.head(x.view(x.size(0), -1)), 1)


class Residual(nn.Module):
    """A residual net with squeeze-and-excitation, groups, hard activations and a concatenation."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.Hardswish())
        self.block = nn.Sequential(
            nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False), nn.BatchNorm2d(8), nn.SiLU(),
            nn.Conv2d(8, 8, 1, groups=2, bias=False), nn.BatchNorm2d(8),
        )
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 4, 1), nn.ReLU(), nn.Conv2d(4, 8, 1), nn.Hardsigmoid())
        self.pool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        x = self.stem(x)
        y = self.block(x)
        x = torch.relu(x + y * self.gate(y))
        x = torch.cat([self.pool(x), nn.functional.avg_pool2d(x, 2)], 1)
        return self.head(torch.tanh(x).mean((2, 3)))


class Neighbours(nn.Module):
    """Normalisation by neighbouring channels, as AlexNet has it; by an even number of them; of volumes; spelt out."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.LocalResponseNorm(5, 0.5, 0.75, 2.0))
        self.second = nn.Sequential(nn.Conv2d(8, 8, 3), nn.ReLU(), nn.LocalResponseNorm(4, 0.3, 0.5, 1.5))
        self.third = nn.Sequential(nn.Conv2d(8, 8, 3, stride=2), nn.ReLU())
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        x = self.third(self.second(self.first(x)))
        square = nn.functional.avg_pool3d(x.pow(2).unsqueeze(1), (3, 1, 1), stride=1, padding=(1, 0, 0)).squeeze(1)
        x = x.div(square.mul(0.2).add(1.0))
        volume = nn.functional.local_response_norm(x.unsqueeze(2), 3, 0.4)
        return self.head(volume.mean((2, 3, 4)))


def export(name, model, shape, dynamo, **options):
    torch.manual_seed(0)
    axes = {} if dynamo else {"dynamic_axes": {"x": {0: "batch"}, "y": {0: "batch"}}}
    if dynamo:
        axes = {"dynamic_shapes": {"x": {0: torch.export.Dim("batch", min=1, max=512)}}, "external_data": False}
    model = train_statistics(model, shape)
    torch.onnx.export(
        model, (torch.randn(2, *shape),), str(FOLDER / f"{name}.onnx"),
        input_names=["x"], output_names=["y"], dynamo=dynamo, **axes, **options,
    )


def main():
    torch.manual_seed(0)
    for dynamo in (False, True):
        suffix = "dynamo" if dynamo else "script"
        for kind, model, shape in (("lenet", Lenet(), [1, 28, 28]), ("residual", Residual(), [3, 32, 32])):
            export(f"{kind}-{suffix}", model, shape, dynamo)
            store(f"{kind}-{suffix}", shape)
        export(f"neighbours-{suffix}", Neighbours(), [3, 10, 10], dynamo)
        store(f"neighbours-{suffix}", [3, 10, 10])
        strided = Strided()
        export(f"strided-{suffix}", strided, [1, 36, 36], dynamo)
        store(f"strided-{suffix}", [1, 36, 36], "softmax")
    # With batch norm as its own node.
    export("lenet-unfolded", Lenet(), [1, 28, 28], False, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
    store("lenet-unfolded", [1, 28, 28])


if __name__ == "__main__":
    main()
