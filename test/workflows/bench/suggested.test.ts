import { describe, expect, it } from 'vitest';
import { suggested } from '../../../src/workflows/bench/describe.js';
import { configuration } from '../../report/bench-reports.js';

describe('suggested', () => {
  it('goes by latency on one stream, and by throughput over connections to a server', () => {
    const few = { ...configuration('few', 2), throughput: { value: 500, low: 490, high: 510 } };
    const many = { ...configuration('many', 4), throughput: { value: 2000, low: 1900, high: 2100 } };
    const scenario = { kind: 'single-stream' } as const;
    expect(suggested([few, many], scenario)).toMatchObject({ configuration: 'few', why: 'lowest latency' });
    const responses = [{ status: '200', count: 1000 }];
    const served = [few, many].map((each) => ({ ...each, responses }));
    expect(suggested(served, scenario)).toMatchObject({ configuration: 'many', why: 'highest throughput' });
  });
});
