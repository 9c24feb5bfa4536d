import type { BenchReport, ConfigurationReport } from '../bench-types.js';
import { noiseFindings } from '../bench-words.js';
import { capital, formatBytes, formatInteger, formatNumber, formatPercent } from '../format.js';
import { scenarioMeaning, scenarioName } from './bench-subject.js';
import { figureText } from './figures.js';
import { element, fragment, type Markup } from './markup.js';
import { keyValues, lead, list, named, section } from './parts.js';

/** The machine, and how it was measured. */
export function environmentSection({
  environment,
  scenario,
  seed,
  source,
  server,
  onnxRuntimeVersion,
  version,
}: BenchReport) {
  const { gpus = [], cpuQuota, governor } = environment;
  return section(
    'environment',
    'Machine and method',
    lead('Latencies of different machines do not compare: what decides them is here in full.'),
    keyValues([
      ['Processor', named(environment.cpuModel)],
      ['Logical cores', figureText(environment.logicalCores, formatInteger)],
      ['CPUs this process may use', figureText(environment.availableParallelism, formatInteger)],
      ['CPUs a cgroup allows', cpuQuota === undefined ? 'no limit seen' : figureText(cpuQuota, formatNumber)],
      ['Frequency governor', governor === undefined ? 'not reported' : named(governor)],
      ['Load average at the start', figureText(environment.loadAverage, formatNumber)],
      ['Memory', figureText(environment.memoryBytes, formatBytes)],
      ...gpus.map(
        ({ name, driver, memoryBytes }, i) =>
          [
            gpus.length > 1 ? `GPU ${i + 1}` : 'GPU',
            [
              named(name),
              `, driver ${driver}`,
              memoryBytes === undefined ? undefined : `, ${formatBytes(memoryBytes)}`,
            ],
          ] as const,
      ),
      ['System', [named(environment.os), ' ', named(environment.architecture)]],
      ['Node.js', named(environment.nodeVersion)],
      ['ONNX Runtime', onnxRuntimeVersion === undefined ? undefined : named(onnxRuntimeVersion)],
      ['serve-opt', named(version)],
      ['Cost of reading the clock', figureText(environment.timerUs, (us) => `${formatNumber(us)} µs`)],
    ]),
    element('h3', {}, 'How it was measured'),
    lead(scenarioMeaning(scenario)),
    keyValues([
      ['Scenario', scenarioName(scenario)],
      ['Inputs', named(source)],
      ['Seed', String(seed)],
      ['Server', server === undefined ? undefined : [named(server.url), ` (${server.protocol})`]],
      ['Model of the server', server === undefined ? undefined : named(server.model)],
    ]),
  );
}

/** Memory, sensors of noise and warm-up of one configuration. */
export function conditionsPart(configuration: ConfigurationReport): Markup | undefined {
  const { memory, noise, warmUp, threads } = configuration;
  if (memory === undefined && noise === undefined && warmUp === undefined) return undefined;
  const findings = noiseFindings(configuration);
  return fragment(
    element('h3', {}, 'Memory, warm-up and noise'),
    findings.length === 0
      ? lead('The sensors of noise show nothing unusual.')
      : list(findings.map((finding) => named(capital(finding)))),
    keyValues([
      ['Peak memory', memory === undefined ? undefined : figureText(memory.peakBytes, formatBytes)],
      [
        'Memory with a tiny session instead',
        memory === undefined ? undefined : figureText(memory.bareBytes, formatBytes),
      ],
      ['Memory the model adds', memory === undefined ? undefined : figureText(memory.modelBytes, formatBytes)],
      ['Warm-up', warmUp === undefined ? undefined : warmUpText(warmUp)],
      ['CPU time over wall time', noise === undefined ? undefined : cpuText(noise.cpuPerWall, threads)],
      [
        'Involuntary context switches',
        noise === undefined ? undefined : figureText(noise.involuntarySwitches, formatInteger),
      ],
      [
        'Throttled periods',
        noise?.throttledPeriods === undefined ? undefined : figureText(noise.throttledPeriods, formatInteger),
      ],
    ]),
  );
}

function warmUpText({ runs, ms, settled }: NonNullable<ConfigurationReport['warmUp']>): string {
  const settledText = settled ? 'settled' : 'did not settle';
  return `${formatInteger(runs)} runs in ${figureText(ms, (value) => `${formatNumber(value)} ms`)}, ${settledText}`;
}

function cpuText(cpuPerWall: number, threads: number | undefined): string {
  const text = figureText(cpuPerWall, formatNumber);
  if (threads === undefined || !(threads > 0)) return text;
  return `${text} of ${formatNumber(threads)} (${figureText(cpuPerWall / threads, formatPercent)})`;
}
