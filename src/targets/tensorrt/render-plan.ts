/** A plan as arguments of one version of trtexec. */
import { ServeOptError } from '../../errors.js';
import type { ProfileShape } from '../../report/tensorrt-types.js';
import { suggest } from '../../suggest.js';
import { flagRow, flagState, TRTEXEC_FLAG_NAMES, versionDoubt } from './flag-support.js';
import type { BuildPlan, MeasurePlan, TensorRtPlan } from './plan.js';
import { precisionFlags } from './precision-flags.js';
import type { TrtexecFlagName } from './trtexec-flags.js';
import { compareMinor, formatVersion, isAtLeast, type TensorRtVersion } from './version.js';

export interface RenderedPlan {
  /** Without the program itself. */
  readonly argv: readonly string[];
  /** What the version cannot do, and what was left out for it. */
  readonly warnings: readonly string[];
}

/**
 * Arguments for a version. No option is emitted that the version does not take.
 * @throws SO1002 for what the version cannot do and what the result would be wrong without, SO1006 for an extra option that it
 *   does not take
 */
export function renderPlan(plan: TensorRtPlan, version: TensorRtVersion): RenderedPlan {
  const out = new Arguments(version);
  const doubt = versionDoubt(version);
  if (doubt !== undefined) out.warnings.push(doubt);
  const { build, measure, device, exports } = plan;
  if (build) buildArguments(build, out);
  else {
    out.add('--loadEngine', plan.loadEnginePath ?? '');
    // Without it trtexec does not load an engine that holds a runtime of its own.
    if (plan.loadsRuntime) out.addOrRefuse('--versionCompatible');
    if (plan.loadDlaCore !== undefined) out.add('--useDLACore', plan.loadDlaCore);
  }
  if (device.plugins.length > 0) {
    const flag = isAtLeast(version, '8.6') ? '--staticPlugins' : '--plugins';
    for (const path of device.plugins) out.add(flag, path);
  }
  if (device.device !== undefined) out.add('--device', device.device);
  if (build) {
    const { profiles } = build;
    if (profiles.length > 1) severalProfiles(build, out);
    else if (profiles[0] && profiles[0].inputs.length > 0) shapeArguments(profiles[0].inputs, out);
  }
  if (measure.measure) {
    // trtexec cannot have both, and says so itself from TensorRT 10.16 on only.
    const onDla = (build?.dlaCore ?? plan.loadDlaCore) !== undefined;
    const several = (build?.profiles.length ?? 0) > 1;
    measureArguments(onDla ? { ...measure, cudaGraph: false } : measure, out, several);
  } else if (build) out.add(isAtLeast(version, '8.6') ? '--skipInference' : '--buildOnly');
  if (exports) {
    if (measure.measure) {
      out.add('--exportTimes', exports.times);
      out.add('--exportProfile', exports.profile);
      // Otherwise the profiler would slow down what is measured; 11 always does so.
      if (!isAtLeast(version, '11.0')) out.add('--separateProfileRun');
    }
    out.addIfTaken('--exportLayerInfo', exports.layers);
    if (build) out.addIfTaken('--profilingVerbosity', isAtLeast(version, '8.4') ? 'detailed' : 'verbose');
  }
  if (!exports && plan.exportTimes !== undefined) out.add('--exportTimes', plan.exportTimes);
  if (device.verbose) out.add('--verbose');
  for (const text of device.extra) out.addExtra(text);
  return { argv: out.argv, warnings: out.warnings };
}

