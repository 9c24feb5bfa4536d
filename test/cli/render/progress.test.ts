import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createProgress, type ProgressOptions } from '../../../src/cli/render/progress.js';
import { createStyle } from '../../../src/cli/render/style.js';

function setUp(options: Partial<ProgressOptions> = {}) {
  const stream = new PassThrough();
  const clock = { ms: 0 };
  const progress = createProgress({
    stream,
    style: createStyle(false),
    animated: false,
    stages: true,
    warnings: true,
    details: false,
    now: () => clock.ms,
    ...options,
  });
  return { progress, clock, written: () => String(stream.read() ?? '') };
}

describe('progress in a pipe', () => {
  it('writes one line when a stage ends', () => {
    const { progress, clock, written } = setUp();
    progress.handle({ kind: 'start', stage: 'fold-constants' });
    clock.ms = 18;
    progress.handle({ kind: 'end', stage: 'fold-constants', detail: '−42 nodes' });
    expect(written()).toBe('✓ fold-constants −42 nodes 18 ms\n');
  });

  it('gives a sign of life in a long stage, with the time left', () => {
    const { progress, clock, written } = setUp();
    progress.handle({ kind: 'start', stage: 'calibrate', total: 100 });
    clock.ms = 5000;
    progress.handle({ kind: 'advance', stage: 'calibrate', done: 25 });
    expect(written()).toBe('');
    clock.ms = 10_000;
    progress.handle({ kind: 'advance', stage: 'calibrate', done: 50 });
    expect(written()).toBe('  calibrate ━━━━━━━━━━────────── 50/100 10 s left\n');
  });

  it('says which stages were running when it stops', () => {
    const { progress, clock, written } = setUp();
    progress.handle({ kind: 'start', stage: 'calibrate' });
    clock.ms = 250;
    progress.handle({ kind: 'start', stage: 'just begun' });
    progress.stop();
    expect(written()).toBe('✗ calibrate stopped 250 ms\n');
  });

  it('makes names from a model safe', () => {
    const { progress, written } = setUp();
    progress.handle({ kind: 'warning', message: 'node "a\x1b[2J\nb" is odd' });
    expect(written()).toBe('▲ warning: node "a\\x1b[2J\\nb" is odd\n');
  });

  it('keeps details for those who ask', () => {
    const quiet = setUp();
    quiet.progress.handle({ kind: 'detail', message: 'x' });
    expect(quiet.written()).toBe('');
    const talkative = setUp({ details: true });
    talkative.progress.handle({ kind: 'detail', message: 'x' });
    expect(talkative.written()).toBe('  x\n');
  });

  it('is silent when told so', () => {
    const { progress, written } = setUp({ stages: false, warnings: false });
    progress.handle({ kind: 'start', stage: 'a' });
    progress.handle({ kind: 'warning', message: 'b' });
    progress.handle({ kind: 'end', stage: 'a' });
    progress.stop();
    expect(written()).toBe('');
  });
});
