"""Writes weights as PyTorch, torchvision and timm store them, with what PyTorch computes for a fixed input.

    python test-fixtures/pytorch/generate.py

Networks are narrow, so that files are small; names, order and layers are those of the code that each docstring names. Writes
NAME.pt, NAME.pth or NAME.safetensors, and expected.json: the input's shape, the logits and the versions. The input is that of
test-fixtures/onnx/_store.py.
"""

import collections
import copy
import json
import pathlib
import re
import sys

import numpy
import safetensors.torch
import torch
from torch import nn

# A wheel of torchvision that was built for another torch comes without operators that no classifier uses.
for _ in range(20):
    try:
        import torchvision.models as zoo

        break
    except RuntimeError as error:
        missing = re.search(r"operator torchvision::(\w+) does not exist", str(error))
        if missing is None:
            raise
        torch.library.define(f"torchvision::{missing[1]}", "(Tensor a) -> Tensor")
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
import timm

# Channels are rounded to whole numbers, not to multiples of eight, which would make blocks that change them keep them.
timm.models.efficientnet.round_channels = lambda channels, multiplier=1.0, **_: max(1, round(channels * multiplier))

FOLDER = pathlib.Path(__file__).parent


def inputs(shape, seed=7):
    """Numbers that both sides can make: a linear congruential generator, scaled to 0..1."""
    state, values = seed, []
    for _ in range(int(numpy.prod(shape))):
        state = (1103515245 * state + 12345) % 2**31
        values.append(state / 2**31)
    return torch.tensor(values, dtype=torch.float32).reshape(shape)


