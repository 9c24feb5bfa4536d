import type { ProfileReport, ProviderUse } from '../../runtime/profile.js';
import { formatLatency } from '../bench-format.js';
import { shortProvider } from '../bench-words.js';
import { formatInteger, formatPercent, plural } from '../format.js';
import { rankedBars } from '../svg/ranked-bars.js';
import { figureText } from './figures.js';
import { element, fragment, type Markup } from './markup.js';
import { empty, figure, lead, named, table } from './parts.js';

/** Proof of where the graph ran. */
export function providersPart(providers: readonly ProviderUse[] | undefined): Markup | undefined {
  if (providers === undefined) return undefined;
  const nodes = providers.reduce((sum, each) => sum + each.nodes, 0);
  const ms = providers.reduce((sum, each) => sum + each.kernelMs, 0);
  const share = (part: number, of: number): string => (of > 0 ? figureText(part / of, formatPercent) : '–');
  return fragment(
    element('h3', {}, 'Where the graph ran'),
    lead('From the profile of ONNX Runtime, not from the request.'),
    providers.length === 0
      ? empty('The profile has no provider.')
      : table(
          'Execution providers that ran nodes',
          [
            { title: 'Provider', kind: 'name' },
            { title: 'Nodes', kind: 'number' },
            { title: 'Share of nodes', kind: 'number' },
            { title: 'Time in kernels', kind: 'number' },
            { title: 'Share of time', kind: 'number' },
          ],
          providers.map((each) => ({
            cells: [
              named(each.provider),
              figureText(each.nodes, formatInteger),
              share(each.nodes, nodes),
              figureText(each.kernelMs, formatLatency),
              share(each.kernelMs, ms),
            ],
          })),
        ),
  );
}

/** The operators and the nodes that took most of the time. */
export function profilePart(label: string, profile: ProfileReport | undefined, most: number): Markup | undefined {
  if (profile === undefined) return undefined;
  const groups = [...new Set([...profile.operators, ...profile.nodes].map(({ provider }) => provider))];
  const names = groups.map(shortProvider);
  const bars = (rows: readonly { name: string; msPerRun: number; share: number; provider: string }[]) => {
    const longest = rows.reduce((largest, { share }) => Math.max(largest, share), 0);
    return rows.map(({ name, msPerRun, share, provider }) => ({
      name,
      value: `${figureText(msPerRun, formatLatency)} · ${figureText(share, formatPercent)}`,
      share: longest > 0 ? share / longest : 0,
      group: shortProvider(provider),
    }));
  };
  const byShare = (a: { readonly share: number }, b: { readonly share: number }): number => b.share - a.share;
  const operators = [...profile.operators].sort(byShare).slice(0, most);
  const nodes = [...profile.nodes].sort(byShare).slice(0, most);
  return fragment(
    element('h3', {}, 'Where the time goes'),
    lead(
      `Time in kernels, the mean of ${plural(profile.runs, 'profiled run')}. Profiling takes time, so sums can exceed the latency.`,
    ),
    element(
      'div',
      { class: 'charts' },
      figure(
        'Operators',
        topWords('operators', operators, profile.operators.length),
        operators.length === 0
          ? empty('The profile has no operators.')
          : rankedBars(
              `Time by operator of ${label}`,
              bars(operators.map((each) => ({ ...each, name: `${each.opType}  ×${formatInteger(each.nodes)}` }))),
              names,
            ),
      ),
      figure(
        'Nodes',
        topWords('nodes', nodes, profile.nodes.length),
        nodes.length === 0
          ? empty('The profile has no nodes.')
          : rankedBars(
              `Time by node of ${label}`,
              bars(
                nodes.map((each) => ({
                  ...each,
                  name: each.name === '' ? each.opType : `${each.name}  ${each.opType}`,
                })),
              ),
              names,
            ),
      ),
    ),
  );
}

function topWords(what: string, shown: readonly { readonly share: number }[], of: number): string {
  const share = shown.reduce((sum, each) => sum + each.share, 0);
  const first =
    shown.length < of ? `The ${shown.length} slowest of ${formatInteger(of)} ${what}` : `All ${what} listed`;
  return `${first}, together ${figureText(share, formatPercent)} of the time in all nodes. Bars are relative to the longest.`;
}
