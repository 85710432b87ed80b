"""Makes small classifiers with Keras, random weights, and stores what Keras computes for a fixed input.

    KERAS_BACKEND=tensorflow python generate_keras.py

    KERAS_BACKEND=torch python generate_keras.py channels_first

TensorFlow computes convolutions of maps with their channels first wrongly on CPUs, PyTorch does not. Written with Keras
3.15.1, TensorFlow 2.21.0, PyTorch 2.13.0 and h5py 3.14.0. `keras2.h5` is put together by hand in the form that Keras
2.15 writes (its configs, the names of its weights, calls of models counted from 1), and is read by Keras 3 for its
outputs.
"""

import json
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import keras
import numpy
from keras import layers

FOLDER = pathlib.Path(__file__).parent


def inputs(shape, seed=7):
    """Numbers that both sides can make: a linear congruential generator, scaled to 0..1."""
    size = int(numpy.prod(shape))
    state, values = seed, []
    for _ in range(size):
        state = (1103515245 * state + 12345) % 2**31
        values.append(state / 2**31)
    return numpy.array(values, dtype=numpy.float32).reshape(shape)


def randomize(model, seed=1):
    """Weights with which nothing vanishes."""
    generator = numpy.random.default_rng(seed)
    for variable in model.weights:
        shape = tuple(variable.shape)
        name = variable.name
        if not str(variable.dtype).startswith(("float", "bfloat")):
            continue
        value = generator.normal(size=shape)
        fan = max(1, int(numpy.prod(shape[:-1])))
        if "variance" in name:
            value = 0.5 + value**2
        elif name == "gamma":
            value = 1 + value / 4
        elif "kernel" in name:
            value = value / numpy.sqrt(fan)
        else:
            value = value / 4
        variable.assign(value.astype("float32"))


def record(name, model, head=None, scale=1):
    shape = [2, *model.input_shape[1:]]
    values = inputs(shape) * numpy.float32(scale)
    expected = keras.ops.convert_to_numpy(model(values, training=False)).reshape(2, -1)
    text = json.dumps({"keras": keras.__version__, "inputShape": shape, "head": head, "output": expected.tolist()})
    (FOLDER / f"{name}.json").write_text(text + "\n")


def store(name, model, head=None, scale=1, forms=("keras",), random=True):
    if random:
        randomize(model)
    for form in forms:
        model.save(FOLDER / f"{name}.{form}")
    record(name, model, head, scale)


def sequential():
    model = keras.Sequential(
        [
            layers.Input((14, 15, 3)),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.RandomFlip("horizontal"),
            layers.Conv2D(6, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(3, strides=2, padding="same"),
            layers.SeparableConv2D(4, (2, 3), padding="same", depth_multiplier=2, activation="swish"),
            layers.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False),
            layers.AveragePooling2D(2, strides=1, padding="same"),
            layers.SpatialDropout2D(0.2),
            layers.Conv2D(6, 3, groups=2, dilation_rate=2, padding="same"),
            layers.ReLU(max_value=1.5, negative_slope=0.1),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(7, activation="tanh"),
            layers.Dense(5, activation="softmax"),
        ],
        name="sequential_model",
    )
    store("sequential", model, head="softmax", scale=255, forms=("keras", "h5"))


