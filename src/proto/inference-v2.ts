/**
 * The gRPC messages of the Open Inference Protocol, version 2 (package `inference`; KServe, "Predict Protocol - Version 2"),
 * and of Triton's model repository extension: those that a client of inference sends and receives. Parameters are left
 * out: they are skipped as unknown fields.
 */
import type { Schema } from './schema.js';

export const INFERENCE_V2 = {
  ServerMetadataResponse: {
    fields: {
      name: { type: 'string', id: 1 },
      version: { type: 'string', id: 2 },
      extensions: { rule: 'repeated', type: 'string', id: 3 },
    },
  },
  ModelReadyRequest: {
    fields: { name: { type: 'string', id: 1 }, version: { type: 'string', id: 2 } },
  },
  ModelReadyResponse: {
    fields: { ready: { type: 'bool', id: 1 } },
  },
  ModelMetadataRequest: {
    fields: { name: { type: 'string', id: 1 }, version: { type: 'string', id: 2 } },
  },
  ModelMetadataResponse: {
    fields: {
      name: { type: 'string', id: 1 },
      versions: { rule: 'repeated', type: 'string', id: 2 },
      platform: { type: 'string', id: 3 },
      inputs: { rule: 'repeated', type: 'TensorMetadata', id: 4 },
      outputs: { rule: 'repeated', type: 'TensorMetadata', id: 5 },
    },
  },
  TensorMetadata: {
    fields: {
      name: { type: 'string', id: 1 },
      datatype: { type: 'string', id: 2 },
      shape: { rule: 'repeated', type: 'int64', id: 3 },
    },
  },
  RepositoryIndexRequest: {
    fields: { repository_name: { type: 'string', id: 1 }, ready: { type: 'bool', id: 2 } },
  },
  RepositoryIndexResponse: {
    fields: { models: { rule: 'repeated', type: 'ModelIndex', id: 1 } },
  },
  ModelIndex: {
    fields: {
      name: { type: 'string', id: 1 },
      version: { type: 'string', id: 2 },
      state: { type: 'string', id: 3 },
      reason: { type: 'string', id: 4 },
    },
  },
  ModelInferRequest: {
    fields: {
      model_name: { type: 'string', id: 1 },
      model_version: { type: 'string', id: 2 },
      id: { type: 'string', id: 3 },
      inputs: { rule: 'repeated', type: 'InferInputTensor', id: 5 },
      raw_input_contents: { rule: 'repeated', type: 'bytes', id: 7 },
    },
  },
  InferInputTensor: {
    fields: {
      name: { type: 'string', id: 1 },
      datatype: { type: 'string', id: 2 },
      shape: { rule: 'repeated', type: 'int64', id: 3 },
    },
  },
  ModelInferResponse: {
    fields: {
      model_name: { type: 'string', id: 1 },
      model_version: { type: 'string', id: 2 },
      id: { type: 'string', id: 3 },
      outputs: { rule: 'repeated', type: 'InferOutputTensor', id: 5 },
      raw_output_contents: { rule: 'repeated', type: 'bytes', id: 6 },
    },
  },
  InferOutputTensor: {
    fields: {
      name: { type: 'string', id: 1 },
      datatype: { type: 'string', id: 2 },
      shape: { rule: 'repeated', type: 'int64', id: 3 },
      // An InferTensorContents, kept as bytes: it is decoded once the shape says how many elements there may be.
      contents: { type: 'bytes', id: 5 },
    },
  },
  InferTensorContents: {
    fields: {
      bool_contents: { rule: 'repeated', type: 'bool', id: 1 },
      int_contents: { rule: 'repeated', type: 'int32', id: 2 },
      int64_contents: { rule: 'repeated', type: 'int64', id: 3 },
      uint_contents: { rule: 'repeated', type: 'uint32', id: 4 },
      uint64_contents: { rule: 'repeated', type: 'uint64', id: 5 },
      fp32_contents: { rule: 'repeated', type: 'float', id: 6 },
      fp64_contents: { rule: 'repeated', type: 'double', id: 7 },
      bytes_contents: { rule: 'repeated', type: 'bytes', id: 8 },
    },
  },
} as const satisfies Schema;
