/** Reads the log of one trtexec run, line by line. */
import type { TensorRtDevice, TensorRtSummary } from '../../report/tensorrt-types.js';
import { LineSplitter } from './log-lines.js';
import { readDeviceLine, readSummaryLine } from './log-summary.js';
import { parseBannerVersion, parseVersion, type TensorRtVersion } from './version.js';

/** Where a run is, as far as its log tells. */
export type TrtexecStage = 'start' | 'parse' | 'build' | 'load' | 'warm-up' | 'measure' | 'end';

/** A message of trtexec with the lines that belong to it. */
export interface LogMessage {
  readonly severity: 'warning' | 'error';
  readonly text: string;
  /** How often it came. */
  readonly count: number;
}

/** What a log says. */
export interface TrtexecLog {
  readonly version: TensorRtVersion | undefined;
  /** Build of the version, `31` for `[b31]`. */
  readonly build?: number;
  /** Undefined where the log ends without a verdict. */
  readonly verdict: 'passed' | 'failed' | undefined;
  readonly device: TensorRtDevice | undefined;
  readonly summary: TensorRtSummary;
  readonly buildSeconds?: number;
  readonly parseSeconds?: number;
  readonly engineMiB?: number;
  /** Conditions of the measurement as trtexec understood them. */
  readonly conditions: {
    readonly transfers?: boolean;
    readonly cudaGraph?: boolean;
    readonly spinWait?: boolean;
    readonly streams?: number;
  };
  readonly messages: readonly LogMessage[];
  readonly lines: number;
  /** The last lines, for errors that nothing explains. */
  readonly lastLines: readonly string[];
}

/** Where a line came from; a log in one file is one stream. */
export type LogStream = 'stdout' | 'stderr';

/** CUDA graphs were asked for, and the engine cannot run in one. */
const NO_GRAPH = /^CUDA graph capture failed/;

