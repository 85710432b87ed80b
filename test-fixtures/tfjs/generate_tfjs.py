"""Makes graph models of TensorFlow.js from networks of Keras, with random weights.

    python generate_tfjs.py

Written with TensorFlow 2.21.0 and Keras 3.15.1. The graphs are frozen and optimised by TensorFlow itself (its remapper
makes the fused operators); the files are laid out as tensorflowjs_converter lays them out, which does the same.
"""

import json
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy
import tensorflow as tf
from google.protobuf.json_format import MessageToDict
from keras import layers
from tensorflow.core.framework import graph_pb2
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
from tensorflow.python.grappler import tf_optimizer

FOLDER = pathlib.Path(__file__).parent


def randomize(model, seed=3):
    generator = numpy.random.default_rng(seed)
    for variable in model.weights:
        if not str(variable.dtype).startswith("float"):
            continue
        value = generator.normal(size=tuple(variable.shape)) / 3
        value = 0.5 + value**2 if "variance" in variable.name else value
        variable.assign(value.astype("float32"))


def write(name, graph, inputs, outputs):
    folder = FOLDER / name
    folder.mkdir(exist_ok=True)
    specs, data = [], b""
    for node in graph.node:
        if node.op != "Const":
            continue
        value = tf.make_ndarray(node.attr["value"].tensor)
        value = value.astype("float32" if value.dtype.kind == "f" else "int32")
        specs.append({"name": node.name, "shape": list(value.shape), "dtype": str(value.dtype)})
        data += value.tobytes()
        node.attr["value"].tensor.tensor_content = b""
        for field in ("float_val", "int_val", "int64_val"):
            node.attr["value"].tensor.ClearField(field)
    topology = MessageToDict(graph)
    model = {
        "format": "graph-model",
        "generatedBy": tf.__version__,
        "convertedBy": "TensorFlow.js Converter v4.22.0",
        "signature": {
            "inputs": {"image": {"name": f"{inputs}:0", "dtype": "DT_FLOAT"}},
            "outputs": {"logits": {"name": f"{outputs}:0", "dtype": "DT_FLOAT"}},
        },
        "modelTopology": topology,
        "weightsManifest": [{"paths": ["group1-shard1of1.bin"], "weights": specs}],
    }
    (folder / "model.json").write_text(json.dumps(model) + "\n")
    (folder / "group1-shard1of1.bin").write_bytes(data)


def freeze(model, remap):
    shape = [None, *model.input_shape[1:]]
    function = tf.function(lambda image: model(image, training=False)).get_concrete_function(tf.TensorSpec(shape, tf.float32))
    frozen = convert_variables_to_constants_v2(function)
    graph = frozen.graph.as_graph_def()
    output = frozen.outputs[0].name.split(":")[0]
    given = frozen.inputs[0].name.split(":")[0]
    config = config_pb2.ConfigProto()
    rewrite = config.graph_options.rewrite_options
    rewrite.min_graph_nodes = -1
    rewrite.optimizers.extend(["constfold", "arithmetic", "dependency", "pruning"] + (["remap", "constfold", "arithmetic", "dependency"] if remap else []))
    for node in graph.node:
        node.device = "/device:CPU:0"
    meta = tf.compat.v1.train.export_meta_graph(graph_def=graph, graph=frozen.graph)
    fetch = meta_graph_pb2.CollectionDef()
    fetch.node_list.value.extend([given, output])
    meta.collection_def["train_op"].CopyFrom(fetch)
    graph = tf_optimizer.OptimizeGraph(config, meta)
    for node in graph.node:
        node.device = ""
        # As the converter calls what it fuses itself.
        node.op = {"_FusedDepthwiseConv2dNative": "FusedDepthwiseConv2dNative"}.get(node.op, node.op)
    print(sorted({node.op for node in graph.node}))
    return graph, given, output


def residual():
    image = layers.Input((10, 9, 3))
    x = layers.Conv2D(6, 3, strides=2, padding="same")(image)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU(6.0)(x)
    y = layers.DepthwiseConv2D(3, padding="same")(x)
    y = layers.BatchNormalization()(y)
    y = layers.ReLU(6.0)(y)
    y = layers.Conv2D(6, 1)(y)
    x = layers.Add()([x, y])
    x = layers.ZeroPadding2D(((0, 1), (1, 0)))(x)
    x = layers.Conv2D(4, 3, activation="relu", dilation_rate=1)(x)
    x = layers.Conv2D(4, 1, activation=keras.layers.LeakyReLU(negative_slope=0.2))(x)
    x = layers.Flatten()(x)
    x = layers.Dense(8, activation="relu")(x)
    return keras.Model(image, layers.Dense(5)(x))


def pooled():
    image = layers.Input((12, 12, 2))
    x = layers.Rescaling(2.0, offset=-1.0)(image)
    x = layers.Conv2D(4, 3, activation="elu")(x)
    a = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    b = layers.AveragePooling2D(3, strides=2, padding="same")(x)
    x = layers.Concatenate()([a, b])
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(8, 1, activation="sigmoid")(gate)
    x = layers.Multiply()([x, gate])
    x = layers.UpSampling2D(2, interpolation="bilinear")(x)
    x = layers.LayerNormalization()(x)
    x = layers.GlobalMaxPooling2D()(x)
    x = layers.Reshape((2, 4))(x)
    x = layers.Permute((2, 1))(x)
    x = layers.Flatten()(x)
    return keras.Model(image, layers.Dense(3, activation="softmax")(x))


if __name__ == "__main__":
    keras.utils.set_random_seed(1)
    network = residual()
    randomize(network)
    write("fused", *freeze(network, remap=True))
    write("unfused", *freeze(network, remap=False))
    network = pooled()
    randomize(network)
    write("pooled", *freeze(network, remap=True))
    graph = graph_pb2.GraphDef()
    graph.node.add(name="x", op="Placeholder").attr["shape"].shape.CopyFrom(tf.TensorShape([None, 4, 4, 1]).as_proto())
    graph.node.add(name="strange", op="NonMaxSuppression", input=["x"])
    graph.node.add(name="foo", op="Foo", input=["strange"])
    write("unsupported", graph, "x", "foo")
