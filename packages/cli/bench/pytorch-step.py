"""One step of DAFL as PyTorch computes it: a contestant of `dafl bench`.

Three variants run the same algorithm on the same networks:

- `official`: as the official code of DAFL runs it. Tensors are NCHW, one backward pass over the sum of all losses, Adam as
  it comes, and a teacher whose weights are not frozen, so that their gradients are taken as well and never used.
- `channels-last`: the best that stays ordinary PyTorch. Networks and inputs are in channels-last memory format, the teacher
  is frozen and Adam is fused.
- `kept-memory`: the same in a process whose allocator (glibc) gives no memory back to the system, so that a step's large
  tensors do not fault their pages in anew. The starter sets that in the environment.

The step of the fast preset has no official code. The variants run it as a PyTorch user would write it, with a frozen
teacher and a bank of batches to replay, which is full-sized from the start, as it is after the first few hundred steps.

Talks in lines. The first line of stdin is JSON: the recipe, the variant, the threads, a safetensors file with the first
weights and the first latent vectors, and the first draws from the bank. Then come commands, each answered by a line of JSON:

    step N   runs N steps
    matmul   multiplies square matrices
    memory   tells the peak memory so far
    end      ends
"""

import json
import math
import platform
import struct
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


class Generator(nn.Module):
    def __init__(self, recipe, memory_format):
        super().__init__()
        options = recipe["dafl"]["generator"]
        first, second, third = options["widths"]
        channels, epsilon = recipe["channels"], options["batchNormEpsilon"]
        self.map_shape = (first, recipe["imageSize"] // 4, recipe["imageSize"] // 4)
        self.memory_format = memory_format
        self.project = nn.Linear(options["latentSize"], first * self.map_shape[1] * self.map_shape[2])
        self.norm0 = nn.BatchNorm2d(first)
        self.conv1 = nn.Conv2d(first, second, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(second, eps=epsilon)
        self.leaky1 = nn.LeakyReLU(0.2, inplace=True)
        self.conv2 = nn.Conv2d(second, third, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(third, eps=epsilon)
        self.leaky2 = nn.LeakyReLU(0.2, inplace=True)
        self.conv3 = nn.Conv2d(third, channels, 3, padding=1)
        self.norm3 = nn.BatchNorm2d(channels, affine=False)
        self.output = options["output"]
        shape = (1, channels, 1, 1)
        self.register_buffer("mean", torch.tensor(recipe["mean"]).reshape(shape))
        self.register_buffer("deviation", torch.tensor(recipe["standardDeviation"]).reshape(shape))

    def forward(self, latent):
        x = self.project(latent).view(-1, *self.map_shape).contiguous(memory_format=self.memory_format)
        x = F.interpolate(self.norm0(x), scale_factor=2)
        x = self.leaky1(self.norm1(self.conv1(x)))
        x = F.interpolate(x, scale_factor=2)
        x = self.leaky2(self.norm2(self.conv2(x)))
        x = self.conv3(x)
        if self.output["kind"] == "normalized":
            return self.norm3(torch.tanh(x))
        pixels = torch.sigmoid(self.output["contrast"] * self.norm3(x) + self.output["brightness"])
        return (pixels - self.mean) / self.deviation


class LeNet(nn.Module):
    def __init__(self, channels, shape):
        super().__init__()
        (first, size1), (second, size2), (third, size3) = shape["convolutions"]
        self.conv1 = nn.Conv2d(channels, first, size1)
        self.conv2 = nn.Conv2d(first, second, size2)
        self.conv3 = nn.Conv2d(second, third, size3)
        self.dense = nn.Linear(third, shape["dense"])
        self.logits = nn.Linear(shape["dense"], shape["classes"])

    def forward(self, images):
        x = F.max_pool2d(F.relu(self.conv1(images)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        features = F.relu(self.conv3(x)).flatten(1)
        return self.logits(F.relu(self.dense(features))), features


def read_safetensors(path):
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    return {
        name: torch.frombuffer(data[start:end], dtype=torch.float32).reshape(entry["shape"])
        for name, entry in header.items()
        for start, end in [entry["data_offsets"]]
    }


def load(network, prefix, tensors):
    """Copies dafl's weights into a network. dafl is channels-last: its layouts are turned round."""
    names = {"weight": "kernel", "bias": "bias"}
    norm_names = {"weight": "scale", "bias": "offset"}
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            node, kind = name.split(".")
            values = tensors[f"{prefix}/{node}.{(norm_names if node.startswith('norm') else names)[kind]}"]
            if parameter.dim() == 4:
                values = values.permute(3, 2, 0, 1)
            elif parameter.dim() == 2:
                values = values.T
            if node == "project":
                # One row for each place of the first map, there [height, width, channels], here [channels, height, width].
                channels, height, width = network.map_shape
                maps = values.reshape(height, width, channels, *values.shape[1:])
                values = maps.permute(2, 0, 1, *range(3, maps.dim())).flatten(0, 2)
            parameter.copy_(values)


def count_multiply_accumulates(network, example):
    """Of one example's forward pass: convolutions and linear layers."""
    total = 0

    def count(module, _, output):
        nonlocal total
        positions = output.shape[2] * output.shape[3] if isinstance(module, nn.Conv2d) else 1
        total += module.weight.numel() * positions

    layers = [module for module in network.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    with torch.no_grad():
        output = network(example)
    for hook in hooks:
        hook.remove()
    return total, output


def learning_rate(schedule, step, steps):
    if schedule["kind"] == "constant":
        return schedule["learningRate"]
    return schedule["learningRate"] * (1 + math.cos(math.pi * step / steps)) / 2


def distillation_loss(student_logits, teacher_logits, temperature):
    divergence = F.kl_div(
        F.log_softmax(student_logits / temperature, dim=1),
        F.softmax(teacher_logits / temperature, dim=1),
        reduction="sum",
    )
    return divergence * temperature**2 / len(student_logits)


class Step:
    def __init__(self, setup):
        recipe = setup["recipe"]
        self.options, self.training, self.steps = recipe["dafl"], recipe["training"], recipe["steps"]
        is_tuned = setup["variant"] != "official"
        self.memory_format = torch.channels_last if is_tuned else torch.contiguous_format
        self.generator = Generator(recipe, self.memory_format)
        self.teacher = LeNet(recipe["channels"], recipe["teacher"])
        self.student = LeNet(recipe["channels"], recipe["student"])
        self.latent_size = self.options["generator"]["latentSize"]
        tensors = read_safetensors(setup["tensors"])
        networks = {"generator": self.generator, "teacher": self.teacher, "student": self.student}
        for name, network in networks.items():
            load(network, name, tensors)
            network.to(memory_format=self.memory_format)
        self.teacher.eval()
        if is_tuned or self.options["replay"] is not None:
            self.teacher.requires_grad_(False)
        self.generator_optimizer = self.create_adam(self.generator, self.options["generatorOptimizer"], is_tuned)
        self.student_optimizer = self.create_adam(self.student, self.training["optimizer"], is_tuned)

        self.counts = {}
        self.counts["generator"], images = count_multiply_accumulates(self.generator, torch.zeros(2, self.latent_size))
        for name in ["teacher", "student"]:
            self.counts[name], _ = count_multiply_accumulates(networks[name], images)

        # What the first steps are to draw, so that every contestant computes the same.
        self.latents = [tensors[f"latent/{index}"] for index in range(len(setup["draws"]))]
        self.draws = setup["draws"]
        self.step = 0
        if self.options["replay"] is not None:
            shapes = [
                (self.options["batchSize"], recipe["channels"], recipe["imageSize"], recipe["imageSize"]),
                (self.options["batchSize"], recipe["teacher"]["classes"]),
            ]
            # Filled, as zeros alone take no memory before they are written.
            self.bank = [
                tuple(torch.empty(shape).fill_(0) for shape in shapes) for _ in range(self.options["replay"]["batches"])
            ]

    @staticmethod
    def create_adam(network, options, is_fused):
        betas = (options["beta1"], options["beta2"])
        return torch.optim.Adam(network.parameters(), lr=1.0, betas=betas, fused=True if is_fused else None)

    def set_learning_rates(self):
        for optimizer, schedule in [
            (self.generator_optimizer, self.options["generatorSchedule"]),
            (self.student_optimizer, self.training["schedule"]),
        ]:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(schedule, self.step, self.steps)

    def draw_latent(self):
        if self.step < len(self.latents):
            return self.latents[self.step]
        return torch.randn(self.options["batchSize"], self.latent_size)

    def generator_losses(self, logits, features):
        probabilities = F.softmax(logits, dim=1).mean(dim=0)
        return {
            "oneHot": F.cross_entropy(logits, logits.detach().argmax(dim=1)),
            "informationEntropy": (probabilities * torch.log10(probabilities)).sum(),
            "activation": -features.abs().mean(),
        }

    def weighted(self, losses):
        return sum(self.options[f"{name}Weight"] * loss for name, loss in losses.items())

    def run_official(self):
        self.generator_optimizer.zero_grad()
        self.student_optimizer.zero_grad()
        images = self.generator(self.draw_latent())
        logits, features = self.teacher(images)
        losses = self.generator_losses(logits, features)
        student_logits, _ = self.student(images.detach())
        distillation = distillation_loss(student_logits, logits.detach(), self.training["temperature"])
        (self.weighted(losses) + distillation).backward()
        self.generator_optimizer.step()
        self.student_optimizer.step()
        return {**losses, "distillation": distillation}

    def run_replayed(self):
        images = self.generator(self.draw_latent())
        logits, features = self.teacher(images)
        losses = self.generator_losses(logits, features)
        # The student only passes gradients on; the generator moves both it and the teacher apart.
        self.student.requires_grad_(False)
        student_logits, _ = self.student(images)
        self.student.requires_grad_(True)
        temperature = self.options["adversarialTemperature"]
        losses["adversarial"] = -distillation_loss(student_logits, logits, temperature)
        self.generator_optimizer.zero_grad()
        self.weighted(losses).backward()
        self.generator_optimizer.step()

        capacity = len(self.bank)
        self.bank[self.step % capacity] = (images.detach(), logits.detach())
        size = min(self.step + 1, capacity)
        if self.step < len(self.draws):
            draws = self.draws[self.step]
        else:
            draws = torch.randint(size, (self.options["replay"]["studentSteps"],)).tolist()
        oldest = self.step + 1 - size
        distillation = 0
        for draw in draws:
            replayed, replayed_logits = self.bank[(oldest + draw) % capacity]
            student_logits, _ = self.student(replayed)
            loss = distillation_loss(student_logits, replayed_logits, self.training["temperature"])
            self.student_optimizer.zero_grad()
            loss.backward()
            self.student_optimizer.step()
            distillation = distillation + loss.detach() / len(draws)
        return {**losses, "distillation": distillation}

    def run(self):
        self.set_learning_rates()
        losses = self.run_official() if self.options["replay"] is None else self.run_replayed()
        self.step += 1
        return {name: loss.item() for name, loss in losses.items()}


def measure_matmul():
    best = {"gigaflopsPerSecond": 0, "size": 0}
    for size in [1024, 1536, 2048]:
        left, right = torch.rand(size, size), torch.rand(size, size)
        seconds = min(timed(lambda: torch.matmul(left, right))[0] for _ in range(2))
        speed = 2 * size**3 / seconds / 1e9
        if speed > best["gigaflopsPerSecond"]:
            best = {"gigaflopsPerSecond": speed, "size": size}
        if seconds > 0.4:
            break
    return best


def timed(work):
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def peak_memory_bytes():
    """The most memory that this program has taken; the system's own figure may include what its parent took."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def answer(value):
    print(json.dumps(value), flush=True)


def main():
    setup = json.loads(sys.stdin.readline())
    torch.set_num_threads(setup["threads"])
    torch.manual_seed(setup["recipe"]["seed"])
    step = Step(setup)
    tuned = "channels-last, frozen teacher, fused Adam"
    layout = {"official": "NCHW", "channels-last": tuned, "kept-memory": f"{tuned}, memory kept"}[setup["variant"]]
    threads = torch.get_num_threads()
    answer(
        {
            "description": f"PyTorch {torch.__version__}, {layout}, {threads} {'thread' if threads == 1 else 'threads'}",
            "versions": {"python": platform.python_version(), "torch": torch.__version__},
            "multiplyAccumulates": step.counts,
        }
    )
    for line in iter(sys.stdin.readline, ""):
        command, *parameters = line.split()
        if command == "step":
            seconds, losses = timed(lambda: [step.run() for _ in range(int(parameters[0]))][-1])
            answer({"milliseconds": seconds * 1000, "losses": losses})
        elif command == "matmul":
            answer(measure_matmul())
        elif command == "memory":
            answer({"peakMemoryBytes": peak_memory_bytes()})
        else:
            break


main()
