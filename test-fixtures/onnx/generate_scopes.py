"""Graphs in graphs: branches of If.

Run by hand: python test-fixtures/onnx/generate_scopes.py (onnx, onnxruntime, numpy).
"""

import onnx
import onnx.parser

from _store import FOLDER, store


def save(name, text, shape, **options):
    model = onnx.parser.parse_model(text)
    onnx.checker.check_model(model)
    onnx.save(model, FOLDER / f"{name}.onnx")
    store(name, shape, **options)


# What torch writes for squeeze: it asks whether an axis has one entry. Names of branches stand twice, and one If lies in
# another.
save("branches", """
<ir_version: 8, opset_import: ["" : 17]>
branches (float[N, 1, 4, 4] input) => (float[N, 5] output)
<int64 two = {2}, float[1] scale = {2.0}, int64 channel = {1}, int64[1] one = {1},
 float[16, 5] kernel = {
  0.5, -0.25, 0.125, 1.0, -1.0, 0.25, 0.75, -0.5, 0.1, 0.2, 0.3, -0.4, 0.5, -0.6, 0.7, -0.8,
  0.9, -0.1, 0.15, -0.25, 0.35, -0.45, 0.55, -0.65, 0.75, -0.85, 0.95, 0.05, -0.05, 0.6, -0.3, 0.9,
  0.12, -0.34, 0.56, -0.78, 0.91, -0.23, 0.45, -0.67, 0.89, -0.13, 0.24, -0.35, 0.46, -0.57, 0.68, -0.79,
  0.5, -0.25, 0.125, 1.0, -1.0, 0.25, 0.75, -0.5, 0.1, 0.2, 0.3, -0.4, 0.5, -0.6, 0.7, -0.8,
  0.9, -0.1, 0.15, -0.25, 0.35, -0.45, 0.55, -0.65, 0.75, -0.85, 0.95, 0.05, -0.05, 0.6, -0.3, 0.9}>
{
  sizes = Shape(input)
  channels = Gather(sizes, channel)
  isSingle = Equal(channels, one)
  maps = Relu(input)
  picked = If(isSingle) <
    then_branch = thenGraph () => (float[N, 4, 4] inner)
    <int64[1] axes = {1}>
    {
      doubled = Mul(maps, scale)
      inner = Squeeze(doubled, axes)
    },
    else_branch = elseGraph () => (float[N, M, 4, 4] inner)
    {
      inner = Identity(maps)
    }
  >
  rank = Shape(sizes)
  isFlat = Equal(rank, two)
  rows = If(isFlat) <
    then_branch = thenRows () => (float[N, 16] inner)
    {
      inner = Flatten(picked)
    },
    else_branch = elseRows () => (float[N, 16] inner)
    {
      height = Gather <axis = 0> (sizes, two)
      isSmall = Less(height, one)
      inner = If(isSmall) <
        then_branch = never () => (float[N, 16] innermost)
        {
          innermost = RandomNormalLike(picked)
        },
        else_branch = always () => (float[N, 16] innermost)
        {
          squared = Mul(picked, picked)
          innermost = Flatten(squared)
        }
      >
    }
  >
  output = MatMul(rows, kernel)
}
""", [1, 4, 4])