function buildArguments(build: BuildPlan, out: Arguments): void {
  const { version } = out;
  out.add('--onnx', build.onnxPath);
  out.add('--saveEngine', build.enginePath);
  for (const flag of precisionFlags(build, version)) out.add(flag);
  if (build.calibrationCachePath !== undefined) out.add('--calib', build.calibrationCachePath);
  if (build.workspaceMiB !== undefined) {
    if (isAtLeast(version, '8.4')) out.add('--memPoolSize', `workspace:${build.workspaceMiB}`);
    else out.add('--workspace', Math.floor(build.workspaceMiB));
  }
  if (build.timingCachePath !== undefined) out.add('--timingCacheFile', build.timingCachePath);
  if (build.builderLevel !== undefined)
    out.addOrWarn('--builderOptimizationLevel', build.builderLevel, 'the builder uses its own level');
  if (build.sparsity !== undefined && build.sparsity !== 'disable') {
    // `force` sets weights to zero, which makes results meaningless; newer versions deprecate it.
    out.add('--sparsity', build.sparsity);
  }
  if (build.versionCompatible) out.addOrRefuse('--versionCompatible');
  if (build.hardwareLevel !== undefined && build.hardwareLevel !== 'none') {
    out.addOrRefuse('--hardwareCompatibilityLevel', hardwareLevel(build.hardwareLevel, version));
  }
  if (build.stripWeights) out.addOrRefuse(compareMinor(version, '10.0') < 0 ? '--weightless' : '--stripWeights');
  if (build.refit) out.add('--refit');
  if (build.tf32 === false) out.add('--noTF32');
  if (build.dlaCore !== undefined) {
    out.add('--useDLACore', build.dlaCore);
    out.add('--allowGPUFallback');
  }
}

function hardwareLevel(level: string, version: TensorRtVersion): string {
  if (level !== 'sameComputeCapability' || isAtLeast(version, '10.11')) return level;
  throw new ServeOptError('SO1002', `TensorRT ${formatVersion(version)} has no hardware level ${level}`, {
    why: 'it came with TensorRT 10.11',
    hint: 'use --hardware ampere+, or a newer TensorRT',
  });
}

function severalProfiles({ profiles }: BuildPlan, out: Arguments): void {
  if (!isAtLeast(out.version, '9.3')) {
    throw new ServeOptError('SO1002', `trtexec of TensorRT ${formatVersion(out.version)} builds one profile only`, {
      why: `${profiles.length} were given; several came with trtexec 9.3`,
      hint: 'give one --opt-profile that covers all sizes, or use a newer TensorRT',
    });
  }
  for (const [index, { inputs }] of profiles.entries()) {
    out.add('--profile', index);
    shapeArguments(inputs, out);
  }
}

function shapeArguments(inputs: readonly ProfileShape[], out: Arguments): void {
  const list = (pick: 'min' | 'opt' | 'max'): string =>
    inputs.map((each) => shapeText(each.name, each[pick])).join(',');
  out.add('--minShapes', list('min'));
  out.add('--optShapes', list('opt'));
  out.add('--maxShapes', list('max'));
}

/** `input:8x3x224x224`; trtexec splits at the last colon. */
function shapeText(name: string, dims: readonly number[]): string {
  return `${name}:${dims.join('x')}`;
}

function measureArguments(measure: MeasurePlan, out: Arguments, chooseProfile: boolean): void {
  const { version } = out;
  const isNew = isAtLeast(version, '11.0');
  if (chooseProfile) out.addOrRefuse('--useProfile', measure.profile);
  if (measure.shapes.length > 0) {
    out.add('--shapes', measure.shapes.map(({ name, dims }) => shapeText(name, dims)).join(','));
  }
  out.add('--duration', measure.durationS);
  if (measure.warmUpMs !== undefined) out.add('--warmUp', measure.warmUpMs);
  if (measure.streams > 1) out.add(isAtLeast(version, '8.6') ? '--infStreams' : '--streams', measure.streams);
  // What 11 does unasked older versions have to be asked for, and the other way round.
  if (isNew) {
    if (!measure.cudaGraph) out.add('--noCudaGraph');
    if (measure.transfers) out.add('--includeDataTransfers');
    if (!measure.spinWait) out.add('--noSpinWait');
  } else {
    if (measure.cudaGraph) out.add('--useCudaGraph');
    if (!measure.transfers) out.add('--noDataTransfers');
    if (measure.spinWait) out.add('--useSpinWait');
  }
  // Before 8.5 there is one percentile.
  const percentiles = isAtLeast(version, '8.5') ? measure.percentiles : measure.percentiles.slice(-1);
  if (percentiles.length > 0) out.add('--percentile', percentiles.join(','));
}

