import type { ValueType } from '../type.js';
import { type AttributeContext, parseAttributes } from './parse-attribute.js';
import { type ExternalDataResolver, parseTensorData } from './parse-tensor.js';
import { nextIsType, parseType } from './parse-type.js';
import { MAX_TEXT_DEPTH, Scanner } from './scanner.js';
import { type GraphSyntax, type NameSyntax, type NodeSyntax, normalDomain, type ValueSyntax } from './syntax.js';

/** Reads graphs and nodes of ONNX text (onnx docs/Syntax.md). */
export class GraphParser implements AttributeContext {
  readonly scanner: Scanner;
  readonly externalData: ExternalDataResolver | undefined;
  #depth = 0;

  constructor(text: string, externalData?: ExternalDataResolver) {
    this.scanner = new Scanner(text);
    this.externalData = externalData;
  }

  /** `name (inputs) => (outputs) <initializers and types> { nodes }` */
  parseGraph(): GraphSyntax {
    const { scanner } = this;
    const at = scanner.position;
    if (++this.#depth > MAX_TEXT_DEPTH) scanner.fail(`graphs nest deeper than ${MAX_TEXT_DEPTH}`);
    const name = scanner.name('the name of a graph');
    const inputs = scanner.peek() === '(' ? this.values('(', ')', true) : [];
    scanner.expect('=>', 'after the inputs of the graph');
    const outputs = this.values('(', ')', false);
    const values = scanner.peek() === '<' ? this.values('<', '>', true) : [];
    const nodes = this.nodes();
    this.#depth--;
    return { name, at, inputs, outputs, values, nodes };
  }

  /** A list of `type name`, `name`, or (where allowed) `type name = value`. */
  values(open: string, close: string, withValue: boolean): ValueSyntax[] {
    const { scanner } = this;
    const list: ValueSyntax[] = [];
    scanner.expect(open, 'to begin a list of values');
    if (scanner.matches(close)) return list;
    do list.push(this.#value(withValue));
    while (scanner.matches(','));
    scanner.expect(close, 'after the list of values');
    return list;
  }

  #value(withValue: boolean): ValueSyntax {
    const { scanner } = this;
    const typeAt = scanner.position;
    const type: ValueType | undefined = scanner.matches('?') || !nextIsType(scanner) ? undefined : parseType(scanner);
    const at = scanner.position;
    const name = scanner.name('the name of a value');
    const given = withValue && scanner.matches('=');
    const tensor = given ? parseTensorData(scanner, type, typeAt, this.externalData) : undefined;
    return { name, at, type, tensor };
  }

  /** `{ node node … }` */
  nodes(): NodeSyntax[] {
    const nodes: NodeSyntax[] = [];
    this.scanner.expect('{', 'to begin the nodes');
    while (!this.scanner.matches('}')) nodes.push(this.#node());
    return nodes;
  }

  /** `[name] outputs = domain.Op:overload <attributes> (inputs)`; the attributes may also come last. */
  #node(): NodeSyntax {
    const { scanner } = this;
    const at = scanner.position;
    let name = '';
    if (scanner.matches('[')) {
      name = scanner.optionalName() ?? '';
      scanner.expect(']', 'after the name of the node');
    }
    const outputs = this.#names();
    scanner.expect('=', 'after the outputs of a node');
    const path = [scanner.name('an operator')];
    while (scanner.matches('.')) path.push(scanner.name('an operator after "."'));
    const opType = path.pop() ?? '';
    const overload = scanner.matches(':') ? scanner.name('an overload after ":"') : '';
    const before = parseAttributes(this);
    scanner.expect('(', 'to begin the inputs of the node');
    const inputs = this.#names();
    scanner.expect(')', 'after the inputs of the node');
    const attributes = before.length > 0 ? before : parseAttributes(this);
    return { name, domain: normalDomain(path.join('.')), opType, overload, outputs, inputs, attributes, at };
  }

  /** Names with commas between; an empty one may be written `""` or left out before a comma. */
  #names(): NameSyntax[] {
    const { scanner } = this;
    const names: NameSyntax[] = [];
    do {
      const at = scanner.position;
      const name = scanner.optionalName();
      if (name === undefined && scanner.peek() !== ',') break;
      names.push({ name: name ?? '', at });
    } while (scanner.matches(','));
    return names;
  }
}
