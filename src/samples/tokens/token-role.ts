/** What an input of a text model is, beside token numbers: it follows from them. */
export type TokenRole = 'ids' | 'mask' | 'types' | 'positions' | 'cache' | 'total' | 'lengths' | 'cacheFlag';
