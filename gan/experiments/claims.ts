import { rounded } from './critics.ts';
import type { Claim } from './experiment.ts';

/** The claim that a figure is at most a limit; what is not a number is not. The figure is given to four digits. */
export const atMost = (text: string, figure: number, limit: number): Claim => ({
  text,
  value: rounded(figure),
  holds: figure <= limit,
});

/** The claim that a figure is at least a limit; what is not a number is not. The figure is given to four digits. */
export const atLeast = (text: string, figure: number, limit: number): Claim => ({
  text,
  value: rounded(figure),
  holds: figure >= limit,
});
