"""Small ONNX files that spell one thing in many ways: each goes through all spellings of a kind, and sums them up.

Run by hand: python test-fixtures/onnx/generate_kinds.py (onnx, onnxruntime).
"""

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from _store import FOLDER, inputs, store

MICROSOFT = "com.microsoft"


class Graph:
    """Collects nodes and weights; arrays among a node's inputs become weights."""

    def __init__(self, name, shape=(2, 6, 5), batch="N", opset=21):
        self.name, self.shape, self.batch, self.opset = name, shape, batch, opset
        self.random = numpy.random.default_rng(5)
        self.nodes, self.weights, self.ends = [], [], []

    def weight(self, *shape, scale=0.5):
        return (self.random.standard_normal(shape) * scale).astype(numpy.float32)

    def tensor(self, value):
        if not isinstance(value, onnx.TensorProto):
            value = numpy_helper.from_array(numpy.asarray(value))
        value.name = f"w{len(self.weights)}"
        self.weights.append(value)
        return value.name

    def add(self, operator, *inputs, domain="", outputs=1, **attributes):
        names = [value if isinstance(value, str) else self.tensor(value) for value in inputs]
        made = [f"t{len(self.nodes)}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(operator, names, made, name=f"{operator}{len(self.nodes)}", domain=domain, **attributes))
        return made[0] if outputs == 1 else made

    def model(self, output):
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes, self.name, [value("x", TensorProto.FLOAT, [self.batch, *self.shape])],
            [value(output, TensorProto.FLOAT, None)], self.weights,
        )
        imports = [helper.make_opsetid("", self.opset), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=imports, ir_version=10)

    def end(self, value):
        """Four numbers of a branch."""
        session = onnxruntime.InferenceSession(self.model(value).SerializeToString(), providers=["CPUExecutionProvider"])
        batch = self.batch if isinstance(self.batch, int) else 2
        size = session.run(None, {"x": inputs([batch, *self.shape])})[0].size // batch
        self.ends.append(self.add("MatMul", self.add("Flatten", value), self.weight(size, 4, scale=0.3 * size**-0.5)))

    def save(self):
        onnx.save(self.model(self.add("Sum", *self.ends)), str(FOLDER / f"{self.name}.onnx"))
        store(self.name, list(self.shape))


def whole(*values):
    return numpy.array(values, numpy.int64)


def number(value):
    return numpy.array(value, numpy.float32)


