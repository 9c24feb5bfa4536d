import type { PassFacts } from './pass-facts.js';
import { type Cell, renderTable } from './table.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

/** Terminals from here on have room for every column. */
const WIDE_COLUMNS = 120;

/** All passes, one a line. */
export async function renderPasses(passes: readonly PassFacts[], options: TextOptions): Promise<string> {
  // On a narrow terminal what a pass does says more than how it rounds.
  const wide = options.columns === undefined || options.columns >= WIDE_COLUMNS;
  const numerics = wide ? [{ title: 'numerics' }] : [];
  const titles = [{ title: 'pass' }, { title: 'level' }, ...numerics, { title: 'what', flexible: true }];
  const rows = passes.map((pass): readonly Cell[] => [
    pass.name,
    levelText(pass),
    ...(wide ? [pass.numerics] : []),
    pass.summary,
  ]);
  const table = await renderTable(titles, rows, options);
  const note = 'level: the first of basic, standard and max that includes it; by name: only with --passes +NAME';
  return `${table}\n\n${wrapLine(options.style.dim(note), options.columns)}`;
}

/** One pass in full. */
export async function renderPass(pass: PassFacts, options: TextOptions): Promise<string> {
  const { style, columns } = options;
  const [from, to] = pass.opset;
  const facts: (readonly Cell[])[] = [
    ['numerics', numericsText(pass)],
    ['works on', pass.scope === 'all-graphs' ? 'the main graph, its subgraphs and local functions' : 'the main graph'],
    ['opset', to === null ? `${from} and later` : `${from} to ${to}`],
  ];
  if (pass.optimize) {
    facts.push(['optimize', `stage ${pass.optimize.stage}, ${whenText(pass)}`]);
    if (pass.optimize.operators === 'ort') facts.push(['operators', 'ort only: it writes operators of ONNX Runtime']);
  }
  for (const { name, description, default: value, choices } of pass.options) {
    const text = choices ? `${description} (${choices.join(', ')})` : description;
    facts.push([`option ${name}`, `${text}, default ${JSON.stringify(value)}`]);
  }
  const parts = [style.bold(pass.name), wrapLine(pass.summary, columns, 0)];
  for (const paragraph of (pass.description ?? '').split('\n\n').filter((each) => each !== ''))
    parts.push('', paragraphText(paragraph, columns));
  parts.push(
    '',
    await renderTable([{ title: '' }, { title: '', flexible: true }], facts, { ...options, columns: undefined }),
  );
  return parts.join('\n');
}

function levelText({ optimize }: PassFacts): string {
  if (!optimize) return '';
  const level = optimize.levels[0] ?? 'by name';
  return optimize.operators === 'ort' ? `${level}, ort` : level;
}

function whenText({ name, optimize }: PassFacts): string {
  const level = optimize?.levels[0];
  return level === undefined ? `only with --passes +${name}` : `from level ${level} on`;
}

function numericsText({ numerics }: PassFacts): string {
  const meaning = {
    exact: 'outputs stay the same bit for bit',
    reassociates: 'outputs change by rounding only',
    lossy: 'outputs change by design',
  }[numerics];
  return `${numerics}: ${meaning}`;
}

/** Lines of prose are joined and broken anew; items of a list stay apart. */
function paragraphText(paragraph: string, columns: number | undefined): string {
  const lines: string[] = [];
  for (const line of paragraph.split('\n')) {
    const last = lines.at(-1);
    if (last === undefined || /^\s*[-|`*\d]/.test(line)) lines.push(line);
    else lines[lines.length - 1] = `${last} ${line.trim()}`;
  }
  return lines.map((line) => wrapLine(line, columns, /^\s*-/.test(line) ? 2 : 0)).join('\n');
}
