"""Has Keras itself read the `.keras` files that dafl writes, and makes files of networks that dafl then reads.

    python bench/check-keras.py read FOLDER     # NAME.keras beside NAME.json {"input": [...], "shape": [...], "output": [...]}
    python bench/check-keras.py write FOLDER    # networks of keras.applications with random weights: .keras and .h5

`npm run bench:keras` calls both.
"""

import json
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy

NETWORKS = {
    "MobileNet": 64,
    "MobileNetV2": 64,
    "MobileNetV3Small": 64,
    "ResNet50": 64,
    "ResNet50V2": 64,
    "EfficientNetB0": 64,
    "EfficientNetV2B0": 64,
    "DenseNet121": 64,
    "VGG11": None,
    "VGG16": 32,
    "Xception": 71,
    "InceptionV3": 75,
    "NASNetMobile": 64,
    "ConvNeXtTiny": 32,
}


def read(folder):
    results = {}
    for path in sorted(folder.glob("*.keras")):
        record = json.loads(path.with_suffix(".json").read_text())
        values = numpy.array(record["input"], dtype="float32").reshape(record["shape"])
        try:
            model = keras.models.load_model(path)
            output = keras.ops.convert_to_numpy(model(values, training=False)).reshape(-1)
            expected = numpy.array(record["output"], dtype="float32")
            results[path.stem] = float(numpy.abs(output - expected).max())
        except Exception as error:
            results[path.stem] = str(error).splitlines()[0][:200]
    print(json.dumps({"keras": keras.__version__, "differences": results}))


def write(folder):
    generator = numpy.random.default_rng(1)
    done = {}
    for name, size in NETWORKS.items():
        if size is None or not hasattr(keras.applications, name):
            continue
        keras.backend.clear_session()
        keras.utils.set_random_seed(1)
        options = {"include_preprocessing": False} if name.startswith(("MobileNetV3", "ConvNeXt")) else {}
        model = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), classes=10, classifier_activation=None, **options)
        for variable in model.weights:
            if variable.name in ("moving_mean", "beta"):
                variable.assign(generator.normal(size=tuple(variable.shape)).astype("float32") / 10)
            elif variable.name in ("moving_variance", "gamma"):
                variable.assign(1 + generator.random(size=tuple(variable.shape)).astype("float32") / 4)
        values = generator.random(size=(2, size, size, 3)).astype("float32")
        output = keras.ops.convert_to_numpy(model(values, training=False))
        for form in ("keras", "h5"):
            model.save(folder / f"{name}.{form}")
        record = {"shape": [2, size, size, 3], "input": values.reshape(-1).tolist(), "output": output.reshape(-1).tolist()}
        (folder / f"{name}.json").write_text(json.dumps(record))
        done[name] = size
    print(json.dumps({"keras": keras.__version__, "networks": done}))


if __name__ == "__main__":
    {"read": read, "write": write}[sys.argv[1]](pathlib.Path(sys.argv[2]))