def folds():
    """Kernels that follow from other weights: normalised, merged, masked, cut, repeated, resized, packed."""
    graph = Graph("folds")
    add, weight = graph.add, graph.weight

    def convolve(kernel):
        graph.end(add("Conv", "x", kernel, kernel_shape=[3, 3]))

    first = graph.tensor(weight(3, 2, 3, 3))
    length = add("ReduceL2", first, whole(1, 2, 3), keepdims=1)
    convolve(add("Div", first, length))
    centred = add("Sub", first, add("ReduceMean", first, whole(-1, -2, -3)))
    convolve(add("Div", centred, add("Sqrt", add("ReduceSumSquare", centred, whole(1, 2, 3)))))
    rows = add("Reshape", weight(3, 2, 3, 3), whole(1, 3, -1))
    ones, zeros = numpy.ones(3, numpy.float32), numpy.zeros(3, numpy.float32)
    convolve(add("Reshape", add("BatchNormalization", rows, ones, zeros, weight(3), ones, epsilon=1e-3), whole(3, 2, 3, 3)))
    convolve(add("Reshape", add("MatMul", weight(3, 2), weight(2, 18)), whole(3, 2, 3, 3)))
    convolve(add("Einsum", weight(3, 4), weight(4, 2, 3, 3), equation="oi,i...->o..."))
    merged = add("Gemm", weight(2, 3), weight(18, 2), weight(18), transA=1, transB=1, alpha=0.5, beta=2.0)
    convolve(add("Reshape", merged, whole(3, 2, 3, 3)))
    convolve(add("Pad", weight(3, 2, 1, 2), whole(0, 0, 1, 0, 0, 0, 1, 1), number(0.25)))
    convolve(add("Pad", weight(3, 2, 2, 3), whole(1, 1, 0, -1), "", whole(-2, -1), mode="reflect"))
    convolve(add("Pad", weight(3, 2, 3, 2), whole(0, 1), "", whole(3), mode="wrap"))
    parts = add("Split", weight(5, 2, 3, 3), whole(2, 3), axis=0, outputs=2)
    convolve(parts[1])
    convolve(add("Tile", weight(1, 2, 3, 3), whole(3, 1, 1, 1)))
    convolve(add("Softmax", weight(3, 2, 3, 3), axis=1))
    convolve(add("LogSoftmax", weight(3, 2, 3, 3), axis=0))
    convolve(add("Clip", weight(3, 2, 3, 3), "", number(0.2)))
    convolve(add("Trilu", add("LeakyRelu", weight(3, 2, 3, 3), alpha=0.1), upper=0))
    convolve(add("CumSum", weight(3, 2, 3, 3), whole(2), reverse=1, exclusive=1))
    convolve(add("Mul", add("EyeLike", weight(3, 3), k=1), add("Pow", weight(3, 2, 3, 3), whole(2))))
    hot = add("OneHot", whole(2, 0, -1), numpy.array(3), number([0.5, 2]))
    convolve(add("Mul", hot, add("Round", add("Mod", weight(3, 2, 3, 3, scale=4), number(2), fmod=1))))
    for mode, options in [("cubic", {}), ("linear", dict(antialias=1)), ("nearest", dict(nearest_mode="ceil"))]:
        convolve(add("Resize", weight(3, 2, 7, 2), "", "", whole(3, 3), axes=[2, 3], mode=mode, **options))
    values = graph.random.integers(-8, 8, (3, 2, 3, 3))
    packed = helper.make_tensor("packed", TensorProto.INT4, values.shape, values.reshape(-1))
    scales = numpy.abs(weight(3, 2, 2, 3, scale=0.1))
    convolve(add("DequantizeLinear", packed, scales, axis=2, block_size=2))
    graph.save()


def resizing():
    """Pictures that are resized as no node of its own does it, and borders of every axis and mode."""
    graph = Graph("resizing")
    add = graph.add
    scales = number([1, 1, 0.7, 1.3])
    for mode in ["linear", "cubic", "nearest"]:
        for coordinates in ["half_pixel", "asymmetric", "half_pixel_symmetric"]:
            graph.end(add("Resize", "x", "", scales, mode=mode, coordinate_transformation_mode=coordinates))
    for options in [
        dict(mode="cubic", cubic_coeff_a=-0.5), dict(mode="cubic", exclude_outside=1), dict(mode="linear", antialias=1),
        dict(mode="cubic", antialias=1), dict(mode="nearest", coordinate_transformation_mode="tf_half_pixel_for_nn", nearest_mode="ceil"),
        dict(mode="nearest", coordinate_transformation_mode="pytorch_half_pixel"),
    ]:
        graph.end(add("Resize", "x", "", "", whole(1, 7), axes=[2, 3], **options))
    graph.end(add("Resize", "x", "", "", whole(4, 7), axes=[2, 3], mode="cubic", coordinate_transformation_mode="align_corners"))
    part = number([0.1, 0.2, 0.8, 1])
    cut = dict(axes=[2, 3], mode="linear", coordinate_transformation_mode="tf_crop_and_resize")
    graph.end(add("Resize", "x", part, "", whole(4, 3), **cut))
    for mode in ["constant", "reflect", "edge", "wrap"]:
        graph.end(add("Pad", "x", whole(0, 1, 2, -1, 0, 0, -1, 3), mode=mode))
    flat = add("Reshape", "x", whole(0, 2, -1))
    for mode in ["reflect", "edge", "wrap"]:
        graph.end(add("Pad", flat, whole(2, 3), "", whole(-1), mode=mode))
    bordered = add("Pad", "x", whole(1, 1, 1, 1), number(-numpy.inf), whole(2, 3))
    graph.end(add("MaxPool", bordered, kernel_shape=[3, 3], strides=[2, 2]))
    graph.save()


