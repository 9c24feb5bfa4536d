import type { Observer } from './observer.js';

/** Everything that was seen. */
export const minMaxRange: Observer = ({ min, max }) => ({ min, max });
