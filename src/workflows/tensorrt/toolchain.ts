/** trtexec, found and with its version known. */
import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import { ServeOptError } from '../../errors.js';
import { type Environment, findProgram } from '../../machine/programs.js';
import { dockerRun } from '../../targets/tensorrt/docker.js';
import { findTrtexec, TENSORRT_IMAGE } from '../../targets/tensorrt/find-trtexec.js';
import { runTrtexec, type TrtexecCall, type TrtexecOutcome } from '../../targets/tensorrt/run-trtexec.js';
import { NEWEST_VERSION } from '../../targets/tensorrt/trtexec-flags.js';
import { formatVersion, parseVersion, type TensorRtVersion } from '../../targets/tensorrt/version.js';
import type { WorkflowContext } from '../options.js';
import { ENGINE_DEFAULTS, type TrtexecOptions } from './tensorrt-options.js';

/** How long asking for the version may take. */
const VERSION_TIMEOUT_MS = 120_000;

/** Runs arguments of trtexec wherever it is. */
export interface Toolchain {
  readonly version: TensorRtVersion;
  /** Path of trtexec, or its name in the image. */
  readonly program: string;
  readonly image?: string;
  /** Words about where it was found and what may be wrong with its version. */
  readonly warnings: readonly string[];
  run(argv: readonly string[], call: Omit<TrtexecCall, 'program' | 'argv' | 'stop'>): Promise<TrtexecOutcome>;
  /** Program and arguments as a user would type them. */
  command(argv: readonly string[]): readonly string[];
}

/** @throws SO5201 where there is no trtexec, SO1006 for a version that is none */
export async function openToolchain(options: TrtexecOptions, context: WorkflowContext): Promise<Toolchain> {
  const given = givenVersion(options);
  if (options.image !== undefined) return inContainer(options.image, options, context, given);
  const place = await findTrtexec(options.env ?? {}, options.trtexecPath);
  if (!place) throw noTrtexec();
  const run: Toolchain['run'] = (argv, call) => runTrtexec({ ...call, program: place.path, argv });
  const version = given ?? (await askVersion(place.path, run, context, VERSION_TIMEOUT_MS));
  return { version, program: place.path, warnings: [], run, command: (argv) => [place.path, ...argv] };
}

/** What would be run, where nothing is: for `--dry-run`. Without trtexec and without a version, the newest known is taken. */
export async function plannedToolchain(options: TrtexecOptions, context: WorkflowContext): Promise<Toolchain> {
  const given = givenVersion(options);
  const place = options.image === undefined ? await findTrtexec(options.env ?? {}, options.trtexecPath) : undefined;
  if (place) return openToolchain(options, context);
  const version = given ?? (parseVersion(NEWEST_VERSION) as TensorRtVersion);
  const warnings =
    given === undefined
      ? [
          `No trtexec was asked for its version: rendered for TensorRT ${NEWEST_VERSION}; name another with --tensorrt-version.`,
        ]
      : [];
  const { image } = options;
  return {
    version,
    program: 'trtexec',
    ...(image === undefined ? {} : { image }),
    warnings,
    run: () => Promise.reject(noTrtexec()),
    command: (argv) =>
      image === undefined
        ? ['trtexec', ...argv]
        : ['docker', ...dockerRun(argv, dockerOptions(image, 'serve-opt-tensorrt', options)).argv],
  };
}

function givenVersion({ tensorRtVersion }: TrtexecOptions): TensorRtVersion | undefined {
  if (tensorRtVersion === undefined) return undefined;
  const version = parseVersion(tensorRtVersion);
  if (version && version.major > 0) return version;
  throw new ServeOptError('SO1006', `The value "${tensorRtVersion}" of --tensorrt-version is not allowed`, {
    why: 'it must be a version such as 10.16 or 8.6.1',
    hint: 'write --tensorrt-version 10.16',
  });
}

async function askVersion(
  name: string,
  run: Toolchain['run'],
  { signal, onProgress }: WorkflowContext,
  timeoutMs: number,
): Promise<TensorRtVersion> {
  const onLine = (message: string): void => onProgress?.({ kind: 'detail', message });
  const outcome = await run(['--help'], { signal, timeoutMs, onLine });
  const { version } = outcome.log;
  if (version) return version;
  throw new ServeOptError('SO5201', `"${name}" does not say which TensorRT it is of`, {
    why: outcome.timedOut
      ? 'it did not end'
      : (outcome.log.lastLines.at(-1) ?? 'it printed nothing; its libraries may be missing'),
    hint: 'run it by hand with --help, or state the version with --tensorrt-version 10.16',
  });
}

