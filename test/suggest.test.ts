import { describe, expect, it } from 'vitest';
import { suggest } from '../src/suggest.js';

describe('a suggestion', () => {
  const fields = ['max_queue_delay_microseconds', 'preserve_ordering', 'priority_levels', 'max_queue_size'];

  it('is the name that few letters make of the typed one', () => {
    expect(suggest('preserve_odering', fields)).toBe('preserve_ordering');
  });

  it('is the shortest that goes on where the typed word ends', () => {
    expect(suggest('max-queue', fields)).toBe('max_queue_size');
  });

  it('is one with another end, where a long word begins alike', () => {
    expect(suggest('max_queue_delay_us', fields)).toBe('max_queue_delay_microseconds');
  });

  it('is none where only the first letters are the same', () => {
    expect(suggest('max_rows', fields)).toBeUndefined();
    expect(suggest('priority_of_requests', fields)).toBeUndefined();
  });
});
