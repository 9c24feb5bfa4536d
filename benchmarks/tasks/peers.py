"""The peers' side of the benchmarks: `peers.py TASK MODEL OUTPUT [SAMPLES]`.

ONNX Runtime documents two steps, `quant_pre_process` and then `quantize_*`; a task ending in `-bare` is the second alone.
"""

import logging
import os
import sys
import tempfile


def prepared(model, folder):
    from onnxruntime.quantization.shape_inference import quant_pre_process

    path = os.path.join(folder, "prepared.onnx")
    quant_pre_process(model, path)
    return path


def after_preparation(task):
    def run(model, output, *samples):
        with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(output))) as folder:
            task(prepared(model, folder), output, *samples)

    return run


def load_save(model, output):
    import onnx

    onnx.save(onnx.load(model), output)


def quantize_dynamic(model, output):
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(model, output, weight_type=QuantType.QInt8, per_channel=True)


def float16(model, output):
    import onnx
    from onnxconverter_common import float16

    onnx.save(float16.convert_float_to_float16(onnx.load(model), keep_io_types=True), output)


def quantize_int4(model, output, operators=("MatMul", "Gather")):
    import onnx
    from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer

    config = DefaultWeightOnlyQuantConfig(block_size=32, is_symmetric=True, op_types_to_quantize=operators)
    quantizer = MatMulNBitsQuantizer(onnx.load(model), algo_config=config)
    quantizer.process()
    quantizer.model.save_model_to_file(output, False)


def quantize_static(model, output, samples, method="MinMax"):
    import numpy
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self):
            array = numpy.load(samples)
            self.samples = iter([{"x": array[i : i + 1]} for i in range(len(array))])

        def get_next(self):
            return next(self.samples, None)

    quantize_static(
        model,
        output,
        Reader(),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        calibrate_method=CalibrationMethod[method],
    )


def onnxsim(model, output):
    import onnx
    import onnxsim

    onnx.save(onnxsim.simplify(onnx.load(model))[0], output)


def onnxslim(model, output):
    import onnx
    import onnxslim

    onnx.save(onnxslim.slim(onnx.load(model)), output)


TASKS = {
    "load-save": load_save,
    "quantize-dynamic": after_preparation(quantize_dynamic),
    "quantize-dynamic-bare": quantize_dynamic,
    "float16": float16,
    "quantize-int4": quantize_int4,
    "quantize-int4-products": lambda *files: quantize_int4(*files, operators=("MatMul",)),
    "quantize-static": after_preparation(quantize_static),
    "quantize-static-bare": quantize_static,
    "quantize-static-percentile": lambda *files: quantize_static(*files, method="Percentile"),
    "quantize-static-entropy": lambda *files: quantize_static(*files, method="Entropy"),
    "onnxsim": onnxsim,
    "onnxslim": onnxslim,
}

if __name__ == "__main__":
    logging.disable(logging.WARNING)
    TASKS[sys.argv[1]](*sys.argv[2:])
