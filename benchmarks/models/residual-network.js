import { DataType } from '../../dist/tensor/dtype.js';
import { GraphBuilder } from './graph-builder.js';

/** As ResNet-50 (He et al. 2015): 25.6 M parameters, 98 MiB, 4.1 GMACs an image. */
export const RESIDUAL_FULL = { blocks: [3, 4, 6, 3], imageSize: 224, classes: 1000, samples: 32 };
export const RESIDUAL_QUICK = { blocks: [1, 1, 1, 1], imageSize: 64, classes: 100, samples: 4 };

/** How many times wider a block's output is than its inside. */
const EXPANSION = 4;

/**
 * Bottleneck blocks of Conv, BatchNormalization and Relu, pooled and classified. Input `x` float[batch,3,size,size],
 * output `y` float[batch,classes].
 * @param {{ blocks: readonly number[], imageSize: number, classes: number }} size
 */
export function residualNetwork({ blocks, imageSize, classes }) {
  const build = new GraphBuilder('residual-network');
  const image = build.input('x', DataType.FLOAT, ['batch', 3, imageSize, imageSize]);

  const convolution = (name, x, from, to, kernel, stride, gain = 1) => {
    const pad = Math.floor(kernel / 2);
    const deviation = gain * Math.sqrt(2 / (from * kernel * kernel));
    const inputs = [x, build.weight(`${name}.weight`, [to, from, kernel, kernel], deviation)];
    const result = build.node('Conv', name, inputs, {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
    });
    return build.node('BatchNormalization', `${name}.norm`, [
      result,
      build.weight(`${name}.norm.scale`, [to], 0.05, 1),
      build.weight(`${name}.norm.bias`, [to], 0.05),
      build.weight(`${name}.norm.mean`, [to], 0.05),
      build.weight(`${name}.norm.variance`, [to], 0.02, 1),
    ]);
  };
  const relu = (name, x) => build.node('Relu', `${name}.relu`, [x]);

  let x = relu('stem', convolution('stem', image, 3, 64, 7, 2));
  x = build.node('MaxPool', 'stem.pool', [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  let channels = 64;
  for (const [stage, count] of blocks.entries()) {
    const inside = 64 * 2 ** stage;
    const outside = inside * EXPANSION;
    for (let block = 0; block < count; block++) {
      const name = `stage${stage}.block${block}`;
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const reduced = relu(`${name}.a`, convolution(`${name}.a`, x, channels, inside, 1, 1));
      const spatial = relu(`${name}.b`, convolution(`${name}.b`, reduced, inside, inside, 3, stride));
      // A small gain keeps the sum of many random blocks from growing.
      const expanded = convolution(`${name}.c`, spatial, inside, outside, 1, 1, 0.3);
      const skipped = block === 0 ? convolution(`${name}.skip`, x, channels, outside, 1, stride, Math.SQRT1_2) : x;
      x = relu(name, build.node('Add', `${name}.add`, [expanded, skipped]));
      channels = outside;
    }
  }
  const pooled = build.node('Flatten', 'flatten', [build.node('GlobalAveragePool', 'pool', [x])]);
  const weight = build.weight('classifier.weight', [classes, channels], Math.sqrt(1 / channels));
  const bias = build.weight('classifier.bias', [classes], 0.05);
  build.output(build.node('Gemm', 'classifier', [pooled, weight, bias], { transB: 1 }, 'y'), DataType.FLOAT, [
    'batch',
    classes,
  ]);
  return build.model;
}
