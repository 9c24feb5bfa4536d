# Triton's Python backend in the place of its C++ onnxruntime backend: copied to backends/onnxruntime/model.py, it loads and
# runs the model file of the version that is served.
#
# It refuses what the C++ backend refuses when a model is loaded: number, names, types and shapes of inputs and outputs
# against the ONNX file, with the rules for batches, reshape, scalars, ragged and optional inputs; sequence controls and
# states; the parameters and execution accelerators that it reads. It completes a configuration without inputs or outputs.
# As there, a file that is absent is an error of the load, and model.onnx may be a folder.
#
# Not covered: GPUs and every option of an execution provider (openvino is accepted and runs on the CPU provider); implicit
# state (a state is read but never written back); batch_input and batch_output; BF16 tensors in requests; a global thread
# pool; cc_model_filenames; completion when the server gives no --model-repository on its command line, or for an older
# version than the latest.
import json
import os

import numpy as np
import onnxruntime
import triton_python_backend_utils as pb_utils

TYPES = {
    "tensor(bool)": "TYPE_BOOL",
    "tensor(uint8)": "TYPE_UINT8",
    "tensor(uint16)": "TYPE_UINT16",
    "tensor(uint32)": "TYPE_UINT32",
    "tensor(uint64)": "TYPE_UINT64",
    "tensor(int8)": "TYPE_INT8",
    "tensor(int16)": "TYPE_INT16",
    "tensor(int32)": "TYPE_INT32",
    "tensor(int64)": "TYPE_INT64",
    "tensor(float16)": "TYPE_FP16",
    "tensor(float)": "TYPE_FP32",
    "tensor(double)": "TYPE_FP64",
    "tensor(string)": "TYPE_STRING",
    "tensor(bfloat16)": "TYPE_BF16",
}
# Value of optimization.graph.level: every other number, 0 included, is the default.
LEVELS = {
    -1: onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    1: onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    2: onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
}
BOOLEANS = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}
FALSE_TRUE = {"int32_false_true": "TYPE_INT32", "fp32_false_true": "TYPE_FP32", "bool_false_true": "TYPE_BOOL"}


class Refusal(Exception):
    pass


def integers(values):
    """64-bit numbers of a configuration may be strings."""
    return [int(value) for value in values]


def parameter(config, name):
    entry = config.get("parameters", {}).get(name)
    return None if entry is None else entry.get("string_value", "")


def integer_parameter(config, name):
    text = parameter(config, name)
    if text is None:
        return 0
    digits = ""
    for character in text.strip():
        if not (character.isdigit() or (digits == "" and character in "+-")):
            break
        digits += character
    if digits.strip("+-") == "":
        raise Refusal(f"failed to convert '{text}' to integral number")
    return int(digits)


def boolean_parameter(config, name):
    text = parameter(config, name)
    if text is None:
        return None
    if text.lower() not in BOOLEANS:
        raise Refusal(f"failed to convert '{text}' to boolean")
    return BOOLEANS[text.lower()]


def session_options(config, kind):
    options = onnxruntime.SessionOptions()
    optimization = config.get("optimization", {})
    level = int(optimization.get("graph", {}).get("level", 0))
    if level in LEVELS:
        options.graph_optimization_level = LEVELS[level]
    mode = integer_parameter(config, "execution_mode")
    if mode not in (0, 1):
        raise Refusal(f"execution_mode must be 0 or 1, not {mode}")
    if mode == 1:
        options.execution_mode = onnxruntime.ExecutionMode.ORT_PARALLEL
    intra = integer_parameter(config, "intra_op_thread_count")
    inter = integer_parameter(config, "inter_op_thread_count")
    # Several instances share the few cores of a test machine: one thread, unless the configuration gives a number.
    options.intra_op_num_threads = intra if intra > 0 else 1
    if inter > 0:
        options.inter_op_num_threads = inter
    arena = boolean_parameter(config, "enable_mem_arena")
    if arena is not None:
        options.enable_cpu_mem_arena = arena
    pattern = boolean_parameter(config, "enable_mem_pattern")
    if pattern is not None:
        options.enable_mem_pattern = pattern
    allocator = parameter(config, "session.use_device_allocator_for_initializers")
    if allocator is not None:
        options.add_session_config_entry("session.use_device_allocator_for_initializers", allocator)
    if kind != "GPU":
        for accelerator in optimization.get("execution_accelerators", {}).get("cpu_execution_accelerator", []):
            if accelerator.get("name") != "openvino":
                raise Refusal(f"unknown Execution Accelerator '{accelerator.get('name', '')}' is requested")
    for library in config.get("model_operations", {}).get("op_library_filename", []):
        options.register_custom_ops_library(library)
    return options