def volumes():
    """Windows over volumes: the depth is channels, as torch reads neighbours of them, or is made of them."""
    graph = Graph("volumes", shape=(4, 6, 5))
    add = graph.add
    for shape in [(0, 1, 4, 6, 5), (0, 2, 2, 6, 5), (0, 2, 4, 3, 5)]:
        volume = add("Reshape", "x", whole(*shape))
        for window in [
            dict(kernel_shape=[2, 1, 1]), dict(kernel_shape=[1, 2, 3], pads=[0, 1, 1, 0, 0, 2]),
            dict(kernel_shape=[2, 3, 2], strides=[1, 2, 2], pads=[1, 1, 0, 1, 1, 0], ceil_mode=1),
            dict(kernel_shape=[2, 2, 3], auto_pad="SAME_LOWER"), dict(kernel_shape=[2, 2, 2], dilations=[1, 2, 1]),
        ]:
            graph.end(add("MaxPool", volume, **window))
            graph.end(add("AveragePool", volume, count_include_pad=1, **window))
            graph.end(add("AveragePool", volume, **window))
        graph.end(add("Pad", volume, whole(0, 0, 1, 0, 2, 0, 0, 2, 1, 0), number(0.5)))
    graph.save()


def norms():
    """Norms of windows and maps, products, sums along an axis, triangles, powers of their own, and what is picked by rows and columns."""
    graph = Graph("norms")
    add, weight = graph.add, graph.weight
    for exponent in (1, 2, 3, 4):
        graph.end(add("LpPool", "x", kernel_shape=[2, 3], strides=[2, 1], pads=[0, 1, 1, 1], p=exponent))
        graph.end(add("GlobalLpPool", "x", p=exponent))
    graph.end(add("LpPool", "x", kernel_shape=[3, 2], strides=[2, 2], ceil_mode=1))
    graph.end(add("LpPool", "x", kernel_shape=[2, 2], dilations=[2, 1]))
    graph.end(add("LpPool", add("Reshape", "x", whole(0, 2, -1)), kernel_shape=[4], strides=[3], p=3))
    graph.end(add("ReduceProd", add("Add", "x", number(0.5)), whole(2)))
    graph.end(add("ReduceProd", add("Add", "x", number(0.5)), whole(1, -1), keepdims=0))
    for options in [{}, dict(exclusive=1), dict(reverse=1), dict(exclusive=1, reverse=1)]:
        graph.end(add("CumSum", "x", whole(2), **options))
        graph.end(add("CumSum", "x", whole(1), **options))
    graph.end(add("Trilu", "x"))
    graph.end(add("Trilu", "x", numpy.array(-1), upper=0))
    graph.end(add("Sinh", "x"))
    graph.end(add("Cosh", "x"))
    above = add("Clip", "x", number(1e-3))
    graph.end(add("Pow", above, number([[[2]], [[3.5]]])))
    graph.end(add("Pow", above, number([1, 2, 0.5, 3, 1.5])))
    graph.end(add("Pow", "x", number([[[0.5]], [[2.5]]])))
    graph.end(add("Pow", add("Exp", "x"), "x"))
    graph.end(add("Pow", number([1.5, 2, 3, 0.5, 1]), "x"))
    rows, columns = numpy.array([[0, 1], [3, 5], [2, 2]]), numpy.array([4, 0, 1])
    picked = numpy.stack(numpy.broadcast_arrays(rows[:, :, None], columns), -1)
    last = add("Transpose", "x", perm=[2, 3, 0, 1])
    graph.end(add("Transpose", add("GatherND", last, picked), perm=[3, 4, 0, 1, 2]))
    many = numpy.stack(numpy.broadcast_arrays((numpy.arange(40) * 7 % 6)[:, None], numpy.arange(2)), -1)
    graph.end(add("Transpose", add("GatherND", last, many), perm=[2, 3, 0, 1]))
    # Of weights alone.
    kernel = graph.tensor(weight(3, 2, 3, 3))
    column, row = weight(18), weight(3)
    norm = add("MatMul", row, add("MatMul", add("Reshape", kernel, whole(3, 18)), column))
    graph.end(add("Conv", "x", add("Div", kernel, norm), kernel_shape=[3, 3]))
    ones, zeros = numpy.ones(3, numpy.float32), numpy.zeros(3, numpy.float32)
    rows = add("Reshape", kernel, whole(1, 3, -1))
    standard = add("BatchNormalization", rows, ones, zeros, zeros, ones, outputs=3, training_mode=1)
    graph.end(add("Conv", "x", add("Reshape", standard[0], whole(3, 2, 3, 3)), kernel_shape=[3, 3]))
    graph.end(add("Conv", "x", add("Hardmax", kernel, axis=1), kernel_shape=[3, 3]))
    parts = add("GatherND", kernel, numpy.array([[0, 1], [2, 0]]))
    graph.end(add("Conv", "x", add("Reshape", parts, whole(1, 2, 3, 3)), kernel_shape=[3, 3]))
    graph.save()


