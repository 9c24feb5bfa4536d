/** A map that tells its owner of every change, so that the owner's message is written anew. */
export class WatchedMap<K, V> extends Map<K, V> {
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    super();
    this.#onChange = onChange;
  }

  override set(key: K, value: V): this {
    this.#onChange();
    return super.set(key, value);
  }

  override delete(key: K): boolean {
    this.#onChange();
    return super.delete(key);
  }

  override clear(): void {
    this.#onChange();
    super.clear();
  }
}
