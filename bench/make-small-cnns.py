"""Trains small classifiers with torch and writes them as ONNX files that bench/small-cnns.ts distils.

    python bench/make-small-cnns.py FOLDER --fashion FOLDER --cifar FOLDER --fonts FOLDER [NAME...]

Networks that nothing in dafl was designed for: 28x28 grey with folded batch norm (Fashion-MNIST, torch's older exporter),
36x36 grey with 26 classes, dark on light, strides and a softmax at the end (letters of the fonts, torch's newer exporter
with its weights in a file of their own), 32x32 colour with residual blocks and batch norm, once kept and once folded
(CIFAR-10). Each comes with a network of half the widths that saw the same data for as long: the mark for a student
without data. FOLDER gets NAME.onnx, NAME.json (mean and deviation of the training images, accuracies) and the folder
NAME-test with labelled test images. Test images are read once, after the last update.
"""

import argparse
import copy
import functools
import gzip
import json
import random
import shutil
import struct
import time
from pathlib import Path

import numpy as np
import onnx
import torch
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

BATCH = 128
SEED = 7


def grey28(share):
    a, b, c = int(16 * share), int(32 * share), int(64 * share)
    return nn.Sequential(
        *(nn.Conv2d(1, a, 5, padding=2), nn.BatchNorm2d(a), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(a, b, 3), nn.BatchNorm2d(b), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(b * 36, c), nn.ReLU(), nn.Dropout(0.3), nn.Linear(c, 10)),
    )


def letters36(share):
    a, b, c = int(16 * share), int(32 * share), int(64 * share)
    return nn.Sequential(
        *(nn.Conv2d(1, a, 5, stride=2, padding=2), nn.ReLU()),
        *(nn.Conv2d(a, b, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Conv2d(b, c, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(c * 25, c), nn.ReLU(), nn.Linear(c, 26)),
    )


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.skip_conv = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if stride > 1 else None
        self.skip_bn = nn.BatchNorm2d(outputs) if stride > 1 else None

    def forward(self, x):
        shortcut = x if self.skip_conv is None else self.skip_bn(self.skip_conv(x))
        x = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(x)) + shortcut)

    def fold(self):
        self.conv1, self.bn1 = fuse_conv_bn_eval(self.conv1, self.bn1), nn.Identity()
        self.conv2, self.bn2 = fuse_conv_bn_eval(self.conv2, self.bn2), nn.Identity()
        if self.skip_conv is not None:
            self.skip_conv, self.skip_bn = fuse_conv_bn_eval(self.skip_conv, self.skip_bn), nn.Identity()


