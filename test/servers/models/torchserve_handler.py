# A TorchServe handler for an ONNX model with named inputs: JSON objects of nested lists in, JSON objects out.
import json
import os

import numpy as np
import onnxruntime

TYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64}


class Handler:
    def initialize(self, context):
        folder = context.system_properties.get("model_dir")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = os.path.join(folder, "model.onnx")
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.initialized = True

    def handle(self, data, context):
        answers = []
        names = [output.name for output in self.session.get_outputs()]
        for row in data:
            body = row.get("data") or row.get("body")
            if isinstance(body, (bytes, bytearray)):
                body = json.loads(body)
            feeds = {i.name: np.asarray(body[i.name], TYPES[i.type]) for i in self.session.get_inputs()}
            outputs = self.session.run(names, feeds)
            answers.append({name: value.tolist() for name, value in zip(names, outputs)})
        return answers


_handler = Handler()


def handle(data, context):
    if not getattr(_handler, "initialized", False):
        _handler.initialize(context)
    return None if data is None else _handler.handle(data, context)
