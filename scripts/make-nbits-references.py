#!/usr/bin/env python3
"""Writes test/quantize/nbits/references.json: matrices, and what ONNX Runtime's Python makes of them in 2, 4 and 8 bits.

`packed` is ONNX Runtime's own quantizer (MatMulNBitsQuantizer with DefaultWeightOnlyQuantConfig, in its operator and its Q/DQ form, and its
quantizer of Gather tables). HQQ, GPTQ and AWQ are plain NumPy here, written from the papers, to be held against up to float noise.

    python3 -m venv venv && venv/bin/pip install numpy onnx onnxruntime && venv/bin/python scripts/make-nbits-references.py
"""
import base64
import json
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer
from onnxruntime.quantization.quant_utils import QuantFormat

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = os.path.join(HERE, "..", "test", "quantize", "nbits", "references.json")


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def model_of(weights, op):
    initializer = numpy_helper.from_array(weights, "w")
    if op == "MatMul":
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", weights.shape[0]])]
        node = helper.make_node("MatMul", ["x", "w"], ["y"], name="layer")
    else:
        inputs = [helper.make_tensor_value_info("x", TensorProto.INT64, ["n"])]
        node = helper.make_node("Gather", ["w", "x"], ["y"], name="layer")
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "g", inputs, [output], [initializer])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def quantized(weights, op, bits, block, symmetric, form):
    config = DefaultWeightOnlyQuantConfig(
        block_size=block,
        is_symmetric=symmetric,
        quant_format=form,
        op_types_to_quantize=(op,),
        quant_axes=((op, 0 if op == "MatMul" else 1),),
        bits=bits,
    )
    quantizer = MatMulNBitsQuantizer(model_of(weights, op), algo_config=config)
    quantizer.process()
    made = {tensor.name: tensor for tensor in quantizer.model.model.graph.initializer}
    find = lambda part: next((tensor for name, tensor in made.items() if part in name), None)
    codes, scales, zeros = find("_Q"), find("_scales"), find("_zero_points")
    case = {"codes": text(np.frombuffer(codes.raw_data, np.uint8)), "scales": text(numpy_helper.to_array(scales))}
    if zeros is not None:
        case["zeroPoints"] = text(np.frombuffer(zeros.raw_data, np.uint8))
    return case


def matrices(rng):
    yield "normal", rng.normal(size=(96, 12))
    yield "padded", rng.normal(size=(50, 9))
    yield "odd", rng.normal(size=(83, 7))
    # Halves, and extremes of equal magnitude on both sides.
    yield "grid", rng.integers(-64, 65, (96, 10)) / 64
    yield "positive", np.abs(rng.normal(size=(64, 5)))
    yield "zeros", rng.normal(size=(96, 8)) * (rng.random((96, 8)) > 0.97)
    yield "half", rng.normal(size=(80, 6)).astype(np.float16)
    yield "tiny", rng.normal(size=(64, 4)) * 1e-38


def half_even_codes(weights, scales, zeros, block, bits):
    blocks = np.arange(weights.shape[1]) // block
    return np.clip(np.rint(weights / scales[:, blocks]) + zeros[:, blocks], 0, 2**bits - 1)


def hqq(weights, bits, block, norm=0.7, beta=10.0, kappa=1.01, iterations=20):
    """Half-quadratic zero points of [outputs, inputs], block by block: the iteration with the least mean error, rounded to a code."""
    outputs, inputs = weights.shape
    top, count = 2**bits - 1, inputs // block
    scales, zeros = np.zeros((outputs, count)), np.zeros((outputs, count))
    for n in range(outputs):
        for b in range(count):
            x = weights[n, b * block : (b + 1) * block].astype(np.float64)
            inverse = min(2e4, 1.0 if x.max() == x.min() else top / (x.max() - x.min()))
            zero = np.rint(-x.min() * inverse)
            best, best_zero, step = np.inf, zero, beta
            for _ in range(iterations):
                codes = np.clip(np.rint(x * inverse + zero), 0, top)
                rest = x - (codes - zero) / inverse
                error = np.abs(rest).sum()
                if not error < best:
                    break
                best, best_zero = error, zero
                shrunk = np.sign(rest) * np.maximum(0, np.abs(rest) - (np.abs(rest) + 1e-8) ** (norm - 1) / step)
                zero = np.mean(codes - (x - shrunk) * inverse)
                step *= kappa
            scales[n, b] = 1 / inverse
            zeros[n, b] = np.clip(np.rint(best_zero), 0, top)
    return scales, zeros


