/** Sound models of any shape, as bytes no library would write: every choice comes from one seed. */

import { DATA_TYPES, type DataTypeRow, rawByteLength } from '../../src/tensor/dtype.js';
import { createRandom, type Random } from '../../src/tensor/random.js';
import { typedFields } from './typed-tensor.js';
import * as wire from './wire.js';

type Bytes = wire.Bytes;

export interface RandomModelOptions {
  readonly nodes: number;
  /** Mix the fields of messages, keeping the order within a repeated field. Default true. */
  readonly mixed?: boolean;
  /** Put unknown fields everywhere. Default true. */
  readonly unknown?: boolean;
  /** Spread messages over several fields, which protobuf merges. Default false. */
  readonly split?: boolean;
}

/** A field of a message: what has the same number keeps its order. */
interface Part {
  readonly field: number;
  readonly bytes: Bytes;
}

const part = (field: number, ...payload: (Bytes | string)[]): Part => ({
  field,
  bytes: wire.message(field, ...payload),
});
const integer = (field: number, value: number | bigint): Part => ({ field, bytes: wire.int(field, value) });

export function randomModel(seed: number, options: RandomModelOptions): Bytes {
  return new Builder(seed, options).model();
}

class Builder {
  readonly #random: Random;
  /** Where messages are cut: a stream of its own, so that the same seed gives the same model whole and in pieces. */
  readonly #cuts: Random;
  readonly #options: RandomModelOptions;
  #unknownCount = 0;
  #names = 0;

  constructor(seed: number, options: RandomModelOptions) {
    this.#random = createRandom(seed);
    this.#cuts = createRandom(seed, 1);
    this.#options = options;
  }

