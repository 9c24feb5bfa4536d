import type { BenchReport } from '../src/report/bench-types.js';

export interface ReadmeSample {
  readonly command: string;
  readonly text: string;
}
export const BENCH_REPORT: string;
export function readmeSamples(): readonly ReadmeSample[];
export function sampleFolder(): string;
export function maskSample(text: string): string;
export function runSample(command: string, folder: string): string;
export function benchText(report: BenchReport): Promise<string>;
