import type { ExecutionProvider, ProviderOptionValue } from './types.js';

/** What a word of an option's value may be. */
export type OptionKind =
  | { readonly kind: 'integer' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'word'; readonly words: readonly string[] }
  | { readonly kind: 'list' };

/** An execution provider that users can ask for. */
export interface ProviderEntry {
  /** As users write it. */
  readonly name: string;
  /** As onnxruntime-node calls it. */
  readonly native: string;
  /** As ONNX Runtime calls it in a profile. */
  readonly profileName: string;
  /** For sentences. */
  readonly title: string;
  /** What onnxruntime-node's binaries have it for: a system, or one on a processor (`linux-x64`), as Node names them. */
  readonly platforms: readonly string[];
  readonly options: ReadonlyMap<string, OptionKind>;
  /** The option that a bare value stands for, as in `cuda:1`. */
  readonly mainOption?: string;
}

const DEVICE: ReadonlyMap<string, OptionKind> = new Map([['deviceId', { kind: 'integer' }]]);
const BUFFER_CACHE: OptionKind = { kind: 'word', words: ['disabled', 'lazyRelease', 'simple', 'bucket'] };
const EVERYWHERE = ['linux', 'darwin', 'win32'];

/** Every provider that `--ep` knows, and the options that the native side of onnxruntime-node 1.30 reads. */
export const EXECUTION_PROVIDERS: readonly ProviderEntry[] = [
  {
    name: 'cpu',
    native: 'cpu',
    profileName: 'CPUExecutionProvider',
    title: 'the CPU',
    platforms: EVERYWHERE,
    options: new Map(),
  },
  {
    name: 'cuda',
    native: 'cuda',
    profileName: 'CUDAExecutionProvider',
    title: 'CUDA',
    platforms: ['linux-x64'],
    options: DEVICE,
    mainOption: 'deviceId',
  },
  {
    name: 'tensorrt',
    native: 'tensorrt',
    profileName: 'TensorrtExecutionProvider',
    title: 'TensorRT',
    platforms: ['linux-x64'],
    options: DEVICE,
    mainOption: 'deviceId',
  },
  {
    name: 'webgpu',
    native: 'webgpu',
    profileName: 'WebGpuExecutionProvider',
    title: 'WebGPU',
    platforms: ['linux-x64', 'darwin', 'win32'],
    options: new Map<string, OptionKind>([
      ['preferredLayout', { kind: 'word', words: ['NCHW', 'NHWC'] }],
      ['forceCpuNodeNames', { kind: 'list' }],
      ['validationMode', { kind: 'word', words: ['disabled', 'wgpuOnly', 'basic', 'full'] }],
      ['enableRobustness', { kind: 'boolean' }],
      ['storageBufferCacheMode', BUFFER_CACHE],
      ['uniformBufferCacheMode', BUFFER_CACHE],
      ['queryResolveBufferCacheMode', BUFFER_CACHE],
      ['defaultBufferCacheMode', BUFFER_CACHE],
    ]),
  },
  {
    name: 'coreml',
    native: 'coreml',
    profileName: 'CoreMLExecutionProvider',
    title: 'CoreML',
    platforms: ['darwin'],
    options: new Map([['coreMlFlags', { kind: 'integer' }]]),
    mainOption: 'coreMlFlags',
  },
  {
    name: 'directml',
    native: 'dml',
    profileName: 'DmlExecutionProvider',
    title: 'DirectML',
    platforms: ['win32'],
    options: DEVICE,
    mainOption: 'deviceId',
  },
];

/** Other words for a provider. */
export const PROVIDER_ALIASES: ReadonlyMap<string, string> = new Map([['dml', 'directml']]);

/** The provider of a name, however it is called; undefined for an unknown one. */
export function providerEntry(name: string): ProviderEntry | undefined {
  const wanted = PROVIDER_ALIASES.get(name) ?? name;
  return EXECUTION_PROVIDERS.find((entry) => entry.name === wanted);
}

export function providerName(provider: ExecutionProvider): string {
  return typeof provider === 'string' ? provider : provider.name;
}

/** As users write it: `cuda:deviceId=1`. */
export function formatProvider(provider: ExecutionProvider): string {
  if (typeof provider === 'string') return provider;
  const value = (option: ProviderOptionValue): string => (typeof option === 'object' ? option.join('|') : `${option}`);
  return [provider.name, ...Object.entries(provider.options).map(([key, option]) => `${key}=${value(option)}`)].join(
    ':',
  );
}

/** A provider in onnxruntime-node's terms; unknown names pass as they are, and it refuses them. */
export function nativeProvider(provider: ExecutionProvider): string | { readonly name: string } {
  const name = providerName(provider);
  const native = providerEntry(name)?.native ?? name;
  return typeof provider === 'string' ? native : { ...provider.options, name: native };
}
