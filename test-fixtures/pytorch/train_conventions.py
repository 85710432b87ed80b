"""Trains a narrow WideResNet for a minute under each usual way to feed pixels, for the ranking of these ways.

    python test-fixtures/pytorch/train_conventions.py MNIST_FOLDER CIFAR_FOLDER

MNIST_FOLDER holds train-images-idx3-ubyte (or .gz), CIFAR_FOLDER data_batch_1.bin. Writes conventions/DATA-WAY.safetensors in half
precision: what counts is what the batch norms remember. Made with torch 2.13.0.
"""

import gzip
import pathlib
import sys

import numpy
import safetensors.torch
import torch
from torch import nn

sys.argv, folders = sys.argv[:1], sys.argv[1:]
source = (pathlib.Path(__file__).parent / "generate.py").read_text().replace("\nmain()\n", "\n")
exec(compile(source, "generate.py", "exec"))

WAYS = {
    "0..1": lambda pixels: pixels,
    "-1..1": lambda pixels: 2 * pixels - 1,
    "standardised": lambda pixels: (pixels - pixels.mean((0, 2, 3), keepdim=True)) / pixels.std((0, 2, 3), keepdim=True),
    "0..255": lambda pixels: pixels * 255,
}


def read_idx(folder, name):
    path = next(pathlib.Path(folder).rglob(f"{name}*"))
    content = gzip.open(path, "rb").read() if path.suffix == ".gz" else path.read_bytes()
    sizes = [int.from_bytes(content[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(content[3])]
    return numpy.frombuffer(content, numpy.uint8, offset=4 + 4 * content[3]).reshape(sizes)


def read_data():
    rows = numpy.fromfile(pathlib.Path(folders[1]) / "data_batch_1.bin", numpy.uint8).reshape(-1, 3073)[:2000]
    images = read_idx(folders[0], "train-images")[:2000, None]
    return {
        "mnist": (images, read_idx(folders[0], "train-labels")[:2000]),
        "cifar": (rows[:, 1:].reshape(-1, 3, 32, 32), rows[:, 0]),
    }


for name, (images, labels) in read_data().items():
    pixels = nn.functional.interpolate(torch.tensor(images.copy()).float() / 255, size=32, mode="bilinear")
    for way, feed in WAYS.items():
        torch.manual_seed(0)
        network = WideResNet((8, 10, 12, 16))
        if pixels.shape[1] == 1:
            network.conv1 = nn.Conv2d(1, 8, 3, 1, 1, bias=False)
        network.train()
        rate = 0.01 if way == "0..255" else 0.05
        optimizer = torch.optim.SGD(network.parameters(), rate, momentum=0.9, weight_decay=5e-4, nesterov=True)
        inputs_of, targets = feed(pixels), torch.tensor(labels.astype(numpy.int64))
        for _ in range(60):
            chosen = torch.randint(0, len(targets), (32,))
            loss = nn.functional.cross_entropy(network(inputs_of[chosen]), targets[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        state = {key: value.half() for key, value in network.state_dict().items() if value.is_floating_point()}
        target = FOLDER / "conventions" / f"{name}-{way}.safetensors"
        target.parent.mkdir(exist_ok=True)
        safetensors.torch.save_file(state, target, metadata={"format": "pt"})
        print(target.name, float(loss))
