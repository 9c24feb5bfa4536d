import { describe, expect, it } from 'vitest';
import { withoutSourceLines } from '../../src/runtime/native-text.js';

describe('withoutSourceLines', () => {
  it.each([
    [
      'Exception during initialization: /onnxruntime_src/onnxruntime/core/providers/cpu/math/element_wise_ops.h:256 onnxruntime::Div<T>::Div(const onnxruntime::OpKernelInfo&) [with T = long int] b_data[i] != T{0} was false. Integer division by zero',
      'Exception during initialization: b_data[i] != T{0} was false. Integer division by zero',
    ],
    [
      '/onnxruntime_src/onnxruntime/core/graph/model_load_utils.h:46 void onnxruntime::model_load_utils::ValidateOpsetForDomain(const std::unordered_map<std::__cxx11::basic_string<char>, int>&, const onnxruntime::logging::Logger&, bool, const std::string&, int) ONNX Runtime only *guarantees* support',
      'ONNX Runtime only *guarantees* support',
    ],
    ["Non-zero status code returned while running Gather node. Name:'onnxruntime/core'", undefined],
  ])('keeps the message: %s', (text, message = text) => {
    expect(withoutSourceLines(text)).toBe(message);
  });
});
