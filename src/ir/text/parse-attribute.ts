import type { AttributeKind, AttributeValue } from '../attribute.js';
import type { ValueType } from '../type.js';
import { type ExternalDataResolver, parseTensorData } from './parse-tensor.js';
import { nextIsType, parseType } from './parse-type.js';
import type { Scanner } from './scanner.js';
import type { AttributeSyntax, GraphSyntax, NameSyntax } from './syntax.js';

/** What attribute parsing needs of its surroundings. */
export interface AttributeContext {
  readonly scanner: Scanner;
  readonly externalData: ExternalDataResolver | undefined;
  parseGraph(): GraphSyntax;
}

type Single = 'int' | 'float' | 'string' | 'tensor' | 'graph' | 'type';

/** One parsed value; several of one kind make a list. */
type Item =
  | Extract<AttributeValue, { kind: Exclude<Single, 'graph'> | 'reference' }>
  | { readonly kind: 'graph'; readonly value: GraphSyntax };

const KINDS: ReadonlyMap<string, AttributeKind> = new Map<string, AttributeKind>([
  ['float', 'float'],
  ['int', 'int'],
  ['string', 'string'],
  ['tensor', 'tensor'],
  ['graph', 'graph'],
  ['type_proto', 'type'],
  ['floats', 'floats'],
  ['ints', 'ints'],
  ['strings', 'strings'],
  ['tensors', 'tensors'],
  ['graphs', 'graphs'],
  ['type_protos', 'types'],
]);

const LISTS: Readonly<Record<Single, AttributeKind>> = {
  int: 'ints',
  float: 'floats',
  string: 'strings',
  tensor: 'tensors',
  graph: 'graphs',
  type: 'types',
};

/** `<a = 1, b: floats = [], …>`, or nothing. @throws SO3003 on a name given twice. */
export function parseAttributes(context: AttributeContext): AttributeSyntax[] {
  const { scanner } = context;
  if (!scanner.matches('<')) return [];
  const attributes: AttributeSyntax[] = [];
  const names = new Set<string>();
  if (scanner.matches('>')) return attributes;
  do {
    const at = scanner.position;
    const name = scanner.name('the name of an attribute');
    if (names.has(name)) scanner.fail(`the attribute ${JSON.stringify(name)} appears twice`, at);
    names.add(name);
    attributes.push(parseAttribute(context, { name, at }));
  } while (scanner.matches(','));
  scanner.expect('>', 'after the attributes');
  return attributes;
}

/** The rest of an attribute after its name: `: kind = value` or `= value`. */
export function parseAttribute(context: AttributeContext, label: NameSyntax): AttributeSyntax {
  const { scanner } = context;
  const annotated = scanner.matches(':') ? annotation(scanner) : undefined;
  scanner.expect('=', `after the attribute ${JSON.stringify(label.name)}`);
  if (scanner.matches('...')) scanner.fail('the text omits this attribute: it has no text form');
  if (!scanner.matches('[')) return fromItem(scanner, label, parseItem(context), annotated);
  const items: Item[] = [];
  if (!scanner.matches(']')) {
    do items.push(parseItem(context));
    while (scanner.matches(','));
    scanner.expect(']', 'after the list');
  }
  return fromList(scanner, label, items, annotated);
}

function annotation(scanner: Scanner): AttributeKind {
  const at = scanner.position;
  const word = scanner.identifier();
  const kind = word === undefined ? undefined : KINDS.get(word);
  if (!kind) scanner.fail(`expected the kind of an attribute (${[...KINDS.keys()].join(', ')})`, at);
  return kind;
}

function parseItem(context: AttributeContext): Item {
  const { scanner } = context;
  if (scanner.matches('@')) return { kind: 'reference', value: scanner.name('the name of an attribute after "@"') };
  if (scanner.matches('?')) return { kind: 'type', value: undefined };
  if (nextIsType(scanner)) return typeOrTensor(context);
  const start = scanner.position;
  const literal = scanner.literal();
  if (literal?.kind === 'int') return { kind: 'int', value: scanner.toInt64(literal.text, literal.at) };
  if (literal?.kind === 'float') return { kind: 'float', value: Math.fround(literal.value) };
  // A quoted string before "(" is the name of a graph.
  if (literal?.kind === 'string' && scanner.peek() !== '(') return { kind: 'string', value: literal.bytes };
  scanner.rewind(start);
  if (literal === undefined && scanner.peekIdentifier() === undefined) {
    scanner.fail(`expected a value, found ${scanner.found()}`);
  }
  return { kind: 'graph', value: context.parseGraph() };
}

