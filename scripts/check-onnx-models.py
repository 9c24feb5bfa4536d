#!/usr/bin/env python3
"""Asks the checker of the onnx package about models, for test/conformance/onnx-checker.ts.

Reads one path a line and writes one JSON line for each: true, or what the checker says.
"""

import json
import sys

import onnx


def main():
    for line in sys.stdin:
        try:
            onnx.checker.check_model(line.rstrip("\n"))
            verdict = True
        except Exception as error:
            verdict = str(error)[:300]
        print(json.dumps(verdict), flush=True)


main()
