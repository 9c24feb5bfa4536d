import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readSmallTextFile } from '../codec/small-file.js';
import { ServeOptError } from '../errors.js';
import { DECODER_CONFIG, type DecoderConfig, parseDecoderConfig } from '../samples/tokens/decoder-config.js';
import type { ReadingOptions } from './reading-options.js';

/** Those of large models take a few kilobytes. */
const MOST_BYTES = 1024 * 1024;

/** A genai_config.json, and what it says. */
export interface DecoderFile {
  readonly path: string;
  readonly text: string;
  readonly config: DecoderConfig;
}

/** The genai_config.json beside a model; a sentence where there is one that cannot be used, undefined where there is none. */
export function decoderFileBeside(modelPath: string): DecoderFile | string | undefined {
  const path = join(dirname(modelPath), DECODER_CONFIG);
  if (!existsSync(path)) return undefined;
  try {
    const text = readSmallTextFile(path, MOST_BYTES);
    const config = parseDecoderConfig(text);
    return typeof config === 'string' ? config : { path, text, config };
  } catch (error) {
    if (error instanceof ServeOptError) return [error.message, error.why].filter(Boolean).join(': ');
    throw error;
  }
}

/**
 * Options with what the genai_config.json beside the first of some models says, that has one: nobody named the file, so one that cannot
 * be used is reported and left aside.
 */
export function withDecoderReading<Options extends ReadingOptions>(
  options: Options,
  ...modelPaths: readonly string[]
): Options {
  for (const path of modelPaths) {
    const found = decoderFileBeside(path);
    if (found === undefined) continue;
    const decoder = typeof found === 'string' ? { roles: {}, pastNames: [], problem: found } : found.config;
    return { ...options, reading: { ...options.reading, decoder } };
  }
  return options;
}