def lines():
    """Convolutions and pooling along one axis, and means of windows whose entries lie apart."""
    graph = Graph("lines")
    add, weight = graph.add, graph.weight
    line = add("Reshape", "x", whole(0, 2, -1))
    graph.end(add("Conv", line, weight(4, 1, 3), weight(4), group=2, strides=[2], pads=[1, 0], dilations=[2]))
    graph.end(add("Conv", line, weight(4, 2, 4), auto_pad="SAME_LOWER", strides=[3]))
    graph.end(add("ConvTranspose", line, weight(2, 3, 3), weight(3), strides=[2], output_padding=[1], pads=[1, 0]))
    graph.end(add("MaxPool", line, kernel_shape=[4], strides=[3], pads=[1, 2], ceil_mode=1))
    graph.end(add("AveragePool", line, kernel_shape=[4], strides=[3], pads=[1, 2], count_include_pad=1))
    normal = add("BatchNormalization", line, weight(2), weight(2), weight(2), numpy.abs(weight(2)) + 1)
    graph.end(add("GlobalAveragePool", add("InstanceNormalization", normal, weight(2), weight(2))))
    for counted in [0, 1]:
        for ceiled in [0, 1]:
            options = dict(kernel_shape=[2, 3], dilations=[3, 2], strides=[2, 2], pads=[1, 2, 1, 2])
            graph.end(add("AveragePool", "x", count_include_pad=counted, ceil_mode=ceiled, **options))
    graph.save()


def comparisons():
    """Activations and masks that are spelt by comparisons, and what is repeated or normalised by its length."""
    graph = Graph("comparisons", opset=23)
    add, weight = graph.add, graph.weight
    x = add("Sub", "x", number(0.5))
    small = add("Mul", x, number(0.1))
    graph.end(add("Where", add("Greater", x, number(0)), x, small))
    graph.end(add("Where", add("LessOrEqual", x, weight(2, 1, 1)), number(-0.3), add("Exp", "x")))
    graph.end(add("Mul", x, add("Cast", add("GreaterOrEqual", small, x), to=TensorProto.FLOAT)))
    both = add("And", add("Less", x, number(0.3)), add("Not", add("Less", x, number(-0.3))))
    graph.end(add("Where", add("Or", both, add("Greater", x, number(0.45))), x, number(0)))
    graph.end(add("Softmax", add("Where", numpy.tri(6, 5) > 0, x, number(-numpy.inf)), axis=3))
    graph.end(add("Where", weight(2, 1, 1) > -1, weight(6, 5), x))
    graph.end(add("ThresholdedRelu", x, alpha=0.2))
    graph.end(add("Shrink", x, lambd=0.2, bias=0.1))
    graph.end(add("Sign", x))
    # Two thirds, not 0: what is like the pictures is of floats.
    graph.end(add("Mul", x, add("Div", add("CastLike", whole(2), "x"), add("CastLike", whole(3), "x"))))
    graph.end(add("Tile", x, whole(1, 2, 1, 3)))
    graph.end(add("Tile", add("GlobalMaxPool", x), whole(1, 1, 6, 5)))
    graph.end(add("LpNormalization", x, axis=1))
    graph.end(add("LpNormalization", x, axis=3, p=1))
    graph.end(add("MeanVarianceNormalization", x, axes=[2, 3]))
    graph.end(add("RMSNormalization", x, weight(6, 5), axis=2, epsilon=1e-3))
    graph.end(add("Einsum", x, weight(5, 3), equation="...w,wk->...k"))
    graph.end(add("Einsum", x, equation="nchw->nwc"))
    graph.end(add("Einsum", x, weight(2, 3), equation="abcd, bz"))
    graph.save()


