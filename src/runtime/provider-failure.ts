import { providerEntry } from './execution-providers.js';

/** Why an execution provider does not work, in words for people, and what to do about it. */
export interface ProviderFailure {
  readonly cause: string;
  /** Undefined where no general advice is known. */
  readonly fix?: string;
}

/** The command that brings the libraries of CUDA and TensorRT. */
const INSTALL_CUDA = 'ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node';

interface Rule {
  /** Undefined: for any. */
  readonly providers?: readonly string[];
  readonly pattern: RegExp;
  readonly cause: (match: RegExpExecArray, title: string) => string;
  readonly fix?: string;
  /** The provider works, but not for this model. */
  readonly ofModel?: true;
}

const NVIDIA = ['cuda', 'tensorrt'];
const SONAME = String.raw`(?:[^\s:]*[/\\])?`;

/**
 * What ONNX Runtime, CUDA and Dawn say, and what it means; the first that fits counts. CUDA's numbers are those of
 * cudaError_t, which do not change.
 */
const RULES: readonly Rule[] = [
  {
    pattern: /backend not found|not (?:included|enabled) in (?:the|this) build/i,
    cause: (_, title) => `this build of ONNX Runtime has no ${title}`,
  },
  {
    providers: NVIDIA,
    pattern: new RegExp(`error:? "?${SONAME}(?:lib)?onnxruntime_providers_\\w+(?:\\.so)?[^:]*: cannot o`, 'i'),
    cause: (_, title) => `ONNX Runtime's library for ${title} is not installed`,
    fix: INSTALL_CUDA,
  },
  {
    providers: NVIDIA,
    pattern: new RegExp(`${SONAME}libcuda\\.so[.\\d]*\\b.{0,40}(?:cannot open|not found)`, 'i'),
    cause: () => 'the NVIDIA driver is not installed',
    fix: 'install the NVIDIA driver; in a container, start it with --gpus all',
  },
  {
    providers: NVIDIA,
    pattern: /\b((?:lib)?nvinfer[\w.]*|libnvonnxparser[\w.]*): cannot open/i,
    cause: ([, library]) => `TensorRT is not installed (${library} is missing)`,
    fix: 'install TensorRT 10 and put its lib folder on LD_LIBRARY_PATH',
  },
  {
    providers: NVIDIA,
    pattern: /\b(libcudnn[\w.]*): cannot open/i,
    cause: ([, library]) => `cuDNN is not installed in the version that ONNX Runtime needs (${library} is missing)`,
    fix: 'install cuDNN 9 for CUDA 12 and put its lib folder on LD_LIBRARY_PATH',
  },
  {
    providers: NVIDIA,
    pattern: /\b(lib(?:cudart|cublas|cublasLt|cufft|curand|cusparse|cusolver|nvrtc|nvJitLink)[\w.]*): cannot open/i,
    cause: ([, library]) => `CUDA is not installed in the version that ONNX Runtime needs (${library} is missing)`,
    fix: 'install the runtime libraries of CUDA 12 and put their folder on LD_LIBRARY_PATH',
  },
  {
    providers: NVIDIA,
    pattern: /CUDA (?:failure|error) 35\b|driver version is insufficient/i,
    cause: () => 'the NVIDIA driver is missing or too old for CUDA 12',
    fix: 'install a newer NVIDIA driver; in a container, start it with --gpus all',
  },
  {
    providers: NVIDIA,
    pattern: /CUDA (?:failure|error) 80[34]\b|forward compatibility|driver \/ cuda driver combination/i,
    cause: () => 'the NVIDIA driver and the CUDA libraries are not compatible',
    fix: 'use the CUDA libraries of the driver, or restart after a driver update',
  },
  {
    providers: NVIDIA,
    pattern: /CUDA (?:failure|error) 100\b|no CUDA-capable device/i,
    cause: () => 'no NVIDIA GPU is available to this process',
    fix: 'look at nvidia-smi and CUDA_VISIBLE_DEVICES; in a container, start it with --gpus all',
  },
  {
    providers: [...NVIDIA, 'directml'],
    pattern: /CUDA (?:failure|error) 101\b|invalid device ordinal|Invalid (?:CUDA )?device.?id|valid device ID/i,
    cause: () => 'no GPU has this ID',
    fix: 'choose a deviceId that nvidia-smi lists, from 0 on',
  },
  {
    providers: NVIDIA,
    pattern: /CUDA (?:failure|error) 209\b|no kernel image is available/i,
    cause: () => 'ONNX Runtime was not built for this generation of GPUs',
    fix: 'use a version of onnxruntime-node that supports the GPU',
  },
  {
    providers: NVIDIA,
    pattern:
      /CUDNN_STATUS_(?:\w*VERSION_MISMATCH|SUBLIBRARY\w*)|CUDNN_STATUS_NOT_INITIALIZED|undefined symbol|version `[^']+' not found/i,
    cause: () => 'the versions of CUDA, cuDNN and ONNX Runtime are not compatible',
    fix: 'install CUDA 12 and cuDNN 9, and keep others off LD_LIBRARY_PATH',
  },
  {
    pattern: /CUDA (?:failure|error) 2\b|out of memory|failed to allocate memory/i,
    cause: () => 'the memory of the GPU is full',
    fix: 'stop other processes that use the GPU (nvidia-smi lists them)',
    ofModel: true,
  },
  {
    providers: ['webgpu'],
    pattern: /WebGPU adapter|No supported adapters|webgpu.*(?:vulkan|libvulkan)/i,
    cause: () => 'no GPU has a driver that WebGPU can use (Vulkan, Metal or Direct3D 12)',
    fix: "install the GPU's Vulkan driver and libvulkan1; in a container, pass /dev/dri",
  },
];

const SYSTEMS: ReadonlyMap<string, string> = new Map([
  ['linux', 'Linux'],
  ['darwin', 'macOS'],
  ['win32', 'Windows'],
]);

/**
 * Says so where onnxruntime-node has no such provider at all; undefined where it has it.
 * @param platform system and processor as Node names them: `linux-x64`
 */
export function platformFailure(provider: string, platform: string): ProviderFailure | undefined {
  const entry = providerEntry(provider);
  if (!entry || entry.platforms.some((name) => platform === name || platform.startsWith(`${name}-`))) return undefined;
  const places = entry.platforms.map((name) => {
    const [system = name, processor] = name.split('-', 2);
    return (SYSTEMS.get(system) ?? system) + (processor === undefined ? '' : ` (${processor})`);
  });
  return { cause: `ONNX Runtime for Node has ${entry.title} only on ${places.join(', ')}` };
}

/** Makes sense of what ONNX Runtime said when `provider` did not work. */
export function providerFailure(provider: string, said: string, platform: string): ProviderFailure {
  const elsewhere = platformFailure(provider, platform);
  if (elsewhere) return elsewhere;
  return (
    ruleFailure(provider, said, RULES) ?? {
      // Without the source file that native code names first.
      cause: said.replace(/^\/\S+:\d+ /, ''),
    }
  );
}

/**
 * What kept a session from being created, where that was its execution provider and not the model; undefined where it
 * was the model, as far as the words tell.
 */
export function sessionFailure(provider: string, said: string, platform: string): ProviderFailure | undefined {
  if (/backend not found|AppendExecutionProvider/.test(said)) return providerFailure(provider, said, platform);
  return ruleFailure(
    provider,
    said,
    RULES.filter(({ ofModel }) => !ofModel),
  );
}

function ruleFailure(provider: string, said: string, rules: readonly Rule[]): ProviderFailure | undefined {
  const entry = providerEntry(provider);
  for (const { providers, pattern, cause, fix } of rules) {
    if (providers && !providers.includes(entry?.name ?? provider)) continue;
    const match = pattern.exec(said);
    if (match) return { cause: cause(match, entry?.title ?? provider), ...(fix === undefined ? {} : { fix }) };
  }
  return undefined;
}
