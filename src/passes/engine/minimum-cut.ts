/** A minimum cut between a source and a sink, by shortest augmenting paths (Edmonds and Karp 1972). */
export class MinimumCut {
  /** Edge `i` goes to `#heads[i]`; edge `i ^ 1` is its reverse. */
  readonly #heads: number[] = [];
  readonly #rest: number[] = [];
  readonly #edges: number[][] = [];

  /** Adds a vertex and gives its number. */
  addVertex(): number {
    return this.#edges.push([]) - 1;
  }

  addEdge(from: number, to: number, capacity: number): void {
    this.#edges[from]?.push(this.#heads.length);
    this.#heads.push(to);
    this.#rest.push(capacity);
    this.#edges[to]?.push(this.#heads.length);
    this.#heads.push(from);
    this.#rest.push(0);
  }

  /** Gives the capacity of the cut, and the vertices on the source's side: as few as a minimum cut can have. */
  run(source: number, sink: number): { readonly capacity: number; readonly sourceSide: ReadonlySet<number> } {
    let capacity = 0;
    for (;;) {
      const path = this.#search(source);
      const last = path.get(sink);
      if (last === undefined) return { capacity, sourceSide: new Set([source, ...path.keys()]) };
      const edges: number[] = [];
      for (let edge: number | undefined = last; edge !== undefined; edge = path.get(this.#heads[edge ^ 1] as number))
        edges.push(edge);
      const flow = Math.min(...edges.map((edge) => this.#rest[edge] as number));
      for (const edge of edges) {
        this.#rest[edge] = (this.#rest[edge] as number) - flow;
        this.#rest[edge ^ 1] = (this.#rest[edge ^ 1] as number) + flow;
      }
      capacity += flow;
    }
  }

  /** The edge by which each vertex other than `source` is first reached over edges that can take more. */
  #search(source: number): Map<number, number> {
    const reached = new Map<number, number>();
    const queue = [source];
    for (const vertex of queue) {
      for (const edge of this.#edges[vertex] ?? []) {
        const head = this.#heads[edge] as number;
        if ((this.#rest[edge] as number) <= 0 || head === source || reached.has(head)) continue;
        reached.set(head, edge);
        queue.push(head);
      }
    }
    return reached;
  }
}
