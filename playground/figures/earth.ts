/** The piles of the lecture's earth, each as wide as between two edges, and their masses. */
export const PILES = { edges: [1, 2, 3, 4, 9, 10], masses: [0.25, 0, 0.25, 0, 0.5] };

/** Where the earth is wanted. */
export const WALL = { edges: [5, 7], masses: [1] };
