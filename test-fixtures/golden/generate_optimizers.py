"""Writes the golden trajectories of the optimizers: optimizers.json.

Ten steps of PyTorch's optimizers in float64 from one start, along given gradients and with given learning rates, that
change on the way. One gradient is zero throughout, one is tiny, one large, one changes its sign.

Run it in this folder, deliberately: continuous integration doesn't. Needs torch alone.

    python generate_optimizers.py
"""

import json
from pathlib import Path

import torch

SEED = 20191028
STEPS = 10
# Ten updates add up their rounding: half a unit each of a parameter near 2.
TOLERANCE = {
    "float64": {"absolute": 1e-13, "relative": 1e-12},
    "float32": {"absolute": 4e-6, "relative": 4e-6},
}

torch.manual_seed(SEED)
torch.set_default_dtype(torch.float64)

start = [1.5, -2.0, 0.25, 0.5, -0.75, 0.0]
noise = torch.randint(-64, 65, (STEPS, len(start))) / 64
# Multiples of powers of two, which float32 holds exactly.
scales = torch.tensor([1.0, 0.0, 2.0**-20, 64.0, 0.5, 0.125])
signs = torch.ones(STEPS, len(start))
signs[STEPS // 2:, 4] = -1
gradients = (noise.abs() + 1 / 64) * signs * scales
learning_rates = [0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125, 0.0625, 0.0625]


def trajectory(name, options, create):
    """`options` are dafl's, `create` makes PyTorch's optimizer of the parameters."""
    parameter = torch.tensor(start, requires_grad=True)
    optimizer = create([parameter])
    parameters = []
    for gradient, learning_rate in zip(gradients, learning_rates):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        parameter.grad = gradient.clone()
        optimizer.step()
        parameters.append(parameter.detach().tolist())
    return {"name": name, "options": options, "parameters": parameters}


def adam(name, beta1, beta2, epsilon):
    options = {"kind": "adam", "beta1": beta1, "beta2": beta2, "epsilon": epsilon}
    return trajectory(name, options, lambda given: torch.optim.Adam(given, betas=(beta1, beta2), eps=epsilon))


def sgd(name, momentum=0.0, nesterov=False, weight_decay=0.0):
    options = {"kind": "sgd", "momentum": momentum, "nesterov": nesterov, "weightDecay": weight_decay}
    return trajectory(name, options, lambda given: torch.optim.SGD(
        given, lr=1.0, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay))


cases = [
    adam("Adam, defaults", 0.9, 0.999, 1e-8),
    adam("Adam, betas 0.5 and 0.999", 0.5, 0.999, 1e-8),
    adam("Adam, betas 0.9 and 0.99, epsilon 0.001", 0.9, 0.99, 1e-3),
    adam("Adam without a first moment", 0.0, 0.9, 1e-6),
    adam("Adam, betas 0 and 0", 0.0, 0.0, 0.1),
    sgd("SGD"),
    sgd("SGD, weight decay", weight_decay=0.05),
    sgd("SGD, momentum", momentum=0.9),
    sgd("SGD, momentum and weight decay", momentum=0.9, weight_decay=5e-4),
    sgd("SGD, Nesterov", momentum=0.9, nesterov=True),
    sgd("SGD, Nesterov and weight decay", momentum=0.8, nesterov=True, weight_decay=0.05),
]

head = {
    "provenance": {
        "generator": "test-fixtures/golden/generate_optimizers.py",
        "command": "python generate_optimizers.py",
        "torch": torch.__version__,
        "seed": SEED,
    },
    "tolerance": TOLERANCE,
    "start": start,
    "learningRates": learning_rates,
}
# One step or case a line.
lines = {
    "gradients": [json.dumps(row, separators=(",", ":")) for row in gradients.tolist()],
    "cases": [json.dumps(entry, separators=(",", ":")) for entry in cases],
}
parts = [f'  "{key}": [\n    ' + ",\n    ".join(rows) + "\n  ]" for key, rows in lines.items()]
text = json.dumps(head, indent=2)[:-2] + ",\n" + ",\n".join(parts) + "\n}\n"
(Path(__file__).parent / "optimizers.json").write_text(text)
