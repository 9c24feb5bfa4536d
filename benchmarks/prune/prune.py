"""Half of the channels by onnxsim: simplified first, as it prunes nothing of a graph with BatchNormalization. python prune.py MODEL OUTPUT"""
import sys

import onnx
import onnxsim

model = onnxsim.simplify(onnx.load(sys.argv[1]))[0]
onnx.save(onnxsim.apply_structured_pruning(model, sparsity=0.5), sys.argv[2])