function typeOrTensor(context: AttributeContext): Item {
  const { scanner } = context;
  const at = scanner.position;
  const type: ValueType = parseType(scanner);
  const next = scanner.peek();
  if (next !== '{' && next !== '=' && next !== '"' && scanner.peekIdentifier() === undefined) {
    return { kind: 'type', value: type };
  }
  // The name that a tensor may carry means nothing here.
  scanner.optionalName();
  scanner.matches('=');
  return { kind: 'tensor', value: parseTensorData(scanner, type, at, context.externalData) };
}

function fromItem(
  scanner: Scanner,
  label: NameSyntax,
  item: Item,
  annotated: AttributeKind | undefined,
): AttributeSyntax {
  if (item.kind === 'reference') {
    const declared = annotated === undefined ? {} : { declared: annotated };
    return { ...label, kind: 'plain', value: { ...item, ...declared } };
  }
  const value = annotated === 'float' ? toFloat(item) : item;
  if (annotated !== undefined && annotated !== value.kind) mismatch(scanner, label, annotated, value.kind);
  if (value.kind === 'graph') return { ...label, kind: 'graph', graphs: [value.value] };
  return { ...label, kind: 'plain', value };
}

function toFloat(item: Item): Item {
  return item.kind === 'int' ? { kind: 'float', value: Math.fround(Number(item.value)) } : item;
}

function mismatch(scanner: Scanner, label: NameSyntax, annotated: AttributeKind, found: string): never {
  return scanner.fail(
    `the attribute ${JSON.stringify(label.name)} is declared ${annotated} but has ${found}`,
    label.at,
  );
}

function fromList(
  scanner: Scanner,
  label: NameSyntax,
  items: readonly Item[],
  annotated: AttributeKind | undefined,
): AttributeSyntax {
  const first = items[0];
  if (first === undefined && annotated === undefined) {
    scanner.fail('an empty list needs its kind, as in "axes: ints = []"', label.at);
  }
  const floats = annotated === 'floats' || (annotated === undefined && items.some((item) => item.kind === 'float'));
  const values = floats ? items.map(toFloat) : items;
  const single = values[0]?.kind;
  if (single === 'reference') scanner.fail('a reference cannot appear in a list', label.at);
  const kind = single === undefined ? annotated : LISTS[single];
  if (kind === undefined || (annotated !== undefined && annotated !== kind)) {
    mismatch(scanner, label, annotated ?? 'ints', kind ?? 'nothing');
  }
  for (const value of values) {
    if (value.kind !== single) scanner.fail(`a list contains ${single} and ${value.kind}`, label.at);
  }
  return assemble(scanner, label, kind, values);
}

/** All items are of the one kind that belongs to the list. */
function assemble(scanner: Scanner, label: NameSyntax, kind: AttributeKind, items: readonly Item[]): AttributeSyntax {
  switch (kind) {
    case 'ints':
      return {
        ...label,
        kind: 'plain',
        value: { kind, value: items.flatMap((item) => (item.kind === 'int' ? [item.value] : [])) },
      };
    case 'floats':
      return {
        ...label,
        kind: 'plain',
        value: { kind, value: items.flatMap((item) => (item.kind === 'float' ? [item.value] : [])) },
      };
    case 'strings':
      return {
        ...label,
        kind: 'plain',
        value: { kind, value: items.flatMap((item) => (item.kind === 'string' ? [item.value] : [])) },
      };
    case 'tensors':
      return {
        ...label,
        kind: 'plain',
        value: { kind, value: items.flatMap((item) => (item.kind === 'tensor' ? [item.value] : [])) },
      };
    case 'types':
      return {
        ...label,
        kind: 'plain',
        value: { kind, value: items.flatMap((item) => (item.kind === 'type' ? [item.value] : [])) },
      };
    case 'graphs':
      return { ...label, kind, graphs: items.flatMap((item) => (item.kind === 'graph' ? [item.value] : [])) };
    default:
      return scanner.fail(`the attribute ${JSON.stringify(label.name)} is one ${kind}, not a list`, label.at);
  }
}