def model_path(folder, version, config):
    path = os.path.join(folder, str(version), config.get("default_model_filename") or "model.onnx")
    if os.path.isdir(path):
        path = os.path.join(path, "model.onnx")
    if not os.path.exists(path):
        raise Refusal(f"unable to find '{path}' for model instance '{config['name']}'")
    return path


def open_session(path, config, kind):
    return onnxruntime.InferenceSession(path, session_options(config, kind), providers=["CPUExecutionProvider"])


class Tensor:
    """What the ONNX file says of an input or output; -1 for every size that is not a number."""

    def __init__(self, value):
        if not value.type.startswith("tensor("):
            raise Refusal(f"Unsupported ONNX Type '{value.type}' for I/O '{value.name}', expected a tensor")
        self.name = value.name
        self.type = TYPES.get(value.type, "TYPE_INVALID")
        self.dims = [size if isinstance(size, int) and size >= 0 else -1 for size in value.shape]


def by_name(values):
    tensors = [Tensor(value) for value in values]
    return {tensor.name: tensor for tensor in tensors}


def configured_dims(io):
    reshape = io.get("reshape")
    return integers(io.get("dims", []) if reshape is None else reshape.get("shape", []))


def check_type(model, kind, io, tensor):
    given = io.get("data_type", "TYPE_INVALID")
    if given not in TYPES.values():
        raise Refusal(f"unsupported datatype {given} for {kind} '{io['name']}' for model '{model}'")
    if given != tensor.type:
        raise Refusal(
            f"unable to load model '{model}', configuration expects datatype {given} for {kind} '{io['name']}', "
            f"model provides {tensor.type}"
        )


def check_dims(model, tensor, dims, max_batch_size, exact):
    if not tensor.dims:
        if any(size != 1 for size in dims):
            raise Refusal(
                f"unable to load model '{model}', scalar tensor '{tensor.name}', should only provide 1 in the model "
                f"configuration when the model doesn't support batching. Model configuration provided: {dims}."
            )
        return
    if max_batch_size > 0 and tensor.dims[0] != -1:
        raise Refusal(
            f"model '{model}', tensor '{tensor.name}': for the model to support batching the shape should have at least "
            f"1 dimension and the first dimension must be -1; but shape expected by the model is {tensor.dims}"
        )
    full = [-1, *dims] if max_batch_size > 0 else dims
    fits = len(full) == len(tensor.dims) and all(
        size == given or (size == -1 and not exact) for size, given in zip(tensor.dims, full)
    )
    if not fits:
        whole = " (with the batch dimension of max_batch_size > 0)" if max_batch_size > 0 else ""
        raise Refusal(
            f"model '{model}', tensor '{tensor.name}': the model expects {len(tensor.dims)} dimensions (shape "
            f"{tensor.dims}) but the model configuration specifies {len(full)} dimensions (shape {full}){whole}"
        )


def sequence_control(model, batching, kind):
    """Name and type of the tensor of a control, or None."""
    found = None
    for entry in batching.get("control_input", []):
        for control in entry.get("control", []):
            if control.get("kind", "CONTROL_SEQUENCE_START") != kind:
                continue
            given = [name for name in FALSE_TRUE if control.get(name)]
            if kind == "CONTROL_SEQUENCE_CORRID":
                found = entry["name"], control.get("data_type", "TYPE_INVALID")
            elif len(given) == 1:
                found = entry["name"], FALSE_TRUE[given[0]]
            else:
                raise Refusal(f"sequence batching must specify one of {', '.join(FALSE_TRUE)} for {kind} for {model}")
    return found


def check_control(model, control, inputs, max_batch_size):
    name, data_type = control
    if name not in inputs:
        raise Refusal(f"configuration specified sequence control '{name}', but model does not provide that input")
    tensor = inputs[name]
    dims = tensor.dims[1:] if max_batch_size > 0 else tensor.dims
    if dims != [1]:
        raise Refusal(
            f"unable to load model '{model}', sequence control '{name}' in model has dims {dims} but dims [1] is expected"
        )
    if data_type != tensor.type:
        raise Refusal(
            f"unable to load model '{model}', sequence control '{name}', the model expects data-type {tensor.type} but "
            f"the model configuration specifies data-type {data_type}"
        )