const BANNER = /^&&&& (RUNNING|PASSED|FAILED|WAIVED) TensorRT\.\S+(?: \[TensorRT v(\d+)\])?(?: \[b(\d+)\])?(?: # .*)?$/;
const ENTRY = /^\[\d{2}\/\d{2}\/\d{4}-\d{2}:\d{2}:\d{2}\] \[([IWEFV])\] ?(.*)$/;

/** Most messages that are kept, and the longest text of one with its continuation lines. */
const MOST_MESSAGES = 200;
const LONGEST_MESSAGE = 4000;
const KEPT_LINES = 20;

/** What a line begins, first match. */
const STAGES: readonly { readonly pattern: RegExp; readonly stage: TrtexecStage }[] = [
  { pattern: /^Start parsing network model/, stage: 'parse' },
  { pattern: /^Finish(?:ed)? parsing network model/, stage: 'build' },
  { pattern: /^(?:Engine loaded in|Loaded engine with size|\[TRT\] Loaded engine size)/, stage: 'load' },
  { pattern: /^Starting inference/, stage: 'warm-up' },
  { pattern: /^Warmup completed /, stage: 'measure' },
  { pattern: /^=== Performance summary ===/, stage: 'end' },
];

/** Figures of single lines. */
const FIGURES: readonly { readonly pattern: RegExp; readonly key: 'buildSeconds' | 'parseSeconds' | 'engineMiB' }[] = [
  { pattern: /^Engine built in (\S+) sec\.?$/, key: 'buildSeconds' },
  { pattern: /Parse time: (\S+?)s?$/, key: 'parseSeconds' },
  { pattern: /^(?:Created|Loaded) engine with size: (\S+) MiB$/, key: 'engineMiB' },
];

const SWITCHES: readonly { readonly pattern: RegExp; readonly key: 'transfers' | 'cudaGraph' | 'spinWait' }[] = [
  { pattern: /^Data transfers: (Enabled|Disabled)$/, key: 'transfers' },
  { pattern: /^CUDA Graph: (Enabled|Disabled)$/, key: 'cudaGraph' },
  { pattern: /^Spin-wait: (Enabled|Disabled)$/, key: 'spinWait' },
];

/** Takes bytes of a log as they come; memory does not grow with its size. */
export class TrtexecLogReader {
  readonly #splitter = new LineSplitter((line) => this.addLine(line));
  readonly #onStage: (stage: TrtexecStage) => void;
  readonly #onLine: (line: string) => void;
  readonly #messages: Map<string, { severity: LogMessage['severity']; text: string; count: number }> = new Map();
  readonly #last: string[] = [];
  readonly #device: { -readonly [K in keyof TensorRtDevice]?: TensorRtDevice[K] } = {};
  readonly #summary: { -readonly [K in keyof TensorRtSummary]?: TensorRtSummary[K] } = {};
  readonly #figures: { buildSeconds?: number; parseSeconds?: number; engineMiB?: number } = {};
  readonly #conditions: { transfers?: boolean; cudaGraph?: boolean; spinWait?: boolean; streams?: number } = {};
  /** The message that further lines of a stream belong to: warnings and errors come on another stream than the rest. */
  readonly #open: Map<LogStream, { severity: LogMessage['severity']; text: string }> = new Map();
  #version: TensorRtVersion | undefined;
  #build: number | undefined;
  #verdict: TrtexecLog['verdict'];
  #lines = 0;

  /** @param onStage told when a line begins another part of the run @param onLine told every line that is not empty */
  constructor(onStage: (stage: TrtexecStage) => void = () => {}, onLine: (line: string) => void = () => {}) {
    this.#onStage = onStage;
    this.#onLine = onLine;
  }

  push(bytes: Uint8Array): void {
    this.#splitter.push(bytes);
  }

  /** Nothing more comes. */
  end(): TrtexecLog {
    this.#splitter.end();
    this.#closeAll();
    const { name } = this.#device;
    return {
      version: this.#version,
      ...(this.#build === undefined ? {} : { build: this.#build }),
      verdict: this.#verdict,
      device: name === undefined ? undefined : { ...this.#device, name },
      summary: this.#summary,
      ...this.#figures,
      conditions: this.#conditions,
      messages: [...this.#messages.values()],
      lines: this.#lines,
      lastLines: this.#last,
    };
  }

  addLine(line: string, stream: LogStream = 'stdout'): void {
    this.#lines++;
    if (line.trim() !== '') {
      this.#onLine(line);
      this.#last.push(line.length > 500 ? `${line.slice(0, 500)}…` : line);
      if (this.#last.length > KEPT_LINES) this.#last.shift();
    }
    const [, state, digits, build] = BANNER.exec(line) ?? [];
    if (state !== undefined) {
      this.#closeAll();
      this.#version ??= parseBannerVersion(digits ?? '');
      if (build !== undefined) this.#build = Number(build);
      if (state === 'PASSED') this.#verdict = 'passed';
      if (state === 'FAILED') this.#verdict = 'failed';
      return;
    }
    const [, letter, text = ''] = ENTRY.exec(line) ?? [];
    if (letter === undefined) this.#continue(line, stream);
    else this.#entry(letter, text, stream);
  }

  #entry(letter: string, text: string, stream: LogStream): void {
    this.#close(stream);
    if (letter === 'W') this.#open.set(stream, { severity: 'warning', text });
    else if (letter === 'E' || letter === 'F') this.#open.set(stream, { severity: 'error', text });
    else if (letter === 'I') this.#information(text);
  }

  #information(text: string): void {
    const stage = STAGES.find(({ pattern }) => pattern.test(text))?.stage;
    if (stage !== undefined) this.#onStage(stage);
    readSummaryLine(text, this.#summary);
    readDeviceLine(text, this.#device);
    const [, version] = /^TensorRT version: ([\d.]+)$/.exec(text) ?? [];
    if (version !== undefined) this.#version = parseVersion(version) ?? this.#version;
    for (const { pattern, key } of FIGURES) {
      const value = Number(pattern.exec(text)?.[1] ?? Number.NaN);
      if (Number.isFinite(value)) this.#figures[key] = value;
    }
    for (const { pattern, key } of SWITCHES) {
      const word = pattern.exec(text)?.[1];
      if (word !== undefined) this.#conditions[key] = word === 'Enabled';
    }
    const streams = /^(?:Inference )?Streams: (\d+)$/.exec(text)?.[1];
    if (streams !== undefined) this.#conditions.streams = Number(streams);
  }

  /** Lines without a time belong to the message before them: node texts and assertions go over several. */
  #continue(line: string, stream: LogStream): void {
    const open = this.#open.get(stream);
    if (open && open.text.length < LONGEST_MESSAGE) open.text += `\n${line}`;
  }

  #closeAll(): void {
    for (const stream of [...this.#open.keys()]) this.#close(stream);
  }

  #close(stream: LogStream): void {
    const open = this.#open.get(stream);
    this.#open.delete(stream);
    if (!open) return;
    if (NO_GRAPH.test(open.text)) this.#conditions.cudaGraph = false;
    const text = open.text.trimEnd().slice(0, LONGEST_MESSAGE);
    if (text === '') return;
    const known = this.#messages.get(`${open.severity} ${text}`);
    if (known) known.count++;
    else if (this.#messages.size < MOST_MESSAGES || open.severity === 'error') {
      if (this.#messages.size >= 2 * MOST_MESSAGES) return;
      this.#messages.set(`${open.severity} ${text}`, { ...open, text, count: 1 });
    }
  }
}

/** The log in one piece. */
export function parseTrtexecLog(text: string): TrtexecLog {
  const reader = new TrtexecLogReader();
  reader.push(new TextEncoder().encode(text));
  return reader.end();
}