def searched(weights, bits, block, importance):
    """Symmetric scales of least weighted squared error of [outputs, inputs]: 19 beside that of round-to-nearest, each fitted to its codes."""
    outputs, inputs = weights.shape
    middle, count = 2 ** (bits - 1), inputs // block
    scales = np.zeros((outputs, count))
    for n in range(outputs):
        for b in range(count):
            x = weights[n, b * block : (b + 1) * block].astype(np.float64)
            weight = importance[b * block : (b + 1) * block]
            extreme = x.max() if abs(x.max()) > abs(x.min()) else x.min()
            codes = lambda inverse: np.clip(np.rint(x * inverse) + middle, 0, 2**bits - 1) - middle
            gain = lambda scale, q: scale * (2 * (weight * x * q).sum() - scale * (weight * q * q).sum())
            scales[n, b] = np.float32(np.float32(extreme) / np.float32(-middle))
            most = gain(scales[n, b], codes(1 / scales[n, b]))
            for step in range(-9, 10):
                q = codes(-(middle + 0.1 * step) / extreme)
                square = (weight * q * q).sum()
                fitted = np.float64(np.float32((weight * x * q).sum() / square)) if square > 0 else 0
                if fitted != 0 and gain(fitted, q) > most:
                    most, scales[n, b] = gain(fitted, q), fitted
    return scales


