import { ServeOptError } from '../../errors.js';
import { irVersionForOpset, raiseIrVersion } from '../../ir/ir-version.js';
import type { Model } from '../../ir/model.js';
import { functionKey } from '../../ir/model-function.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Refusal } from '../../ir/transform.js';
import { walkGraphs } from '../../ir/walk.js';
import { inferTypes } from '../../ops/infer-types.js';
import { inputParameter, opSchema, opVersions } from '../../ops/schema.js';
import { dataTypeName } from '../../tensor/dtype.js';
import { definePass } from '../pass.js';
import { elementType } from './opset-adapters/adapter.js';
import { opsetAdapter } from './opset-adapters/table.js';

/** The oldest opset that is understood: from 7 on, broadcasting is as it is today. */
export const OLDEST_UPGRADABLE_OPSET = 7;
/** The newest opset that the adapters reach. */
export const NEWEST_UPGRADE_OPSET = 24;

export interface UpgradeOpsetOptions {
  /** The ai.onnx opset to reach; a model that has it, or a newer one, stays as it is. */
  readonly to: number;
}

const NAME = 'upgrade-opset';

/**
 * Upgrades every node of the main graph and its subgraphs to a newer ai.onnx opset without changing what it computes.
 * - Fires when the model imports an older ai.onnx opset, at least 7. All or nothing: every node is checked before any
 *   is changed, and one node without a safe equivalent leaves the model unchanged (see `refusals`).
 * - Local functions keep their own opset imports; one that uses an operator that differs between the two refuses.
 * - The IR version is raised to the one of the opset's release.
 * - Numerics: the same function; a runtime may choose another kernel for a newer operator, which may round differently.
 * - Reference: onnx docs/Changelog.md; onnx/version_converter does the same for fewer operators.
 * @throws SO1006 when `to` is not an integer between 7 and 24.
 */
export const upgradeOpset = definePass<UpgradeOpsetOptions>({
  name: NAME,
  summary: 'Upgrades the model to a newer ai.onnx opset.',
  group: 'rewrite',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [OLDEST_UPGRADABLE_OPSET, NEWEST_UPGRADE_OPSET],
  options: { to: { description: 'target ai.onnx opset', default: 13 } },
  run(model, { to }) {
    if (!Number.isInteger(to) || to < OLDEST_UPGRADABLE_OPSET || to > NEWEST_UPGRADE_OPSET) {
      throw new ServeOptError('SO1006', `Cannot upgrade to opset ${to}`, {
        hint: `choose an opset from ${OLDEST_UPGRADABLE_OPSET} to ${NEWEST_UPGRADE_OPSET}`,
      });
    }
    const from = model.opset();
    if (from >= to || from === 0) return { changed: 0 };
    if (from < OLDEST_UPGRADABLE_OPSET) {
      return { changed: 0, refusals: [refusal('', 'model', `opset ${from} is older than ${OLDEST_UPGRADABLE_OPSET}`)] };
    }
    const refusals = planUpgrade(model, to);
    if (refusals.length > 0) return { changed: 0, refusals };
    return { changed: upgradeModel(model, to), notes: [`opset ${from} → ${to}`] };
  },
});

/** What keeps a model of opset 7 or newer from being brought to `to`; empty when nothing does. */
export function planUpgrade(model: Model, to: number): readonly Refusal[] {
  inferTypes(model);
  const refused = upgradedNodes(model).flatMap((node) => nodeRefusal(node, model.opset(), to));
  return [...refused, ...functionRefusals(model, to)];
}

/** Brings a model over. `planUpgrade` must have found nothing against it. @returns how many changes that took */
export function upgradeModel(model: Model, to: number): number {
  const from = model.opset();
  const nodes = upgradedNodes(model);
  raiseIrVersion(model, irVersionForOpset(to));
  let changed = 1;
  for (const node of nodes) changed += upgradeNode(node, from, to);
  model.setOpset('', to);
  return changed;
}

/** Nodes of ai.onnx outside local functions that are not calls of one. */
function upgradedNodes(model: Model): Node[] {
  const nodes: Node[] = [];
  for (const graph of walkGraphs(model.graph)) {
    for (const node of graph.nodes) {
      if (node.domain === '' && !model.functions.has(functionKey('', node.opType, node.overload))) nodes.push(node);
    }
  }
  return nodes;
}

function upgradeNode(node: Node, from: number, to: number): number {
  let changed = 0;
  for (let version = from + 1; version <= to; version++) {
    const adapter = opsetAdapter(node.opType, version);
    if (!adapter) continue;
    adapter.apply(node);
    changed++;
  }
  return changed;
}

function refusal(node: string, opType: string, reason: string): Refusal {
  return { pass: NAME, node, opType, reason };
}

/** Why a node cannot be brought over; empty when it can. */
function nodeRefusal(node: Node, from: number, to: number): Refusal[] {
  const refuse = (reason: string): Refusal[] => [refusal(nodeLabel(node), node.opType, reason)];
  if (!opSchema('', node.opType, from)) return refuse(`there is no operator of this name at opset ${from}`);
  let opType = node.opType;
  let adapted = false;
  for (let version = from + 1; version <= to; version++) {
    const adapter = opsetAdapter(opType, version);
    if (!adapter) continue;
    const reason = adapter.check?.(node);
    if (reason) return refuse(`cannot be upgraded to opset ${version}: ${reason}`);
    opType = adapter.renames ?? opType;
    adapted = true;
  }
  const schema = opSchema('', opType, to);
  if (!schema || (schema.deprecated && schema.sinceVersion > from)) return refuse(`it no longer exists at opset ${to}`);
  // Adapters may move inputs, but the first one keeps its place.
  const slots = adapted ? 1 : node.inputs.length;
  for (let slot = 0; slot < slots; slot++) {
    const dataType = elementType(node.input(slot));
    const parameter = inputParameter(schema, slot);
    if (dataType === undefined || !parameter) continue;
    const allowed = schema.typeConstraints.get(parameter.type) ?? [parameter.type];
    if (!allowed.includes(`tensor(${dataTypeName(dataType)})`)) {
      return refuse(`at opset ${to} it no longer supports ${dataTypeName(dataType)}`);
    }
  }
  return [];
}

/**
 * A function body keeps its own opset, which is only allowed while each of its operators is the same at the opset of the
 * model (onnx.checker, check_function).
 */
function functionRefusals(model: Model, to: number): Refusal[] {
  const refusals: Refusal[] = [];
  for (const fn of model.functions.values()) {
    const own = fn.opsets.get('');
    if (own === undefined || own === to) continue;
    for (const graph of walkGraphs(fn.graph)) {
      for (const node of graph.nodes) {
        if (node.domain !== '' || !changesBetween(node.opType, own, to)) continue;
        refusals.push(
          refusal(nodeLabel(node), node.opType, `it is in function "${fn.name}", which keeps opset ${own}`),
        );
      }
    }
  }
  return refusals;
}

function changesBetween(opType: string, a: number, b: number): boolean {
  const low = Math.min(a, b);
  const high = Math.max(a, b);
  return opVersions('', opType).some((version) => version > low && version <= high);
}