def fused():
    """What onnxruntime's optimiser joins."""
    graph = Graph("fused")
    weight = graph.weight

    def add(operator, *inputs, **options):
        return graph.add(operator, *inputs, domain=MICROSOFT, **options)

    x = graph.add("Sub", "x", number(0.5))
    rows = graph.add("Reshape", x, whole(0, 12, 5))
    flat = graph.add("Flatten", x)
    graph.end(add("QuickGelu", x))
    graph.end(add("QuickGelu", x, alpha=1.5))
    graph.end(add("BiasGelu", x, weight(5)))
    graph.end(add("FusedMatMul", x, weight(3, 5), alpha=0.5, transB=1))
    graph.end(add("FusedMatMul", x, x, alpha=0.3, transA=1))
    graph.end(add("FusedGemm", flat, weight(60, 3), weight(3), activation="LeakyRelu", activation_alpha=0.2, alpha=0.7))
    graph.end(add("FusedGemm", flat, weight(3, 60), activation="Relu", transB=1))
    normal = add("SkipLayerNormalization", rows, graph.add("Exp", rows), weight(5), weight(5), weight(5), outputs=4, epsilon=1e-3)
    graph.end(graph.add("Add", normal[0], normal[3]))
    graph.end(add("SkipSimplifiedLayerNormalization", rows, rows, weight(5), weight(5), epsilon=1e-3))
    graph.end(graph.add("SimplifiedLayerNormalization", rows, weight(5), axis=-1, epsilon=1e-3))
    graph.end(add("Attention", rows, weight(5, 12), weight(12), num_heads=2))
    graph.end(add("Attention", rows, weight(5, 12), weight(12), num_heads=2, unidirectional=1, scale=0.4))
    parts = [graph.add("MatMul", rows, weight(5, 4)) for _ in range(3)]
    graph.end(add("MultiHeadAttention", *parts, weight(12), num_heads=2))
    graph.save()


def attention_operator():
    """Attention as one operator of ONNX's own."""
    graph = Graph("attention-operator", opset=23)
    add, weight = graph.add, graph.weight
    rows = add("Reshape", "x", whole(0, 12, 5))
    parts = [add("MatMul", rows, weight(5, 4)) for _ in range(3)]
    heads = dict(q_num_heads=2, kv_num_heads=2)
    graph.end(add("Attention", *parts, **heads))
    graph.end(add("Attention", *parts, numpy.tril(numpy.ones((12, 12), bool)), **heads))
    graph.end(add("Attention", *parts, weight(12, 12), scale=0.7, **heads))
    graph.end(add("Attention", *parts, is_causal=1, **heads))
    graph.end(add("Attention", "x", add("Exp", "x"), "x"))
    graph.save()


def batches():
    """A batch of three that is written down in all that the pictures meet."""
    graph = Graph("batches", batch=3)
    add, weight = graph.add, graph.weight

    def thrice(*shape):
        return numpy.repeat(weight(1, *shape), 3, 0)

    tokens = add("Transpose", add("Reshape", "x", whole(3, 2, -1)), perm=[0, 2, 1])
    for token in [add("Expand", weight(1, 1, 2), whole(3, 1, 2)), thrice(1, 2), add("Tile", weight(1, 1, 2), whole(3, 1, 1))]:
        graph.end(add("Gather", add("Softmax", add("Concat", token, tokens, axis=1), axis=1), numpy.array(0), axis=1))
    graph.end(add("Add", "x", thrice(2, 1, 1)))
    graph.end(add("Max", thrice(1, 1, 1), "x"))
    graph.end(add("MatMul", "x", thrice(1, 5, 3)))
    graph.end(add("Where", thrice(2, 6, 5) > 0, "x", number(0.5)))
    graph.end(add("Mul", "x", add("Expand", add("GlobalAveragePool", "x"), whole(3, 2, 6, 5))))
    # The batch becomes the second part of an axis.
    turned = add("Transpose", add("Reshape", "x", whole(3, 20, 3)), perm=[1, 0, 2])
    joined = add("MatMul", add("Reshape", turned, whole(60, 3)), weight(3, 5))
    graph.end(add("Transpose", add("Reshape", joined, whole(20, 3, 5)), perm=[1, 0, 2]))
    graph.save()


for make in [folds, resizing, volumes, norms, lines, comparisons, fused, attention_operator, batches]:
    make()
