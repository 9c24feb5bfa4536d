import { yamlText } from '../yaml-text.js';
import type { Deployed } from './deployed.js';
import { cell, code } from './markdown.js';
import { adapterRule } from './scaling.js';
import { mebibytes } from './sizing.js';

/** What was measured, and how requests, limits and delays follow from it. */
export function measuredSection(deployed: Deployed): string {
  const { options } = deployed;
  return [
    '## Figures',
    '',
    source(deployed),
    '',
    ...measuredTable(deployed),
    '',
    ...rulesTable(deployed),
    ...(options.autoscaler === 'hpa'
      ? ['', '### Rule of the Prometheus adapter', '', `\`\`\`yaml\n${yamlText(adapterRule(deployed))}\`\`\``]
      : []),
  ].join('\n');
}

function source({ measurements }: Deployed): string {
  if (measurements.kind === 'estimated') {
    return `**Nothing was measured**: the figures are estimated from the size of the files (${cell(measurements.source)}). Measure before you rely on them: \`serve-opt bench\`, then \`--report\`.`;
  }
  const { cpu, onnxRuntimeVersion } = measurements;
  const where = [cpu, onnxRuntimeVersion === undefined ? undefined : `ONNX Runtime ${onnxRuntimeVersion}`]
    .filter((each) => each !== undefined)
    .map(cell);
  return `Measured by \`serve-opt bench\`, ${cell(measurements.source)}${where.length > 0 ? ` (${where.join(', ')})` : ''}, with ${measurements.threads} thread${measurements.threads === 1 ? '' : 's'}.`;
}

function measuredTable({ measurements }: Deployed): string[] {
  return [
    '| model | input | loading, longest | first run, longest | memory of the model | p50 | tail |',
    '|---|---|---|---|---|---|---|',
    ...measurements.models.map(
      (each) =>
        `| ${code(each.model)} | ${each.inputs.map(code).join(', ') || '–'} | ${milliseconds(each.sessionMs)} | ${milliseconds(each.firstRunMs)}${each.starts > 0 ? ` (n = ${each.starts})` : ''} | ${mebibytes(each.modelBytes)} | ${milliseconds(each.p50Ms)} | ${milliseconds(each.tailMs)} (${each.tailName}) |`,
    ),
  ];
}

function rulesTable({ sizing, traits, options, measurements }: Deployed): string[] {
  const { startup } = sizing;
  const patience = startup.periodSeconds * startup.failureThreshold;
  const worker = traits.workerBytes > 0 ? `${mebibytes(traits.workerBytes)} + ` : '';
  const rows: readonly (readonly [string, string, string])[] = [
    [
      'CPU request',
      `${sizing.cpuCores}`,
      `${options.instances} × ${measurements.threads} threads; no limit, which would throttle`,
    ],
    [
      'memory request',
      mebibytes(sizing.memoryRequestBytes),
      `${mebibytes(traits.serverBytes)} for the server${options.gpus > 0 ? ', 1024Mi for CUDA' : ''}, ${options.instances} × (${worker}1.25 × the models), rounded up to 64Mi`,
    ],
    ['memory limit', mebibytes(sizing.memoryLimitBytes), '1.5 × that, rounded up to 64Mi'],
    [
      'expected start',
      `${sizing.expectedStartSeconds} s`,
      `${traits.startSeconds} s for the server, and loading and first run of ${options.instances === 1 ? 'each model' : `${options.instances} copies of each model`}`,
    ],
    [
      'startup probe',
      `after ${startup.initialDelaySeconds} s, every ${startup.periodSeconds} s, for ${patience} s`,
      `10 × the expected start, at least 60 s${traits.installSeconds > 0 ? `, and ${traits.installSeconds} s to install packages` : ''}`,
    ],
    ['timeout of probes', `${sizing.readiness.timeoutSeconds} s`, '1 s + 2 × the tail latency'],
    ['time to drain', `${sizing.drainSeconds} s`, '25 s + 10 × the tail latency'],
    ...(options.autoscaler === undefined
      ? []
      : [
          [
            'time in the queue',
            `${sizing.queueUs} µs`,
            options.maximumQueueUs === undefined ? 'the median latency, one digit, at least 1 ms' : '`--max-queue`',
          ] as const,
        ]),
  ];
  return ['| | value | rule |', '|---|---|---|', ...rows.map((row) => `| ${row.join(' | ')} |`)];
}

function milliseconds(ms: number): string {
  return ms < 100 ? `${Number(ms.toPrecision(3))} ms` : `${Math.round(ms)} ms`;
}
