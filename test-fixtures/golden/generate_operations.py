"""Writes the golden files of the tensor kernels: operations/*.json.

Each file holds inputs, options and what PyTorch made of them in float64, gradients included. Arrays are stored as dafl
lays them out (images NHWC, filters [height, width, inputChannels / groups, outputChannels]), row-major. Inputs are
multiples of 1/64, so that float32 and float64 backends start from the same numbers.

Run it in this folder, deliberately: continuous integration doesn't. Needs torch alone.

    python generate_operations.py
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F

SEED = 20190412
FOLDER = Path(__file__).parent / "operations"
# The reference computes in float64 and the files keep 9 significant digits; float32 backends round each product and sum.
TOLERANCE = {
    "float64": {"absolute": 1e-8, "relative": 1e-7},
    "float32": {"absolute": 2e-6, "relative": 2e-5},
}

torch.manual_seed(SEED)
torch.set_default_dtype(torch.float64)


def draw(*shape, limit=1.0):
    """Multiples of 1/64 in [-limit, limit]."""
    steps = int(limit * 64)
    return torch.randint(-steps, steps + 1, shape).double() / 64


def draw_distinct(*shape):
    """Multiples of 1/64 without ties, so that every window has one maximum."""
    size = math.prod(shape)
    return ((torch.randperm(size) - size // 2).double() / 64).reshape(shape)


def array(tensor):
    values = [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]
    return {
        "shape": list(tensor.shape),
        "values": [int(value) if value == int(value) else value for value in values],
    }


def images(tensor):
    """NCHW to NHWC."""
    return array(tensor.permute(0, 2, 3, 1).contiguous())


def filters(tensor):
    """[output, input / groups, height, width] to [height, width, input / groups, output]."""
    return array(tensor.permute(2, 3, 1, 0).contiguous())


def write(name, cases):
    head = {
        "provenance": {
            "generator": "test-fixtures/golden/generate_operations.py",
            "command": "python generate_operations.py",
            "torch": torch.__version__,
            "seed": SEED,
        },
        "tolerance": TOLERANCE,
    }
    # One case a line: small, and a change shows which case it touched.
    lines = [json.dumps(case, separators=(",", ":"), allow_nan=False) for case in cases]
    text = json.dumps(head, indent=2)[:-2] + ',\n  "cases": [\n    ' + ",\n    ".join(lines) + "\n  ]\n}\n"
    (FOLDER / f"{name}.json").write_text(text)


def convolution(name, batch, channels, size, outputs, kernel, strides=(1, 1), padding=(0, 0, 0, 0),
                dilations=(1, 1), groups=1, has_bias=True):
    """`padding` is top, bottom, left, right."""
    top, bottom, left, right = padding
    image = draw(batch, channels, *size).requires_grad_()
    weight = draw(outputs, channels // groups, *kernel).requires_grad_()
    bias = draw(outputs) if has_bias else None
    output = F.conv2d(F.pad(image, (left, right, top, bottom)), weight, bias, strides, 0, dilations, groups)
    gradient = draw(*output.shape)
    output.backward(gradient)
    return {
        "name": name,
        "options": {"strides": strides, "padding": padding, "dilations": dilations, "groups": groups},
        "input": images(image),
        "filter": filters(weight),
        "bias": array(bias) if has_bias else None,
        "outputGradient": images(gradient),
        "output": images(output),
        "inputGradient": images(image.grad),
        "filterGradient": filters(weight.grad),
    }


write("convolution", [
    convolution("3x3 with equal padding", 2, 3, (5, 5), 4, (3, 3), padding=(1, 1, 1, 1)),
    convolution("5x5 over one channel", 2, 1, (8, 8), 6, (5, 5)),
    convolution("1x1", 2, 5, (3, 4), 7, (1, 1), has_bias=False),
    convolution("1x1 with stride 2", 2, 3, (5, 6), 4, (1, 1), strides=(2, 2)),
    convolution("3x3 with stride 2 and padding below and right", 2, 3, (6, 6), 4, (3, 3), strides=(2, 2),
                padding=(0, 1, 0, 1)),
    convolution("stride 2 that leaves the last row and column unread", 2, 2, (6, 8), 3, (3, 3), strides=(2, 2)),
    convolution("stride 3 larger than the 2x2 kernel", 2, 2, (8, 7), 3, (2, 2), strides=(3, 3)),
    convolution("unequal strides and padding", 2, 2, (6, 5), 3, (3, 2), strides=(1, 2), padding=(2, 0, 1, 3)),
    convolution("dilation 2", 2, 2, (7, 7), 3, (3, 3), padding=(2, 2, 2, 2), dilations=(2, 2)),
    convolution("unequal dilations with stride 2", 2, 2, (8, 9), 3, (3, 2), strides=(2, 2), padding=(1, 0, 0, 1),
                dilations=(2, 3), has_bias=False),
    convolution("two groups", 2, 4, (5, 5), 6, (3, 3), padding=(1, 1, 1, 1), groups=2),
    convolution("three groups with stride 2", 2, 6, (5, 5), 3, (3, 3), strides=(2, 2), padding=(1, 1, 1, 1),
                groups=3),
    convolution("depthwise", 2, 5, (5, 5), 5, (3, 3), padding=(1, 1, 1, 1), groups=5),
    convolution("depthwise with stride 2", 2, 6, (6, 5), 6, (3, 3), strides=(2, 2), padding=(0, 1, 0, 1), groups=6),
    convolution("depthwise with multiplier 2", 2, 3, (5, 5), 6, (3, 3), padding=(1, 1, 1, 1), groups=3),
    convolution("depthwise with multiplier 3 and dilation 2", 2, 2, (7, 6), 6, (3, 3), padding=(2, 2, 2, 2),
                dilations=(2, 2), groups=2, has_bias=False),
    convolution("kernel larger than the image", 2, 2, (3, 3), 3, (5, 5), padding=(2, 2, 2, 2)),
    convolution("kernel that covers the image", 3, 4, (3, 3), 9, (3, 3)),
    convolution("row kernel 1x5", 2, 2, (4, 7), 3, (1, 5), padding=(0, 0, 2, 2)),
    convolution("column kernel 5x1", 2, 2, (7, 4), 3, (5, 1), padding=(2, 2, 0, 0)),
])


def pooling(name, image, window, strides, padding=(0, 0, 0, 0)):
    """Padding as top, bottom, left, right. torch pads both sides alike, so each image is padded before it is pooled."""
    top, bottom, left, right = padding
    pads = (left, right, top, bottom)
    case = {
        "name": name,
        "options": {"windowSize": window, "strides": strides, "padding": padding},
        "input": images(image),
    }

    source = image.clone().requires_grad_()
    largest = F.max_pool2d(F.pad(source, pads, value=-math.inf), window, strides)
    gradient = draw(*largest.shape)
    largest.backward(gradient)
    case |= {"outputGradient": images(gradient), "max": images(largest), "maxGradient": images(source.grad)}

    source = image.clone().requires_grad_()
    counted = F.avg_pool2d(F.pad(source, pads), window, strides)
    counted.backward(gradient)
    case |= {"average": images(counted), "averageGradient": images(source.grad)}

    source = image.clone().requires_grad_()
    shares = F.avg_pool2d(F.pad(torch.ones_like(image), pads), window, strides)
    uncounted = F.avg_pool2d(F.pad(source, pads), window, strides) / shares
    uncounted.backward(gradient)
    case |= {"averageWithoutPadding": images(uncounted), "averageWithoutPaddingGradient": images(source.grad)}
    return case


write("pooling", [
    pooling("2x2 with stride 2", draw_distinct(2, 3, 6, 4), (2, 2), (2, 2)),
    pooling("2x2 with stride 2 over an odd image", draw_distinct(2, 2, 5, 7), (2, 2), (2, 2)),
    pooling("overlapping 3x3 with stride 2 and padding", draw_distinct(2, 3, 6, 6), (3, 3), (2, 2), (1, 1, 1, 1)),
    pooling("overlapping 3x3 with stride 1 and padding", draw_distinct(2, 2, 5, 5), (3, 3), (1, 1), (1, 1, 1, 1)),
    pooling("unequal windows, strides and padding", draw_distinct(2, 2, 5, 6), (3, 2), (1, 2), (1, 0, 0, 1)),
    pooling("stride larger than the window", draw_distinct(2, 2, 7, 7), (2, 2), (3, 3)),
    pooling("whole image", draw_distinct(3, 5, 3, 4), (3, 4), (1, 1)),
    pooling("negative values next to padding", -1 - draw_distinct(2, 2, 4, 4).abs(), (3, 3), (2, 2), (1, 1, 1, 1)),
    pooling("ties", torch.randint(0, 3, (2, 2, 6, 6)).double(), (3, 3), (2, 2)),
    pooling("rectified values", draw(2, 2, 6, 6).clamp(min=0), (2, 2), (2, 2)),
    pooling("zeros", torch.zeros(2, 2, 4, 4), (2, 2), (2, 2)),
])


def upsampling(name, shape, factors):
    image = draw(*shape).requires_grad_()
    output = image.repeat_interleave(factors[0], 2).repeat_interleave(factors[1], 3)
    if factors[0] == factors[1]:
        assert torch.equal(output, F.interpolate(image, scale_factor=factors[0], mode="nearest"))
    gradient = draw(*output.shape)
    output.backward(gradient)
    return {
        "name": name,
        "factors": factors,
        "input": images(image),
        "output": images(output),
        "outputGradient": images(gradient),
        "inputGradient": images(image.grad),
    }


write("upsampling", [
    upsampling("by 2", (3, 3, 3, 4), (2, 2)),
    upsampling("by 3 and 2", (2, 2, 2, 3), (3, 2)),
    upsampling("by 1 and 4", (2, 1, 3, 2), (1, 4)),
])


def unary(operation, function, values):
    return {"operation": operation, "input": array(values), "output": array(function(values))}


wide = torch.tensor([-30, -8, -4.5, -3, -2, -1, -0.5, -0.015625, 0, 0.015625, 0.25, 0.75, 1, 1.5, 2.5, 3.5, 5, 9, 40])
positive = torch.tensor([0.015625, 0.125, 0.5, 0.984375, 1, 1.015625, 2, 3, 10, 1000, 65536])
write("unary", [
    unary("negate", torch.neg, wide),
    unary("abs", torch.abs, wide),
    unary("sign", torch.sign, wide),
    unary("exp", torch.exp, wide),
    unary("log", torch.log, positive),
    unary("sqrt", torch.sqrt, positive),
    unary("square", torch.square, wide),
    unary("reciprocal", torch.reciprocal, torch.cat([positive, -positive])),
    unary("tanh", torch.tanh, wide),
    unary("sigmoid", torch.sigmoid, wide),
    unary("erf", torch.erf, wide),
    unary("step", lambda x: (x > 0).double(), wide),
])


def leaky_relu(slope):
    source = draw(4, 5).requires_grad_()
    output = F.leaky_relu(source, slope)
    gradient = draw(4, 5)
    output.backward(gradient)
    return {
        "name": f"slope {slope}",
        "slope": slope,
        "input": array(source),
        "output": array(output),
        "outputGradient": array(gradient),
        "inputGradient": array(source.grad),
    }


write("leaky-relu", [leaky_relu(0), leaky_relu(0.2), leaky_relu(1)])


def binary(operation, function, left_shape, right_shape):
    left, right = draw(*left_shape), draw(*right_shape)
    if operation == "divide":
        right = right + torch.where(right < 0, -0.5, 0.5)
    if operation in ("greater", "equal"):
        left, right = (left * 2).round(), (right * 2).round()
    return {
        "operation": operation,
        "left": array(left),
        "right": array(right),
        "output": array(function(left, right).double()),
    }


write("binary", [
    binary(operation, function, left, right)
    for operation, function in [
        ("add", torch.add),
        ("subtract", torch.sub),
        ("multiply", torch.mul),
        ("divide", torch.div),
        ("maximum", torch.maximum),
        ("minimum", torch.minimum),
        ("greater", torch.gt),
        ("equal", torch.eq),
    ]
    for left, right in [([3, 5], [5]), ([2, 1, 4], [3, 1]), ([], [2, 3]), ([2, 1, 2, 1, 2], [3, 1, 2, 1])]
])


def reduction(operation, function, shape, axes):
    source = draw(*shape)
    return {"operation": operation, "axes": axes, "input": array(source), "output": array(function(source, axes))}


write("reduction", [
    reduction(operation, function, shape, axes)
    for operation, function in [("sum", torch.sum), ("mean", torch.mean), ("max", torch.amax)]
    for shape, axes in [([7], [0]), ([3, 5], [0]), ([3, 5], [1]), ([2, 3, 4, 5], [0, 1, 2]), ([2, 3, 4, 5], [1, 3])]
])


def mat_mul(rows, depth, columns, transpose_left, transpose_right):
    left, right = draw(rows, depth), draw(depth, columns)
    return {
        "transposeLeft": transpose_left,
        "transposeRight": transpose_right,
        "left": array(left.T.contiguous() if transpose_left else left),
        "right": array(right.T.contiguous() if transpose_right else right),
        "output": array(left @ right),
    }


write("matrix", [
    mat_mul(*size, transpose_left, transpose_right)
    for size in [(3, 5, 7), (1, 17, 4), (6, 1, 5)]
    for transpose_left in (False, True)
    for transpose_right in (False, True)
])


def batch_norm(name, shape, epsilon, is_affine):
    """Channels last, as dafl has them."""
    channels = shape[-1]
    source = draw(*shape).requires_grad_()
    scale = (draw(channels) + 1.5).requires_grad_()
    offset = draw(channels).requires_grad_()
    channels_first = source.reshape(-1, channels)
    output = F.batch_norm(channels_first, None, None, scale if is_affine else None, offset if is_affine else None,
                          training=True, eps=epsilon).reshape(shape)
    gradient = draw(*shape)
    output.backward(gradient)
    normalised = (channels_first - channels_first.mean(0)) / (channels_first.var(0, correction=0) + epsilon).sqrt()
    gradient_rows = gradient.reshape(-1, channels)
    return {
        "name": name,
        "epsilon": epsilon,
        "input": array(source),
        "scale": array(scale) if is_affine else None,
        "offset": array(offset) if is_affine else None,
        "outputGradient": array(gradient),
        "output": array(output),
        "mean": array(channels_first.mean(0)),
        "variance": array(channels_first.var(0, correction=0)),
        "inputGradient": array(source.grad),
        "scaleGradient": array(scale.grad if is_affine else (gradient_rows * normalised).sum(0)),
        "offsetGradient": array(offset.grad if is_affine else gradient_rows.sum(0)),
    }


write("batch-norm", [
    batch_norm("images", (3, 4, 4, 5), 1e-5, True),
    batch_norm("images without scale and offset", (2, 3, 5, 6), 1e-5, False),
    batch_norm("vectors with a large epsilon", (8, 3), 0.8, True),
])


def adam(name, learning_rate, betas, epsilon, steps):
    """The state before and after the last of `steps` updates."""
    parameter = draw(9).requires_grad_()
    optimizer = torch.optim.Adam([parameter], learning_rate, betas, epsilon)
    before = None
    for _ in range(steps):
        state = optimizer.state.get(parameter, {})
        before = {
            "parameter": array(parameter),
            "firstMoment": array(state.get("exp_avg", torch.zeros(9))),
            "secondMoment": array(state.get("exp_avg_sq", torch.zeros(9))),
        }
        parameter.grad = draw(9)
        optimizer.step()
    state = optimizer.state[parameter]
    return {
        "name": name,
        "learningRate": learning_rate,
        "beta1": betas[0],
        "beta2": betas[1],
        "epsilon": epsilon,
        "step": steps,
        "gradient": array(parameter.grad),
        "before": before,
        "after": {
            "parameter": array(parameter),
            "firstMoment": array(state["exp_avg"]),
            "secondMoment": array(state["exp_avg_sq"]),
        },
    }


write("adam", [
    adam("first step", 1e-3, (0.9, 0.999), 1e-8, 1),
    adam("fifth step with beta1 0.5", 0.2, (0.5, 0.999), 1e-8, 5),
])