def functional():
    inner = keras.Sequential(
        [layers.Input((6, 6, 4)), layers.Conv2D(4, 3, padding="same", name="conv2d"), layers.BatchNormalization(scale=False)],
        name="inner",
    )
    image = layers.Input((11, 12, 2))
    x = layers.ZeroPadding2D(((1, 0), (0, 1)))(image)
    x = layers.Conv2D(4, 3, strides=2, name="conv2d_31")(x)
    x = layers.Cropping2D(((0, 0), (0, 0)))(x)
    x = layers.PReLU(shared_axes=[1, 2])(x)
    x = layers.Conv2D(4, 2, padding="same", name="conv2d_30")(x)
    x = layers.UpSampling2D((1, 2))(x)
    x = layers.Cropping2D(((0, 0), (3, 3)))(x)
    x = layers.ZeroPadding2D(((0, 1), (1, 0)))(x)
    x = layers.Cropping2D(((0, 0), (1, 0)))(x)
    y = inner(x)
    x = layers.Add()([x, y])
    z = layers.LeakyReLU(negative_slope=0.2)(x)
    w = layers.ELU(0.7)(y)
    x = layers.Concatenate()(
        [
            layers.Average()([x, z, w]),
            layers.Maximum()([x, z]),
            layers.Minimum()([y, w]),
            layers.Multiply()([y, z]),
            layers.Subtract()([x, w]),
        ]
    )
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(20, 1, activation="hard_sigmoid")(gate)
    x = layers.Multiply()([x, gate])
    gate = layers.Dense(20, activation="sigmoid")(layers.Reshape((1, 1, 20))(layers.GlobalMaxPooling2D()(x)))
    x = layers.Multiply()([gate, x])
    x = layers.GroupNormalization(4)(x)
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    a = layers.Conv2DTranspose(3, 3, strides=2, padding="same")(x)
    b = layers.Conv2DTranspose(3, 2, strides=3, padding="valid", activation="relu")(x)
    b = layers.Cropping2D(((3, 3), (2, 4)))(b)
    c = layers.UpSampling2D(2, interpolation="bilinear")(layers.Conv2D(3, 1)(x))
    x = layers.Concatenate(axis=-1)([a, b, c])
    x = layers.BatchNormalization(center=False, scale=False)(x)
    x = layers.ReLU(threshold=0.3)(x)
    x = layers.Permute((3, 1, 2))(x)
    x = layers.Reshape((9, -1))(x)
    x = layers.Dense(6)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(4)(x)
    store("functional", keras.Model(image, x, name="functional_model"), forms=("keras", "h5"))


def operations():
    """Functions that were called on tensors, a layer that is called twice, and values of the same model in two places."""
    image = layers.Input((8, 8, 3))
    conv = layers.Conv2D(3, 3, padding="same")
    x = conv(image)
    x = keras.ops.relu(x) * 2.0 - 0.25
    x = 1.0 - conv(x) / 3.0
    x = x + keras.ops.sigmoid(x)
    x = keras.layers.Softmax(axis=-1)(x)
    x = layers.Flatten()(x)
    store("operations", keras.Model(image, layers.Dense(3)(x), name="operations_model"))


def activations():
    names = """linear relu relu6 leaky_relu elu celu selu sigmoid tanh softplus softsign exponential silu mish gelu
    hard_silu hard_sigmoid hard_tanh tanh_shrink log_sigmoid log_softmax softmax""".split()
    image = layers.Input((4, 4, 3))
    x = layers.Rescaling(8, offset=-4)(image)
    x = layers.Conv2D(5, 1)(x)
    bent = [layers.Activation(name, name=f"act_{name}")(x) for name in names]
    bent += [layers.ReLU(2.0, 0.1, 0.4)(x), layers.PReLU()(x), layers.LeakyReLU()(x)]
    x = layers.Concatenate()(bent)
    x = layers.GlobalAveragePooling2D()(x)
    store("activations", keras.Model(image, x, name="activations_model"))


def channels_first():
    image = layers.Input((3, 9, 8))
    options = {"data_format": "channels_first"}
    x = layers.Conv2D(4, 3, padding="same", strides=2, **options)(image)
    x = layers.BatchNormalization(axis=1)(x)
    x = layers.ReLU()(x)
    y = layers.DepthwiseConv2D(3, padding="same", **options)(x)
    x = layers.Concatenate(axis=1)([x, y])
    x = layers.MaxPooling2D(2, padding="same", **options)(x)
    x = layers.ZeroPadding2D(1, **options)(x)
    y = layers.GlobalAveragePooling2D(**options)(x)
    x = layers.Flatten(**options)(x)
    x = layers.Concatenate()([x, y])
    store("channels-first", keras.Model(image, layers.Dense(3)(x), name="channels_first_model"))


