"""Golden outputs and gradients of nodes of networks, from PyTorch in float64.

Usage: python3 test-fixtures/golden/generate_nodes.py

Writes nodes.json beside this file: for each case a node, the input and the weights as dafl has them (channels last), the
output and the gradients of sum(output * outputGradient). Values are drawn from seed 0.
"""

import json
import platform
from pathlib import Path

import torch
import torch.nn.functional as F

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
SHAPE = (2, 5, 4, 6)  # batch, height, width, channels


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def pack(tensor):
    return {"shape": list(tensor.shape), "values": tensor.detach().reshape(-1).tolist()}


def transposed(stride, padding, output_padding, dilation, groups, filters=4):
    # dafl keeps [height, width, filters / groups, inputs]; PyTorch [inputs, filters / groups, height, width].
    weights = {"kernel": torch.randn(3, 2, filters // groups, 6), "bias": torch.randn(filters)}
    node = {
        "kind": "transposedConv2d", "filters": filters, "kernelSize": [3, 2], "strides": list(stride),
        "padding": {"top": padding[0], "bottom": padding[0], "left": padding[1], "right": padding[1]},
        "dilations": list(dilation), "groups": groups, "outputPadding": list(output_padding), "useBias": True,
    }

    def compute(x, w):
        kernel = w["kernel"].permute(3, 2, 0, 1)
        return nhwc(F.conv_transpose2d(nchw(x), kernel, w["bias"], stride, padding, output_padding, groups, dilation))

    return node, weights, compute


def affine_norm(kind, extra, compute, affine=True):
    weights = {"scale": torch.rand(6) + 0.5, "offset": torch.randn(6)} if affine else {}
    return {"kind": kind, **extra, "epsilon": 1e-3, "affine": affine}, weights, compute


def resize(size, mode, coordinates, **options):
    node = {"kind": "resize2d", "size": list(size), "mode": mode, "coordinates": coordinates, **options}

    def compute(x, w):
        if mode == "bilinear":
            align = coordinates == "alignCorners"
            return nhwc(F.interpolate(nchw(x), size=size, mode="bilinear", align_corners=align))
        exact = "nearest" if coordinates == "asymmetric" else "nearest-exact"
        return nhwc(F.interpolate(nchw(x), size=size, mode=exact))

    return node, {}, compute


def lrn(size):
    node = {"kind": "localResponseNorm", "size": size, "alpha": 0.3, "beta": 0.75, "bias": 1.5}
    return node, {}, lambda x, w: nhwc(F.local_response_norm(nchw(x), size, 0.3, 0.75, 1.5))


def pad(mode, name):
    node = {"kind": "pad2d", "padding": {"top": 2, "bottom": 1, "left": 3, "right": 0}, "mode": name}
    return node, {}, lambda x, w: nhwc(F.pad(nchw(x), (3, 0, 2, 1), mode))


def activation(name, function, **fields):
    return {"kind": "activation", "function": name, **fields}, {}, lambda x, w: function(x)


def shuffled(x, w):
    return nhwc(F.pixel_shuffle(nchw(x), 2))


CASES = [
    transposed((2, 1), (1, 0), (1, 0), (1, 1), 1),
    transposed((2, 3), (0, 1), (0, 2), (2, 1), 2),
    transposed((1, 1), (0, 0), (0, 0), (1, 1), 6, 6),
    affine_norm("layerNorm", {}, lambda x, w: F.layer_norm(x, (6,), w["scale"], w["offset"], 1e-3)),
    affine_norm("layerNorm", {}, lambda x, w: F.layer_norm(x, (6,), None, None, 1e-3), affine=False),
    affine_norm("instanceNorm", {}, lambda x, w: nhwc(F.instance_norm(nchw(x), weight=w["scale"], bias=w["offset"], eps=1e-3))),
    affine_norm("groupNorm", {"groups": 3}, lambda x, w: nhwc(F.group_norm(nchw(x), 3, w["scale"], w["offset"], 1e-3))),
    resize((7, 9), "bilinear", "halfPixel"),
    resize((3, 2), "bilinear", "halfPixel"),
    resize((7, 3), "bilinear", "alignCorners"),
    resize((8, 3), "nearest", "asymmetric", rounding="floor"),
    resize((8, 3), "nearest", "halfPixel", rounding="preferCeil"),
    lrn(3),
    pad("reflect", "reflect"),
    pad("replicate", "edge"),
    activation("elu", lambda x: F.elu(x, 0.7), alpha=0.7),
    activation("selu", F.selu),
    activation("softplus", F.softplus),
    activation("mish", F.mish),
    activation("softsign", F.softsign),
    activation("geluTanh", lambda x: F.gelu(x, approximate="tanh")),
    activation("hardSigmoid", lambda x: torch.clamp(0.2 * x + 0.5, 0, 1), alpha=0.2, beta=0.5),
    ({"kind": "prelu"}, {"slope": torch.rand(6)}, lambda x, w: nhwc(F.prelu(nchw(x), w["slope"]))),
    ({"kind": "depthToSpace", "blockSize": 2, "order": "channelsFirst"}, {}, shuffled),
    ({"kind": "softmax", "axis": 1, "logarithm": False}, {}, lambda x, w: torch.softmax(x, 2)),
    ({"kind": "softmax", "axis": 2, "logarithm": True}, {}, lambda x, w: torch.log_softmax(x, 3)),
    ({"kind": "reduce", "operation": "max", "axes": [0, 2], "keepDimensions": False}, {}, lambda x, w: x.amax((1, 3))),
    ({"kind": "reduce", "operation": "min", "axes": [1], "keepDimensions": True}, {}, lambda x, w: x.amin(2, keepdim=True)),
    ({"kind": "reduce", "operation": "mean", "axes": [0, 1, 2], "keepDimensions": True}, {}, lambda x, w: x.mean((1, 2, 3), keepdim=True)),
    ({"kind": "reduce", "operation": "sum", "axes": [2], "keepDimensions": False}, {}, lambda x, w: x.sum(3)),
    ({"kind": "slice", "begin": [1, 0, 1], "size": [2, 2, 3], "strides": [2, 3, 1]}, {}, lambda x, w: x[:, 1:4:2, 0::3, 1:4]),
    ({"kind": "transpose", "permutation": [2, 0, 1]}, {}, lambda x, w: x.permute(0, 3, 1, 2)),
    ({"kind": "dense", "units": 3, "useBias": True}, {"kernel": torch.randn(6, 3), "bias": torch.randn(3)}, lambda x, w: x @ w["kernel"] + w["bias"]),
    ({"kind": "clip", "minimum": -0.5}, {}, lambda x, w: x.clamp(min=-0.5)),
    ({"kind": "clip", "minimum": -0.5, "maximum": 0.75}, {}, lambda x, w: x.clamp(-0.5, 0.75)),
]

cases = []
for node, weights, compute in CASES:
    shape = (2, 3, 2, 8) if node["kind"] == "depthToSpace" else SHAPE
    # What float32 holds exactly.
    x = torch.randn(shape).float().double().requires_grad_()
    leaves = {name: w.float().double().requires_grad_() for name, w in weights.items()}
    output = compute(x, leaves)
    gradient = torch.randn_like(output)
    gradients = torch.autograd.grad(output, [x, *leaves.values()], gradient)
    cases.append({
        "node": node,
        "input": pack(x),
        "weights": {name: pack(w) for name, w in leaves.items()},
        "output": pack(output),
        "outputGradient": pack(gradient),
        "gradients": {name: pack(g) for name, g in zip(["input", *leaves], gradients)},
    })

provenance = {"torch": torch.__version__, "python": platform.python_version(), "script": Path(__file__).name}
target = Path(__file__).with_name("nodes.json")
target.write_text(json.dumps({"provenance": provenance, "cases": cases}) + "\n")
