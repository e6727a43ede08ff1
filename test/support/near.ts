import * as assert from 'uvu/assert';

/** Asserts that |value - expected| is at most `tolerance`, and shows both. NaN is near nothing. */
export const near = (value: number, expected: number, tolerance = 1e-12): void =>
  assert.ok(
    value === expected || Math.abs(value - expected) <= tolerance,
    `${value} is not within ${tolerance} of ${expected}`,
  );
