import { rounded } from './critics.ts';
import type { Claim } from './experiment.ts';

/** Claims about figures of so many seeds; 0 where nothing was trained. */
export const over = (seeds: number, claims: readonly Omit<Claim, 'seeds'>[]): Claim[] =>
  claims.map((claim) => ({ ...claim, seeds }));

/** The claim that a figure is at most a limit; what is not a number is not. The figure is given to four digits. */
export const atMost = (text: string, figure: number, limit: number): Omit<Claim, 'seeds'> => ({
  text,
  value: rounded(figure),
  holds: figure <= limit,
});

/** The claim that a figure is at least a limit; what is not a number is not. The figure is given to four digits. */
export const atLeast = (text: string, figure: number, limit: number): Omit<Claim, 'seeds'> => ({
  text,
  value: rounded(figure),
  holds: figure >= limit,
});
