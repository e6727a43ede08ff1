import type { Convolution } from './convolution.ts';

/** The convolution of lecture 6: x of 4 by 4, u of 3 by 3, and (2 1 4 4) for the transpose. */
export const lecture: Convolution = {
  size: 4,
  kernel: 3,
  stride: 1,
  padding: 0,
  x: [4, 5, 8, 7, 1, 8, 8, 8, 3, 6, 6, 4, 6, 5, 7, 8],
  u: [1, 4, 1, 1, 4, 3, 3, 3, 1],
  z: [2, 1, 4, 4],
};
