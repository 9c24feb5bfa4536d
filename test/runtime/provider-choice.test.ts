import { describe, expect, it } from 'vitest';
import { formatProvider, nativeProvider } from '../../src/runtime/execution-providers.js';
import type { ProfileReport } from '../../src/runtime/profile.js';
import type { ProbeResult } from '../../src/runtime/protocol.js';
import { parseProviderChoice } from '../../src/runtime/provider-choice.js';
import { providerFailure, sessionFailure } from '../../src/runtime/provider-failure.js';
import { proveProviders } from '../../src/runtime/provider-proof.js';
import { resolveProviders } from '../../src/runtime/resolve-providers.js';
import { nativeSessionOptions } from '../../src/runtime/session-options.js';
import type { ExecutionProvider } from '../../src/runtime/types.js';

describe('parseProviderChoice', () => {
  it.each<[string, readonly ExecutionProvider[]]>([
    ['cpu', ['cpu']],
    [' CUDA ', ['cuda']],
    ['dml', ['directml']],
    ['cuda:1', [{ name: 'cuda', options: { deviceId: 1 } }]],
    ['cuda:deviceId=1', [{ name: 'cuda', options: { deviceId: 1 } }]],
    ['tensorrt:deviceid=2', [{ name: 'tensorrt', options: { deviceId: 2 } }]],
    ['coreml:coreMlFlags=16', [{ name: 'coreml', options: { coreMlFlags: 16 } }]],
    ['tensorrt+cuda', ['tensorrt', 'cuda']],
    [
      'tensorrt:1 + cuda:1',
      [
        { name: 'tensorrt', options: { deviceId: 1 } },
        { name: 'cuda', options: { deviceId: 1 } },
      ],
    ],
    [
      'webgpu:preferredLayout=nhwc:enableRobustness=true:forceCpuNodeNames=/a/b|c',
      [
        {
          name: 'webgpu',
          options: { preferredLayout: 'NHWC', enableRobustness: true, forceCpuNodeNames: ['/a/b', 'c'] },
        },
      ],
    ],
  ])('reads %s', (text, providers) => {
    expect(parseProviderChoice(text)).toMatchObject({ auto: false, providers });
  });

  it('reads auto', () => {
    expect(parseProviderChoice('Auto')).toEqual({ text: 'auto', auto: true, providers: [] });
  });

  it.each([
    ['cudda', 'unknown provider "cudda"', 'Did you mean cuda?'],
    ['tensor-rt', 'unknown provider "tensor-rt"', 'Did you mean tensorrt?'],
    ['rocm', 'unknown provider "rocm"', 'cpu, cuda, tensorrt, webgpu, coreml, directml, auto'],
    ['__proto__', 'unknown provider "__proto__"', 'One of'],
    ['', 'name is missing', 'One of'],
    ['cuda+', 'name is missing', 'One of'],
    ['cuda:device=1', 'cuda has no option "device"', 'deviceId'],
    ['cuda:deviceIdd=1', 'cuda has no option "deviceIdd"', 'Did you mean deviceId?'],
    ['cuda:__proto__=1', 'cuda has no option "__proto__"', 'deviceId'],
    ['cuda:one', 'deviceId is a whole number from 0 on, not "one"', undefined],
    ['cuda:-1', 'deviceId is a whole number from 0 on, not "-1"', undefined],
    ['webgpu:NHWC', '"NHWC" is not an option', 'preferredLayout'],
    ['webgpu:preferredLayout=NCWH', 'preferredLayout is one of NCHW, NHWC', undefined],
    ['webgpu:enableRobustness=1', 'true or false', undefined],
    ['cpu:useArena=true', 'cpu has no option "useArena"', 'cpu has no options'],
    ['auto+cpu', 'cannot be combined', undefined],
    ['cuda:0+cuda:1', 'cuda is listed twice', undefined],
  ])('refuses %s', (text, message, hint) => {
    expect(() => parseProviderChoice(text)).toThrow(
      expect.objectContaining({
        code: 'SO1006',
        message: expect.stringContaining(message),
        ...(hint === undefined ? {} : { hint: expect.stringContaining(hint) }),
      }),
    );
  });

  it('is written as it was read', () => {
    for (const text of ['cpu', 'cuda:deviceId=1', 'webgpu:preferredLayout=NHWC:forceCpuNodeNames=a|b']) {
      expect(parseProviderChoice(text).providers.map(formatProvider)).toEqual([text]);
    }
  });
});

describe("onnxruntime-node's terms", () => {
  it('have their own word for DirectML, and options beside the name', () => {
    expect(nativeProvider('directml')).toBe('dml');
    expect(nativeProvider({ name: 'directml', options: { deviceId: 1 } })).toEqual({ name: 'dml', deviceId: 1 });
    expect(nativeProvider('no-such-provider')).toBe('no-such-provider');
    const executionProviders = ['cuda', { name: 'webgpu', options: { validationMode: 'full' } }];
    expect(nativeSessionOptions({ executionProviders }).executionProviders).toEqual([
      'cuda',
      { name: 'webgpu', validationMode: 'full' },
    ]);
  });

  it('turn profiling on only with a place for the profile', () => {
    expect(nativeSessionOptions()).not.toHaveProperty('enableProfiling');
    expect(nativeSessionOptions({ profilePrefix: '/tmp/p' })).toMatchObject({
      enableProfiling: true,
      profileFilePrefix: '/tmp/p',
    });
  });
});

