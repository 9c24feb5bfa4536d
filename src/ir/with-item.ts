/**
 * A list with one more item, to be kept in place of the list. A short list gets room for what it holds: an array that is
 * pushed to when empty takes room for 17, which is most of the memory of a large graph of small nodes.
 */
export function withItem<T>(list: T[], item: T): T[] {
  if (list.length < 4) return list.concat([item]);
  list.push(item);
  return list;
}
