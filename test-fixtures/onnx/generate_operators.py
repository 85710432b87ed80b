"""Small ONNX files by hand: what exporters other than torch write.

Run by hand: python test-fixtures/onnx/generate_operators.py (onnx, onnxruntime).
"""

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

from _store import FOLDER, store

random = numpy.random.default_rng(3)


def weight(*shape):
    return (random.standard_normal(shape) * 0.3).astype(numpy.float32)


def save(name, nodes, weights, shape=(1, 8, 8), classes=5, opset=17, output_rank=2, external=False, metadata=None):
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *shape])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * output_rank)],
        [numpy_helper.from_array(value, key) for key, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    if metadata:
        helper.set_model_props(model, metadata)
    options = dict(save_as_external_data=True, location=f"{name}.onnx.data", size_threshold=0) if external else {}
    onnx.save(model, str(FOLDER / f"{name}.onnx"), **options)


def node(operator, inputs, output, **attributes):
    return helper.make_node(operator, inputs.split(), [output], name=f"{operator}_{output}", **attributes)


def tf_style():
    """As tf2onnx writes Keras: channels last, auto_pad, arithmetic on pixels of 0..255, MatMul and Add, softmax."""
    weights = {
        "mean": numpy.array([120.0, 110.0, 100.0], numpy.float32), "deviation": numpy.array(64.0, numpy.float32),
        "k1": weight(6, 3, 3, 3), "k2": weight(6, 1, 3, 3), "k3": weight(8, 6, 1, 1), "b3": weight(8),
        "low": numpy.array(0.0, numpy.float32), "high": numpy.array(1.5, numpy.float32),
        "flat": numpy.array([-1, 8 * 16], numpy.int64), "w": weight(8 * 16, 5), "b": weight(5),
    }
    nodes = [
        node("Sub", "x mean", "a"), node("Div", "a deviation", "c"), node("Transpose", "c", "d", perm=[0, 3, 1, 2]),
        node("Conv", "d k1", "e", strides=[2, 2], auto_pad="SAME_UPPER", kernel_shape=[3, 3]),
        node("Clip", "e low high", "f"),
        node("Conv", "f k2", "g", group=6, auto_pad="SAME_LOWER", strides=[2, 2]),
        node("Conv", "g k3 b3", "h"), node("Transpose", "h", "i", perm=[0, 2, 3, 1]),
        node("Reshape", "i flat", "j"), node("MatMul", "j w", "k"), node("Add", "k b", "l"), node("Softmax", "l", "y"),
    ]
    save("tf-style", nodes, weights, shape=(16, 16, 3), metadata={"names": "{0: 'ant', 1: \"bee\", 2: 'cat', 3: 'dog', 4: 'elk'}"})
    store("tf-style", [16, 16, 3], "softmax", scale=255)


def gemm():
    """Every form of Gemm, half and double precision, Constant nodes, weights in another file."""
    weights = {
        "w1": weight(64, 12).astype(numpy.float64), "b1": weight(1).astype(numpy.float32),
        "w2": weight(7, 12).astype(numpy.float16), "w3": weight(7, 5), "b3": weight(1, 5),
    }
    nodes = [
        node("Shape", "x", "s"), node("Constant", "", "zero", value_int=0), node("Gather", "s zero", "n", axis=0),
        node("Constant", "", "axes", value=numpy_helper.from_array(numpy.array([0], numpy.int64))),
        node("Unsqueeze", "n axes", "n1"),
        node("Constant", "", "rest", value_ints=[-1]), node("Concat", "n1 rest", "shape", axis=0),
        node("Reshape", "x shape", "f"), node("Cast", "w1", "w1f", to=1), node("Gemm", "f w1f b1", "g", alpha=0.5, beta=2.0),
        node("HardSigmoid", "g", "h"), node("Cast", "w2", "w2f", to=1), node("Gemm", "h w2f", "i", transB=1),
        node("LeakyRelu", "i", "j", alpha=0.2), node("Gemm", "j w3 b3", "k"), node("LogSoftmax", "k", "l", axis=1),
        node("Identity", "l", "y"),
    ]
    save("gemm", nodes, weights, external=True)
    store("gemm", [1, 8, 8], "logSoftmax")


def maps():
    """Padding, resizing, windows that reach over the edge, squeezing, arithmetic between activations."""
    weights = {
        "k": weight(4, 1, 3, 2), "pads": numpy.array([0, 0, 1, 0, 0, 0, 0, 2], numpy.int64),
        "scales": numpy.array([1, 1, 2, 3], numpy.float32), "roi": numpy.array([], numpy.float32),
        "gain": weight(4, 1, 1), "half": numpy.array(0.5, numpy.float32), "axes": numpy.array([2, 3], numpy.int64),
        "head": weight(5, 4, 1, 1), "two": numpy.array(2.0, numpy.float32),
    }
    nodes = [
        node("Pad", "x pads", "a"), node("Conv", "a k", "b", pads=[1, 0, 0, 1], dilations=[2, 1]),
        node("MaxPool", "b", "c", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 0, 1], ceil_mode=1),
        helper.make_node("Resize", ["c", "", "scales"], ["d"], name="Resize_d", mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
        node("AveragePool", "d", "e", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1, ceil_mode=1),
        node("Mul", "e gain", "f"), node("Tanh", "f", "g"), node("Sub", "half g", "h"), node("Mul", "h e", "i"),
        node("Sub", "e i", "j"), node("Div", "j two", "k2"), node("Concat", "k2 e", "l", axis=2),
        node("GlobalAveragePool", "l", "m"), node("Conv", "m head", "n"), node("Squeeze", "n axes", "o"),
        node("Identity", "o", "y"),
    ]
    save("maps", nodes, weights)
    store("maps", [1, 8, 8])


def unsupported():
    nodes = [
        node("Relu", "x", "a"), node("NonZero", "a", "b"), node("Softmax", "a", "c", axis=3),
        helper.make_node("Foo", ["c"], ["d"], name="my/foo", domain="com.example"), node("Add", "d b", "y"),
    ]
    save("unsupported", nodes, {}, output_rank=4)


if __name__ == "__main__":
    tf_style()
    gemm()
    maps()
    unsupported()
