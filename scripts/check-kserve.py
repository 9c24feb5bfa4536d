# Objects of KServe against the models of its Python package: python3 check-kserve.py FOLDER < LIST
#
# FOLDER holds the packages kserve and kubernetes, without what else they need: only their models are loaded. LIST is JSON, a list
# of objects [name, object]. Prints a line of JSON for each: [name, [problem, ...]]. A problem is a field that the model does not
# have, a value of another type, or one that the model refuses.
import importlib
import json
import re
import sys
import types

folder = sys.argv[1]
for package in ("kserve", "kubernetes", "kubernetes.client"):
    module = types.ModuleType(package)
    module.__path__ = [f"{folder}/{package.replace('.', '/')}"]
    sys.modules[package] = module
configuration = types.ModuleType("kserve.configuration")


class Configuration:
    client_side_validation = True

    @classmethod
    def get_default_copy(cls):
        return cls()


configuration.Configuration = Configuration
for name in ("kserve.configuration", "kubernetes.client.configuration"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].Configuration = Configuration
sys.path.insert(0, folder)


def snake(name):
    """Modules are named for their class: V1beta1ModelSpec is in v1beta1_model_spec."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def model_of(name):
    bare = name.removeprefix("K8sIoApi").removeprefix("Core")
    for package in ("kserve.models", "kubernetes.client.models"):
        try:
            return getattr(importlib.import_module(f"{package}.{snake(bare)}"), bare)
        except ModuleNotFoundError as error:
            if error.name is None or not error.name.startswith(package):
                raise
    return None


PLAIN = {"str": str, "int": int, "bool": bool, "float": (int, float)}


def check(value, expected, path, problems, unknown):
    listed = re.fullmatch(r"list\[(.*)\]", expected)
    mapped = re.fullmatch(r"dict\((\w+), (.*)\)", expected)
    if listed:
        if not isinstance(value, list):
            problems.append(f"{path} is no list")
            return value
        return [check(each, listed[1], f"{path}[{index}]", problems, unknown) for index, each in enumerate(value)]
    if mapped and re.search(r"\.(limits|requests)$", path):
        # Quantities, which the models say are texts; Kubernetes takes numbers too.
        return {key: str(each) for key, each in value.items()}
    if mapped:
        if not isinstance(value, dict):
            problems.append(f"{path} is no mapping")
            return value
        return {key: check(each, mapped[2], f"{path}.{key}", problems, unknown) for key, each in value.items()}
    if expected in PLAIN:
        if not isinstance(value, PLAIN[expected]) or (expected == "int" and isinstance(value, bool)):
            problems.append(f"{path} is {value!r}, not {expected}")
        return value
    if expected in ("object", "datetime"):
        return value
    if expected.endswith(("IntOrString", "Quantity")):
        if not isinstance(value, (int, str)):
            problems.append(f"{path} is {value!r}")
        return value
    model = model_of(expected)
    if model is None:
        unknown.add(expected)
        return value
    if not isinstance(value, dict):
        problems.append(f"{path} is {value!r}, not a {expected}")
        return value
    attributes = {json_name: name for name, json_name in model.attribute_map.items()}
    fields = {}
    for key, each in value.items():
        if key not in attributes:
            problems.append(f"{path}.{key} is no field of {expected}")
            continue
        fields[attributes[key]] = check(each, model.openapi_types[attributes[key]], f"{path}.{key}", problems, unknown)
    try:
        # Its own checks: required fields, ranges, choices.
        return model(**fields)
    except ValueError as error:
        problems.append(f"{path}: {error}")
        return value


for name, item in json.load(sys.stdin):
    problems = []
    unknown = set()
    check(item, "V1beta1InferenceService", "InferenceService", problems, unknown)
    problems.extend(f"there is no model {each}" for each in sorted(unknown))
    print(json.dumps([name, problems]))
