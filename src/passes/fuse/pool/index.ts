/**
 * Pools take in the Pad before them, and a mean over all positions becomes a global pool.
 */
export { fuseGlobalPools } from './fuse-global-pools.js';
export { fusePadIntoPool } from './fuse-pad-into-pool.js';
