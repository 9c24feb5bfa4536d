import { type JsonLimits, parseBoundedJson } from '../codec/bounded-json.js';
import { encodeUtf8 } from '../codec/utf8.js';
import { ServeOptError } from '../errors.js';
import type { HostTensor } from '../samples/types.js';
import {
  isFailure,
  type PreparedRequest,
  type ServerClient,
  type ServerConnection,
  type ServerModel,
  type ServerResponse,
  type TokenTimes,
} from './client.js';
import { EventStream } from './event-stream.js';
import { HttpConnection, type Transport } from './http-connection.js';
import { jsonObject, parseJson } from './json-tensor.js';
import { EVENT_CHARACTERS, MAX_MODELS, MAX_NAME_CHARACTERS } from './limits.js';
import { missingModel, refused } from './refusal.js';
import { type Failure, malformed, serverText } from './server-error.js';
import { jsonErrorText } from './v2-http.js';

export interface CompletionOptions {
  /** Default 64. */
  readonly maxTokens?: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
}

/** Completions and chat completions of servers that are compatible with OpenAI, streamed. */
export class OpenAiClient implements ServerClient {
  readonly protocol;
  readonly address: string;
  readonly #transport: Transport;
  readonly #options: CompletionOptions;
  readonly #chat: boolean;
  /** `/v1` or what stands for it. */
  readonly #base: string;
  #model: string | undefined;

  constructor(transport: Transport, model: string | undefined, chat: boolean, options: CompletionOptions) {
    this.protocol = chat ? ('openai-chat' as const) : ('openai' as const);
    this.address = transport.url.address;
    this.#transport = transport;
    this.#model = model;
    this.#chat = chat;
    this.#options = options;
    // A prefix such as /v1 or /api/v3 is the base already; without one it is the usual.
    this.#base = transport.url.prefix === '' ? '/v1' : '';
  }

  async describe(): Promise<ServerModel> {
    const connection = new HttpConnection(this.#transport);
    try {
      const response = await connection.query({ method: 'GET', path: `${this.#base}/models` });
      if (!response.ok && response.status !== '404') throw refused(this.address, response, this.errorText(response));
      const list = response.ok ? jsonObject(parseJson(response.body, 'The list of models'))?.get('data') : undefined;
      const names = Array.isArray(list)
        ? list
            .slice(0, MAX_MODELS)
            .map((item) => jsonObject(item)?.get('id'))
            .filter((name) => typeof name === 'string')
            .filter((name) => name.length <= MAX_NAME_CHARACTERS)
        : [];
      const [only] = names;
      if (this.#model === undefined && (names.length !== 1 || only === undefined)) {
        throw missingModel(this.address, undefined, undefined, '', names);
      }
      const name = this.#model ?? (only as string);
      this.#model = name;
      const unlisted = names.length > 0 && !names.includes(name);
      if (unlisted) throw missingModel(this.address, name, undefined, '', names);
      return { name, notes: [] };
    } finally {
      connection.close();
    }
  }

  elementBytes(): number {
    return 0;
  }

  async prepare(): Promise<PreparedRequest> {
    throw new ServeOptError('SO1002', `The protocol ${this.protocol} takes prompts, not tensors`);
  }

  preparePrompt(prompt: string): PreparedRequest {
    const input = this.#chat ? { messages: [{ role: 'user', content: prompt }] } : { prompt };
    const body = {
      model: this.#model ?? '',
      ...input,
      max_tokens: this.#options.maxTokens ?? 64,
      stream: true,
      stream_options: { include_usage: true },
    };
    return {
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: encodeUtf8(JSON.stringify(body)),
      samples: 1,
    };
  }

  connect(): ServerConnection {
    const connection = new HttpConnection(this.#transport);
    const path = `${this.#base}${this.#chat ? '/chat/completions' : '/completions'}`;
    return {
      send: async ({ headers, body }, timeoutMs) => {
        const completion = new Completion(this.#options.now);
        const response = await connection.exchange({
          method: 'POST',
          path,
          headers,
          body,
          onPiece: (piece) => completion.push(piece),
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
        });
        if (isFailure(response) || !response.ok) return response;
        const failure = completion.failure();
        return failure ?? { ...response, tokens: completion.tokens() };
      },
      close: () => connection.close(),
    };
  }

  errorText(response: ServerResponse): string {
    return jsonErrorText(response.body);
  }

  decode(response: ServerResponse): Map<string, HostTensor> {
    if (response.tokens === undefined || response.tokens.count === 0) throw malformed('The completion has no tokens');
    return new Map();
  }
}

/** An event is short: at most it holds the log probabilities of some tokens. */
const EVENT_LIMITS: JsonLimits = { depth: 32, containers: 20_000, keys: 50_000, values: 100_000 };

/** One streamed completion as it comes. */
class Completion {
  readonly #now: () => number;
  readonly #start: number;
  readonly #events: EventStream;
  #pieces = 0;
  #firstMs = 0;
  #lastMs = 0;
  #usage: number | undefined;
  #done = false;
  #failure: Failure | undefined;

  constructor(now: () => number) {
    this.#now = now;
    this.#start = now();
    this.#events = new EventStream((data) => this.#event(data));
  }

  /** Gives the failure that ends the stream early. */
  push(bytes: Uint8Array): Failure | undefined {
    if (!this.#events.push(bytes)) {
      this.#failure ??= {
        failure: 'response too large',
        why: `an event is longer than ${EVENT_CHARACTERS} characters`,
      };
    }
    return this.#failure;
  }

  #event(data: string): void {
    if (data.trim() === '[DONE]') {
      this.#done = true;
      return;
    }
    let fields: ReadonlyMap<string, unknown> | undefined;
    try {
      fields = jsonObject(parseBoundedJson(encodeUtf8(data), EVENT_LIMITS));
    } catch {
      this.#failure ??= { failure: 'protocol error', why: `an event is not JSON: ${serverText(data).slice(0, 80)}` };
      return;
    }
    if (fields?.has('error')) {
      const serverMessage = jsonErrorText(encodeUtf8(data));
      this.#failure ??= { failure: 'protocol error', why: `the server breaks off: ${serverMessage}` };
    }
    const tokens = jsonObject(fields?.get('usage'))?.get('completion_tokens');
    if (typeof tokens === 'number' && Number.isSafeInteger(tokens) && tokens >= 0) this.#usage = tokens;
    if (hasText(fields?.get('choices'))) {
      this.#lastMs = this.#now() - this.#start;
      if (this.#pieces++ === 0) this.#firstMs = this.#lastMs;
    }
  }

  failure(): Failure | undefined {
    if (this.#failure) return this.#failure;
    return this.#done ? undefined : { failure: 'response cut off', why: 'the stream ended before [DONE]' };
  }

  tokens(): TokenTimes {
    return {
      count: this.#usage ?? this.#pieces,
      counted: this.#usage === undefined ? 'pieces' : 'usage',
      firstMs: this.#firstMs,
      lastMs: this.#lastMs,
    };
  }
}

/** A choice that brings text, thinking or a call: a first event with only a role brings none. */
function hasText(choices: unknown): boolean {
  const [choice] = Array.isArray(choices) ? choices : [];
  const fields = jsonObject(choice);
  const delta = jsonObject(fields?.get('delta'));
  const texts = [fields?.get('text'), delta?.get('content'), delta?.get('reasoning_content'), delta?.get('reasoning')];
  if (texts.some((text) => typeof text === 'string' && text !== '')) return true;
  const calls = delta?.get('tool_calls');
  return Array.isArray(calls) && calls.length > 0;
}
