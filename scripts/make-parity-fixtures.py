#!/usr/bin/env python3
"""Makes test/parity/*.json: what ONNX Runtime's Python quantizer computes for models of this repository's fixtures.

    python scripts/make-parity-fixtures.py MODELS_FOLDER [OUT_FOLDER]

needs onnx 1.22 and onnxruntime 1.30. MODELS_FOLDER holds cifar10-resnet/ and kws-dscnn/, each with its models and calib.npz.
Settings: min-max calibration in batches of 20, QDQ, u8 asymmetric activations, s8 symmetric weights per channel, int32 biases, optimizations
off while calibrating. Floats are written as float32 bits, so that a comparison within 1 ulp is a comparison of integers.

A file holds, for one model: `opTypes` (what to quantize), `ranges` (tensor -> [min, max], as calibrated), `activations` (tensor ->
[scale, zero point]), `weights` (initializer -> axis, scales, zero points, SHA-256 of the int8 bytes) and `biases` (initializer ->
scales, SHA-256 of the int32 bytes, float values). Of each weight the magnitude of every channel and the first `SLICE` elements are kept too, before
and after, so that the arithmetic can be tested without the model; the comparison of all bytes needs the model in fixtures/.

To compare end to end: calibrate the same model on the same calib.npz with min-max and quantize with `opTypes`; `ranges` may then differ by 1 ulp,
because ONNX Runtime may sum in another order with other threads or batches; from these, scales by 1 ulp. All else must be equal.
"""
import base64
import hashlib
import json
import struct
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.calibrate import create_calibrator

MODELS = [
    ("cifar10-resnet", "model-dynamo.onnx", ["Conv", "Gemm", "Relu", "Add"]),
    ("cifar10-resnet", "model.onnx", ["Conv", "Gemm"]),
    ("kws-dscnn", "model-fused.onnx", ["Conv", "Gemm", "Relu", "GlobalAveragePool", "Flatten"]),
]
BATCH = 20
SLICE = 600


class Reader(CalibrationDataReader):
    def __init__(self, path):
        data = np.load(path)
        names = [name for name in data.files if name != "labels"]
        count = len(data[names[0]])
        self.batches = iter([{n: data[n][i : i + BATCH] for n in names} for i in range(0, count, BATCH)])

    def get_next(self):
        return next(self.batches, None)


def bits(values):
    return [struct.unpack("<I", struct.pack("<f", float(v)))[0] for v in np.asarray(values, np.float32).ravel()]


def sha(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def calibrate(source, data, op_types, folder):
    augmented = str(Path(folder) / "augmented.onnx")
    calibrator = create_calibrator(source, op_types, augmented_model_path=augmented, calibrate_method=CalibrationMethod.MinMax)
    calibrator.collect_data(Reader(data))
    return {name: [np.float32(v.range_value[0]).item(), np.float32(v.range_value[1]).item()] for name, v in calibrator.compute_data().data.items()}


def fixture(folder, model_name, op_types):
    source = str(folder / model_name)
    with tempfile.TemporaryDirectory() as scratch:
        inferred = str(Path(scratch) / "inferred.onnx")
        onnx.save(onnx.shape_inference.infer_shapes(onnx.load(source)), inferred)
        target = str(Path(scratch) / "quantized.onnx")
        ranges = calibrate(inferred, folder / "calib.npz", op_types, scratch)
        quantize_static(
            inferred,
            target,
            Reader(folder / "calib.npz"),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=op_types,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
        quantized = onnx.load(target)
    floats = {i.name: numpy_helper.to_array(i) for i in onnx.load(source).graph.initializer}
    constants = {i.name: numpy_helper.to_array(i) for i in quantized.graph.initializer}
    activations, weights, biases = {}, {}, {}
    for node in quantized.graph.node:
        if node.op_type == "QuantizeLinear":
            name = node.input[1].removesuffix("_scale")
            activations[name] = [bits(constants[node.input[1]])[0], int(constants[node.input[2]])]
        if node.op_type == "DequantizeLinear" and node.input[0] in constants:
            name = node.input[0].removesuffix("_quantized")
            data, scale = constants[node.input[0]], constants[node.input[1]]
            axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
            if data.dtype == np.int8:
                weights[name] = {
                    "axis": axis,
                    "scales": bits(scale),
                    "zeroPoints": sorted({int(v) for v in np.ravel(constants[node.input[2]])}),
                    "sha256": sha(data),
                    "dims": list(data.shape),
                    "magnitudes": bits(np.abs(np.moveaxis(floats[name], axis, 0)).reshape(data.shape[axis], -1).max(axis=1)),
                    "slice": base64.b64encode(floats[name].ravel()[:SLICE].astype("<f4").tobytes()).decode(),
                    "quantizedSlice": base64.b64encode(data.ravel()[:SLICE].tobytes()).decode(),
                }
            else:
                biases[name] = {"scales": bits(scale), "sha256": sha(data), "values": bits(floats[name])}
    return {
        "model": f"{folder.name}/{model_name}",
        "sourceSha256": hashlib.sha256(Path(source).read_bytes()).hexdigest(),
        "opTypes": op_types,
        "batch": BATCH,
        "ranges": {name: bits(value) for name, value in ranges.items()},
        "activations": activations,
        "weights": weights,
        "biases": biases,
    }


def main():
    models = Path(sys.argv[1])
    out = Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parent.parent / "test" / "parity")
    out.mkdir(parents=True, exist_ok=True)
    for folder, model, op_types in MODELS:
        result = fixture(models / folder, model, op_types)
        path = out / f"{folder}-{Path(model).stem}.generated.json"
        path.write_text(json.dumps(result, sort_keys=True, separators=(",", ":")) + "\n")
        print(path, path.stat().st_size, len(result["activations"]), len(result["weights"]), len(result["biases"]))


main()
