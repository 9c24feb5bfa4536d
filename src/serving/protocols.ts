/** `v2-…` is the Open Inference Protocol (KServe, Triton, MLServer, OpenVINO Model Server). */
export const PROTOCOLS = [
  'v2-http',
  'v2-http-json',
  'v2-grpc',
  'torchserve',
  'tfserving',
  'openai',
  'openai-chat',
] as const;
export type Protocol = (typeof PROTOCOLS)[number];
