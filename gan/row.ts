/** A row of a log. NaN and infinities, which JSON lacks, become null. */
export type Row = Readonly<Record<string, number | null>>;