/** Options that are set by serve-opt alone, with what to use instead. */
const OWN_FLAGS: ReadonlyMap<string, string> = new Map([
  ['--onnx', 'name the model as the argument of the command'],
  ['--saveEngine', 'name the engine with -o model.plan'],
  ['--loadEngine', 'use serve-opt bench --engine model.plan'],
  ['--minShapes', 'give ranges with --dim batch=1:8:32'],
  ['--optShapes', 'give ranges with --dim batch=1:8:32'],
  ['--maxShapes', 'give ranges with --dim batch=1:8:32'],
  ['--profile', 'give one --opt-profile for each profile'],
  ['--skipInference', 'use --no-measure'],
  ['--buildOnly', 'use --no-measure'],
  ['--exportTimes', 'leave it out: the report has them'],
  ['--exportProfile', 'leave it out: the report has them'],
  ['--exportLayerInfo', 'leave it out: the report has them'],
  ['--help', 'run trtexec --help'],
]);

/** Options that trtexec takes several times. */
const REPEATABLE: ReadonlySet<string> = new Set([
  ...['--plugins', '--staticPlugins', '--dynamicPlugins', '--setPluginsToSerialize', '--safetyPlugins'],
]);

class Arguments {
  readonly argv: string[] = [];
  readonly warnings: string[] = [];
  readonly version: TensorRtVersion;

  constructor(version: TensorRtVersion) {
    this.version = version;
  }

  /** The caller has chosen an option that this version takes; anything else is a bug, which the table shows. */
  add(flag: TrtexecFlagName, value?: string | number): void {
    const state = flagState(flag, this.version);
    if (state === 'removed' || state === 'unknown') throw this.#refused(flag, state);
    this.argv.push(value === undefined ? flag : `${flag}=${value}`);
  }

  addIfTaken(flag: TrtexecFlagName, value?: string | number): void {
    if (flagState(flag, this.version) === 'taken') this.add(flag, value);
  }

  addOrWarn(flag: TrtexecFlagName, value: string | number | undefined, instead: string): void {
    if (flagState(flag, this.version) === 'taken') this.add(flag, value);
    else this.warnings.push(`trtexec of TensorRT ${formatVersion(this.version)} has no ${flag}: ${instead}.`);
  }

  addOrRefuse(flag: TrtexecFlagName, value?: string | number): void {
    const state = flagState(flag, this.version);
    if (state !== 'taken') throw this.#refused(flag, state);
    this.add(flag, value);
  }

  /** An option that the user gave as it is. */
  addExtra(text: string): void {
    const [name = ''] = text.split('=', 1);
    this.#checkOwn(text, name);
    const state = flagState(name, this.version);
    if (state === 'removed' || state === 'not-yet') throw this.#refused(name, state);
    if (state === 'unknown') {
      const near = suggest(
        name,
        TRTEXEC_FLAG_NAMES.filter((each) => flagState(each, this.version) === 'taken'),
      );
      if (versionDoubt(this.version) === undefined || !/^--[A-Za-z]\w*$/.test(name)) {
        throw new ServeOptError('SO1006', `The value "${text}" of --trtexec-flag is not allowed`, {
          why: `trtexec of TensorRT ${formatVersion(this.version)} has no option "${name}"`,
          hint: near === undefined ? 'trtexec --help lists the options' : `did you mean --trtexec-flag=${near}?`,
        });
      }
      this.warnings.push(`serve-opt does not know the option ${name} of trtexec; it is passed on as it is.`);
    }
    if (state === 'idle') this.warnings.push(`${name} does nothing in TensorRT ${formatVersion(this.version)}.`);
    this.argv.push(text);
  }

  /** An option that the plan has already, or that decides what serve-opt reads and delivers. */
  #checkOwn(text: string, name: string): void {
    const own = OWN_FLAGS.get(name);
    if (own === undefined && (REPEATABLE.has(name) || !this.argv.some((word) => word.split('=', 1)[0] === name)))
      return;
    throw new ServeOptError('SO1006', `The value "${text}" of --trtexec-flag is not allowed`, {
      why: own === undefined ? `${name} is given already` : `serve-opt sets ${name} itself`,
      hint: own ?? 'leave it out',
    });
  }

  #refused(flag: string, state: 'removed' | 'not-yet' | string): ServeOptError {
    const row = flagRow(flag);
    const shown = formatVersion(this.version);
    const why =
      state === 'removed' ? `it was removed after TensorRT ${row?.last}` : `it came with TensorRT ${row?.since}`;
    return new ServeOptError('SO1002', `trtexec of TensorRT ${shown} has no ${flag}`, {
      why,
      hint: 'leave it out, or use another version of TensorRT',
    });
  }
}
