#!/usr/bin/env python3
"""Writes what onnx's own shape inference says of models: the reference of test/conformance/infer.ts.

    venv/bin/python scripts/dump-onnx-types.py REFERENCE.jsonl FOLDER...

One JSON line a model: {"model": path, "values": {name: [elem_type, dims or null]}}, a dimension being a number, a symbol
or null. Declared types of intermediate values and of outputs are dropped first, so that the two inferences start alike;
`outputs` holds the declared outputs, which in ONNX's own node cases are the truth. Top-level graph only.
"""

import json
import pathlib
import sys

import onnx


def describe(value):
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        return [kind, None]
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return [tensor.elem_type, None]
    return [tensor.elem_type, [d.dim_value if d.HasField("dim_value") else d.dim_param or None for d in tensor.shape.dim]]


def main():
    with open(sys.argv[1], "w") as out:
        for folder in sys.argv[2:]:
            for path in sorted(pathlib.Path(folder).rglob("*.onnx")):
                try:
                    model = onnx.load(path, load_external_data=False)
                    declared = {v.name: describe(v) for v in model.graph.output}
                    del model.graph.value_info[:]
                    for value in model.graph.output:
                        value.ClearField("type")
                    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
                except Exception as error:
                    print(path, str(error)[:120].replace("\n", " "), file=sys.stderr)
                    continue
                values = {v.name: describe(v) for v in [*inferred.graph.value_info, *inferred.graph.output]}
                out.write(json.dumps({"model": str(path), "values": values, "outputs": declared}) + "\n")


main()
