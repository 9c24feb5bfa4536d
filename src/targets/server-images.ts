/** Container images of servers, by tag, never `latest`: a package must start the same server next year. */
export const SERVER_IMAGES = {
  triton: 'nvcr.io/nvidia/tritonserver:26.07-py3',
  torchserveCpu: 'pytorch/torchserve:0.12.0-cpu',
  torchserveGpu: 'pytorch/torchserve:0.12.0-gpu',
  /** Copies models from S3 before a server starts. */
  awsCli: 'amazon/aws-cli:2.17.0',
  /** Copies files into a volume. */
  busybox: 'busybox:1.37.0',
} as const;