class Block(nn.Module):
    """Two or three convolutions and a shortcut, named as in torchvision or as in kuangliu/pytorch-cifar."""

    def __init__(self, inputs, width, stride, bottleneck, shortcut):
        super().__init__()
        outputs = width * (4 if bottleneck else 1)
        if bottleneck:
            shapes = [(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)]
        else:
            shapes = [(inputs, width, 3, stride), (width, width, 3, 1)]
        self.count = len(shapes)
        for index, (before, after, kernel, step) in enumerate(shapes, 1):
            setattr(self, f"conv{index}", nn.Conv2d(before, after, kernel, step, kernel // 2, bias=False))
            setattr(self, f"bn{index}", nn.BatchNorm2d(after))
        self.shortcut_name = shortcut
        if stride != 1 or inputs != outputs:
            layers = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
            setattr(self, shortcut, layers)
        elif shortcut == "shortcut":
            self.shortcut = nn.Sequential()

    def forward(self, x):
        y = x
        for index in range(1, self.count + 1):
            y = getattr(self, f"bn{index}")(getattr(self, f"conv{index}")(y))
            if index < self.count:
                y = torch.relu(y)
        side = getattr(self, self.shortcut_name, None)
        return torch.relu(y + (x if side is None else side(x)))


class ResNet(nn.Module):
    """torchvision/models/resnet.py (shortcut downsample, head fc) or kuangliu/pytorch-cifar's (shortcut, linear)."""

    def __init__(self, blocks, widths, classes, large, bottleneck=False, shortcut="downsample", head="fc", channels=3):
        super().__init__()
        inputs = widths[0]
        self.conv1 = nn.Conv2d(channels, inputs, 7 if large else 3, 2 if large else 1, 3 if large else 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.pool = nn.MaxPool2d(3, 2, 1) if large else nn.Identity()
        self.stages = len(widths)
        for stage, (width, count) in enumerate(zip(widths, blocks), 1):
            layers = []
            for block in range(count):
                layers.append(Block(inputs, width, 2 if stage > 1 and block == 0 else 1, bottleneck, shortcut))
                inputs = width * (4 if bottleneck else 1)
            setattr(self, f"layer{stage}", nn.Sequential(*layers))
        self.head = head
        setattr(self, head, nn.Linear(inputs, classes))

    def forward(self, x):
        x = self.pool(torch.relu(self.bn1(self.conv1(x))))
        for stage in range(1, self.stages + 1):
            x = getattr(self, f"layer{stage}")(x)
        return getattr(self, self.head)(x.mean((2, 3)))


class LeNet5(nn.Module):
    """huawei-noah/Efficient-Computing, DAFL/lenet.py, at half the width."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 3, 5)
        self.conv2 = nn.Conv2d(3, 8, 5)
        self.conv3 = nn.Conv2d(8, 60, 5)
        self.fc1 = nn.Linear(60, 42)
        self.fc2 = nn.Linear(42, 10)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = nn.functional.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = torch.relu(self.conv3(x)).flatten(1)
        return self.fc2(torch.relu(self.fc1(x)))


class WideBlock(nn.Module):
    """HobbitLong/RepDistiller, models/wrn.py: BasicBlock."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        same = inputs == outputs
        self.convShortcut = None if same else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x):
        activated = torch.relu(self.bn1(x))
        y = self.conv2(torch.relu(self.bn2(self.conv1(activated))))
        return y + (x if self.convShortcut is None else self.convShortcut(activated))


class WideStage(nn.Module):
    def __init__(self, inputs, outputs, stride, count):
        super().__init__()
        blocks = [WideBlock(outputs if index else inputs, outputs, 1 if index else stride) for index in range(count)]
        self.layer = nn.Sequential(*blocks)

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    """HobbitLong/RepDistiller, models/wrn.py: WRN-16, narrow."""

    def __init__(self, widths=(4, 6, 8, 12)):
        super().__init__()
        self.conv1 = nn.Conv2d(3, widths[0], 3, 1, 1, bias=False)
        self.block1 = WideStage(widths[0], widths[1], 1, 2)
        self.block2 = WideStage(widths[1], widths[2], 2, 2)
        self.block3 = WideStage(widths[2], widths[3], 2, 2)
        self.bn1 = nn.BatchNorm2d(widths[3])
        self.fc = nn.Linear(widths[3], 10)

    def forward(self, x):
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        return self.fc(torch.relu(self.bn1(x)).mean((2, 3)))


class DistillerVgg(nn.Module):
    """HobbitLong/RepDistiller, models/vgg.py: vgg11_bn without the last activation of each block, narrow."""

    def __init__(self, stages=((4,), (6,), (8, 8), (10, 10), (10, 10))):
        super().__init__()
        inputs = 3
        for index, widths in enumerate(stages):
            layers = []
            for width in widths:
                layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
                inputs = width
            setattr(self, f"block{index}", nn.Sequential(*layers[:-1]))
        self.classifier = nn.Linear(inputs, 7)

    def forward(self, x):
        for index in range(5):
            x = torch.relu(getattr(self, f"block{index}")(x))
            x = nn.functional.max_pool2d(x, 2) if index < 3 else x
        return self.classifier(x.mean((2, 3)))


def vgg11_bn():
    """torchvision's vgg11_bn with an eighth of the channels, for pictures of 32 x 32 as in chenyaofo/pytorch-cifar-models."""
    layers, inputs = [], 3
    for width in [8, "M", 16, "M", 32, 32, "M", 64, 64, "M", 64, 64, "M"]:
        if width == "M":
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
            inputs = width
    network = zoo.VGG(nn.Sequential(*layers), num_classes=10, init_weights=False)
    network.avgpool = nn.Identity()
    hidden = [nn.Linear(64, 20), nn.ReLU(), nn.Dropout(), nn.Linear(20, 20), nn.ReLU(), nn.Dropout()]
    network.classifier = nn.Sequential(*hidden, nn.Linear(20, 10))
    return network


def prepare(network, shape):
    """Batch norms with statistics of their own, of pictures."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
            module.momentum = None
    network.train()
    with torch.no_grad():
        network(torch.rand(16, *shape))
    return network.eval()


def answer(network, shape):
    """In 64 bits, as deep networks multiply what 32 round away."""
    with torch.no_grad():
        logits = copy.deepcopy(network).double()(inputs([2, *shape]).double())
    return {"inputShape": [2, *shape], "output": [[round(value, 9) for value in row] for row in logits.tolist()]}


def main():
    torch.manual_seed(0)
    wide = (4, 6, 8, 10)
    networks = {
        "lenet5-half.pt": (LeNet5(), (1, 32, 32)),
        "resnet18-torchvision.pth": (ResNet([2, 2, 2, 2], wide, 5, large=True), (3, 64, 64)),
        "resnet18-kuangliu.pth": (ResNet([2, 2, 2, 2], wide, 5, False, shortcut="shortcut", head="linear"), (3, 32, 32)),
        "resnet50.pth": (ResNet([3, 4, 6, 3], (2, 3, 4, 5), 5, large=True, bottleneck=True), (3, 64, 64)),
        "resnet20.pt": (ResNet([3, 3, 3], (4, 6, 8), 5, large=False, channels=1), (1, 32, 32)),
        "wrn.pt": (WideResNet(), (3, 32, 32)),
        "vgg11-distiller.pt": (DistillerVgg(), (3, 32, 32)),
        "vgg11-bn.pt": (vgg11_bn(), (3, 32, 32)),
        "mobilenetv2-torchvision.pth": (zoo.mobilenet_v2(weights=None, width_mult=0.1, round_nearest=1, num_classes=5), (3, 64, 64)),
        "mobilenetv2-timm.safetensors": (
            timm.models.efficientnet._gen_mobilenet_v2("mobilenetv2_100", 0.1, num_classes=5),
            (3, 64, 64),
        ),
    }
    expected = {}
    for name, (network, shape) in networks.items():
        prepare(network, shape)
        if "resnet20" in name or "mobilenet" in name:
            # As files of half precision hold it: what they hold is what is computed with.
            network.load_state_dict({key: value.half().float() if value.is_floating_point() else value for key, value in network.state_dict().items()})  # fmt: skip
        expected[name] = answer(network, shape)
        state = network.state_dict()
        path = FOLDER / name
        if name == "resnet20.pt":
            # What a training loop keeps: DataParallel, half precision, channels last, an optimizer's state, a scheduler's counter.
            state = {f"module.{key}": value.half() if value.is_floating_point() else value for key, value in state.items()}
            state["module.layer1.0.conv1.weight"] = state["module.layer1.0.conv1.weight"].to(memory_format=torch.channels_last)
            optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9)
            optimizer.state[next(network.parameters())] = {"momentum_buffer": torch.zeros(2)}
            milestones = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5])
            torch.save({"epoch": 3, "best_acc1": 91.25, "arch": "resnet20", "state_dict": state, "optimizer": optimizer.state_dict(), "scheduler": {"milestones": milestones.milestones}}, path)  # fmt: skip
        elif name == "mobilenetv2-torchvision.pth":
            torch.save({"model": {key: value.bfloat16() if value.is_floating_point() else value for key, value in state.items()}}, path)  # fmt: skip
            network.load_state_dict({key: value.bfloat16().float() if value.is_floating_point() else value for key, value in state.items()})  # fmt: skip
            expected[name] = answer(network, shape)
        elif name.endswith(".safetensors"):
            half_state = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
            safetensors.torch.save_file(half_state, path, metadata={"format": "pt"})
        elif name == "resnet18-kuangliu.pth":
            torch.save({"net": state, "acc": 90.1, "epoch": 7}, path)
        elif name == "wrn.pt":
            torch.save(state, path, _use_new_zipfile_serialization=False)
        else:
            torch.save(state, path)
    # What is refused.
    torch.save(nn.Sequential(nn.Linear(2, 2)), FOLDER / "module.pt")
    torch.save({"epoch": 3, "model": nn.Sequential(nn.Linear(2, 2))}, FOLDER / "module-within.pt")
    torch.jit.save(torch.jit.script(nn.Sequential(nn.Linear(2, 2))), FOLDER / "torchscript.pt")
    torch.save({"weights": collections.OrderedDict(a=torch.zeros(2)), "rate": numpy.float64(0.1)}, FOLDER / "numpy.pt")
    versions = {"torch": torch.__version__, "torchvision": "0.28", "timm": timm.__version__}
    (FOLDER / "expected.json").write_text(json.dumps({"versions": versions, "files": expected}) + "\n")


main()
