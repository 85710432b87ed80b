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


def attention():
    """A small vision transformer: patches, a class token, heads in a moved order of axes, layer norms."""
    global random
    random = numpy.random.default_rng(5)
    weights = {
        "patch": weight(8, 1, 4, 4), "rows": numpy.array([0, 8, -1], numpy.int64), "token": weight(1, 1, 8),
        "place": weight(1, 5, 8), "tail": numpy.array([1, 8], numpy.int64), "s1": 1 + weight(8), "o1": weight(8), "qkv": weight(8, 24),
        "split": numpy.array([0, 5, 3, 2, 4], numpy.int64), "scale": numpy.array(2.0, numpy.float32),
        "i0": numpy.array(0, numpy.int64), "i1": numpy.array(1, numpy.int64), "i2": numpy.array(2, numpy.int64),
        "joined": numpy.array([0, 5, 8], numpy.int64), "proj": weight(8, 8),
        "first": numpy.array([0], numpy.int64), "one": numpy.array([1], numpy.int64), "flat": numpy.array([0, -1], numpy.int64),
        "wide": weight(4, 16), "narrow": weight(16, 4), "s2": 1 + weight(8), "head": weight(8, 5),
    }
    nodes = [
        node("Conv", "x patch", "a", strides=[4, 4]), node("Reshape", "a rows", "b"), node("Transpose", "b", "c", perm=[0, 2, 1]),
        node("Shape", "b", "n", end=1), node("Concat", "n tail", "n1", axis=0), node("Expand", "token n1", "tokens"),
        node("Concat", "tokens c", "d", axis=1), node("Add", "d place", "e"), node("LayerNormalization", "e s1 o1", "f", axis=-1),
        node("MatMul", "f qkv", "g"), node("Reshape", "g split", "h"), node("Transpose", "h", "i", perm=[2, 0, 3, 1, 4]),
        node("Gather", "i i0", "q", axis=0), node("Gather", "i i1", "k", axis=0), node("Gather", "i i2", "v", axis=0),
        node("Einsum", "q k", "j", equation="bhid,bhjd->bhij"), node("Div", "j scale", "l"), node("Softmax", "l", "m", axis=-1),
        node("MatMul", "m v", "mv"), node("Transpose", "mv", "o", perm=[0, 2, 1, 3]), node("Reshape", "o joined", "p"),
        node("MatMul", "p proj", "r"), node("Add", "r e", "s"),
        helper.make_node("Split", ["s"], ["t", "u"], name="Split_t", axis=2, num_outputs=2),
        node("MatMul", "t wide", "w1"), node("Gelu", "w1", "w2", approximate="tanh"), node("MatMul", "w2 narrow", "w3"),
        node("Concat", "w3 u", "w4", axis=-1), node("LayerNormalization", "w4 s2", "w5"),
        node("Slice", "w5 first one one", "w6"), node("Reshape", "w6 flat", "w7"), node("MatMul", "w7 head", "y"),
    ]
    save("attention", nodes, weights, opset=20)
    store("attention", [1, 8, 8])


def decoder():
    """Normalisations, transposed convolutions, resizing and arithmetic that classifiers seldom have; quantised weights."""
    global random
    random = numpy.random.default_rng(5)
    weights = {
        "k8": numpy.arange(-9, 9).reshape(2, 1, 3, 3).astype(numpy.int8), "ks": numpy.array([0.05, 0.1], numpy.float32),
        "kz": numpy.array([1, -2], numpy.int8), "slope": weight(2, 1, 1),
        "t": weight(2, 4, 3, 3), "tb": weight(4), "mirror": numpy.array([0, 0, 1, 2, 0, 0, 0, 1], numpy.int64),
        "edge": numpy.array([0, 0, 0, 1, 0, 0, 1, 0], numpy.int64),
        "size": numpy.array([9, 11], numpy.int64), "s": 1 + weight(4), "o": weight(4),
        "map": weight(4, 1, 11), "bound": numpy.array(0.2, numpy.float32), "third": numpy.array(3.0, numpy.float32),
        "axes": numpy.array([2, 3], numpy.int64), "order": numpy.array([2, 0, 1, 3], numpy.int64), "w": weight(4, 5),
    }
    nodes = [
        node("DequantizeLinear", "k8 ks kz", "k", axis=0), node("Conv", "x k", "a"), node("PRelu", "a slope", "b"),
        node("ConvTranspose", "b t tb", "c", strides=[2, 2], pads=[1, 0, 0, 1], output_padding=[1, 0]),
        helper.make_node("Pad", ["c", "mirror"], ["d"], name="Pad_d", mode="reflect"),
        helper.make_node("Pad", ["d", "edge"], ["e"], name="Pad_e", mode="edge"),
        helper.make_node("Resize", ["e", "", "", "size"], ["f"], name="Resize_f", mode="linear", axes=[2, 3]),
        node("InstanceNormalization", "f s o", "g"), node("LRN", "g", "h", size=3, alpha=0.1, bias=1.0),
        node("Add", "h map", "i"), node("Max", "i bound", "j"), node("Erf", "j", "k1"), node("Elu", "i", "l", alpha=0.5),
        node("Min", "k1 l", "m"), node("Pow", "m third", "n"), node("Softplus", "n", "p"), node("Div", "l p", "q"),
        node("Mish", "q", "r"), node("Softmax", "r", "s1", axis=1), node("Gather", "s1 order", "u", axis=1),
        node("ReduceL2", "u axes", "v1", keepdims=0), node("ReduceMax", "q axes", "v2", keepdims=0),
        node("Abs", "v2", "v3"), node("Expand", "v1 v1s", "v4"), node("Sub", "v4 v3", "v5"), node("MatMul", "v5 w", "y"),
    ]
    nodes.insert(-3, node("Shape", "v2", "v1s"))
    save("decoder", nodes, weights, opset=18)
    store("decoder", [1, 8, 8])


def dilated():
    """Largest values of windows whose entries lie apart: padded, with strides, with sizes rounded up, and negative."""
    global random
    random = numpy.random.default_rng(6)
    weights = {"k": weight(3, 1, 3, 3), "w": weight(36, 4)}
    nodes = [
        node("Conv", "x k", "a"), node("Neg", "a", "b"),
        node("MaxPool", "b", "c", kernel_shape=[3, 2], dilations=[2, 3], pads=[1, 1, 2, 1]),
        node("MaxPool", "c", "d", kernel_shape=[2, 3], dilations=[3, 2], strides=[2, 3], ceil_mode=1),
        node("MaxPool", "d", "e", kernel_shape=[2, 2], dilations=[1, 2], pads=[0, 1, 1, 1]),
        node("Flatten", "e", "f"), node("MatMul", "f w", "y"),
    ]
    save("dilated", nodes, weights, shape=(1, 12, 14), opset=18)
    store("dilated", [1, 12, 14])


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
    attention()
    decoder()
    dilated()
    unsupported()
