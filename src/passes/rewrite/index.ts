/**
 * Changes of the whole model that are asked for, not found: local functions inlined, operator sets raised, dimensions set or
 * opened, initializers that are no inputs. They run before or instead of the passes that search for patterns.
 */
export { type InitializersNotInputsOptions, initializersNotInputs } from './initializers-not-inputs.js';
export { inlineFunctions } from './inline-functions.js';
export { type MakeDynamicOptions, makeDynamic } from './make-dynamic.js';
export { raiseOpsetForRuntime } from './raise-opset-for-runtime.js';
export { resolveCastLike } from './resolve-cast-like.js';
export { type SetDimsOptions, setDims } from './set-dims.js';
export { type UpgradeOpsetOptions, upgradeOpset } from './upgrade-opset.js';
