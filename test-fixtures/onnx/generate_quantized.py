"""A network that onnxruntime's static quantiser made of integer operators, and of the same with pairs of QuantizeLinear
and DequantizeLinear.

Run by hand: python test-fixtures/onnx/generate_quantized.py (torch 2, onnx, onnxruntime).
"""

import tempfile

import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

from _store import FOLDER, inputs, store

SHAPE = [2, 8, 8]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.third = nn.Conv2d(8, 6, 1)
        self.head = nn.Linear(6, 8)
        self.kernel = nn.Parameter(torch.randn(8, 5) / 3)

    def forward(self, x):
        x = torch.relu(self.first(x))
        y = nn.functional.max_pool2d(x + self.second(x), 2)
        z = nn.functional.leaky_relu(nn.functional.avg_pool2d(x, 2), 0.2)
        x = self.third(torch.cat([y, z * torch.sigmoid(y)], 1))
        x = self.head(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))
        return torch.softmax(x, 1) @ self.kernel


class Reader(CalibrationDataReader):
    def __init__(self):
        self.left = [{"input": inputs([1, *SHAPE], seed)} for seed in range(7, 23)]

    def get_next(self):
        return self.left.pop() if self.left else None


torch.manual_seed(4)
with tempfile.TemporaryDirectory() as folder:
    model = Net().eval()
    torch.onnx.export(
        model, (torch.rand(1, *SHAPE),), f"{folder}/float.onnx", dynamo=False, opset_version=17,
        input_names=["input"], output_names=["output"], dynamic_axes={"input": {0: "N"}, "output": {0: "N"}},
    )
    quant_pre_process(f"{folder}/float.onnx", f"{folder}/ready.onnx")
    for name, form in [("quantized-operators", QuantFormat.QOperator), ("quantized-pairs", QuantFormat.QDQ)]:
        quantize_static(
            f"{folder}/ready.onnx", str(FOLDER / f"{name}.onnx"), Reader(), quant_format=form,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, per_channel=True,
        )
        store(name, SHAPE)

# As onnxruntime's optimiser leaves the first: its maps have their channels last.
options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
options.optimized_model_filepath = str(FOLDER / "quantized-channels-last.onnx")
onnxruntime.InferenceSession(str(FOLDER / "quantized-operators.onnx"), options, providers=["CPUExecutionProvider"])
store("quantized-channels-last", SHAPE)
