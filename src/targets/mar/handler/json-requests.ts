/** Python functions that read tensors from JSON and .npy bodies; every handler has them. */
export const JSON_FUNCTIONS = `

def body_of(row):
    """The body of a request, or its form fields by name."""
    for key in ("body", "data"):
        if key in row:
            return row[key]
    names = {spec["name"] for spec in INPUTS}
    fields = {name: value for name, value in row.items() if name in names}
    if fields:
        return {name: decoded(value) for name, value in fields.items()}
    raise wrong("The request has no body")


def decoded(value):
    """Bytes as a .npy array or as JSON; what TorchServe decoded already stays as it is."""
    if not isinstance(value, (bytes, bytearray)):
        return value
    if bytes(value[:6]) == b"\\x93NUMPY":
        return npy_array(bytes(value))
    try:
        return json.loads(value.decode("utf-8"))
    except (ValueError, RecursionError):
        raise wrong("The body is neither JSON nor a .npy array") from None


def npy_array(data):
    """An array as numpy.save writes it. Its header is checked against the bytes before anything is allocated."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(stream)
        if dtype.hasobject:
            raise ValueError("it holds Python objects")
        count = 1
        for size in shape:
            count *= size
        if count * dtype.itemsize != len(data) - stream.tell():
            raise ValueError("its size does not fit its header")
        array = np.frombuffer(data, dtype=dtype, offset=stream.tell())
        return array.reshape(shape, order="F" if fortran else "C")
    except (ValueError, SyntaxError, TypeError) as problem:
        raise wrong("The .npy array cannot be read: %s" % first_line(problem)) from None


def tensors_of(value):
    """The model's inputs by name, from a decoded body."""
    value = decoded(value)
    names = [spec["name"] for spec in INPUTS]
    if isinstance(value, dict) and "inputs" in value and "inputs" not in names:
        value = value["inputs"]
        if isinstance(value, list) and value and all(isinstance(v, dict) and "name" in v for v in value):
            value = {tensor["name"]: with_shape(tensor) for tensor in value}
    if not isinstance(value, dict):
        if len(names) != 1:
            raise wrong("The model has several inputs: send an object with %s" % ", ".join(names))
        value = {names[0]: value}
    missing = [name for name in names if name not in value]
    if missing:
        raise wrong('The input "%s" is missing; the model expects %s' % (missing[0], ", ".join(names)))
    unknown = [name for name in value if name not in names]
    if unknown:
        raise wrong('The model has no input "%s"; it expects %s' % (str(unknown[0])[:80], ", ".join(names)))
    return {spec["name"]: tensor_of(spec, value[spec["name"]]) for spec in INPUTS}


def with_shape(tensor):
    """A tensor of the Open Inference Protocol: a list with its shape beside."""
    data = tensor.get("data")
    array = np.array(data, dtype=object) if tensor.get("datatype") == "BYTES" else as_array(str(tensor["name"]), data)
    try:
        return array.reshape([int(size) for size in tensor["shape"]]) if "shape" in tensor else array
    except (ValueError, TypeError):
        raise wrong('The input "%s" has %s elements, which do not fit its shape' % (tensor["name"], array.size)) from None


def as_array(name, value):
    if isinstance(value, np.ndarray):
        return value
    try:
        array = np.array(value)
    except (ValueError, OverflowError, TypeError):
        array = None
    if array is None or array.dtype.kind not in "fiubUS":
        raise wrong('The input "%s" is not a tensor: give numbers, or lists of equal length' % name)
    return array


def whole(array):
    """Whether floating-point numbers are whole, and small enough to be exact."""
    return bool((np.isfinite(array) & (array == np.floor(array)) & (np.abs(array) <= 2**53)).all())


def tensor_of(spec, value):
    """An array of the input's type. Numbers that the type cannot hold are refused, not wrapped or cut."""
    name, kind = spec["name"], spec["type"]
    if kind == "string":
        texts = np.array(value, dtype=object)
        if not all(isinstance(text, str) for text in texts.flat):
            raise wrong('The input "%s" takes strings, in lists of equal length' % name)
        return texts
    array = as_array(name, value)
    if array.dtype.kind not in "fiub":
        raise wrong('The input "%s" takes numbers of type %s' % (name, kind))
    target = np.dtype(kind)
    if target.kind == "f":
        with np.errstate(over="ignore"):
            converted = array.astype(target)
        if np.isinf(converted).sum() > np.isinf(array).sum():
            raise wrong('The input "%s" has a number that %s cannot hold' % (name, kind))
        return converted
    if array.size == 0:
        return np.zeros(array.shape, dtype=target)
    if array.dtype.kind == "f" and not whole(array):
        raise wrong('The input "%s" takes whole numbers of type %s' % (name, kind))
    lowest, highest = (0, 1) if target.kind == "b" else (np.iinfo(target).min, np.iinfo(target).max)
    if int(array.min()) < lowest or int(array.max()) > highest:
        raise wrong('The input "%s" of type %s takes numbers from %s to %s' % (name, kind, lowest, highest))
    return array.astype(target)
`;

/** Methods of the class where requests are JSON only. */
export const JSON_METHODS = `
    def prepare(self):
        pass

    def read(self, row):
        return tensors_of(body_of(row))

    def aligned(self, requests):
        return requests
`;
