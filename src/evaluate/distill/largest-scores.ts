/** Places of the `places.length` largest values in falling order; of equal values the one that comes first. */
export function largestPlaces(values: Float64Array, places: Int32Array): void {
  const count = places.length;
  let filled = 0;
  let least = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (filled === count && !(value > least)) continue;
    let at = filled < count ? filled++ : count - 1;
    while (at > 0 && (values[places[at - 1] as number] as number) < value) {
      places[at] = places[at - 1] as number;
      at--;
    }
    places[at] = i;
    least = values[places[filled - 1] as number] as number;
  }
}

/** How many places two lists share. */
export function sharedPlaces(a: Int32Array, b: Int32Array): number {
  let shared = 0;
  for (let i = 0; i < a.length; i++) if (b.includes(a[i] as number)) shared++;
  return shared;
}
