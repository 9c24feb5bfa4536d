/** What layers of image networks pass on: [N, C, H, W]. */
import type { GraphBuilder } from './builder.js';

export interface Image {
  readonly name: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export type ImageLayer = (b: GraphBuilder, x: Image) => Image | undefined;

export const WIDTHS = [4, 6, 8, 12];
