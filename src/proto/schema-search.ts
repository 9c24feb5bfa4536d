import { isMessageType, type TextSchema, textMessage } from './text-schema.js';

/** Paths of the messages that have a field of this name, nearest to the root first: at most three. */
export function fieldHomes(schema: TextSchema, root: string, field: string): readonly string[] {
  const homes: string[] = [];
  const seen = new Set([root]);
  let level: readonly { readonly type: string; readonly path: string }[] = [{ type: root, path: '' }];
  while (level.length > 0) {
    const next: { type: string; path: string }[] = [];
    for (const { type, path } of level) {
      const { fields } = textMessage(schema, type);
      if (Object.hasOwn(fields, field)) homes.push(path === '' ? 'the configuration itself' : path);
      for (const [name, each] of Object.entries(fields)) {
        if (!isMessageType(schema, each.type) || seen.has(each.type)) continue;
        seen.add(each.type);
        next.push({ type: each.type, path: path === '' ? name : `${path}.${name}` });
      }
    }
    level = next;
  }
  return homes.slice(0, 3);
}
