import { execFile } from 'node:child_process';
import { arch, availableParallelism, cpus, loadavg, type as osType, platform, release, totalmem } from 'node:os';
import process from 'node:process';

import { cpuQuota, readTextFile, type TextReader } from '../machine/cgroup.js';
import { cleanNativeText } from './native-text.js';

/** The machine, as far as it decides latencies. No host name, no paths, no time of day. */
export interface EnvironmentReport {
  readonly os: string;
  readonly architecture: string;
  readonly cpuModel: string;
  readonly logicalCores: number;
  /** What the process may use (`os.availableParallelism()`). */
  readonly availableParallelism: number;
  /** CPUs that a cgroup allows, where it limits them. */
  readonly cpuQuota?: number;
  /** Frequency governor, where Linux tells. */
  readonly governor?: string;
  readonly loadAverage: number;
  readonly memoryBytes: number;
  readonly nodeVersion: string;
  readonly gpus?: readonly { readonly name: string; readonly driver: string; readonly memoryBytes?: number }[];
  /** Cost of reading the clock, in µs. */
  readonly timerUs: number;
}

export interface EnvironmentOptions {
  /** Reads the files of Linux; for tests. */
  readonly read?: TextReader;
  /** What `nvidia-smi` printed for `GPU_QUERY`; undefined where there is none. For tests. */
  readonly queryGpus?: () => Promise<string | undefined>;
}

/** The longest that a driver may take to answer; a broken one hangs. */
const GPU_TIMEOUT_MS = 5000;
const GPU_QUERY = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader,nounits'];
const TIMER_READS = 10_000;

/** What decides latencies on this machine, as far as it can be told. Nothing of it can fail. */
export async function readEnvironment(options: EnvironmentOptions = {}): Promise<EnvironmentReport> {
  const { read = readTextFile, queryGpus = nvidiaGpus } = options;
  const processors = cpus();
  const quota = cpuQuota(read);
  const governor = read('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor')?.trim();
  const gpus = parseGpus((await queryGpus()) ?? '');
  return {
    os: `${osType()} ${release()}`,
    architecture: arch(),
    cpuModel: cpuModel(processors[0]?.model ?? '', read),
    logicalCores: processors.length || availableParallelism(),
    availableParallelism: availableParallelism(),
    ...(quota === undefined ? {} : { cpuQuota: quota }),
    ...(governor ? { governor } : {}),
    // Windows has none and says 0.
    loadAverage: loadavg()[0] ?? 0,
    memoryBytes: totalmem(),
    nodeVersion: process.versions.node,
    ...(gpus.length === 0 ? {} : { gpus }),
    timerUs: timerUs(),
  };
}

/** Lines of /proc/cpuinfo that name the processor, the best first; which there are depends on the architecture. */
const CPU_INFO_NAMES = ['model name', 'Model', 'cpu model', 'cpu', 'Hardware', 'uarch'];

/** Name of the processor. Node says nothing, or "unknown", where /proc/cpuinfo has no line `model name`. */
export function cpuModel(model: string, read: TextReader): string {
  const known = cleanNativeText(model);
  if (known !== '' && known !== 'unknown') return known;
  const lines = (read('/proc/cpuinfo') ?? '').split('\n').map((line) => line.split(/\s*:\s*/, 2));
  for (const name of CPU_INFO_NAMES) {
    const value = lines.find(([key]) => key === name)?.[1]?.trim();
    if (value) return cleanNativeText(value, 200);
  }
  // Arm: numbers that identify the design.
  const number = (name: string): string | undefined => lines.find(([key]) => key === name)?.[1];
  const part = number('CPU part');
  return part === undefined ? 'unknown' : `implementer ${number('CPU implementer') ?? '?'} part ${part}`;
}

/** Mean cost of reading the clock, in µs. */
function timerUs(): number {
  const start = performance.now();
  let last = start;
  for (let i = 0; i < TIMER_READS; i++) last = performance.now();
  return ((last - start) * 1000) / TIMER_READS;
}

function nvidiaGpus(): Promise<string | undefined> {
  // The driver's program; elsewhere NVIDIA's GPUs are not used.
  if (platform() !== 'linux' && platform() !== 'win32') return Promise.resolve(undefined);
  return new Promise((resolve) => {
    execFile(
      'nvidia-smi',
      GPU_QUERY,
      { timeout: GPU_TIMEOUT_MS, killSignal: 'SIGKILL', windowsHide: true, maxBuffer: 1 << 20 },
      (error, stdout) => resolve(error ? undefined : stdout),
    );
  });
}

/** Lines such as `NVIDIA H100 80GB HBM3, 570.124.06, 81559`: MiB at the end, or `[N/A]`. */
function parseGpus(text: string): NonNullable<EnvironmentReport['gpus']> {
  return text.split('\n').flatMap((line) => {
    const fields = line.split(',').map((field) => cleanNativeText(field, 200));
    const [name, driver, mebibytes] = fields;
    if (fields.length !== 3 || !name || !driver) return [];
    const memoryBytes = Number(mebibytes) * 2 ** 20;
    return [{ name, driver, ...(Number.isFinite(memoryBytes) ? { memoryBytes } : {}) }];
  });
}
