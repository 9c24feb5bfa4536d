import { formatInteger, formatNumber } from '../format.js';
import type { VerificationReport } from '../types.js';
import { figureText } from './figures.js';
import type { Markup } from './markup.js';
import { keyValues, named, section, table } from './parts.js';

/** What was checked of a result before it was handed over, of any command that makes one. */
export function verificationSection({
  structure,
  interface: interfaceChecked,
  loads,
  runs,
  reason,
  arithmetic,
  samples,
  edges,
  outputs = [],
  notCompared = [],
  random = [],
}: VerificationReport): Markup {
  return section(
    'verification',
    'Verification',
    keyValues([
      ['Read back and checked', structure],
      ['Interface kept', interfaceChecked],
      ['Loaded by ONNX Runtime', loads],
      ['Run beside the original', runs],
      ['Arithmetic of the comparison', arithmetic],
      ['Samples', samples === undefined ? undefined : formatInteger(samples)],
      ['Edge cases', edges === undefined ? undefined : formatInteger(edges)],
      ['Why something was skipped', reason === undefined ? undefined : named(reason)],
      ['Outputs not compared', notCompared.length === 0 ? undefined : named(notCompared.join(', '))],
      ['Random outputs', random.length === 0 ? undefined : named(random.join(', '))],
    ]),
    outputs.length === 0
      ? undefined
      : table(
          'Outputs',
          [
            { title: 'Output', kind: 'name' },
            { title: 'Elements', kind: 'number' },
            { title: 'Equal bit for bit', kind: 'number' },
            { title: 'Largest error', kind: 'number' },
            { title: 'Of the largest element', kind: 'number' },
          ],
          outputs.map(({ name, elements, equal, worst }) => ({
            cells: [
              named(name),
              formatInteger(elements),
              formatInteger(equal),
              figureText(worst.abs, formatNumber),
              figureText(worst.ofLargest, formatNumber),
            ],
          })),
        ),
  );
}
