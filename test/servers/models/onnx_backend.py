# Triton's Python backend in the place of its onnxruntime backend: runs the model.onnx of the version that is served.
import os

import numpy as np
import onnxruntime
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        path = os.path.join(args["model_repository"], args["model_version"], "model.onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def execute(self, requests):
        names = [output.name for output in self.session.get_outputs()]
        responses = []
        for request in requests:
            feeds = {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
            outputs = self.session.run(names, feeds)
            tensors = [pb_utils.Tensor(name, np.ascontiguousarray(value)) for name, value in zip(names, outputs)]
            responses.append(pb_utils.InferenceResponse(tensors))
        return responses