def preprocessing():
    image = layers.Input((None, None, 3))
    x = layers.Resizing(8, 7)(image)
    x = layers.Rescaling(1 / 255)(x)
    adapted = layers.Normalization()
    x = adapted(x)
    x = layers.RandomRotation(0.1)(x)
    x = layers.Normalization(mean=[0.1, 0.2, 0.3], variance=[0.25, 0.5, 1])(x)
    x = layers.Conv2D(4, 3, activation="relu")(x)
    x = layers.GlobalMaxPooling2D()(x)
    model = keras.Model(image, layers.Dense(1, activation="sigmoid")(x), name="preprocessing_model")
    adapted.adapt(inputs([4, 8, 8, 3]) * 2)
    mean, variance = adapted.adapt_mean.numpy(), adapted.adapt_variance.numpy()
    randomize(model)
    adapted.adapt_mean.assign(mean)
    adapted.adapt_variance.assign(variance)
    adapted.finalize_state()
    model.save(FOLDER / "preprocessing.keras")
    shape = [2, 8, 7, 3]
    expected = numpy.asarray(model(inputs(shape) * numpy.float32(255), training=False))
    text = {"keras": keras.__version__, "inputShape": shape, "head": "sigmoid", "output": expected.tolist()}
    (FOLDER / "preprocessing.json").write_text(json.dumps(text) + "\n")


def order():
    """Twelve layers of one shape, named so that no sorting gives their order."""
    model = keras.Sequential([layers.Input((3, 3, 1))], name="order_model")
    for index in range(12):
        model.add(layers.Conv2D(1, 1, name=f"conv2d_{(index * 7 + 3) % 12}"))
    model.add(layers.Flatten())
    for index, layer in enumerate(model.layers[:12]):
        layer.set_weights([numpy.full((1, 1, 1, 1), 1 + index / 16), numpy.full((1,), index / 8)])
    store("order", model, forms=("keras", "h5"), random=False)


def policies():
    """Types of numbers that are objects in the file."""
    keras.config.set_dtype_policy("mixed_float16")
    model = keras.Sequential([layers.Input((4, 4, 1)), layers.Flatten(), layers.Dense(3)], name="policies_model")
    keras.config.set_dtype_policy("float32")
    store("policies", model)


def unsupported():
    image = layers.Input((8, 8, 3))
    x = layers.Lambda(lambda value: value * 2, name="secret")(image)
    x = layers.Conv2D(2, 3)(x)
    x = layers.Reshape((36, 2))(x)
    x = layers.LSTM(3)(x)
    model = keras.Model(image, layers.Dense(2)(x), name="unsupported_model")
    randomize(model)
    model.save(FOLDER / "unsupported.keras")


def weights_alone():
    model = keras.Sequential([layers.Input((4, 4, 1)), layers.Flatten(), layers.Dense(3)])
    randomize(model)
    model.save_weights(FOLDER / "alone.weights.h5")


