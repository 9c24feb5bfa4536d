/** trtexec in a container: paths of the host as paths in it. */
import { basename, dirname, posix } from 'node:path';
import { ServeOptError } from '../../errors.js';

/** A folder of the host in the container. */
interface Mount {
  readonly host: string;
  readonly inside: string;
  readonly writable: boolean;
}

export interface DockerRun {
  /** Arguments of `docker`. */
  readonly argv: readonly string[];
  /** Name of the container, to stop it by. */
  readonly name: string;
}

export interface DockerOptions {
  readonly image: string;
  readonly name: string;
  /** Owner of what is written: `1000:1000`. Absent where the system has no such numbers. */
  readonly user?: string | undefined;
  /** Path of trtexec in the image. Default: found on its PATH. */
  readonly program?: string;
  /** Index of the GPU to show; all where absent. */
  readonly gpu?: number;
}

/** Options whose value is a path: the file is read, or (`write`) its folder is written to. */
export const PATH_FLAGS: ReadonlyMap<string, 'read' | 'write'> = new Map([
  ['--onnx', 'read'],
  ['--loadEngine', 'read'],
  ['--calib', 'read'],
  ['--plugins', 'read'],
  ['--staticPlugins', 'read'],
  ['--dynamicPlugins', 'read'],
  ['--setPluginsToSerialize', 'read'],
  ['--leanDLLPath', 'read'],
  ['--refitFromOnnx', 'read'],
  ['--tuneBuildRouteFile', 'read'],
  ['--saveEngine', 'write'],
  ['--timingCacheFile', 'write'],
  ['--exportTimes', 'write'],
  ['--exportProfile', 'write'],
  ['--exportLayerInfo', 'write'],
  ['--exportOutput', 'write'],
  ['--tuningCacheFile', 'write'],
]);

/** Options with paths inside a list, which are not made those of the container. */
const LISTS_OF_PATHS: ReadonlySet<string> = new Set([
  ...['--loadInputs', '--loadRefOutputs', '--refPair', '--saveDebugTensors', '--safetyPlugins', '--tempdir'],
]);

/**
 * `docker run` for arguments of trtexec with absolute host paths. Each folder is mounted once, and writable only where
 * something is written into it.
 */
export function dockerRun(argv: readonly string[], options: DockerOptions): DockerRun {
  const mounts = new Map<string, Mount>();
  const inside = argv.map((argument) => {
    const at = argument.indexOf('=');
    const name = at < 0 ? argument : argument.slice(0, at);
    if (LISTS_OF_PATHS.has(name)) {
      throw new ServeOptError('SO1002', `--trtexec-flag ${name} and --docker cannot be used together`, {
        why: 'the files that it names are not in the container',
        hint: 'run trtexec without --docker',
      });
    }
    const use = at < 0 ? undefined : PATH_FLAGS.get(name);
    if (use === undefined) return argument;
    const path = argument.slice(at + 1);
    const host = dirname(path);
    if (/[,"]/.test(host)) {
      throw new ServeOptError('SO1006', `The folder "${host}" cannot be mounted into a container`, {
        why: 'its path has a comma or a quote, which docker takes for a separator',
        hint: 'work in a folder without one, or run trtexec without --docker',
      });
    }
    const known = mounts.get(host);
    const mount = {
      host,
      inside: known?.inside ?? `/serve-opt/${mounts.size}`,
      writable: (known?.writable ?? false) || use === 'write',
    };
    mounts.set(host, mount);
    return `${argument.slice(0, at)}=${posix.join(mount.inside, basename(path))}`;
  });
  return {
    name: options.name,
    argv: [
      'run',
      '--rm',
      '--init',
      `--name=${options.name}`,
      `--gpus=${options.gpu === undefined ? 'all' : `device=${options.gpu}`}`,
      ...(options.user === undefined ? [] : [`--user=${options.user}`]),
      ...[...mounts.values()].map(
        (mount) => `--mount=type=bind,source=${mount.host},target=${mount.inside}${mount.writable ? '' : ',readonly'}`,
      ),
      '--entrypoint=/bin/sh',
      options.image,
      // Images of TensorRT have it in one of these places only.
      '-c',
      'PATH="$PATH:/usr/src/tensorrt/bin:/opt/tensorrt/bin"; exec "$0" "$@"',
      options.program ?? 'trtexec',
      ...inside,
    ],
  };
}
