import { ServeOptError } from '../../../errors.js';
import { checkOutput, type OutputAgreement, type Tolerance } from '../../../evaluate/equality.js';
import type { VerifiedWire } from '../../../report/package-verify-types.js';
import type { Feeds } from '../../../samples/types.js';
import { checkResponse } from '../../../serving/check-response.js';
import { isFailure, type PreparedRequest, type ServerClient, type ServerModel } from '../../../serving/client.js';
import { realClock } from '../../../serving/load-clock.js';
import { openClient } from '../../../serving/open-client.js';
import type { Protocol } from '../../../serving/protocols.js';
import { refused } from '../../../serving/refusal.js';
import { failedExchange } from '../../../serving/server-error.js';
import { DataType } from '../../../tensor/dtype.js';
import type { PlannedRequest } from './planned-requests.js';

export interface WireOptions {
  readonly protocol: Protocol;
  readonly url: string;
  readonly model: string;
  readonly version?: string;
  readonly headers?: readonly string[];
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Reads the outputs of a response; default as the protocol says. */
export type OutputReader = (body: Uint8Array, expected: Feeds) => Feeds;

interface Sent {
  readonly prepared: PreparedRequest;
  readonly planned: PlannedRequest;
}

/**
 * Sends every request on its own, then all at once, and compares each response with what is expected of it.
 * A server that responds with something else, or not at all, is a failure in the result; never an error.
 * @throws SO8130 when aborted
 */
export async function verifyWire(
  options: WireOptions,
  planned: readonly PlannedRequest[],
  tolerance: Tolerance,
  read?: OutputReader,
): Promise<VerifiedWire> {
  const { protocol } = options;
  const tally = new Tally(tolerance);
  const counts = { requests: 0, concurrent: 0 };
  const result = (more: Pick<VerifiedWire, 'failure' | 'skipped'>): VerifiedWire => ({
    protocol,
    ...counts,
    outputs: tally.agreements(),
    ...more,
  });
  const unsupported = protocol === 'v2-http-json' ? notInJson(planned) : undefined;
  if (unsupported !== undefined) return result({ skipped: unsupported });
  try {
    const { client, close } = await openClient(options.url, {
      protocol,
      model: options.model,
      now: () => realClock.now(),
      ...(options.version === undefined ? {} : { modelVersion: options.version }),
      ...(options.headers === undefined ? {} : { headers: options.headers }),
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    try {
      const model = await client.describe();
      const sent: Sent[] = [];
      for (const each of planned) sent.push({ prepared: await client.prepare(each.request), planned: each });
      const one = async (each: Sent): Promise<void> => {
        tally.add(await exchange(client, model, each, read), each.planned.expected);
      };
      for (const each of sent) {
        await one(each);
        counts.requests++;
      }
      await Promise.all(sent.map(one));
      counts.concurrent = sent.length;
      return result(tally.wrong === undefined ? {} : { failure: tally.wrong });
    } finally {
      close();
    }
  } catch (error) {
    if (!(error instanceof ServeOptError) || error.code === 'SO8130') throw error;
    const when = counts.requests < planned.length ? '' : ', with all requests at once';
    return result({ failure: `${error.message}${error.why === undefined ? '' : `: ${error.why}`}${when}` });
  }
}

async function exchange(
  client: ServerClient,
  model: ServerModel,
  { prepared, planned }: Sent,
  read: OutputReader | undefined,
): Promise<Feeds> {
  const connection = client.connect();
  try {
    const response = await connection.send(prepared);
    if (isFailure(response)) throw failedExchange(client.address, response);
    if (!response.ok) throw refused(client.address, response, client.errorText(response));
    const outputs = checkResponse(client, model, response, prepared);
    return read === undefined ? outputs : read(response.body, planned.expected);
  } finally {
    connection.close();
  }
}

/** Triton takes and gives no FP16 and BF16 as JSON. */
function notInJson(planned: readonly PlannedRequest[]): string | undefined {
  for (const { request, expected } of planned) {
    for (const [name, { dataType }] of [...request, ...expected]) {
      if (dataType !== DataType.FLOAT16 && dataType !== DataType.BFLOAT16) continue;
      return `JSON has no form for the 16-bit floats of "${name}"`;
    }
  }
  return undefined;
}

/** How near the outputs of all responses came to those expected. */
class Tally {
  readonly #tolerance: Tolerance;
  readonly #outputs = new Map<string, OutputAgreement>();
  #wrong: string | undefined;

  constructor(tolerance: Tolerance) {
    this.#tolerance = tolerance;
  }

  /** What is wrong with the first output that is. */
  get wrong(): string | undefined {
    return this.#wrong;
  }

  agreements(): OutputAgreement[] {
    return [...this.#outputs.values()];
  }

  add(outputs: Feeds, expected: Feeds): void {
    for (const [name, reference] of expected) {
      const tested = outputs.get(name);
      if (tested === undefined) {
        this.#wrong ??= `the response lacks the output "${name}"`;
        continue;
      }
      const check = checkOutput(reference, tested, { tolerance: this.#tolerance, edge: false, extreme: false });
      if (check.wrong !== undefined) this.#wrong ??= `output "${name}": ${check.wrong}`;
      const before = this.#outputs.get(name);
      this.#outputs.set(name, {
        name,
        elements: (before?.elements ?? 0) + check.elements,
        equal: (before?.equal ?? 0) + check.equal,
        worst: {
          abs: Math.max(before?.worst.abs ?? 0, check.worst.abs),
          ofLargest: Math.max(before?.worst.ofLargest ?? 0, check.worst.ofLargest),
        },
      });
    }
  }
}
