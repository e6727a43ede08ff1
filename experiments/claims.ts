import { rounded } from './critics.ts';
import type { Claim } from './experiment.ts';

/** Claims about findings of so many seeds; 0 where nothing was trained. */
export const over = (seeds: number, claims: readonly Omit<Claim, 'seeds'>[]): Claim[] =>
  claims.map((claim) => ({ ...claim, seeds }));

/** The claim that a value is at most a limit; what is not a number is not. The value is given to four digits. */
export const atMost = (text: string, value: number, limit: number): Omit<Claim, 'seeds'> => ({
  text,
  value: rounded(value),
  holds: value <= limit,
});

/** The claim that a value is at least a limit; what is not a number is not. The value is given to four digits. */
export const atLeast = (text: string, value: number, limit: number): Omit<Claim, 'seeds'> => ({
  text,
  value: rounded(value),
  holds: value >= limit,
});
