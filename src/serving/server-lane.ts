import { ServeOptError } from '../errors.js';
import { checkAnswer } from './check-answer.js';
import { type Answer, isFailure, type PreparedRequest, type ServerClient, type ServerModel } from './client.js';
import type { Lane, Outcome } from './load.js';
import type { Failure } from './server-error.js';

/** Answers up to this size are all decoded and checked; of larger ones each sixteenth. */
const CHECKED_BYTES = 64 * 1024;
const CHECKED_SHARE = 16;

/** A connection to the server that sends prepared requests in turn and looks at what comes back. */
export function serverLane(client: ServerClient, model: ServerModel, requests: readonly PreparedRequest[]): Lane {
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
  result: Answer | Failure,
  index: number,
): Outcome {
  if (isFailure(result)) {
    return { status: result.failure, good: false, unreachable: result.failure === 'unreachable' };
  }
  const { status, sentAgain, tokens } = result;
  if (!result.good) return { status, good: false, sentAgain };
  if (result.body.byteLength <= CHECKED_BYTES || index % CHECKED_SHARE === 0) {
    try {
      checkAnswer(client, model, result, request);
    } catch (error) {
      if (!(error instanceof ServeOptError)) throw error;
      return { status: 'wrong answer', good: false, sentAgain };
    }
  }
  return { status, good: true, sentAgain, ...(tokens ? { tokens } : {}) };
}
