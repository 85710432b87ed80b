"""Writes the golden values of the preprocessing: preprocess.json.

Small pictures, resized by torch.nn.functional.interpolate (bilinear, half-pixel centres, no antialiasing), scaled to
0..1 and normalised. To keep the file small, pixels follow a formula (`pixel` below) and some outputs of each case are
kept, with the sum and the sum of squares of all.

Run it in this folder, deliberately: continuous integration doesn't. Needs torch alone.

    python generate_preprocess.py
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

# Pixels are whole numbers, so that float32 interpolation errs by its own rounding alone.
TOLERANCE = {"absolute": 1e-5, "relative": 1e-5}
KEPT = 64

torch.set_default_dtype(torch.float64)


def pixel(index):
    """The pixel at a row-major index of `[count, height, width, channels]`, 0..255."""
    return (index * 37 + index // 7 * 101 + index // 64 * 29) % 256


def case(name, count, from_size, to_size, mean, deviation):
    height, width = from_size
    channels = len(mean)
    size = count * height * width * channels
    pixels = torch.tensor([pixel(index) for index in range(size)], dtype=torch.float64)
    images = pixels.reshape(count, height, width, channels).permute(0, 3, 1, 2)
    resized = F.interpolate(images, size=to_size, mode="bilinear", align_corners=False, antialias=False)
    shaped = [torch.tensor(values).reshape(1, channels, 1, 1) for values in (mean, deviation)]
    output = ((resized / 255 - shaped[0]) / shaped[1]).permute(0, 2, 3, 1).flatten()
    # The first, the last and evenly spread ones between.
    indices = [round(position * (len(output) - 1) / (KEPT - 1)) for position in range(KEPT)]
    return {
        "name": name,
        "count": count,
        "from": from_size,
        "to": to_size,
        "mean": mean,
        "standardDeviation": deviation,
        "indices": indices,
        "values": [output[index].item() for index in indices],
        "sum": output.sum().item(),
        "sumOfSquares": output.square().sum().item(),
    }


cases = [
    case("MNIST, 28 to 32", 2, (28, 28), (32, 32), [0.1307], [0.3081]),
    case("USPS, 16 to 32", 2, (16, 16), (32, 32), [0.1307], [0.3081]),
    case("CIFAR, unchanged", 1, (32, 32), (32, 32), [0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.2010]),
    case("colours, smaller and of another aspect", 2, (32, 20), (12, 28), [0.4914, 0.4822, 0.4465],
         [0.2023, 0.1994, 0.2010]),
]

head = {
    "provenance": {
        "generator": "test-fixtures/golden/generate_preprocess.py",
        "command": "python generate_preprocess.py",
        "torch": torch.__version__,
        "pixels": "(index * 37 + floor(index / 7) * 101 + floor(index / 64) * 29) mod 256, no seed",
    },
    "tolerance": TOLERANCE,
}
lines = [json.dumps(entry, separators=(",", ":")) for entry in cases]
text = json.dumps(head, indent=2)[:-2] + ',\n  "cases": [\n    ' + ",\n    ".join(lines) + "\n  ]\n}\n"
(Path(__file__).parent / "preprocess.json").write_text(text)
