/** Every family of large graphs: what takes any of them must take time and memory about linear in its size. */
import type { LargeGraph } from './builder.js';
import { CHAINS } from './chains.js';
import { FANS } from './fans.js';
import { INTERFACES } from './interfaces.js';
import { NESTING } from './nesting.js';

export type { LargeGraph } from './builder.js';
export { REFUSED } from './nesting.js';

export const LARGE_GRAPHS: readonly LargeGraph[] = [...CHAINS, ...FANS, ...INTERFACES, ...NESTING];