describe('providerFailure', () => {
  const loading = (provider: string, library: string): string =>
    `OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library ([E:onnxruntime] FAIL : Failed to load library /p/x64/libonnxruntime_providers_${provider}.so with error: ${library}: cannot open shared object file: No such file or directory)`;

  it.each([
    [
      'cuda',
      loading('shared', '/p/x64/libonnxruntime_providers_shared.so'),
      'CUDA is not installed',
      'npm rebuild onnxruntime-node',
    ],
    [
      'tensorrt',
      loading('shared', '/p/libonnxruntime_providers_shared.so'),
      'TensorRT is not installed',
      'ONNXRUNTIME_NODE_INSTALL=cuda12',
    ],
    ['cuda', loading('cuda', 'libcudart.so.12'), 'CUDA is not installed in the version', 'LD_LIBRARY_PATH'],
    ['cuda', loading('cuda', 'libcublasLt.so.12'), 'libcublasLt.so.12 is missing', 'CUDA 12'],
    ['cuda', loading('cuda', 'libcudnn.so.9'), 'cuDNN is not installed in the version', 'cuDNN 9'],
    ['cuda', loading('cuda', 'libcuda.so.1'), 'driver is not installed', 'driver'],
    ['tensorrt', loading('tensorrt', 'libnvinfer.so.10'), 'TensorRT is not installed (libnvinfer.so.10', 'TensorRT 10'],
    [
      'cuda',
      'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=-1',
      'too old',
      'driver',
    ],
    ['cuda', 'CUDA failure 100: no CUDA-capable device is detected ; GPU=0', 'no NVIDIA GPU', 'CUDA_VISIBLE_DEVICES'],
    ['cuda', 'CUDA failure 101: invalid device ordinal ; GPU=7', 'no GPU has this ID', 'deviceId'],
    ['cuda', 'CUDA failure 209: no kernel image is available for execution on the device', 'generation', 'GPU'],
    ['cuda', 'CUDNN failure 1001: CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH ; GPU=0', 'are not compatible', 'cuDNN 9'],
    ['cuda', 'CUDA failure 2: out of memory ; GPU=0', 'memory of the GPU is full', 'nvidia-smi'],
    ['webgpu', 'Failed to get a WebGPU adapter: No supported adapters', 'no GPU has a driver', 'Vulkan'],
    ['webgpu', 'no available backend found. ERR: [webgpu] backend not found.', 'has no WebGPU', undefined],
    ['coreml', 'no available backend found. ERR: [coreml] backend not found.', 'CoreML only on macOS', undefined],
    ['directml', 'backend not found', 'DirectML only on Windows', undefined],
  ])('%s: %s', (provider, said, cause, fix) => {
    const failure = providerFailure(provider, said, 'linux-x64');
    expect(failure.cause).toContain(cause);
    if (fix === undefined) expect(failure.fix).toBeUndefined();
    else expect(failure.fix).toContain(fix);
  });

  it('knows what ONNX Runtime for Node has on which system and processor', () => {
    const cause = (provider: string, platform: string): string =>
      providerFailure(provider, 'not found', platform).cause;
    expect(cause('cuda', 'win32-x64')).toBe('ONNX Runtime for Node has CUDA only on Linux (x64)');
    expect(cause('webgpu', 'linux-arm64')).toBe('ONNX Runtime for Node has WebGPU only on Linux (x64), macOS, Windows');
    expect(cause('coreml', 'darwin-arm64')).toBe('not found');
  });

  it('says what ONNX Runtime said where it knows no better, without the source file', () => {
    expect(providerFailure('cuda', '/src/core/x.cc:12 something new', 'linux-x64')).toEqual({ cause: 'something new' });
  });
});

describe('sessionFailure', () => {
  it('tells the fault of a provider from that of a model', () => {
    const device = 'CUDA failure 100: no CUDA-capable device is detected';
    expect(sessionFailure('cuda', device, 'linux-x64')?.cause).toContain('no NVIDIA GPU');
    expect(sessionFailure('cuda', 'OrtSessionOptionsAppendExecutionProvider_Cuda: odd', 'linux-x64')?.cause).toContain(
      'odd',
    );
    expect(sessionFailure('cuda', 'CUDA failure 2: out of memory', 'linux-x64')).toBeUndefined();
    expect(sessionFailure('cuda', 'Load model failed: Protobuf parsing failed', 'linux-x64')).toBeUndefined();
  });
});

