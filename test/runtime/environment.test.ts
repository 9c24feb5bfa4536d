import { describe, expect, it } from 'vitest';
import { cpuQuota, type TextReader, throttledPeriods } from '../../src/machine/cgroup.js';
import { cpuModel, readEnvironment } from '../../src/runtime/environment.js';

const files = (texts: Record<string, string>): TextReader => {
  const byPath = new Map(Object.entries(texts));
  return (path) => byPath.get(path);
};

describe('cpuQuota', () => {
  it('takes the smallest limit of a group and those around it (version 2)', () => {
    const read = files({
      '/proc/self/cgroup': '0::/kubepods/pod1/c1\n',
      '/sys/fs/cgroup/kubepods/pod1/c1/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/kubepods/pod1/cpu.max': '150000 100000\n',
      '/sys/fs/cgroup/kubepods/cpu.max': '800000 100000\n',
    });
    expect(cpuQuota(read)).toBe(1.5);
  });

  it('takes the root in a container that sees nothing else', () => {
    expect(cpuQuota(files({ '/proc/self/cgroup': '0::/../../x\n', '/sys/fs/cgroup/cpu.max': '50000 100000' }))).toBe(
      0.5,
    );
  });

  it('reads version 1, under either name of the folder', () => {
    for (const folder of ['/sys/fs/cgroup/cpu,cpuacct', '/sys/fs/cgroup/cpu']) {
      const read = files({
        '/proc/self/cgroup': '12:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n',
        [`${folder}/cpu.cfs_quota_us`]: '200000\n',
        [`${folder}/cpu.cfs_period_us`]: '100000\n',
      });
      expect(cpuQuota(read)).toBe(2);
    }
  });

  it('is undefined without a limit or without Linux', () => {
    expect(cpuQuota(files({}))).toBeUndefined();
    expect(
      cpuQuota(files({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' })),
    ).toBeUndefined();
    const unlimited = {
      '/proc/self/cgroup': '1:cpu:/\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    };
    expect(cpuQuota(files(unlimited))).toBeUndefined();
  });
});

describe('throttledPeriods', () => {
  it('adds up the groups around the process, and is undefined where none tells', () => {
    const read = files({
      '/proc/self/cgroup': '0::/a/b\n',
      '/sys/fs/cgroup/a/b/cpu.stat': 'usage_usec 5\nnr_periods 9\nnr_throttled 3\nthrottled_usec 100\n',
      '/sys/fs/cgroup/a/cpu.stat': 'usage_usec 5\nnr_periods 9\nnr_throttled 4\n',
      '/sys/fs/cgroup/cpu.stat': 'usage_usec 5\n',
    });
    expect(throttledPeriods(read)).toBe(7);
    expect(throttledPeriods(files({}))).toBeUndefined();
  });
});

describe('readEnvironment', () => {
  const nobody = async () => undefined;

  it('describes this machine', async () => {
    const environment = await readEnvironment();
    expect(environment.logicalCores).toBeGreaterThan(0);
    expect(environment.availableParallelism).toBeGreaterThan(0);
    expect(environment.cpuModel).not.toBe('');
    expect(environment.memoryBytes).toBeGreaterThan(2 ** 20);
    expect(environment.nodeVersion).toBe(process.versions.node);
    expect(environment.timerUs).toBeGreaterThan(0);
    expect(JSON.stringify(environment)).not.toContain(process.cwd());
  });

  it('tells governor, quota and GPUs where there are any, and passes over what it cannot read', async () => {
    const read = files({
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/cpu.max': '400000 100000',
      '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor': 'powersave\n',
    });
    const queryGpus = async () =>
      'NVIDIA H100 80GB HBM3, 570.124.06, 81559\nNVIDIA\u001b[31m GB10, 580.1, [N/A]\nNo devices were found\n';
    expect(await readEnvironment({ read, queryGpus })).toMatchObject({
      cpuQuota: 4,
      governor: 'powersave',
      gpus: [
        { name: 'NVIDIA H100 80GB HBM3', driver: '570.124.06', memoryBytes: 81_559 * 2 ** 20 },
        { name: 'NVIDIA GB10', driver: '580.1' },
      ],
    });
  });

  it('leaves out what there is not', async () => {
    const environment = await readEnvironment({ read: () => undefined, queryGpus: nobody });
    for (const key of ['cpuQuota', 'governor', 'gpus']) expect(environment).not.toHaveProperty(key);
  });
});

describe('cpuModel', () => {
  it('is what Node says, else what /proc/cpuinfo says', () => {
    const info = (text: string): TextReader => files({ '/proc/cpuinfo': text });
    expect(cpuModel('AMD EPYC   7763 ', info(''))).toBe('AMD EPYC 7763');
    expect(cpuModel('unknown', info('processor\t: 0\nBogoMIPS\t: 108.00\n\nModel\t\t: Raspberry Pi 5\n'))).toBe(
      'Raspberry Pi 5',
    );
    const arm = 'processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n';
    expect(cpuModel('', info(arm))).toBe('implementer 0x41 part 0xd0c');
    expect(cpuModel('', () => undefined)).toBe('unknown');
  });
});
