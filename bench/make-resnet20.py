"""Trains a ResNet-20 on CIFAR-10 with torch, and writes it as a checkpoint and, batch norm folded, as an ONNX file.

    python bench/make-resnet20.py FOLDER --cifar FOLDER

FOLDER gets resnet20.pth (parameters by torchvision's names, with which dafl knows the architecture) and
resnet20-folded.onnx (torch's older exporter). Both take pixels in 0..1 less the mean, over the deviation:
--mean 0.4914,0.4822,0.4465 --std 0.247,0.2435,0.2616. The test images are read once, after the last epoch.

    dafl distill FOLDER/resnet20.pth --mean ... --std ... --eval CIFAR --backend wasm --threads 1 --seed 1
    dafl distill FOLDER/resnet20-folded.onnx --mean ... --std ... --eval CIFAR --backend wasm --threads 1 --seed 1

The figures of those two commands are stored in bench/results/cifar10-resnet20.json.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

MEAN = torch.tensor([0.4914, 0.4822, 0.4465]).view(1, 3, 1, 1)
DEVIATION = torch.tensor([0.2470, 0.2435, 0.2616]).view(1, 3, 1, 1)
EPOCHS, BATCH, LEARNING_RATE, SEED = 16, 128, 0.3, 1


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        branch = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(branch + (x if self.downsample is None else self.downsample(x)))


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        inputs = 16
        for stage, width in enumerate((16, 32, 64), 1):
            blocks = [Block(inputs, width, 1 if stage == 1 else 2), Block(width, width, 1), Block(width, width, 1)]
            setattr(self, f'layer{stage}', nn.Sequential(*blocks))
            inputs = width
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.fc(x.mean((2, 3)))


def load(folder, names):
    rows = np.concatenate([np.fromfile(folder / f'{name}.bin', np.uint8).reshape(-1, 3073) for name in names])
    return torch.from_numpy(rows[:, 1:].reshape(-1, 3, 32, 32).copy()), torch.from_numpy(rows[:, 0].astype(np.int64))


def normalize(images):
    return ((images.float() / 255 - MEAN) / DEVIATION).to(memory_format=torch.channels_last)


def augment(images):
    """A window of the mirrored-out image, shifted by up to 4 pixels; half of them flipped."""
    padded = F.pad(images, (4, 4, 4, 4), mode='reflect')
    shifts = torch.randint(0, 9, (len(images), 2)).tolist()
    windows = torch.stack([image[:, y : y + 32, x : x + 32] for image, (y, x) in zip(padded, shifts)])
    flips = torch.rand(len(images)) < 0.5
    return torch.where(flips.view(-1, 1, 1, 1), windows.flip(3), windows).to(memory_format=torch.channels_last)


def train(network, images, labels):
    updates = EPOCHS * (len(images) // BATCH)
    optimizer = torch.optim.SGD(network.parameters(), LEARNING_RATE, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        *(optimizer, LEARNING_RATE, updates),
        pct_start=0.2,
        anneal_strategy='linear',
        div_factor=20,
        final_div_factor=1000,
    )
    for epoch in range(EPOCHS):
        order = torch.randperm(len(images))
        for begin in range(0, len(images) - BATCH + 1, BATCH):
            batch = order[begin : begin + BATCH]
            with torch.autocast('cpu', torch.bfloat16):
                loss = F.cross_entropy(network(augment(normalize(images[batch]))).float(), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f'epoch {epoch + 1}: loss {loss.item():.3f}', flush=True)


def fold(network):
    network.conv1, network.bn1 = fuse_conv_bn_eval(network.conv1, network.bn1), nn.Identity()
    for block in (*network.layer1, *network.layer2, *network.layer3):
        block.conv1, block.bn1 = fuse_conv_bn_eval(block.conv1, block.bn1), nn.Identity()
        block.conv2, block.bn2 = fuse_conv_bn_eval(block.conv2, block.bn2), nn.Identity()
        if block.downsample is not None:
            block.downsample = nn.Sequential(fuse_conv_bn_eval(*block.downsample))
    return network


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('folder', type=Path)
    parser.add_argument('--cifar', type=Path, required=True)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(SEED)
    network = ResNet20().to(memory_format=torch.channels_last)
    with torch.enable_grad():
        train(network, *load(arguments.cifar, [f'data_batch_{index}' for index in range(1, 6)]))
    network.eval()
    torch.save(network.state_dict(), arguments.folder / 'resnet20.pth')
    images, labels = load(arguments.cifar, ['test_batch'])
    right = sum(
        (network(normalize(images[begin : begin + 500])).argmax(1) == labels[begin : begin + 500]).sum().item()
        for begin in range(0, len(images), 500)
    )
    print(f'test accuracy {100 * right / len(images):.2f} %')
    axes = {'images': {0: 'n'}, 'logits': {0: 'n'}}
    names = {'input_names': ['images'], 'output_names': ['logits'], 'dynamic_axes': axes, 'dynamo': False}
    torch.onnx.export(fold(network), torch.zeros(1, 3, 32, 32), arguments.folder / 'resnet20-folded.onnx', **names)


main()
