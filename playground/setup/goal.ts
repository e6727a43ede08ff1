/** What an exercise asks for, as it stands in a link: `modes>=8`, `distance<=0.3`. */
export interface Goal {
  /** A value: modes, quality, distance, step, or one of the log's. */
  readonly name: string;
  readonly sign: '>=' | '<=';
  readonly number: number;
}

/** Reads a goal; undefined for a text that is none. */
export function parseGoal(text: string): Goal | undefined {
  const found = /^([A-Za-z]\w*)(>=|<=)(.+)$/.exec(text.trim());
  if (!found) return undefined;
  const [, name, sign, digits] = found;
  const number = Number(digits);
  return digits!.trim() !== '' && Number.isFinite(number)
    ? { name: name!, sign: sign as Goal['sign'], number }
    : undefined;
}

/** Whether values reach a goal. A value that is not there reaches none. */
export function isReached({ name, sign, number }: Goal, values: Readonly<Record<string, number | undefined>>): boolean {
  const value = values[name];
  if (value === undefined || Number.isNaN(value)) return false;
  return sign === '>=' ? value >= number : value <= number;
}
