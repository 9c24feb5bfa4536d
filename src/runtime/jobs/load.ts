import type { ChildState } from '../child-state.js';
import type { LoadParams, LoadResult, ReleaseParams } from '../protocol.js';

/** Creates a session. Screen the interface first (`screenInterface`): the process cannot take every type. @throws SO5001, SO5004, SO5005 */
export async function loadJob(state: ChildState, { path, options }: LoadParams): Promise<LoadResult> {
  const { id, session, createMs } = await state.load(path, options);
  return {
    session: id,
    inputs: session.inputs,
    outputs: session.outputs,
    createMs,
  };
}

/** Frees a session. */
export async function releaseJob(state: ChildState, { session }: ReleaseParams): Promise<undefined> {
  await state.release(session);
  return undefined;
}
