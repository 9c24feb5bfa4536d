#!/usr/bin/env python3
"""Writes fixtures/triton/text-cases.json: texts of model configurations and what the official parser makes of them.

Needs `pip install tritonclient protobuf` (its model_config_pb2 is Triton's own schema) and a build (`npm run build`):
texts that serve-opt prints are parsed by the official parser too, and must give the same message.

    python3 scripts/triton-text-cases.py
"""

import base64
import importlib.util
import json
import pathlib
import random
import subprocess
import sys

from google.protobuf import json_format, text_format
from google.protobuf.descriptor import FieldDescriptor as F

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = ROOT / "fixtures" / "triton" / "text-cases.json"


def schema():
    """The module, without the rest of the client, which needs gRPC."""
    found = importlib.util.find_spec("tritonclient")
    path = pathlib.Path(found.submodule_search_locations[0]) / "grpc" / "model_config_pb2.py"
    spec = importlib.util.spec_from_file_location("model_config_pb2", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CONFIG = schema().ModelConfig

# Corners of the format. Bytes, because some are not UTF-8.
CASES = {
    "empty": b"",
    "comment only": b"# nothing here",
    "angle brackets": b'input < name: "x" data_type: TYPE_FP32 dims: 3 >',
    "angle and brace mixed": b'input < name: "x" }',
    "colon before a block": b'dynamic_batching: { preferred_batch_size: 4 }',
    "separators": b'name: "a", platform: "b"; max_batch_size: 4,',
    "two separators": b'name: "a",; platform: "b"',
    "separator first": b', name: "a"',
    "lists of scalars": b'input { dims: [ 1, 2 ] dims: 3 dims: [] dims: [4] }',
    "trailing comma": b'input { dims: [ 1, 2, ] }',
    "lists of blocks": b'input [ { name: "a" }, < name: "b" > ] input { name: "c" } input []',
    "list without comma": b'input { dims: [ 1 2 ] }',
    "list of one for a singular field": b'max_batch_size: [ 4 ]',
    "adjacent strings": b'name: "a" \'b\'\n  # between\n "c"',
    "escapes": rb'name: "\n\t\"\'\\\x41\101\u00e9\U0001F600"',
    "bad escape": rb'name: "\q"',
    "string across lines": b'name: "a\nb"',
    "string not closed": b'name: "a',
    "escape to bytes that are not UTF-8": rb'name: "\377"',
    "UTF-8": 'name: "modèle 模型"  # é'.encode(),
    "hexadecimal and octal": b'max_batch_size: 0x1F version_policy { latest { num_versions: 017 } }',
    "octal with a nine": b'max_batch_size: 019',
    "negative": b'input { dims: -1 dims: - 2 }',
    "negative for unsigned": b'version_policy { latest { num_versions: -1 } }',
    "int32 too large": b'max_batch_size: 2147483648',
    "int32 smallest": b'max_batch_size: -2147483648',
    "int64 extremes": b'input { dims: [ -9223372036854775808, 9223372036854775807 ] }',
    "int64 too large": b'input { dims: 9223372036854775808 }',
    "uint64 largest": b'dynamic_batching { max_queue_delay_microseconds: 18446744073709551615 }',
    "float for an integer": b'max_batch_size: 4.0',
    "floats": b'sequence_batching { direct { minimum_slot_utilization: 1.5e-1f } }',
    "float of an integer": b'sequence_batching { direct { minimum_slot_utilization: 1 } }',
    "float without digits before the point": b'sequence_batching { direct { minimum_slot_utilization: .5 } }',
    "infinity": b'model_metrics { metric_control { histogram_options { buckets: [ 1, 2.5, inf, -infinity, 1e400 ] } } }',
    "nan": b'sequence_batching { direct { minimum_slot_utilization: nan } }',
    "hexadecimal for a float": b'sequence_batching { direct { minimum_slot_utilization: 0x10 } }',
    "booleans": b'response_cache { enable: true } input { optional: t } input { optional: True } input { optional: 1 }',
    "false": b'input { optional: f } input { optional: False } input { optional: 0 } input { optional: false }',
    "boolean in capitals": b'response_cache { enable: TRUE }',
    "boolean two": b'response_cache { enable: 2 }',
    "enum by number": b'input { data_type: 11 }',
    "enum by unknown number": b'input { data_type: 99 }',
    "enum without prefix": b'input { data_type: FP32 }',
    "enum in quotes": b'input { data_type: "TYPE_FP32" }',
    "enum in lower case": b'input { data_type: type_fp32 }',
    "unknown field": b'max_batchsize: 4',
    "unknown field in camel case": b'maxBatchSize: 4',
    "unknown field of a block": b'dynamic_batching { max_queue_delay: 4 }',
    "field number": b'4: 8',
    "extension": b'[foo.bar]: 4',
    "any": b'[type.googleapis.com/inference.ModelInput] { name: "x" }',
    "scalar for a block": b'dynamic_batching: 4',
    "block for a scalar": b'max_batch_size { }',
    "missing colon": b'max_batch_size 4',
    "missing value": b'max_batch_size:',
    "text for a number": b'max_batch_size: "4"',
    "number for a text": b'name: 4',
    "word for a text": b'name: resnet',
    "twice": b'name: "a" name: "b"',
    "twice, the first empty": b'name: "" name: "b"',
    "twice, the first zero": b'max_batch_size: 0 max_batch_size: 4',
    "twice, the second zero": b'max_batch_size: 4 max_batch_size: 0',
    "block twice": b'dynamic_batching { } dynamic_batching { }',
    "two of a oneof": b'dynamic_batching { } sequence_batching { }',
    "two policies": b'version_policy { latest { } all { } }',
    "two of warm-up data": b'model_warmup { inputs { key: "x" value { zero_data: false random_data: true } } }',
    "map": b'parameters { key: "a" value { string_value: "1" } } parameters { key: "b" value: { string_value: "2" } }',
    "map as a list": b'parameters [ { key: "a" value { string_value: "1" } }, { key: "b" } ]',
    "map with one key twice": b'metric_tags { key: "a" value: "1" } metric_tags { key: "a" value: "2" }',
    "map entry without key": b'metric_tags { value: "1" }',
    "map entry without value": b'parameters { key: "a" }',
    "map entry with the key twice": b'metric_tags { key: "a" key: "b" value: "1" }',
    "map entry with another field": b'metric_tags { key: "a" other: "b" }',
    "map key __proto__": b'metric_tags { key: "__proto__" value: "1" } metric_tags { key: "constructor" value: "2" }',
    "map of numbers": b'dynamic_batching { priority_queue_policy { key: 2 value { max_queue_size: 4 } } }',
    "carriage returns": b'name: "a"\r\nmax_batch_size: 4\r\n',
    "tabs and form feeds": b'name:\t"a"\x0b\x0cmax_batch_size:4',
    "no space between": b'name:"a"max_batch_size:4input{dims:[1,2]}',
    "block not closed": b'input { name: "a"',
    "block closed twice": b'input { } }',
    "word after a number": b'max_batch_size: 4x',
    "only a name": b'name',
    "only a brace": b'{',
}

# The parser in Python is not the one in the server, which is C++; where they differ, serve-opt does as the server does.
PYTHON_DIFFERS = {"bad escape": "C++ refuses it", "negative": "C++ takes a space after the minus"}


def random_message(message, rng, depth=0):
    """Fills some fields of a message at random."""
    for field in message.DESCRIPTOR.fields:
        if rng.random() < (0.5 if depth < 2 else 0.7):
            continue
        if field.containing_oneof and message.WhichOneof(field.containing_oneof.name):
            continue
        entry = field.message_type
        if entry is not None and entry.GetOptions().map_entry:
            target = getattr(message, field.name)
            value = entry.fields_by_name["value"]
            for _ in range(rng.randint(1, 3)):
                key = scalar(entry.fields_by_name["key"], rng)
                if value.message_type is not None:
                    random_message(target[key], rng, depth + 1)
                else:
                    target[key] = scalar(value, rng)
        elif field.is_repeated:
            target = getattr(message, field.name)
            for _ in range(rng.randint(1, 4)):
                if entry is not None:
                    random_message(target.add(), rng, depth + 1)
                else:
                    target.append(scalar(field, rng))
        elif entry is not None:
            child = getattr(message, field.name)
            child.SetInParent()
            random_message(child, rng, depth + 1)
        else:
            setattr(message, field.name, scalar(field, rng))


def scalar(field, rng):
    kind = field.type
    if kind == F.TYPE_STRING:
        return "".join(rng.choice("abcXYZ01_-./ \"'\\\n\té模") for _ in range(rng.randint(0, 12)))
    if kind == F.TYPE_BOOL:
        return rng.random() < 0.5
    if kind == F.TYPE_ENUM:
        return rng.choice(field.enum_type.values).number
    if kind in (F.TYPE_FLOAT, F.TYPE_DOUBLE):
        return rng.choice([0.5, -2.0, 1e10, 0.125, 3.0])
    low, high = {
        F.TYPE_INT32: (-(2**31), 2**31 - 1),
        F.TYPE_UINT32: (0, 2**32 - 1),
        F.TYPE_INT64: (-(2**63), 2**63 - 1),
        F.TYPE_UINT64: (0, 2**64 - 1),
    }[kind]
    return rng.choice([rng.randint(low, high), rng.randint(max(low, -4), 64)])


def official(data):
    """What the official parser makes of a text: a message, or its refusal."""
    try:
        return text_format.Parse(data, CONFIG()), None
    except (text_format.ParseError, UnicodeDecodeError) as error:
        return None, str(error)


def as_json(message):
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def printed(texts):
    """The texts as serve-opt prints them."""
    program = """
      import { MODEL_CONFIG } from './dist/proto/model-config.js';
      import { parseText, printText } from './dist/proto/text-format.js';
      const chunks = [];
      for await (const chunk of process.stdin) chunks.push(chunk);
      const texts = JSON.parse(Buffer.concat(chunks).toString());
      const print = (base64) => {
        const parsed = parseText(MODEL_CONFIG, 'ModelConfig', Buffer.from(base64, 'base64'));
        return parsed.ok ? printText(MODEL_CONFIG, 'ModelConfig', parsed.message) : null;
      };
      console.log(JSON.stringify(texts.map(print)));
    """
    run = subprocess.run(
        ["node", "--input-type=module", "-e", program], input=json.dumps(texts), capture_output=True, text=True, cwd=ROOT, check=True
    )
    return json.loads(run.stdout)


def main():
    texts = dict(CASES)
    for seed in range(24):
        rng = random.Random(seed)
        message = CONFIG()
        random_message(message, rng)
        style = {"as_one_line": seed % 3 == 1, "use_short_repeated_primitives": seed % 2 == 0, "as_utf8": seed % 4 < 2}
        texts[f"random {seed}"] = text_format.MessageToString(message, **style).encode()
    encoded = [base64.b64encode(data).decode() for data in texts.values()]
    cases, disagreements = [], 0
    for (name, data), base, text in zip(texts.items(), encoded, printed(encoded)):
        if name in PYTHON_DIFFERS:
            continue
        message, error = official(data)
        case = {"name": name}
        try:
            case["text"] = data.decode()
        except UnicodeDecodeError:
            case["base64"] = base
        if message is None:
            case["refused"] = error
        else:
            case["message"] = as_json(message)
            again, why = official(text) if text is not None else (None, "serve-opt refuses the text")
            # Texts of NaN compare where messages do not.
            if again is None or text_format.MessageToString(again) != text_format.MessageToString(message):
                disagreements += 1
                print(f"{name}: {why or 'printed, it is another message'}", file=sys.stderr)
        if (text is None) != (message is None):
            print(f"{name}: official: {error or 'taken'}; serve-opt: {'refused' if text is None else 'taken'}", file=sys.stderr)
            disagreements += 1
        cases.append(case)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text("[\n" + ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases) + "\n]\n")
    print(f"{len(cases)} texts, {disagreements} disagreements")
    return 1 if disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
