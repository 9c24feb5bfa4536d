import { textWidth } from './chart.js';

/** A place in a drawing. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** Text beside a point, where it does not lie over another. */
export interface PlacedLabel extends Place {
  readonly text: string;
  readonly anchor: 'start' | 'middle' | 'end';
}

/** A point that wants one of `texts` beside it, the first that fits. */
export interface LabelWish extends Place {
  /** Radius of its mark. */
  readonly radius: number;
  readonly texts: readonly string[];
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const HEIGHT = 14;

/**
 * Places labels one after the other, so the first ones have the best chances: right, left, above, below of their point and
 * between, where they cover no mark, no label placed before and nothing of the line. Those that fit nowhere are left out
 * (undefined).
 */
export function placeLabels(
  wishes: readonly LabelWish[],
  bounds: Box,
  line: readonly Place[] = [],
): readonly (PlacedLabel | undefined)[] {
  const around = ({ x, y }: Place, radius: number): Box => ({
    left: x - radius,
    right: x + radius,
    top: y - radius,
    bottom: y + radius,
  });
  const taken: Box[] = [
    ...wishes.map((wish) => around(wish, wish.radius)),
    ...alongLine(line).map((place) => around(place, 1)),
  ];
  return wishes.map((wish) => {
    for (const text of wish.texts) {
      for (const place of candidates(wish, text)) {
        const box = boxOf(place);
        const inside =
          box.left >= bounds.left && box.right <= bounds.right && box.top >= bounds.top && box.bottom <= bounds.bottom;
        if (!inside || taken.some((other) => overlap(box, other))) continue;
        taken.push(box);
        return place;
      }
    }
    return undefined;
  });
}

/** Places on a line, close enough that no label fits between two of them. */
function alongLine(line: readonly Place[]): readonly Place[] {
  return line.flatMap((from, i) => {
    const to = line[i + 1];
    if (to === undefined) return [];
    const steps = Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / 8);
    return Array.from({ length: steps }, (_, k) => ({
      x: from.x + ((to.x - from.x) * k) / steps,
      y: from.y + ((to.y - from.y) * k) / steps,
    }));
  });
}

function candidates({ x, y, radius }: LabelWish, text: string): readonly PlacedLabel[] {
  const aside = radius + 5;
  const middle = y + 4;
  const above = y - radius - 5;
  const below = y + radius + 14;
  return [
    { text, x: x + aside, y: middle, anchor: 'start' },
    { text, x: x - aside, y: middle, anchor: 'end' },
    { text, x, y: above, anchor: 'middle' },
    { text, x, y: below, anchor: 'middle' },
    { text, x: x + radius, y: above, anchor: 'start' },
    { text, x: x - radius, y: above, anchor: 'end' },
    { text, x: x + radius, y: below, anchor: 'start' },
    { text, x: x - radius, y: below, anchor: 'end' },
  ];
}

function boxOf({ text, x, y, anchor }: PlacedLabel): Box {
  const width = textWidth(text);
  const left = anchor === 'start' ? x : anchor === 'end' ? x - width : x - width / 2;
  return { left: left - 2, right: left + width + 2, top: y - HEIGHT + 3, bottom: y + 3 };
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