  model(): Bytes {
    const graph = this.#graph(this.#options.nodes, [], 0);
    return this.#message([
      integer(1, 8 + this.#below(3)),
      part(2, this.#text()),
      integer(5, this.#int64()),
      ...this.#submessage(7, graph),
      part(8, wire.message(1, this.#pick(['', 'ai.onnx'])), wire.int(2, 17)),
      part(8, wire.message(1, 'my'), wire.int(2, 1)),
      part(14, wire.message(1, 'key'), wire.message(2, this.#text())),
    ]);
  }

  #below(count: number): number {
    return this.#random.integer(count);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T;
  }

  #bytes(count: number): Bytes {
    return Uint8Array.from({ length: count }, () => this.#below(256));
  }

  #text(): string {
    return this.#pick(['', 'a', 'größe', '模型', 'a b"c\\d', '\u{1f600}', '<script>', '__proto__']);
  }

  /** A value name: any bytes, made unique. */
  #name(): Bytes {
    const text = this.#pick(['x', 'größe', '__proto__', '1/2:0', '層']);
    return wire.concat(
      wire.text(`${text}${this.#names++}`),
      this.#below(4) === 0 ? Uint8Array.of(0xff, 0xc3) : wire.text(''),
    );
  }

  #int64(): bigint {
    return this.#pick([0n, 1n, -1n, 2n ** 53n, -(2n ** 63n), 2n ** 63n - 1n, BigInt(this.#random.uint32())]);
  }

  /** Fields in any order but that of a repeated field, with unknown ones between. */
  #message(parts: readonly Part[]): Bytes {
    const all = [...parts];
    if (this.#options.unknown !== false) for (let count = this.#below(3); count > 0; count--) all.push(this.#unknown());
    if (this.#options.mixed === false) return wire.join(all.map(({ bytes }) => bytes));
    const queues = new Map<number, Part[]>();
    for (const item of all) queues.set(item.field, [...(queues.get(item.field) ?? []), item]);
    const mixed: Bytes[] = [];
    while (queues.size > 0) {
      const field = this.#pick([...queues.keys()]);
      const [first, ...rest] = queues.get(field) ?? [];
      if (first) mixed.push(first.bytes);
      if (rest.length === 0) queues.delete(field);
      else queues.set(field, rest);
    }
    return wire.join(mixed);
  }

  /** A field number no message of ONNX uses, with each wire type, a group included. */
  #unknown(): Part {
    const field = 1000 + this.#unknownCount++;
    const label = wire.text(`unknown${field}`);
    const bytes = this.#pick([
      wire.message(field, label),
      wire.int(field, this.#int64()),
      wire.concat(wire.tag(field, 1), this.#bytes(8)),
      wire.concat(wire.tag(field, 5), this.#bytes(4)),
      wire.concat(wire.tag(field, 3), wire.message(7, label), wire.tag(field, 4)),
    ]);
    return { field, bytes };
  }

  /** A message in one field, or cut between two of its fields into several. */
  #submessage(field: number, bytes: Bytes): Part[] {
    if (!this.#options.split) return [part(field, bytes)];
    const cuts = fieldStarts(bytes).filter(() => this.#cuts.integer(2) === 0);
    const edges = [0, ...cuts, bytes.length];
    return edges.slice(1).map((end, index) => part(field, bytes.subarray(edges[index], end)));
  }

  #type(dataType: number): Bytes {
    const dims = Array.from({ length: this.#below(4) }, () => {
      const dim = this.#pick([undefined, 'batch', 0, 1, 224]);
      return wire.message(
        1,
        ...(dim === undefined ? [] : [typeof dim === 'string' ? wire.message(2, dim) : wire.int(1, dim)]),
      );
    });
    const shape = this.#below(4) === 0 ? [] : [part(2, wire.join(dims))];
    return this.#message([...this.#submessage(1, this.#message([integer(1, dataType), ...shape]))]);
  }

  #valueInfo(name: Bytes): Bytes {
    const type = this.#below(5) === 0 ? [] : this.#submessage(2, this.#type(1 + this.#below(28)));
    const doc = this.#below(3) === 0 ? [part(3, this.#text())] : [];
    return this.#message([part(1, name), ...type, ...doc]);
  }

  #tensor(name: Bytes): Bytes {
    const row = this.#pick(DATA_TYPES);
    const dims = Array.from({ length: this.#below(3) }, () => this.#below(5));
    const size = dims.reduce((product, dim) => product * dim, 1);
    return this.#message([
      ...dims.map((dim) => integer(1, dim)),
      integer(2, row.code),
      part(8, name),
      ...(this.#below(3) === 0 ? [part(12, this.#text())] : []),
      ...this.#data(row, size),
    ]);
  }

  #data(row: DataTypeRow, size: number): Part[] {
    if (row.bits === 0) return Array.from({ length: size }, () => part(6, this.#bytes(this.#below(9))));
    const length = rawByteLength(row.code, size);
    const bytes = this.#bytes(length ?? size);
    if (length === undefined || this.#below(2) === 0) return [part(9, bytes)];
    return typedFields(row, bytes, this.#below(2) === 0).map((field) => ({ field: 4, bytes: field }));
  }

  #attribute(names: readonly Bytes[], index: number, depth: number): Bytes {
    const name = part(1, `a${index}`);
    const ints = Array.from({ length: 1 + this.#below(4) }, () => this.#int64());
    const kinds: (() => Part[])[] = [
      () => [integer(20, 1), { field: 2, bytes: wire.float(2, this.#pick([0, -0, 1.5, Number.NaN, Infinity])) }],
      () => [integer(20, 2), integer(3, this.#int64())],
      () => [integer(20, 3), part(4, this.#bytes(this.#below(5)))],
      () => [integer(20, 4), ...this.#submessage(5, this.#tensor(wire.text('t')))],
      () => [integer(20, 6), { field: 7, bytes: wire.float(7, 0.1) }, { field: 7, bytes: wire.float(7, -0) }],
      () => [integer(20, 7), ...ints.map((value) => integer(8, value))],
      () => [integer(20, 7), { field: 8, bytes: wire.packed(8, ints) }],
      () => [integer(20, 8), part(9, this.#bytes(3)), part(9, '')],
      () => [integer(20, 13), ...this.#submessage(14, this.#type(1))],
      () => [integer(20, 5), ...this.#submessage(6, this.#graph(1 + this.#below(2), names, depth + 1))],
    ];
    return this.#message([name, ...this.#pick(depth < 2 ? kinds : kinds.slice(0, -1))()]);
  }

  /** Nodes stand in an order in which they can be computed. */
  #graph(nodeCount: number, outer: readonly Bytes[], depth: number): Bytes {
    const inputs = [this.#name(), ...(this.#below(2) === 0 ? [this.#name()] : [])];
    const weights = Array.from({ length: this.#below(4) }, () => this.#name());
    const known = [...outer, ...inputs, ...weights];
    const nodes: Bytes[] = [];
    const made: Bytes[] = [];
    for (let index = 0; index < nodeCount; index++) {
      const uses = Array.from({ length: this.#below(4) }, () => this.#pick([...known, wire.text('')]));
      const outputs = Array.from({ length: 1 + this.#below(2) }, () => this.#name());
      const attributes = Array.from({ length: this.#below(3) }, (_, at) => part(5, this.#attribute(known, at, depth)));
      const domain = this.#pick([[], [part(7, '')], [part(7, 'ai.onnx')], [part(7, 'my')]]);
      nodes.push(
        this.#message([
          ...uses.map((name) => part(1, name)),
          ...outputs.map((name) => part(2, name)),
          ...(this.#below(2) === 0 ? [part(3, this.#text())] : []),
          part(4, this.#pick(['Add', 'Op', 'Größe'])),
          ...attributes,
          ...domain,
        ]),
      );
      known.push(...outputs);
      made.push(...outputs);
    }
    return this.#message([
      ...nodes.map((bytes) => part(1, bytes)),
      part(2, 'g'),
      ...weights.map((name) => part(5, this.#tensor(name))),
      ...inputs.map((name) => part(11, this.#valueInfo(name))),
      ...made.slice(-1).map((name) => part(12, this.#valueInfo(name))),
      ...made
        .slice(0, -1)
        .filter(() => this.#below(2) === 0)
        .map((name) => part(13, this.#valueInfo(name))),
      ...(this.#below(4) === 0 ? [part(13, this.#valueInfo(wire.text('nobody')))] : []),
      ...(this.#below(3) === 0 ? [part(16, wire.message(1, 'k'), wire.message(2, this.#text()))] : []),
    ]);
  }
}

/** Where the fields of a message begin, but for the first. Knows no groups: a message with one is left whole. */
function fieldStarts(bytes: Bytes): number[] {
  const starts: number[] = [];
  const varint = (at: number): { value: number; next: number } => {
    let value = 0;
    let scale = 1;
    let next = at;
    for (;;) {
      const byte = bytes[next++] ?? 0;
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) return { value, next };
    }
  };
  for (let at = 0; at < bytes.length; ) {
    if (at > 0) starts.push(at);
    const tag = varint(at);
    const kind = tag.value % 8;
    if (kind === 3) return [];
    const length = kind === 2 ? varint(tag.next) : undefined;
    at = length ? length.next + length.value : kind === 0 ? varint(tag.next).next : tag.next + (kind === 1 ? 8 : 4);
  }
  return starts;
}