def gptq(weights, gram, bits, block, damping=0.01):
    """Weights of [outputs, inputs] as GPTQ leaves them, input by input: the most active first, on grids found beforehand."""
    outputs, inputs = weights.shape
    middle, top = 2 ** (bits - 1), 2**bits - 1
    hessian = gram + damping * np.mean(np.diag(gram)) * np.eye(inputs)
    scales = searched(weights, bits, block, np.diag(hessian))
    order = np.argsort(-np.diag(gram), kind="stable")
    upper = np.linalg.cholesky(np.linalg.inv(hessian[np.ix_(order, order)])).T
    left = weights[:, order].astype(np.float64)
    done = np.zeros((outputs, inputs))
    for i, place in enumerate(order):
        scale = scales[:, place // block]
        codes = np.clip(np.rint(left[:, i] / scale) + middle, 0, top)
        done[:, place] = (codes - middle) * scale
        error = (left[:, i] - done[:, place]) / upper[i, i]
        left[:, i:] -= np.outer(error, upper[i, i:])
    return done


def nearest(weights, bits, block):
    """Symmetric round-to-nearest of [outputs, inputs]: the value of largest magnitude gets the code at the end of the range."""
    outputs, inputs = weights.shape
    middle = 2 ** (bits - 1)
    blocks = weights.reshape(outputs, inputs // block, block).astype(np.float32)
    least, most = blocks.min(2), blocks.max(2)
    scales = np.where(np.abs(most) > np.abs(least), most, least) / np.float32(-middle)
    exact = blocks * (np.float32(1) / scales)[:, :, None] + np.float32(middle)
    codes = np.clip(np.floor(np.abs(exact) + np.float32(0.5)) * np.sign(exact), 0, 2**bits - 1)
    return ((codes - middle) * scales[:, :, None]).reshape(outputs, inputs)


def awq(layers, magnitudes, bits, block):
    """Factors of inputs that layers share, magnitude^alpha, as AWQ searches them: noise over signal of the outputs for 21 exponents."""
    floor = np.maximum(magnitudes, magnitudes.max() * 1e-4)
    noise = []
    for step in range(21):
        factors = floor ** (step / 20)
        factors /= np.sqrt(factors.max() * factors.min())
        total = 0
        for weights, gram in layers:
            change = nearest((weights * factors).astype(np.float32), bits, block) / factors - weights
            total += np.einsum("ni,ij,nj->", change, gram, change) / np.einsum("ni,ij,nj->", weights, gram, weights)
        noise.append(total / len(layers))
    alpha = int(np.argmin(noise)) / 20
    factors = floor**alpha
    return alpha, factors / np.sqrt(factors.max() * factors.min()), noise


def methods(rng):
    """Matrices with what HQQ and GPTQ make of them. What the layer reads has channels that belong together, of different size."""
    weights = np.ascontiguousarray(rng.standard_t(5, size=(24, 96)), np.float32) / 16
    data = rng.normal(size=(400, 96)) @ (np.eye(96) + rng.normal(size=(96, 96)) / 8) * np.exp(rng.normal(size=96))
    gram = data.T @ data
    case = {"outputs": 24, "inputs": 96, "weights": text(weights), "gram": text(gram)}
    case["hqq"] = []
    case["gptq"] = []
    for bits, block in ((4, 32), (2, 16), (8, 32)):
        scales, zeros = hqq(weights, bits, block)
        codes = half_even_codes(weights.astype(np.float64), scales, zeros, block, bits)
        blocks = np.arange(96) // block
        values = ((codes - zeros[:, blocks]) * scales[:, blocks]).astype(np.float32)
        case["hqq"].append({"bits": bits, "block": block, "values": text(values)})
        case["gptq"].append({"bits": bits, "block": block, "values": text(gptq(weights, gram, bits, block).astype(np.float32))})
    # Three layers of one input, as the projections of attention are; the first is that of before.
    magnitudes = np.abs(data).mean(0)
    layers = [(weights.astype(np.float64), gram)]
    layers += [(np.ascontiguousarray(rng.standard_t(5, size=(16, 96)), np.float32).astype(np.float64) / 16, gram) for _ in range(2)]
    case["awq"] = {
        "magnitudes": text(magnitudes),
        "layers": [text(layer.astype(np.float32)) for layer, _ in layers],
        "cases": [],
    }
    for bits, block in ((4, 32), (2, 16), (8, 32)):
        alpha, factors, noise = awq(layers, magnitudes, bits, block)
        case["awq"]["cases"].append({"bits": bits, "block": block, "alpha": alpha, "factors": text(factors), "noise": text(np.array(noise))})
    return case


def main():
    rng = np.random.default_rng(20)
    cases = []
    for name, made in matrices(rng):
        weights = np.ascontiguousarray(made, np.float32)
        case = {"name": name, "inputs": weights.shape[0], "outputs": weights.shape[1], "weights": text(weights)}
        case["packed"] = [
            {"bits": bits, "block": block, "symmetric": symmetric}
            | quantized(weights, "MatMul", bits, block, symmetric, QuantFormat.QOperator)
            for bits in (2, 4, 8)
            for block in (16, 32)
            for symmetric in (True, False)
        ]
        case["pairs"] = [
            {"bits": 4, "block": block, "symmetric": symmetric}
            | quantized(weights, "MatMul", 4, block, symmetric, QuantFormat.QDQ)
            for block in (16, 32)
            for symmetric in (True, False)
        ]
        table = np.ascontiguousarray(weights.T)
        case["tables"] = [
            {"bits": 4, "block": 16, "symmetric": symmetric}
            | quantized(table, "Gather", 4, 16, symmetric, QuantFormat.QOperator)
            for symmetric in (True, False)
        ]
        cases.append(case)
    with open(TARGET, "w", encoding="utf-8") as file:
        json.dump({"cases": cases, "methods": methods(np.random.default_rng(7))}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