def check_inputs(model, config, session):
    given = config.get("input", [])
    max_batch_size = config.get("max_batch_size", 0)
    inputs = by_name(session.get_inputs())
    expected = len([io for io in given if not io.get("optional")]) + len(config.get("batch_input", []))
    batching = config.get("sequence_batching")
    if batching is not None:
        kinds = ("START", "END", "READY", "CORRID")
        controls = [sequence_control(model, batching, f"CONTROL_SEQUENCE_{kind}") for kind in kinds]
        for control in controls:
            if control is not None:
                check_control(model, control, inputs, max_batch_size)
                expected += 1
        expected += len(batching.get("state", []))
    if len(inputs) != expected:
        raise Refusal(
            f"unable to load model '{model}', configuration expects {expected} inputs, model provides {len(inputs)}"
        )
    inputs.update(by_name(session.get_overridable_initializers()))
    for io in given:
        name = io["name"]
        optional = io.get("optional", False)
        if optional and max_batch_size != 0:
            raise Refusal(
                f"unable to load model '{model}', optional input '{name}' is not supported for models that support batching"
            )
        if name not in inputs:
            raise Refusal(f"unexpected inference input '{name}', allowed inputs are: {', '.join(sorted(inputs))}")
        tensor = inputs[name]
        check_type(model, "input", io, tensor)
        if io.get("allow_ragged_batch"):
            if optional or tensor.dims != [-1]:
                raise Refusal(
                    f"unable to load model '{model}', configuration expects model provides input with shape [-1] for "
                    f"ragged input '{name}', model provides {tensor.dims}"
                )
        else:
            check_dims(model, tensor, configured_dims(io), max_batch_size, exact=False)


def check_outputs(model, config, session):
    outputs = by_name(session.get_outputs())
    scattered = {name for output in config.get("batch_output", []) for name in output.get("target_name", [])}
    for io in config.get("output", []):
        name = io["name"]
        if name not in outputs:
            raise Refusal(f"unexpected inference output '{name}', allowed outputs are: {', '.join(sorted(outputs))}")
        check_type(model, "output", io, outputs[name])
        if name not in scattered:
            check_dims(model, outputs[name], configured_dims(io), config.get("max_batch_size", 0), exact=True)
    for state in config.get("sequence_batching", {}).get("state", []):
        name = state.get("output_name", "")
        if name not in outputs:
            raise Refusal(f"unexpected inference output '{name}', allowed outputs are: {', '.join(sorted(outputs))}")
        check_type(model, "output state", {"name": name, **state}, outputs[name])


def server_arguments():
    with open(f"/proc/{os.getppid()}/cmdline", "rb") as file:
        return file.read().decode().split("\0")


def repository_folder(name):
    """The folder of a model, by the command line of the server that started this process."""
    arguments = server_arguments()
    for index, argument in enumerate(arguments):
        option, _, value = argument.partition("=")
        if option in ("--model-repository", "--model-store"):
            folder = os.path.join(value or arguments[index + 1], name)
            if os.path.isdir(folder):
                return folder
    raise Refusal(f"cannot find the folder of model '{name}' from the command line of the server")


def latest_version(folder):
    versions = [int(entry) for entry in os.listdir(folder) if entry.isdigit()]
    if not versions:
        raise Refusal(f"there is no version in '{folder}'")
    return max(versions)


def completed_io(tensor, max_batch_size):
    dims = tensor.dims[1:] if max_batch_size > 0 else tensor.dims
    io = {"name": tensor.name, "data_type": tensor.type, "dims": dims or [1]}
    return {**io, "reshape": {"shape": []}} if not dims and max_batch_size > 0 else io