async function inContainer(
  image: string,
  options: TrtexecOptions,
  context: WorkflowContext,
  given: TensorRtVersion | undefined,
): Promise<Toolchain> {
  if (!/^[\w][\w./:@-]*$/.test(image)) {
    throw new ServeOptError('SO1006', `The value "${image}" of --docker is not allowed`, {
      why: 'it must be the name of an image',
      hint: `write --docker ${TENSORRT_IMAGE}`,
    });
  }
  const docker = await neededProgram('docker', options.env ?? {});
  const run: Toolchain['run'] = async (argv, call) => {
    const { argv: dockerArgv, name } = dockerRun(argv, dockerOptions(image, containerName(), options));
    const stop = async (): Promise<void> => {
      // Ending the client alone would leave the container running.
      await runTrtexec({ program: docker, argv: ['kill', name], timeoutMs: 10_000 });
    };
    const outcome = await runTrtexec({ ...call, program: docker, argv: dockerArgv, stop });
    const failure = containerFailure(outcome, image);
    if (failure) throw failure;
    return outcome;
  };
  // docker fetches the image first where it is not there: several gigabytes.
  const timeoutMs = options.buildTimeoutMs ?? ENGINE_DEFAULTS.buildTimeoutMs;
  const version = given ?? (await askVersion(`trtexec of ${image}`, run, context, timeoutMs));
  return {
    version,
    program: 'trtexec',
    image,
    warnings: [],
    run,
    command: (argv) => ['docker', ...dockerRun(argv, dockerOptions(image, 'serve-opt-tensorrt', options)).argv],
  };
}

function dockerOptions(image: string, name: string, { gpu }: TrtexecOptions) {
  const { uid, gid } = userInfo();
  return { image, name, user: uid >= 0 ? `${uid}:${gid}` : undefined, ...(gpu === undefined ? {} : { gpu }) };
}

function containerName(): string {
  return `serve-opt-tensorrt-${randomBytes(6).toString('hex')}`;
}

async function neededProgram(name: string, env: Environment): Promise<string> {
  const path = await findProgram(name, env);
  if (path !== undefined) return path;
  throw new ServeOptError('SO5201', `--docker needs ${name}, which is not on PATH`, {
    hint: 'install Docker with the NVIDIA container toolkit, or name trtexec with --trtexec PATH',
  });
}

/** What docker itself could not do; its exit codes are 125 to 127. */
function containerFailure({ exitCode, log }: TrtexecOutcome, image: string): ServeOptError | undefined {
  if (exitCode === undefined || exitCode < 125 || exitCode > 127 || log.verdict !== undefined) return undefined;
  const why = log.lastLines.find((line) => /error|cannot|not found|denied|daemon/i.test(line)) ?? log.lastLines.at(-1);
  const gpu = log.lastLines.some((line) => /could not select device driver|nvidia-container|--gpus/i.test(line));
  return new ServeOptError(gpu ? 'SO5205' : 'SO5201', `trtexec could not be run in the image "${image}"`, {
    ...(why === undefined ? {} : { why: why.slice(0, 400) }),
    hint: gpu
      ? 'install the NVIDIA container toolkit; docker run --rm --gpus all IMAGE nvidia-smi must work'
      : `docker run --rm ${image} trtexec --help shows the cause`,
  });
}

function noTrtexec(): ServeOptError {
  return new ServeOptError('SO5201', 'There is no trtexec on PATH, in $TENSORRT_HOME or in /usr/src/tensorrt/bin', {
    why: 'engines are built by it, on the GPU that they will run on',
    hint: `add --docker ${TENSORRT_IMAGE}, or --dry-run --tensorrt-version 10.16 to print the command for another machine`,
  });
}

/** The version in words. */
export function toolchainWords({ version, image }: Toolchain): string {
  return `TensorRT ${formatVersion(version)}${image === undefined ? '' : ` in ${image}`}`;
}
