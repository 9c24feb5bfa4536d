/** What a node wants at an input: `any` takes the value as it comes. */
export type Demand = 'float16' | 'float32' | 'any';

/** What becomes of one node: the type wanted of each input and whether each output becomes FLOAT16. */
export interface NodePlan {
  readonly inputs: Demand[];
  readonly outputs: boolean[];
  /** Why its FLOAT values stay as they are; undefined when they do not, or when it has none. */
  readonly reason: string | undefined;
}
