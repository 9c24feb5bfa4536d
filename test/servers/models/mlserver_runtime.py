# An MLServer runtime for an ONNX model.
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse


class OnnxModel(MLModel):
    async def load(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(self.settings.parameters.uri, options)
        return True

    async def predict(self, request):
        feeds = {tensor.name: NumpyCodec.decode_input(tensor) for tensor in request.inputs}
        names = [output.name for output in self.session.get_outputs()]
        outputs = self.session.run(names, feeds)
        encoded = [NumpyCodec.encode_output(name, value) for name, value in zip(names, outputs)]
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=encoded)
