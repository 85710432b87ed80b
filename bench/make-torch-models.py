"""Writes the networks of torchvision and timm with random weights as ONNX files that bench/torch-models.ts reads.

    python bench/make-torch-models.py FOLDER [NAME...]

Each network comes from both of torch's exporters: NAME.torchscript.onnx and NAME.dynamo.onnx, and NAME.EXPORTER.json
with an input, what onnxruntime answers and what torch does in float64. Pictures are small where the network takes them so.
"""

import copy
import json
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch

# A wheel of torchvision that was built for another torch comes without operators that no classifier uses.
for _ in range(20):
    try:
        import torchvision.models as zoo

        break
    except RuntimeError as error:
        missing = re.search(r"operator torchvision::(\w+) does not exist", str(error))
        if missing is None:
            raise
        torch.library.define(f"torchvision::{missing[1]}", "(Tensor a) -> Tensor")
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
import timm

CLASSES = 10


def torchvision(name, **options):
    return lambda: getattr(zoo, name)(weights=None, num_classes=CLASSES, **options)


def of_timm(name, **options):
    return lambda: timm.create_model(name, pretrained=False, num_classes=CLASSES, **options)


def vgg11_small():
    """Without the pooling to 7 x 7 maps, which can't be exported where maps are smaller."""
    network = zoo.vgg11_bn(weights=None, num_classes=CLASSES)
    network.avgpool = torch.nn.Identity()
    network.classifier[0] = torch.nn.Linear(512 * 2 * 2, 4096)
    return network


# Each with the side of its pictures. What needs large ones stands there as small as it goes too, for slow checks.
NETWORKS = {
    "resnet18": (torchvision("resnet18"), 64),
    "mobilenet_v2": (torchvision("mobilenet_v2"), 64),
    "mobilenet_v3_small": (torchvision("mobilenet_v3_small"), 64),
    "efficientnet_b0": (torchvision("efficientnet_b0"), 64),
    "vgg11_bn": (torchvision("vgg11_bn"), 224),
    "vgg11_bn_small": (vgg11_small, 64),
    "squeezenet1_1": (torchvision("squeezenet1_1"), 64),
    "shufflenet_v2_x1_0": (torchvision("shufflenet_v2_x1_0"), 64),
    "densenet121": (torchvision("densenet121"), 64),
    "regnet_y_400mf": (torchvision("regnet_y_400mf"), 64),
    "convnext_tiny": (torchvision("convnext_tiny"), 64),
    "vit_tiny": (of_timm("vit_tiny_patch16_224", img_size=64), 64),
    "swin_t": (torchvision("swin_t"), 64),
    "googlenet": (torchvision("googlenet", aux_logits=False, init_weights=True), 64),
    "inception_v3": (torchvision("inception_v3", aux_logits=False, init_weights=True), 299),
    "inception_v3_small": (torchvision("inception_v3", aux_logits=False, init_weights=True), 107),
    "mnasnet1_0": (torchvision("mnasnet1_0"), 64),
    "resnext50_32x4d": (of_timm("resnext50_32x4d"), 64),
    "ghostnet_100": (of_timm("ghostnet_100"), 64),
    "mobileone_s0": (of_timm("mobileone_s0"), 64),
    "repvgg_a0": (of_timm("repvgg_a0"), 64),
}


def export(network, image, path, exporter):
    warnings.simplefilter("ignore")
    options = {"input_names": ["input"], "output_names": ["logits"]}
    if exporter == "dynamo":
        torch.onnx.export(network, (image,), path, dynamo=True, verbose=False, external_data=True,
                          dynamic_shapes=({0: torch.export.Dim("batch")},), **options)  # fmt: skip
    else:
        axes = {"input": {0: "batch"}, "logits": {0: "batch"}}
        torch.onnx.export(network, (image,), path, dynamo=False, dynamic_axes=axes, **options)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or NETWORKS:
        create, side = NETWORKS[name]
        torch.manual_seed(0)
        network = create()
        # Statistics of pictures, without which activations of random weights die out or blow up.
        for module in network.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                module.momentum = None
        network.train()
        with torch.no_grad():
            network(torch.rand(16, 3, side, side))
        network.eval()
        image = torch.rand(2, 3, side, side)
        # What float32 rounds away, in whatever engine.
        with torch.no_grad():
            exact = copy.deepcopy(network).double()(image.double())
        for exporter in ["torchscript", "dynamo"]:
            label = f"{name}.{exporter}"
            try:
                export(network, image, str(folder / f"{label}.onnx"), exporter)
                session = onnxruntime.InferenceSession(folder / f"{label}.onnx", providers=["CPUExecutionProvider"])
                logits = session.run(None, {"input": image.numpy()})[0]
            except Exception as error:
                print(label, "is not exported:", str(error)[:300])
                continue
            record = {
                "network": name,
                "exporter": exporter,
                "torch": torch.__version__,
                "input": image.numpy().ravel().astype(np.float64).tolist(),
                "inputShape": list(image.shape),
                "logits": logits.ravel().astype(np.float64).tolist(),
                "exact": exact.ravel().tolist(),
            }
            (folder / f"{label}.json").write_text(json.dumps(record))
            print(label, np.abs(logits).max())


main()
