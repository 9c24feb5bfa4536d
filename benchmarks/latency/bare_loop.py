"""`bare_loop.py MODEL FEEDS.json SECONDS THREADS`: the loop of bare-loop.js with ONNX Runtime for Python."""
import json
import math
import sys
import time

import numpy
import onnxruntime

model, feeds_path, seconds, threads = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(threads)
options.inter_op_num_threads = 1
options.log_severity_level = 4
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
with open(feeds_path) as file:
    feeds = {each["name"]: numpy.array(each["values"], numpy.float32).reshape(each["dims"]) for each in json.load(file)}
times = []


def measure(duration, keep):
    now = time.perf_counter()
    end = now + duration
    while now < end:
        session.run(None, feeds)
        after = time.perf_counter()
        if keep:
            times.append((after - now) * 1000)
        now = time.perf_counter()


measure(0.3, False)
measure(float(seconds), True)
times.sort()
quantile = lambda p: times[max(0, math.ceil(p * len(times)) - 1)]
print(json.dumps({"p50Ms": quantile(0.5), "p99Ms": quantile(0.99), "runs": len(times)}))
