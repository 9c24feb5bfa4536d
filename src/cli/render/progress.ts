import { formatBytes, formatDuration } from '../../report/format.js';
import { safeText } from '../../report/safe-text.js';
import type { ProgressEvent } from '../../workflows/options.js';
import type { OutputStream } from '../output-stream.js';
import { createSpinner, type Spinner } from './spinner.js';
import type { Style } from './style.js';
import { wrapLine } from './wrap.js';

/** What the user sees while a workflow runs. Made once for a command. */
export interface Progress {
  readonly handle: (event: ProgressEvent) => void;
  /** Ends what is still shown; a stage that was running is shown as stopped. */
  stop(): void;
}

export interface ProgressOptions {
  readonly stream: OutputStream;
  readonly style: Style;
  /** One moving line; otherwise plain lines. */
  readonly animated: boolean;
  /** `--json` and `--quiet` show no stages. */
  readonly stages: boolean;
  readonly warnings: boolean;
  /** Shows the events of kind `detail`. */
  readonly details: boolean;
  /** Milliseconds; `performance.now` outside tests. */
  readonly now?: () => number;
}

/** A pipe hears from a long stage this often. */
const HEARTBEAT_MS = 10_000;

/** A stage stopped sooner is not mentioned. */
const NOTICEABLE_MS = 200;

interface Stage {
  readonly name: string;
  readonly startedMs: number;
  total: number | undefined;
  done: number;
  fraction: number | undefined;
  saidMs: number;
}

/** One line a stage: `✓ calibrate 128 samples 3.1 s`. */
export function createProgress(options: ProgressOptions): Progress {
  const now = options.now ?? (() => performance.now());
  const { stream, style } = options;
  const columns = stream.isTTY === true ? stream.columns : undefined;
  const running: Stage[] = [];
  const said = new Set<string>();
  let spinner: Spinner | undefined;

  const print = (line: string): void => {
    spinner?.clear();
    stream.write(`${line}\n`);
  };
  /** Whether a stage has said nothing for long enough; it is about to, then. */
  const isDue = (stage: Stage): boolean => {
    if (now() - stage.saidMs < HEARTBEAT_MS) return false;
    stage.saidMs = now();
    return true;
  };
  const show = (stage: Stage): void => {
    if (options.animated) {
      spinner ??= createSpinner(stream, style);
      spinner.update(stageText(stage, now(), style));
    } else if (isDue(stage)) {
      print(`  ${stageText(stage, now(), style)}`);
    }
  };
  // A stage that counts nothing, or that is stuck in a step, gives a sign of life too.
  const beat = (): void => {
    const stage = running.at(-1);
    if (stage === undefined || !isDue(stage)) return;
    print(`  ${stageText(stage, now(), style)} ${style.dim(`for ${formatDuration(now() - stage.startedMs)}`)}`);
  };
  const heart = options.animated || !options.stages ? undefined : setInterval(beat, HEARTBEAT_MS / 4).unref();
  const close = (stage: Stage, sign: string, detail: string | undefined): void => {
    running.splice(running.indexOf(stage), 1);
    spinner?.stop();
    spinner = undefined;
    const parts = [sign, safeText(stage.name, 60)];
    if (detail !== undefined && detail !== '') parts.push(safeText(detail, 400));
    print(wrapLine(`${parts.join(' ')} ${style.dim(formatDuration(now() - stage.startedMs))}`, columns));
    const outer = running.at(-1);
    if (outer !== undefined) show(outer);
  };

  const handle = (event: ProgressEvent): void => {
    if (event.kind === 'warning') {
      // A warning may come while the work goes on and again with its report.
      if (!options.warnings || said.has(event.message)) return;
      said.add(event.message);
      print(wrapLine(`${style.warning} warning: ${safeText(event.message)}`, columns));
      return;
    }
    if (event.kind === 'detail') {
      if (options.details) print(style.dim(`  ${safeText(event.message)}`));
      return;
    }
    if (!options.stages) return;
    if (event.kind === 'start') {
      const startedMs = now();
      const stage: Stage = {
        name: event.stage,
        startedMs,
        total: event.total,
        done: 0,
        fraction: undefined,
        saidMs: startedMs,
      };
      running.push(stage);
      show(stage);
      return;
    }
    const stage = running.findLast((candidate) => candidate.name === event.stage);
    if (stage === undefined) return;
    if (event.kind === 'end') {
      close(
        stage,
        style.ok,
        event.detail ?? (event.sizeBytes === undefined ? undefined : formatBytes(event.sizeBytes)),
      );
      return;
    }
    if (event.kind === 'fraction') stage.fraction = event.fraction;
    else {
      stage.done = event.done;
      stage.total = event.total ?? stage.total;
    }
    show(stage);
  };

  const stop = (): void => {
    clearInterval(heart);
    for (const stage of running.toReversed()) {
      // What had hardly begun was never seen; the error says enough.
      if (now() - stage.startedMs >= NOTICEABLE_MS) close(stage, style.failed, 'stopped');
      else running.splice(running.indexOf(stage), 1);
    }
    spinner?.stop();
    spinner = undefined;
  };
  return { handle, stop };
}

const BAR_CELLS = 20;

/** `calibrate ━━━━━───────────── 32/128 4.2 s left`. */
function stageText(stage: Stage, nowMs: number, style: Style): string {
  const name = safeText(stage.name, 60);
  const { total, done } = stage;
  if (total === undefined && stage.fraction === undefined) return done === 0 ? name : `${name} ${done}`;
  const counted = total === undefined ? '' : ` ${done}/${total}`;
  const fraction = Math.min(1, stage.fraction ?? (total ? done / total : 1));
  const filled = Math.round(fraction * BAR_CELLS);
  const bar = style.cyan('━'.repeat(filled)) + style.dim('─'.repeat(BAR_CELLS - filled));
  const elapsedMs = nowMs - stage.startedMs;
  // Before the first item, and in the first half second, a forecast is noise.
  const leftMs = Math.ceil(((elapsedMs / fraction) * (1 - fraction)) / 1000) * 1000;
  const left = fraction > 0 && fraction < 1 && elapsedMs > 500 ? ` ${style.dim(`${formatDuration(leftMs)} left`)}` : '';
  return `${name} ${bar}${counted}${left}`;
}