def write_keras2(path_of_file, first_call):
    """A classifier in the form of Keras 2: calls of models are counted from `first_call`, weights are called `name:0`."""

    def layer(class_name, name, inbound, **config):
        config = {"name": name, "trainable": True, "dtype": "float32", **config}
        nodes = [[[source, call, 0, {}] for source, call in inbound]] if inbound else []
        return {"class_name": class_name, "config": config, "name": name, "inbound_nodes": nodes}

    conv = {"padding": "same", "data_format": "channels_last", "use_bias": True, "activation": "linear", "groups": 1}

    def convolution(name, inbound, filters, **config):
        return layer("Conv2D", name, inbound, **{**conv, "filters": filters, "kernel_size": [3, 3], "strides": [1, 1], "dilation_rate": [1, 1], **config})

    def normalization(name, inbound):
        return layer("BatchNormalization", name, inbound, axis=[3], momentum=0.99, epsilon=0.001, center=True, scale=True)

    inner = {
        "name": "model",
        "layers": [
            {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 8, 8, 4], "dtype": "float32", "sparse": False, "ragged": False, "name": "input_2"}},
            {"class_name": "Conv2D", "config": convolution("conv2d_1", [], 4)["config"]},
            {"class_name": "BatchNormalization", "config": normalization("batch_normalization", [])["config"]},
            {"class_name": "Conv2D", "config": convolution("conv2d_2", [], 4, activation="relu")["config"]},
        ],
    }
    config = {
        "name": "model_1",
        "layers": [
            layer("InputLayer", "input_1", [], batch_input_shape=[None, 8, 8, 3], sparse=False, ragged=False),
            layer("Rescaling", "rescaling", [("input_1", 0)], scale=1 / 255, offset=0.0),
            convolution("conv2d", [("rescaling", 0)], 4),
            layer("LeakyReLU", "leaky_re_lu", [("conv2d", 0)], alpha=0.3),
            {"class_name": "Sequential", "config": inner, "name": "model", "inbound_nodes": [[["leaky_re_lu", 0, 0, {}]]]},
            layer("Add", "add", [("leaky_re_lu", 0), ("model", first_call)]),
            layer("DepthwiseConv2D", "depthwise_conv2d", [("add", 0)], **{**conv, "kernel_size": [3, 3], "strides": [2, 2], "dilation_rate": [1, 1], "depth_multiplier": 1}),
            layer("Activation", "activation", [("depthwise_conv2d", 0)], activation="hard_sigmoid"),
            layer("GlobalAveragePooling2D", "global_average_pooling2d", [("activation", 0)], data_format="channels_last"),
            layer("Dense", "dense", [("global_average_pooling2d", 0)], units=3, activation="softmax", use_bias=True),
        ],
        "input_layers": [["input_1", 0, 0]],
        "output_layers": [["dense", 0, 0]],
    }
    generator = numpy.random.default_rng(5)
    bn = ["gamma", "beta", "moving_mean", "moving_variance"]
    shapes = {"kernel": None, "bias": (4,), **{name: (4,) for name in bn}}

    def value(name, shape):
        values = generator.normal(size=shape) / 3
        return (0.5 + values**2 if "variance" in name else values).astype("float32")

    groups = {
        # As a layer's weights are called when its model was built for the second time.
        "conv2d": [("conv2d_7/kernel:0", (3, 3, 3, 4)), ("conv2d_7/bias:0", (4,))],
        "model": [
            *[(f"conv2d_1/{name}:0", (3, 3, 4, 4) if name == "kernel" else (4,)) for name in ("kernel", "bias")],
            *[(f"batch_normalization/{name}:0", (4,)) for name in ("gamma", "beta")],
            *[(f"conv2d_2/{name}:0", (3, 3, 4, 4) if name == "kernel" else (4,)) for name in ("kernel", "bias")],
            *[(f"batch_normalization/{name}:0", (4,)) for name in ("moving_mean", "moving_variance")],
        ],
        "depthwise_conv2d": [("depthwise_conv2d/depthwise_kernel:0", (3, 3, 4, 1)), ("depthwise_conv2d/bias:0", (4,))],
        "dense": [("dense/kernel:0", (4, 3)), ("dense/bias:0", (3,))],
    }
    values = {path: value(path, shape) for group in groups.values() for path, shape in group}
    with h5py.File(path_of_file, "w") as file:
        file.attrs["keras_version"] = b"2.15.0"
        file.attrs["backend"] = b"tensorflow"
        file.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": config}).encode()
        weights = file.create_group("model_weights")
        names = [entry["name"] for entry in config["layers"]]
        weights.attrs["layer_names"] = numpy.array([name.encode() for name in names])
        weights.attrs["keras_version"] = b"2.15.0"
        for name in names:
            group = weights.create_group(name)
            group.attrs["weight_names"] = numpy.array([path.encode() for path, _ in groups.get(name, [])])
            for path, _ in groups.get(name, []):
                group.create_dataset(path, data=values[path])


def keras2():
    path = FOLDER / "keras2.h5"
    # Keras 3 reads calls of models from 0 on alone.
    write_keras2(path, 0)

    class DepthwiseConv2D(layers.DepthwiseConv2D):
        # Keras 2 says it of these layers too, and Keras 3 does not know it.
        def __init__(self, groups=1, **others):
            super().__init__(**others)

    model = keras.models.load_model(
        path, compile=False, custom_objects={"DepthwiseConv2D": DepthwiseConv2D}
    )
    # Keras 3 reads the old name with the new slope: what Keras 2 computed has 1 / 5.
    for found in model.layers:
        if found.name == "activation":
            found.activation = lambda value: keras.ops.clip(0.2 * value + 0.5, 0, 1)
    record("keras2", model, head="softmax", scale=255)
    write_keras2(path, 1)


if __name__ == "__main__":
    keras.utils.set_random_seed(1)
    everything = [sequential, functional, operations, activations, preprocessing, order, policies, unsupported, weights_alone, keras2]
    makers = [channels_first] if sys.argv[1:] == ["channels_first"] else everything
    for make in makers:
        keras.backend.clear_session()
        make()
