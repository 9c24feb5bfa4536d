import { describe, expect, it } from 'vitest';
import { type DoctorReport, renderDoctor } from '../../../src/cli/commands/doctor.js';
import { createStyle } from '../../../src/cli/render/style.js';

const style = createStyle(false);

const report: DoctorReport = {
  schemaVersion: 1,
  versions: { serveOpt: '1.0.0', node: '20.0.0', platform: 'linux-x64' },
  runtime: {
    works: true,
    version: '1.30.0',
    providers: [
      { provider: 'cpu', works: true },
      { provider: 'cuda', works: false, why: 'FAIL : cannot open x.so', cause: 'a library is missing', fix: 'get it' },
      { provider: 'webgpu', works: false, why: 'something new', cause: 'something new' },
    ],
  },
  tools: [],
  temporaryFolder: { path: '/tmp', writable: true },
};

const lines = async (verbosity: number): Promise<string[]> =>
  (await renderDoctor(report, { style, columns: undefined, verbosity })).split('\n').map((line) => line.trim());

describe('the text of doctor', () => {
  it('says of each execution provider what is wrong and what helps', async () => {
    const text = await lines(0);
    expect(text).toContainEqual(expect.stringMatching(/^✓ +cpu +works$/));
    expect(text).toContainEqual(expect.stringMatching(/^✗ +cuda +does not work: a library is missing; get it$/));
    expect(text).toContainEqual(expect.stringMatching(/^✗ +webgpu +does not work: something new$/));
    expect(text).toContain('Execution providers (-v shows the message of ONNX Runtime)');
  });

  it('adds what ONNX Runtime said with -v, where it is more', async () => {
    const text = await lines(1);
    expect(text).toContainEqual(expect.stringMatching(/a library is missing; get it \(FAIL : cannot open x\.so\)$/));
    expect(text).toContainEqual(expect.stringMatching(/does not work: something new$/));
  });

  it.each([40, 80, 120])('cuts nothing at %i columns, and breaks lines between words', async (columns) => {
    const fix = 'install the Vulkan driver and libvulkan1; in a container, pass ONNXRUNTIME_NODE_INSTALL=cuda12';
    const providers = [{ provider: 'webgpu', works: false, cause: 'no GPU has a driver that can be used', fix }];
    const long: DoctorReport = { ...report, runtime: { works: true, version: '1.30.0', providers } };
    const text = await renderDoctor(long, { style, columns, verbosity: 0 });
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
    expect(text.replace(/\s+/g, ' ')).toContain(fix);
    expect(text).not.toContain('…');
  });
});
