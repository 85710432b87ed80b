"""Stores an ONNX file with what ONNX Runtime computes for a fixed input."""

import json
import pathlib

import numpy
import onnxruntime

FOLDER = pathlib.Path(__file__).parent


def inputs(shape, seed=7):
    """Numbers that both sides can make: a linear congruential generator, scaled to 0..1."""
    size = int(numpy.prod(shape))
    state, values = seed, []
    for _ in range(size):
        state = (1103515245 * state + 12345) % 2**31
        values.append(state / 2**31)
    return numpy.array(values, dtype=numpy.float32).reshape(shape)


def store(name, shape, head=None, scale=1, single=False):
    """Writes `name.json`: what `name.onnx` gives for images of `shape`; `head` says what comes behind the logits;
    `single` that they have no batch."""
    session = onnxruntime.InferenceSession(str(FOLDER / f"{name}.onnx"), providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    batch = 1 if single else given.shape[0] if isinstance(given.shape[0], int) else 2
    values = inputs(shape if single else [batch, *shape])
    outputs = session.run(None, {given.name: values * numpy.float32(scale)})
    expected = outputs[0]
    record = {"inputShape": [batch, *shape], "head": head, "output": numpy.asarray(expected).reshape(batch, -1).tolist()}
    (FOLDER / f"{name}.json").write_text(json.dumps(record) + "\n")