class Residual(nn.Module):
    def __init__(self, share):
        super().__init__()
        a, b, c = int(16 * share), int(32 * share), int(64 * share)
        self.stem = nn.Conv2d(3, a, 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(a)
        self.pool = nn.MaxPool2d(2)
        self.blocks = nn.Sequential(Block(a, a, 1), Block(a, b, 2), Block(b, c, 2))
        self.fc = nn.Linear(c, 10)

    def forward(self, x):
        x = self.blocks(self.pool(torch.relu(self.bn(self.stem(x)))))
        return self.fc(x.mean((2, 3)))

    def fold(self):
        self.stem, self.bn = fuse_conv_bn_eval(self.stem, self.bn), nn.Identity()
        for block in self.blocks:
            block.fold()


def read_idx(folder, name):
    path = next(path for path in (folder / name, folder / f"{name}.gz") if path.exists())
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    sizes = struct.unpack(f">{content[3]}I", content[4 : 4 + 4 * content[3]])
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(sizes)


def write_idx(folder, images, labels):
    folder.mkdir(exist_ok=True)
    for name, values in (("t10k-images-idx3-ubyte", images), ("t10k-labels-idx1-ubyte", labels)):
        head = struct.pack(">HBB", 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape)
        (folder / name).write_bytes(head + np.ascontiguousarray(values, np.uint8).tobytes())


def fashion(arguments, test_folder):
    images, labels = read_idx(arguments.fashion, "train-images-idx3-ubyte"), read_idx(arguments.fashion, "train-labels-idx1-ubyte")
    test = read_idx(arguments.fashion, "t10k-images-idx3-ubyte"), read_idx(arguments.fashion, "t10k-labels-idx1-ubyte")
    write_idx(test_folder, *test)
    return (images[:, None], labels), (test[0][:, None], test[1])


def cifar(arguments, test_folder):
    def read(names):
        rows = np.concatenate([np.frombuffer((arguments.cifar / name).read_bytes(), np.uint8).reshape(-1, 3073) for name in names])
        return rows[:, 1:].reshape(-1, 3, 32, 32), rows[:, 0]

    test_folder.mkdir(exist_ok=True)
    shutil.copy(arguments.cifar / "test_batch.bin", test_folder)
    return read([f"data_batch_{part}.bin" for part in range(1, 6)]), read(["test_batch.bin"])


@functools.cache
def load_font(path, size):
    return ImageFont.truetype(str(path), size=size)


def letters(arguments, test_folder):
    """Capital letters of all fonts, turned, moved, blurred and noisy: the test set as class folders of PNG files."""
    fonts = [path for path in sorted(arguments.fonts.rglob("*.ttf")) if "Math" not in path.name]
    draws, noise = random.Random(SEED), np.random.default_rng(SEED)

    def draw(letter):
        font = load_font(draws.choice(fonts), draws.randrange(18, 31))
        paper, ink = draws.randrange(190, 256), draws.randrange(0, 90)
        picture = Image.new("L", (72, 72), paper)
        place = (36 + draws.uniform(-3, 3), 36 + draws.uniform(-3, 3))
        ImageDraw.Draw(picture).text(place, chr(65 + letter), fill=ink, font=font, anchor="mm")
        picture = picture.rotate(draws.uniform(-15, 15), Image.Resampling.BILINEAR, fillcolor=paper).crop((18, 18, 54, 54))
        picture = picture.filter(ImageFilter.GaussianBlur(draws.uniform(0, 0.9)))
        pixels = np.asarray(picture, np.float32) + noise.normal(0, draws.uniform(0, 14), (36, 36))
        return np.clip(pixels, 0, 255).astype(np.uint8)

    def make(count):
        labels = np.arange(count) % 26
        return np.stack([draw(int(label)) for label in labels])[:, None], labels

    train, test = make(13000), make(2600)
    for index, (image, label) in enumerate(zip(test[0][:, 0], test[1])):
        folder = test_folder / chr(65 + int(label))
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{index}.png")
    return train, test


def accuracy(network, images, labels):
    network.eval()
    with torch.no_grad():
        right = [(network(x).argmax(1) == y).sum().item() for x, y in zip(images.split(500), labels.split(500))]
    return sum(right) / len(labels)


def train(network, images, labels, epochs, flips):
    """Adam with a schedule of one cycle, on shifted pictures."""
    started = time.process_time()
    order = torch.Generator().manual_seed(SEED)
    steps = epochs * (len(images) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    loss = nn.CrossEntropyLoss(label_smoothing=0.05 if flips else 0)
    network.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(images), generator=order)[: steps // epochs * BATCH].split(BATCH):
            x = images[batch]
            shift = torch.randint(-2, 3, (2,), generator=order).tolist()
            x = torch.roll(x, shift, (2, 3))
            if flips and torch.rand((), generator=order) < 0.5:
                x = x.flip(3)
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):
                answers = network(x)
            loss(answers.float(), labels[batch]).backward()
            optimizer.step()
            schedule.step()
    return time.process_time() - started


def folded(network):
    network = copy.deepcopy(network).eval()
    if isinstance(network, Residual):
        network.fold()
        return network
    layers = list(network)
    for index, layer in enumerate(layers):
        if isinstance(layer, nn.BatchNorm2d):
            layers[index - 1], layers[index] = fuse_conv_bn_eval(layers[index - 1], layer), nn.Identity()
    return nn.Sequential(*layers)


def export(network, path, shape, is_newer, keeps_norms=False):
    example = torch.zeros(2, *shape)
    network.eval()
    if is_newer:
        batch = {0: torch.export.Dim("batch")}
        torch.onnx.export(network, (example,), path, dynamo=True, dynamic_shapes=(batch,), optimize=not keeps_norms)
    else:
        names = {"input_names": ["input"], "output_names": ["output"]}
        torch.onnx.export(network, (example,), path, dynamo=False, dynamic_axes={"input": {0: "n"}, "output": {0: "n"}}, **names)
    kinds = [node.op_type for node in onnx.load(path, load_external_data=False).graph.node]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


TASKS = {
    "grey28": (fashion, grey28, 2),
    "letters36": (letters, letters36, 10),
    "colour32": (cifar, Residual, 3),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    for name in ("fashion", "cifar", "fonts"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_intermixed_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or TASKS:
        data, network, epochs = TASKS[name]
        is_colour = name == "colour32"
        (images, labels), (test_images, test_labels) = data(arguments, arguments.folder / f"{name}-test")
        mean = images.mean((0, 2, 3), dtype=np.float64) / 255
        deviation = (images.astype(np.float32) / 255).std((0, 2, 3), dtype=np.float64)
        mean, deviation = mean.round(4).tolist(), deviation.round(4).tolist()

        def prepare(pixels):
            scale = torch.tensor(mean).view(1, -1, 1, 1), torch.tensor(deviation).view(1, -1, 1, 1)
            return (torch.from_numpy(pixels.copy()).float() / 255 - scale[0]) / scale[1]

        x, y = prepare(images), torch.from_numpy(labels.astype(np.int64))
        test_x, test_y = prepare(test_images), torch.from_numpy(test_labels.astype(np.int64))
        made = {}
        for part, share in (("teacher", 1), ("student", 0.5)):
            torch.manual_seed(SEED)
            made[part] = network(share)
            seconds = train(made[part], x, y, epochs, is_colour)
            made[f"{part}_accuracy"] = accuracy(made[part], test_x, test_y)
            print(f"{name} {part}: {made[f'{part}_accuracy']:.4f}, {seconds:.0f} s of the processor", flush=True)
        teacher, shape = made["teacher"], x.shape[1:]
        files = {}
        if is_colour:
            files[name] = export(teacher, arguments.folder / f"{name}.onnx", shape, True, keeps_norms=True)
            files[f"{name}-folded"] = export(folded(teacher), arguments.folder / f"{name}-folded.onnx", shape, False)
        elif name == "letters36":
            files[name] = export(nn.Sequential(teacher, nn.Softmax(1)), arguments.folder / f"{name}.onnx", shape, True)
        else:
            files[name] = export(folded(teacher), arguments.folder / f"{name}.onnx", shape, False)
        for file, operators in files.items():
            record = {
                "mean": mean,
                "std": deviation,
                "test": f"{name}-test",
                "teacherAccuracy": made["teacher_accuracy"],
                "realStudentAccuracy": made["student_accuracy"],
                "epochs": epochs,
                "operators": operators,
                "torch": torch.__version__,
            }
            (arguments.folder / f"{file}.json").write_text(json.dumps(record, indent=1))


main()