describe('resolveProviders', () => {
  const probing = (working: readonly string[], asked: string[] = []) => ({
    platform: 'linux-x64',
    hasGraphicsDevice: true,
    probe: async (provider: ExecutionProvider): Promise<ProbeResult> => {
      const name = formatProvider(provider);
      asked.push(name);
      if (working.includes(name)) return { provider: name, works: true };
      return { provider: name, works: false, why: `native text of ${name}`, cause: `no ${name}`, fix: `get ${name}` };
    },
  });

  it('does not try the CPU, and each other provider once for many configurations', async () => {
    const asked: string[] = [];
    const known = new Map<string, ProbeResult>();
    const options = { ...probing(['cuda', 'cuda:deviceId=1'], asked), known };
    for (const text of ['cpu', 'cuda', 'cuda+cpu', 'cuda:1']) {
      const { label, notes } = await resolveProviders(parseProviderChoice(text), options);
      expect(label).toBe(text.replace(':1', ':deviceId=1'));
      expect(notes).toEqual([]);
    }
    expect(asked).toEqual(['cuda', 'cuda:deviceId=1']);
  });

  it('refuses what was asked for and does not work, with cause and fix and exit code 6', async () => {
    const request = resolveProviders(parseProviderChoice('tensorrt+cuda'), probing(['tensorrt']));
    await expect(request).rejects.toMatchObject({
      code: 'SO5005',
      exitCode: 6,
      message: 'CUDA does not work here: no cuda',
      hint: 'get cuda',
      cause: 'native text of cuda',
    });
  });

  it.each([
    ['linux-x64', ['webgpu', 'cuda'], 'cuda', ['auto chooses cuda']],
    ['linux-x64', ['webgpu'], 'webgpu', ['auto chooses webgpu', 'cuda: no cuda']],
    ['linux-x64', [], 'cpu', ['auto chooses the CPU', 'cuda: no cuda', 'webgpu: no webgpu']],
    ['darwin-arm64', ['coreml', 'webgpu'], 'coreml', ['auto chooses coreml']],
    ['win32-x64', ['directml'], 'directml', ['auto chooses directml']],
    ['linux-arm64', ['cuda', 'webgpu'], 'cpu', ['auto chooses the CPU']],
  ])('auto on %s with %j takes %s and says why not the others', async (platform, working, label, notes) => {
    const resolved = await resolveProviders(parseProviderChoice('auto'), { ...probing(working), platform });
    expect(resolved).toMatchObject({ label, notes, providers: [label] });
  });

  it('auto does not take a WebGPU that computes on the CPU', async () => {
    const options = { ...probing(['webgpu']), hasGraphicsDevice: false };
    const { label, notes } = await resolveProviders(parseProviderChoice('auto'), options);
    expect(label).toBe('cpu');
    expect(notes.join()).toContain('no graphics device');
  });
});

describe('proveProviders', () => {
  const profile = (...operators: [opType: string, provider: string, nodes: number][]): ProfileReport => ({
    runs: 1,
    providers: [],
    nodes: [],
    operators: operators.map(([opType, provider, nodes]) => ({ opType, provider, nodes, msPerRun: 1, share: 0 })),
  });

  it('is silent where all ran where it was to run', () => {
    expect(proveProviders(profile(['Conv', 'CUDAExecutionProvider', 4]), ['cuda'])).toEqual([]);
    expect(proveProviders(profile(['Conv', 'CPUExecutionProvider', 4]), ['cpu'])).toEqual([]);
  });

  it('refuses a provider that ran nothing: its figures would be those of the CPU', () => {
    const run = () => proveProviders(profile(['Conv', 'CPUExecutionProvider', 4]), [{ name: 'cuda', options: {} }]);
    expect(run).toThrow(
      expect.objectContaining({
        code: 'SO5005',
        message: 'ONNX Runtime accepted cuda but ran none of 4 nodes there',
        why: 'They ran on the CPU (4)',
      }),
    );
  });

  it('does not count copies as work', () => {
    const copies = profile(['MemcpyToHost', 'CUDAExecutionProvider', 2], ['Conv', 'CPUExecutionProvider', 1]);
    expect(() => proveProviders(copies, ['cuda'])).toThrow('none of 1 node there');
  });

  it('refuses a model that runs no node at all', () => {
    expect(() => proveProviders(profile(), ['webgpu'])).toThrow('ran nothing there');
  });

  it('warns where part of the work ran elsewhere', () => {
    const mixed = profile(
      ['Conv', 'CUDAExecutionProvider', 10],
      ['Shape', 'CPUExecutionProvider', 2],
      ['NonMaxSuppression', 'CPUExecutionProvider', 1],
    );
    expect(proveProviders(mixed, ['cuda'])).toEqual([
      '3 of 13 nodes did not run on CUDA: the CPU (3) (Shape, NonMaxSuppression)',
    ]);
  });

  it('takes a chain as a whole, and says which of it did nothing', () => {
    expect(proveProviders(profile(['Conv', 'CUDAExecutionProvider', 3]), ['tensorrt', 'cuda', 'cpu'])).toEqual([
      'TensorRT ran 0 of 3 nodes',
    ]);
  });
});
