import { ServeOptError } from '../errors.js';
import { checkResponse } from './check-response.js';
import { isFailure, type PreparedRequest, type ServerClient, type ServerModel, type ServerResponse } from './client.js';
import type { Outcome, Worker } from './load.js';
import type { Failure } from './server-error.js';

/** Responses up to this size are all decoded and checked; of larger ones every sixteenth. */
const CHECKED_BYTES = 64 * 1024;
const CHECKED_SHARE = 16;

/** A connection to the server that sends prepared requests in turn and looks at what comes back. */
export function serverWorker(client: ServerClient, model: ServerModel, requests: readonly PreparedRequest[]): Worker {
  const connection = client.connect();
  return {
    async send(index, timeoutMs) {
      const request = requests[index % requests.length] as PreparedRequest;
      const result = await connection.send(request, timeoutMs);
      return () => outcomeOf(client, model, request, result, index);
    },
    close: () => connection.close(),
  };
}

function outcomeOf(
  client: ServerClient,
  model: ServerModel,
  request: PreparedRequest,
  result: ServerResponse | Failure,
  index: number,
): Outcome {
  if (isFailure(result)) {
    return { status: result.failure, ok: false, unreachable: result.failure === 'unreachable' };
  }
  const { status, retried, tokens } = result;
  if (!result.ok) return { status, ok: false, retried };
  if (result.body.byteLength <= CHECKED_BYTES || index % CHECKED_SHARE === 0) {
    try {
      checkResponse(client, model, result, request);
    } catch (error) {
      if (!(error instanceof ServeOptError)) throw error;
      return { status: 'wrong response', ok: false, retried };
    }
  }
  return { status, ok: true, retried, ...(tokens ? { tokens } : {}) };
}
