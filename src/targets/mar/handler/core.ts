/** The part of the handler that every model gets: the session, requests in groups, one response for each request. */
export const CORE_IMPORTS = `import io
import json
import logging
import os

import numpy as np
import onnxruntime as ort
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument
from ts.utils.util import PredictionException
`;

/** Python; constants come before, the functions that read requests and the one that makes response bodies after. */
export const CORE = `
logger = logging.getLogger(__name__)


class OnnxHandler:
    """Runs the model in ONNX Runtime. Requests come in batches, and each gets a response of its own."""

    def __init__(self):
        self.initialized = False
        self.session = None
        self.folder = None
        self.stacked = BATCH == "open"

    def initialize(self, context):
        properties = context.system_properties
        config = getattr(context, "model_yaml_config", None) or {}
        workers = max(1, int(config.get("maxWorkers") or config.get("minWorkers") or 1))
        threads = int((config.get("handler") or {}).get("intraOpThreads") or 0)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads if threads > 0 else max(1, processors() // workers)
        options.inter_op_num_threads = 1
        if workers > 1:
            # Idle threads that spin would take processors from the other workers.
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.folder = properties["model_dir"]
        providers = providers_for(properties.get("gpu_id"))
        self.session = ort.InferenceSession(os.path.join(self.folder, MODEL_FILE), options, providers=providers)
        self.prepare()
        self.initialized = True
        logger.info("ONNX Runtime %s, %s threads, %s", ort.__version__, options.intra_op_num_threads, providers)

    def handle(self, data, context):
        if not self.initialized:
            self.initialize(context)
        return self.postprocess(self.inference(self.preprocess(data)), context)

    def preprocess(self, data):
        """One entry for each request: its tensors, or what is wrong with it."""
        requests = []
        for row in data:
            try:
                requests.append(shaped(self.read(row)))
            except PredictionException as problem:
                requests.append({"error": (problem.error_code, problem.message)})
        return self.aligned(requests)

    def inference(self, requests):
        """Runs requests of equal shapes together where the model has an open batch, and each alone otherwise."""
        groups = {}
        for index, request in enumerate(requests):
            if "error" in request:
                continue
            key = tuple(request["feeds"][spec["name"]].shape[1:] for spec in INPUTS) if self.stacked else index
            groups.setdefault(key, []).append(request)
        for group in groups.values():
            if len(group) == 1 or not self.run_together(group):
                for request in group:
                    self.run_alone(request)
        return requests

    def run_together(self, group):
        """False where requests must be run one by one: to find the wrong one, or as the outputs have no batch."""
        total = sum(request["rows"] for request in group)
        names = group[0]["feeds"]
        try:
            outputs = self.session.run(None, {n: np.concatenate([r["feeds"][n] for r in group]) for n in names})
        except MemoryError:
            raise
        except Exception as problem:
            logger.info("A batch of %s failed and is run one by one: %s", len(group), problem)
            return False
        if any(length(output) != total for output in outputs):
            logger.warning("The outputs do not have the batch of the inputs: requests are run one by one from now on")
            self.stacked = False
            return False
        start = 0
        for request in group:
            end = start + request["rows"]
            request["outputs"] = [output[start:end] for output in outputs]
            start = end
        return True

    def run_alone(self, request):
        try:
            request["outputs"] = self.session.run(None, request["feeds"])
        except MemoryError:
            raise
        except InvalidArgument as problem:
            request["error"] = (400, "The model does not accept the request: %s" % first_line(problem))
        except Exception as problem:
            logger.warning("The model failed", exc_info=True)
            request["error"] = (500, "The model failed: %s" % first_line(problem))

    def postprocess(self, requests, context):
        bodies = []
        for index, request in enumerate(requests):
            code, message = request.get("error", (200, ""))
            if code == 200:
                body = self.respond(request)
            else:
                kind = "BadRequest" if code < 500 else "InferenceFailed"
                body = {"code": code, "type": kind, "message": message}
                context.set_response_status(code, "Bad Request" if code == 400 else "Error", index)
            context.set_response_content_type(index, "application/json")
            bodies.append(json.dumps(body, allow_nan=False).encode("utf-8"))
        return bodies

    def respond(self, request):
        outputs = {}
        for spec, output in zip(OUTPUTS, request["outputs"]):
            if request["single"] and length(output) == 1:
                output = output[0]
            outputs[spec["name"]] = plain(output)
        return self.named(outputs, request)
`;

/** Python functions that the class uses. */
export const CORE_FUNCTIONS = `

def processors():
    """Processors that this process may use: affinity, and the quota of its control group."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:
            quota, period = file.read().split()[:2]
        if quota != "max":
            count = min(count, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    return count


def providers_for(gpu):
    """CUDA on the GPU that TorchServe assigns to this worker, if any; the CPU otherwise."""
    if DEVICE == "cpu" or (gpu is None and DEVICE == "auto"):
        return ["CPUExecutionProvider"]
    if gpu is None:
        raise RuntimeError("The package asks for a GPU, but TorchServe has none: check number_of_gpu and nvidia-smi")
    if "CUDAExecutionProvider" in ort.get_available_providers():
        return [("CUDAExecutionProvider", {"device_id": int(gpu)}), "CPUExecutionProvider"]
    if DEVICE == "gpu":
        raise RuntimeError("The package asks for a GPU, but this ONNX Runtime has no CUDA: pip install onnxruntime-gpu")
    logger.warning("ONNX Runtime has no CUDA (pip install onnxruntime-gpu): the model runs on the CPU")
    return ["CPUExecutionProvider"]


def wrong(message):
    """An error of the client, for one request."""
    return PredictionException(message, 400)


def first_line(problem):
    text = str(problem).strip()
    return text.split("\\n")[0][:300]


def length(output):
    """Rows of an output; None for a scalar."""
    if isinstance(output, np.ndarray):
        return output.shape[0] if output.ndim > 0 else None
    return len(output) if isinstance(output, list) else None


def plain(value):
    """A value that JSON can carry; NaN and infinities become null."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            return np.where(np.isfinite(value), value.astype(object), None).tolist()
        return value.tolist()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(np.asarray(value))
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def shaped(feeds):
    """The tensors of a request, each checked against its input. A row without the batch dimension gets one."""
    rows = set()
    singles = set()
    for spec in INPUTS:
        name, shape = spec["name"], spec["shape"]
        array = feeds[name]
        if shape is None:
            continue
        single = BATCH != "whole" and array.ndim == len(shape) - 1
        if single:
            array = array[np.newaxis]
        if array.ndim != len(shape) or any(d is not None and d != size for d, size in zip(shape, array.shape)):
            raise wrong('The input "%s" has the shape %s, the model expects %s' % (name, list(feeds[name].shape), said(shape)))
        feeds[name] = array
        singles.add(single)
        if BATCH != "whole":
            rows.add(array.shape[0])
    if len(singles) > 1:
        raise wrong("Give all inputs with the batch dimension, or all without")
    if len(rows) > 1:
        raise wrong("The inputs have different batch sizes: %s" % sorted(rows))
    if rows == {0}:
        raise wrong("The request has no rows")
    return {"feeds": feeds, "rows": rows.pop() if rows else 1, "single": singles == {True}}


def said(shape):
    text = "[%s]" % ", ".join("?" if size is None else str(size) for size in shape)
    return text if BATCH == "whole" else "%s, or one row of it" % text
`;
