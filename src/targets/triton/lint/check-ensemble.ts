/** The graph of an ensemble by itself (Triton's `ValidateEnsembleSchedulingConfig`). */
import type { ModelView } from './view.js';

export function checkEnsemble(view: ModelView): void {
  const { config, effective } = view;
  if (!effective.isEnsemble) return;
  const scheduling = config.ensemble_scheduling;
  if (scheduling === undefined) {
    view.at('ensemble-steps', 'platform', 'The platform is "ensemble", and there is no ensemble_scheduling');
    return;
  }
  if (config.platform !== 'ensemble') {
    const field = view.has('platform') ? 'platform' : 'ensemble_scheduling';
    view.at('ensemble-platform', field, `ensemble_scheduling is set, and the platform is "${config.platform ?? ''}"`);
  }
  for (const field of ['instance_group', 'optimization', 'model_warmup'] as const) {
    if (config[field] !== undefined) view.at('ensemble-field', field, `An ensemble has no ${field}`);
  }
  const steps = scheduling.step ?? [];
  if (steps.length === 0) view.at('ensemble-steps', 'ensemble_scheduling', 'The ensemble has no step');
  for (const [index, step] of steps.entries()) {
    const field = stepField(index);
    if ((step.model_name ?? '') === '') view.at('ensemble-steps', field, `Step ${index} has no model_name`);
    if ((step.input_map?.size ?? 0) === 0) view.at('ensemble-steps', field, `Step ${index} has no input_map`);
    if ((step.output_map?.size ?? 0) === 0) view.at('ensemble-steps', field, `Step ${index} has no output_map`);
  }
  if (steps.length > 0) checkFlow(view);
}

export function stepField(index: number): string {
  return `ensemble_scheduling.step[${index}]`;
}

/** A tensor of the ensemble: which steps make it and take it. */
interface FlowTensor {
  readonly makers: { readonly step: number; readonly field: string }[];
  readonly takers: { readonly step: number; readonly field: string }[];
}

function flowOf({ config }: ModelView): Map<string, FlowTensor> {
  const tensors = new Map<string, FlowTensor>();
  const tensor = (name: string): FlowTensor => {
    const found = tensors.get(name) ?? { makers: [], takers: [] };
    tensors.set(name, found);
    return found;
  };
  for (const [step, { input_map: inputs = new Map(), output_map: outputs = new Map() }] of (
    config.ensemble_scheduling?.step ?? []
  ).entries()) {
    for (const [key, name] of inputs)
      tensor(name).takers.push({ step, field: `${stepField(step)}.input_map[${JSON.stringify(key)}]` });
    for (const [key, name] of outputs)
      tensor(name).makers.push({ step, field: `${stepField(step)}.output_map[${JSON.stringify(key)}]` });
  }
  return tensors;
}

function checkFlow(view: ModelView): void {
  const { config } = view;
  const tensors = flowOf(view);
  const steps = config.ensemble_scheduling?.step ?? [];
  const inputs = new Set((config.input ?? []).map(({ name = '' }) => name));
  const outputs = new Set((config.output ?? []).map(({ name = '' }) => name));
  for (const [index, { name = '' }] of (config.input ?? []).entries()) {
    if (!tensors.get(name)?.takers.length)
      view.at('ensemble-unused', `input[${index}]`, `No step takes the input "${name}"`);
  }
  for (const [name, { makers }] of tensors) {
    const [first, second] = makers;
    if (inputs.has(name) && first !== undefined)
      view.at(
        'ensemble-written-twice',
        first.field,
        `Step ${first.step} makes "${name}", which is an input of the ensemble`,
      );
    else if (second !== undefined)
      view.at('ensemble-written-twice', second.field, `Steps ${first?.step} and ${second.step} both make "${name}"`);
  }
  // A step runs once all that it takes is there.
  const ready = new Set(inputs);
  const done = new Set<number>();
  for (let before = -1; before !== done.size; ) {
    before = done.size;
    for (const [index, { input_map: taken = new Map(), output_map: made = new Map() }] of steps.entries()) {
      if (done.has(index) || ![...taken.values()].every((name) => ready.has(name))) continue;
      done.add(index);
      for (const name of made.values()) ready.add(name);
    }
  }
  const blocked = new Set<string>();
  for (const [name, { makers, takers }] of tensors) {
    const [taker] = takers;
    if (!ready.has(name) && makers.length === 0 && taker !== undefined) {
      blocked.add(name);
      view.at('ensemble-not-made', taker.field, `Step ${taker.step} takes "${name}", which no step makes`);
    }
  }
  if (done.size < steps.length && blocked.size === 0) reportCycle(view, tensors, ready);
  for (const [index, { name = '' }] of (config.output ?? []).entries()) {
    const tensor = tensors.get(name);
    if (tensor === undefined) view.at('ensemble-not-made', `output[${index}]`, `No step makes the output "${name}"`);
    else if (tensor.makers.length === 0 && !inputs.has(name))
      view.at('ensemble-not-made', `output[${index}]`, `No step makes the output "${name}"`);
  }
  for (const [name, { makers, takers }] of tensors) {
    const [maker] = makers;
    if (!outputs.has(name) && takers.length === 0 && maker !== undefined) {
      view.at(
        'ensemble-unused',
        maker.field,
        `Step ${maker.step} makes "${name}", which no step takes and no output is`,
        'Leave the entry of output_map out',
      );
    }
  }
}

function reportCycle(view: ModelView, tensors: ReadonlyMap<string, FlowTensor>, ready: ReadonlySet<string>): void {
  const waiting = [...tensors].filter(
    ([name, { makers, takers }]) => !ready.has(name) && makers.length > 0 && takers.length > 0,
  );
  const [first] = waiting;
  const names = waiting.map(([name]) => `"${name}"`).sort();
  view.at(
    'ensemble-cycle',
    first?.[1].takers[0]?.field ?? 'ensemble_scheduling',
    `Steps wait for each other: ${names.join(', ')}`,
  );
}
