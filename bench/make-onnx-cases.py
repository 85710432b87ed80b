"""Writes ONNX's own backend tests of float32 as files that bench/onnx-cases.ts reads.

    python bench/make-onnx-cases.py FOLDER

An importer of classifiers has one input, so a case of several is written once for each float32 input, with the others as
initializers. Each case becomes NAME.onnx and NAME.json: the input and the first output, in row-major order.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

KINDS = ["node", "simple", "pytorch-converted", "pytorch-operator"]


def read(path: Path):
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return tensor


def plain(array: np.ndarray):
    return [float(value) if np.isfinite(value) else None for value in array.astype(np.float64).ravel()]


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    index = []
    for kind in KINDS:
        for case in load_model_tests(kind=kind):
            name = case.name
            operators = []
            try:
                model = case.model or onnx.load(str(Path(case.model_dir) / "model.onnx"))
                operators = sorted({node.op_type for node in model.graph.node})
                if case.data_sets:
                    inputs, outputs = case.data_sets[0]
                    inputs, outputs = list(inputs), list(outputs)
                else:
                    data = Path(case.model_dir) / "test_data_set_0"
                    names = [value.name for value in model.graph.input]
                    inputs = [numpy_helper.to_array(read(data / f"input_{i}.pb")) for i in range(len(list(data.glob("input_*.pb"))))]
                    outputs = [numpy_helper.to_array(read(data / f"output_{i}.pb")) for i in range(len(list(data.glob("output_*.pb"))))]
                initialized = {tensor.name for tensor in model.graph.initializer}
                names = [value.name for value in model.graph.input if value.name not in initialized]
                arrays = dict(zip(names, inputs))
                if not outputs or not isinstance(outputs[0], np.ndarray) or outputs[0].dtype != np.float32:
                    raise ValueError("its first output is not of float32")
                if any(not isinstance(array, np.ndarray) for array in arrays.values()):
                    raise ValueError("its inputs are no tensors")
                floats = [n for n in names if arrays[n].dtype == np.float32]
                if not floats:
                    raise ValueError("no input is of float32")
                if max(array.size for array in [*arrays.values(), outputs[0]]) > 200_000:
                    raise ValueError("it is large")
            except Exception as error:  # what is no case is listed with its reason
                index.append({"name": name, "kind": kind, "operators": operators, "skipped": str(error)[:100]})
                continue
            for position, chosen in enumerate(floats):
                variant = onnx.ModelProto()
                variant.CopyFrom(model)
                for other in names:
                    if other == chosen:
                        continue
                    tensor = numpy_helper.from_array(np.ascontiguousarray(arrays[other]), other)
                    variant.graph.initializer.append(tensor)
                kept = [value for value in variant.graph.input if value.name == chosen]
                del variant.graph.input[:]
                variant.graph.input.extend(kept)
                del variant.graph.output[1:]
                label = f"{kind}-{name}-{position}".replace("/", "_")
                (folder / f"{label}.onnx").write_bytes(variant.SerializeToString())
                record = {
                    "input": {"name": chosen, "shape": list(arrays[chosen].shape), "values": plain(arrays[chosen])},
                    "output": {"shape": list(outputs[0].shape), "values": plain(outputs[0])},
                    "rtol": max(case.rtol, 1e-3),
                    "atol": max(case.atol, 1e-5),
                }
                (folder / f"{label}.json").write_text(json.dumps(record))
                index.append({"name": name, "kind": kind, "operators": operators, "file": label})
    (folder / "index.json").write_text(json.dumps({"onnx": onnx.__version__, "cases": index}))
    print(len(index), "cases")


main()
