#!/usr/bin/env python3
"""Writes src/ops/schemas.generated.json: every version of every standard ONNX operator, and the com.microsoft ones.

Needed only when the table is to follow a newer ONNX; the product and `npm test` never run Python.

    python -m venv venv && venv/bin/pip install onnx==1.22.0 onnxruntime==1.30.0
    venv/bin/python scripts/gen-op-schemas.py

Standard domains come from `onnx.defs.get_all_schemas_with_history()`, com.microsoft from the schemas registered in
ONNX Runtime. One line of text an operator version, fields separated by `|`:

    name | since_version | flags | inputs | outputs | type constraints | attributes

- flags: D deprecated, N gives other results each time, S depends on its subgraphs
- inputs, outputs: `name:type`, ending in `?` optional, `*` variadic, `%` variadic and heterogeneous; a variadic one is
  followed by its least count. Separated by `;`
- type constraints: `variable=index into typeSets`, separated by `;`
- attributes: `name:kind`, `!` when required, `=JSON` for a simple default, separated by `;`
"""

import json
import pathlib

import onnx
import onnxruntime.capi._pybind_state as ort

KINDS = {
    "FLOAT": "float", "INT": "int", "STRING": "string", "TENSOR": "tensor", "GRAPH": "graph", "FLOATS": "floats",
    "INTS": "ints", "STRINGS": "strings", "TENSORS": "tensors", "GRAPHS": "graphs", "SPARSE_TENSOR": "sparse_tensor",
    "SPARSE_TENSORS": "sparse_tensors", "TYPE_PROTO": "type", "TYPE_PROTOS": "types",
}
# onnx marks everything whose function body holds a Loop as non-deterministic (Range, HannWindow); this list is by meaning.
NONDETERMINISTIC = {
    "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli", "Dropout",
    "BiasDropout", "BitmaskDropout", "BitmaskBiasDropout", "Sampling",
}
SUBGRAPHS = {"If", "Loop", "Scan", "SequenceMap"}

type_sets: dict[tuple[str, ...], int] = {}


def type_set(types) -> int:
    return type_sets.setdefault(tuple(sorted(types)), len(type_sets))


def parameter(formal, type_text: str) -> str:
    option = str(formal.option).rsplit(".", 1)[-1]
    if option == "Optional":
        suffix = "?"
    elif option == "Variadic":
        homogeneous = getattr(formal, "is_homogeneous", getattr(formal, "isHomogeneous", True))
        suffix = ("*" if homogeneous else "%") + str(getattr(formal, "min_arity", 1))
    else:
        suffix = ""
    return f"{formal.name}:{type_text}{suffix}"


def default(attribute) -> str:
    raw = getattr(attribute, "default_value", None)
    if raw is None:
        raw = onnx.AttributeProto.FromString(attribute._default_value)
    if raw.type == onnx.AttributeProto.UNDEFINED:
        return ""
    value = onnx.helper.get_attribute_value(raw)
    if isinstance(value, bytes):
        value = value.decode()
    elif isinstance(value, float):
        value = float(f"{value:.9g}")
    elif isinstance(value, (list, tuple)) or hasattr(value, "__len__"):
        value = [v.decode() if isinstance(v, bytes) else v for v in value]
        if not value:
            return ""
    return "=" + json.dumps(value, separators=(",", ":"))


def line(schema) -> str:
    def type_text(formal):
        return getattr(formal, "type_str", None) or formal.typeStr

    flags = ("D" if schema.deprecated else "") + ("N" if schema.name in NONDETERMINISTIC else "")
    if schema.name in SUBGRAPHS:
        flags += "S"
    attributes = []
    for _, attribute in sorted(schema.attributes.items()):
        kind = KINDS[str(attribute.type).rsplit(".", 1)[-1]]
        attributes.append(f"{attribute.name}:{kind}{'!' if attribute.required else ''}{default(attribute)}")
    fields = [
        schema.name,
        str(schema.since_version),
        flags,
        ";".join(parameter(f, type_text(f)) for f in schema.inputs),
        ";".join(parameter(f, type_text(f)) for f in schema.outputs),
        ";".join(f"{c.type_param_str}={type_set(c.allowed_type_strs)}" for c in schema.type_constraints),
        ";".join(attributes),
    ]
    for field in fields:
        assert "|" not in field and "\n" not in field, field
    assert all(";" not in part for part in attributes), attributes
    return "|".join(fields)


def main() -> None:
    domains: dict[str, list[str]] = {}
    schemas = list(onnx.defs.get_all_schemas_with_history())
    wanted = {"", "ai.onnx.ml", "ai.onnx.preview", "ai.onnx.preview.training"}
    standard = {s.name for s in schemas if s.domain == ""}
    # ONNX Runtime registers a few operators of its own in the standard domain (SimplifiedLayerNormalization).
    contrib = [
        s
        for s in ort.get_all_operator_schema()
        if s.domain == "com.microsoft" or (s.domain == "" and s.name not in standard)
    ]
    rows = [s for s in schemas if s.domain in wanted] + contrib
    for schema in sorted(rows, key=lambda s: (s.domain, s.name, s.since_version)):
        domains.setdefault(schema.domain, []).append(line(schema))
    table = {
        "onnx": onnx.__version__,
        "domains": [{"domain": domain, "ops": ops} for domain, ops in domains.items()],
        "typeSets": [" ".join(types) for types in type_sets],
    }
    target = pathlib.Path(__file__).resolve().parent.parent / "src" / "ops" / "schemas.generated.json"
    target.write_text(json.dumps(table, indent=0, separators=(",", ":")) + "\n")
    print(f"{target.name}: {len(rows)} operator versions, {target.stat().st_size} bytes")


main()
