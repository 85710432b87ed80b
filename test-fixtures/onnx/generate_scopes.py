"""Graphs in graphs: branches of If, and functions of the file itself;
and a network without a batch.

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

# Attributes that callers give and that they leave out, one function in another and in a branch, the same names on both
# sides of a call, an input that is left out, and an output that is not wanted.
save("functions", """
<ir_version: 8, opset_import: ["" : 17, "local" : 1, "inner" : 1]>
functions (float[N, 2, 3, 3] input) => (float[N, 4] output)
<float[4, 18] kernel = {
  0.5, -0.25, 0.125, 1.0, -1.0, 0.25, 0.75, -0.5, 0.1, 0.2, 0.3, -0.4, 0.5, -0.6, 0.7, -0.8, 0.9, -0.1,
  0.15, -0.25, 0.35, -0.45, 0.55, -0.65, 0.75, -0.85, 0.95, 0.05, -0.05, 0.6, -0.3, 0.9, 0.12, -0.34, 0.56, -0.78,
  0.91, -0.23, 0.45, -0.67, 0.89, -0.13, 0.24, -0.35, 0.46, -0.57, 0.68, -0.79, 0.2, 0.4, -0.6, 0.8, -0.1, 0.3,
  0.5, -0.25, 0.125, 1.0, -1.0, 0.25, 0.75, -0.5, 0.1, 0.2, 0.3, -0.4, 0.5, -0.6, 0.7, -0.8, 0.9, -0.1},
 float[4] bias = {0.1, 0.2, -0.3, 0.4}>
{
  x, places = local.Bend (input)
  y, z = local.Bend <alpha = 0.3> (x)
  flat, same = local.Flat (y)
  again = Flatten(same)
  both = Add(flat, again)
  first = local.Linear <factor = 0.5> (both, kernel, bias)
  second = local.Linear (both, kernel)
  output = Sub(first, second)
}
<domain: "local", opset_import: ["" : 17, "inner" : 1]>
Linear <factor: float = 1.5> (x, w, b) => (y)
{
  z = inner.Shift (x)
  y = Gemm <transB = 1, alpha: float = @factor> (z, w, b)
}
<domain: "local", opset_import: ["" : 17, "inner" : 1]>
Bend <alpha> (x) => (y, z)
{
  h = LeakyRelu <alpha: float = @alpha> (x)
  y = inner.Shift (h)
  z = NonZero (h)
}
<domain: "local", opset_import: ["" : 17, "inner" : 1]>
Flat (x) => (y, z)
{
  y = Flatten (x)
  z = Identity (x)
}
<domain: "inner", opset_import: ["" : 17]>
Shift (x) => (y)
{
  axis = Constant <value_ints = [1]> ()
  h = ReduceSum <keepdims = 1> (x, axis)
  one = Constant <value_float = 1.0> ()
  s = Add (h, one)
  y = Sub (x, s)
}
""", [2, 3, 3])

# One picture, as torch exports a network that is called without a batch.
save("single", """
<ir_version: 8, opset_import: ["" : 17]>
single (float[3, 4, 5] input) => (float[4] output)
<int64[1] first = {0}, int64[1] row = {-1}, float[4, 3, 1, 1] kernel = {1, 2, -1, 0.5, -1, 1, 0.25, 1, 1, -2, 0.5, 1},
 float[4, 4] w = {1, 2, 3, 4, -1, 0.5, 1, 0, 2, -2, 1, 1, 0, 1, -0.5, 1}, float[4] b = {0.5, 1, -1, 0}>
{
  batch = Unsqueeze(input, first)
  maps = Conv(batch, kernel)
  maps3 = Squeeze(maps, first)
  bent = Relu(maps3)
  again = Unsqueeze(bent, first)
  pooled = GlobalAveragePool(again)
  flat = Reshape(pooled, row)
  product = MatMul(flat, w)
  output = Add(product, b)
}
""", [3, 4, 5], single=True)
