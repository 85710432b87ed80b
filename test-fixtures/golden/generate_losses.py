"""Writes the golden values of the losses: losses.json.

Each case holds the inputs, the loss of each example in float64, a gradient for each of these losses, and what PyTorch's
autograd makes of it for each input. Arrays are row-major.

Run it in this folder, deliberately: continuous integration doesn't. Needs torch alone.

    python generate_losses.py
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

SEED = 20191027
# Values are stored in full precision; the two sides add in another order. A float32 logit of 100 is rounded by 4e-6.
TOLERANCE = {
    "float64": {"absolute": 1e-13, "relative": 1e-12},
    "float32": {"absolute": 1e-6, "relative": 5e-5},
}

# Inputs that no gradient is asked of.
GIVEN = {"runningMean", "runningVariance", "past"}

torch.manual_seed(SEED)
torch.set_default_dtype(torch.float64)


def draw(*shape, limit=4.0):
    """Multiples of 1/64 in [-limit, limit], which float32 holds exactly."""
    steps = int(limit * 64)
    return torch.randint(-steps, steps + 1, shape).double() / 64


def array(tensor):
    values = tensor.detach().flatten().tolist()
    return {"shape": list(tensor.shape), "values": [int(value) if value == int(value) else value for value in values]}


def case(name, loss, inputs, compute, **options):
    """`inputs` by name; those of floats require gradients, but for those that are given."""
    leaves = {key: value.clone().requires_grad_(value.is_floating_point() and key not in GIVEN)
              for key, value in inputs.items()}
    output = compute(**leaves)
    output_gradient = torch.ones(()) if output.dim() == 0 else draw(*output.shape, limit=1.0)
    output.backward(output_gradient)
    return {
        "name": name,
        "loss": loss,
        "options": options,
        "inputs": {key: array(value) for key, value in inputs.items()},
        "output": array(output),
        "outputGradient": array(output_gradient),
        "gradients": {key: array(leaf.grad) for key, leaf in leaves.items() if leaf.grad is not None},
    }


def one_hot(teacherLogits):
    return F.cross_entropy(teacherLogits, teacherLogits.detach().argmax(1), reduction="none")


def information_entropy(teacherLogits):
    # The line of the official code, DAFL-train.py.
    softmax = F.softmax(teacherLogits, dim=1).mean(dim=0)
    return (softmax * torch.log10(softmax)).sum()


def activation(features):
    # The official code takes the mean over the batch as well; here the caller does.
    return -features.abs().flatten(1).mean(1)


def distillation(temperature):
    def compute(studentLogits, teacherLogits):
        student = F.log_softmax(studentLogits / temperature, dim=1)
        teacher = F.log_softmax(teacherLogits / temperature, dim=1)
        return F.kl_div(student, teacher, reduction="none", log_target=True).sum(1) * temperature**2
    return compute


def cross_entropy(logits, labels):
    return F.cross_entropy(logits, labels.long(), reduction="none")


def log_softmax(logits):
    return F.log_softmax(logits, dim=1)


def adversarial(masked):
    def compute(teacherLogits, studentLogits):
        divergence = distillation(1)(studentLogits, teacherLogits)
        same = teacherLogits.argmax(1) == studentLogits.argmax(1)
        return -(divergence * same if masked else divergence).mean()
    return compute


def jensen_shannon(temperature):
    def compute(teacherLogits, studentLogits):
        p, q = F.softmax(teacherLogits / temperature, dim=1), F.softmax(studentLogits / temperature, dim=1)
        middle = (0.5 * (p + q)).clamp(0.01, 0.99)
        from_middle = [F.kl_div(x.clamp(0.01, 0.99).log(), middle, reduction="batchmean") for x in (p, q)]
        return 0.5 * sum(from_middle)
    return compute


def batch_norm_distance(share):
    def compute(input, runningMean, runningVariance, past):
        axes = tuple(range(input.dim() - 1))
        mean = (1 - share) * input.mean(axes) + share * past[0]
        variance = (1 - share) * input.var(axes, unbiased=False) + share * past[1]
        return (variance - runningVariance).norm() + (mean - runningMean).norm()
    return compute


def total_variation(norm):
    def compute(images):
        differences = [
            images[:, :, 1:] - images[:, :, :-1],
            images[:, 1:] - images[:, :-1],
            images[:, 1:, :-1] - images[:, :-1, 1:],
            images[:, 1:, 1:] - images[:, :-1, :-1],
        ]
        return sum(x.abs().mean() if norm == "l1" else x.norm() for x in differences)
    return compute


def attention(student, teacher):
    # Channels last.
    maps = [F.normalize(x.square().mean(3).flatten(1)) for x in (student, teacher)]
    return (maps[0] - maps[1]).square().mean()


# One class far ahead, one far behind, two close together at the top, all far below zero.
extreme = torch.tensor([
    [100.0, -100.0, 0.0],
    [-100.0, 100.0, 99.5],
    [-100.0, -99.0, -98.0],
    [100.0, 99.0, 98.0],
])
opposite = torch.tensor([
    [-100.0, 100.0, 0.0],
    [100.0, -100.0, -99.0],
    [100.0, 0.0, -100.0],
    [-100.0, -99.0, 100.0],
])
usual = draw(6, 10)
labels = torch.tensor([0, 9, 3, 3, 7, 1], dtype=torch.int32)
extreme_labels = torch.tensor([1, 2, 0, 2], dtype=torch.int32)

cases = []
for name, logits in [("10 classes", usual), ("2 classes", draw(3, 2)), ("logits of 100", extreme)]:
    cases.append(case(name, "oneHot", {"teacherLogits": logits}, one_hot))
    cases.append(case(name, "informationEntropy", {"teacherLogits": logits}, information_entropy))
    cases.append(case(name, "logSoftmax", {"logits": logits}, log_softmax))
cases.append(case("rows", "activation", {"features": draw(4, 7)}, activation))
cases.append(case("maps", "activation", {"features": draw(2, 3, 2, 2)}, activation))
cases.append(case("features of 100", "activation", {"features": extreme}, activation))
for temperature in [1, 4, 20, 0.5]:
    cases.append(case(f"temperature {temperature}", "distillation",
                      {"studentLogits": draw(6, 10), "teacherLogits": usual}, distillation(temperature),
                      temperature=temperature))
    cases.append(case(f"logits of 100 at temperature {temperature}", "distillation",
                      {"studentLogits": opposite, "teacherLogits": extreme}, distillation(temperature),
                      temperature=temperature))
cases.append(case("10 classes", "crossEntropy", {"logits": usual, "labels": labels}, cross_entropy))
cases.append(case("logits of 100", "crossEntropy", {"logits": extreme, "labels": extreme_labels}, cross_entropy))

# After the others: what they draw stays as it was. The small ones are known from the formulas, worked out by hand.
small_teacher = torch.tensor([[2, 1, 0.1], [0, 3, 1]])
small_student = torch.tensor([[1.5, 1.2, 0.3], [0.2, 0.5, 2]])
small_input = torch.tensor([[1.0, -1], [2, 0], [3, 1], [6, 0]])
small_image = torch.tensor([[0, 0.5, 1], [0.2, 0.4, 0.6], [1, 0, 0.3]]).reshape(1, 3, 3, 1)
moments = {"runningMean": torch.tensor([2, 0.5]), "runningVariance": torch.tensor([4.0, 1]),
           "past": torch.tensor([[2.5, 0.1], [3, 0.8]])}
small_logits = {"teacherLogits": small_teacher, "studentLogits": small_student}


def known(value, loss, inputs, compute, **options):
    entry = case("worked out by hand", loss, inputs, compute, **options)
    found = sum(entry["output"]["values"]) / len(entry["output"]["values"])
    assert abs(found - value) < 2e-8, (loss, options, found, value)
    # At 20 a float32 is left with too few digits of so small a divergence.
    if options.get("temperature") != 20:
        cases.append(entry)


for temperature, value in [(1, 0.60171156), (4, 0.65494525), (20, 0.60442643)]:
    known(value, "distillation", small_logits, distillation(temperature), temperature=temperature)
known(-0.02910329, "adversarial", small_logits, adversarial(True), masked=True)
known(-0.60171156, "adversarial", small_logits, adversarial(False), masked=False)
known(0.01832163, "jensenShannon", small_logits, jensen_shannon(3), temperature=3)
known(1.29343802, "crossEntropy", {"logits": small_teacher, "labels": torch.tensor([0, 2], dtype=torch.int32)},
      cross_entropy)
known(1.82514077, "batchNormDistance", {"input": small_input, **moments}, batch_norm_distance(0), share=0)
known(1.66344857, "batchNormDistance", {"input": small_input, **moments}, batch_norm_distance(0.9), share=0.9)
known(1.54166667, "totalVariation", {"images": small_image}, total_variation("l1"), norm="l1")
known(3.89180062, "totalVariation", {"images": small_image}, total_variation("l2"), norm="l2")
both = {"teacherLogits": usual, "studentLogits": draw(6, 10)}
for masked in [True, False]:
    cases.append(case("10 classes", "adversarial", both, adversarial(masked), masked=masked))
cases.append(case("10 classes", "jensenShannon", both, jensen_shannon(3), temperature=3))
maps = {"input": draw(2, 3, 2, 2), **moments}
cases.append(case("maps", "batchNormDistance", maps, batch_norm_distance(0.9), share=0.9))
for norm in ["l1", "l2"]:
    cases.append(case("images", "totalVariation", {"images": draw(2, 4, 3, 2)}, total_variation(norm), norm=norm))
cases.append(case("maps", "attention", {"student": draw(2, 3, 2, 2), "teacher": draw(2, 3, 2, 4)}, attention))

head = {
    "provenance": {
        "generator": "test-fixtures/golden/generate_losses.py",
        "command": "python generate_losses.py",
        "torch": torch.__version__,
        "seed": SEED,
    },
    "tolerance": TOLERANCE,
}
# One case a line: a change shows which case it touched.
lines = [json.dumps(entry, separators=(",", ":"), allow_nan=False) for entry in cases]
text = json.dumps(head, indent=2)[:-2] + ',\n  "cases": [\n    ' + ",\n    ".join(lines) + "\n  ]\n}\n"
(Path(__file__).parent / "losses.json").write_text(text)