def default_max_batch_size():
    """Given by --backend-config=onnxruntime,default-max-batch-size=N, or for all backends; Triton's default is 4."""
    found = 4
    for argument in server_arguments():
        name, separator, value = argument.rpartition("default-max-batch-size=")
        if separator and name in ("--backend-config=", "--backend-config=onnxruntime,"):
            found = int(value)
    return found


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(auto_complete_model_config):
        config = auto_complete_model_config.as_dict()
        has_inputs = len(config.get("input", [])) + len(config.get("batch_input", [])) > 0
        if has_inputs and config.get("output", []):
            return auto_complete_model_config
        folder = repository_folder(config["name"])
        session = open_session(model_path(folder, latest_version(folder), config), config, "CPU")
        inputs = by_name(session.get_inputs())
        outputs = by_name(session.get_outputs())
        batchable = all(tensor.dims[:1] == [-1] for tensor in [*inputs.values(), *outputs.values()])
        max_batch_size = config.get("max_batch_size", 0)
        if not batchable and max_batch_size != 0:
            raise Refusal(
                f"autofill failed for model '{config['name']}': model does not support batching while non-zero "
                "max_batch_size is specified"
            )
        if batchable:
            if max_batch_size == 0:
                max_batch_size = default_max_batch_size()
                auto_complete_model_config.set_max_batch_size(max_batch_size)
            if max_batch_size > 1 and "sequence_batching" not in config and "dynamic_batching" not in config:
                auto_complete_model_config.set_dynamic_batching()
        if not has_inputs:
            for tensor in inputs.values():
                auto_complete_model_config.add_input(completed_io(tensor, max_batch_size))
        if not config.get("output", []):
            for tensor in outputs.values():
                auto_complete_model_config.add_output(completed_io(tensor, max_batch_size))
        return auto_complete_model_config

    def initialize(self, args):
        self.config = json.loads(args["model_config"])
        model = self.config["name"]
        path = model_path(args["model_repository"], args["model_version"], self.config)
        self.session = open_session(path, self.config, args["model_instance_kind"])
        check_inputs(model, self.config, self.session)
        check_outputs(model, self.config, self.session)
        self.batches = self.config.get("max_batch_size", 0) > 0
        self.inputs = by_name(self.session.get_inputs())
        self.scalar_outputs = {
            io["name"]: configured_dims(io)
            for io in self.config.get("output", [])
            if not by_name(self.session.get_outputs())[io["name"]].dims
        }

    def execute(self, requests):
        """One run for all requests of a batch, as the C++ backend does it."""
        try:
            if not self.batches:
                return [self.respond(request, self.run(self.feeds(request))) for request in requests]
            feeds = [self.feeds(request) for request in requests]
            sizes = [request.inputs()[0].shape()[0] for request in requests]
            outputs = self.run({name: self.stacked([feed[name] for feed in feeds]) for name in feeds[0]})
            for name, value in outputs.items():
                if value.ndim == 0 and sum(sizes) == 1:
                    outputs[name] = value.reshape(self.scalar_outputs.get(name, [1]))
                elif value.ndim == 0 or len(value) != sum(sizes):
                    raise Refusal(f"output '{name}' has shape {value.shape} for a batch of {sum(sizes)}")
            ends = np.cumsum(sizes)
            return [
                self.respond(request, {name: value[end - size : end] for name, value in outputs.items()})
                for request, size, end in zip(requests, sizes, ends)
            ]
        except Exception as error:
            failure = pb_utils.TritonError(f"onnx runtime error: {error}")
            return [pb_utils.InferenceResponse(error=failure) for _ in requests]

    def feeds(self, request):
        feeds = {}
        for tensor in request.inputs():
            value = tensor.as_numpy()
            if value.dtype == object:
                value = np.array([text.decode() for text in value.flat], dtype=object).reshape(value.shape)
            known = self.inputs.get(tensor.name())
            feeds[tensor.name()] = value.reshape(-1)[:1].reshape(()) if known is not None and not known.dims else value
        return feeds

    @staticmethod
    def stacked(values):
        """One tensor for all requests. A scalar is that of the first request, whatever the others have."""
        return np.concatenate(values) if np.ndim(values[0]) > 0 else values[0]

    def run(self, feeds):
        names = [output.name for output in self.session.get_outputs()]
        return dict(zip(names, (np.asarray(value) for value in self.session.run(names, feeds))))

    def respond(self, request, outputs):
        wanted = request.requested_output_names()
        tensors = []
        for name, value in outputs.items():
            if name in wanted:
                shaped = value.reshape(self.scalar_outputs.get(name, value.shape))
                tensors.append(pb_utils.Tensor(name, np.ascontiguousarray(shaped)))
        return pb_utils.InferenceResponse(tensors)
