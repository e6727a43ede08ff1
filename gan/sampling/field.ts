import { noGrad, ShapeError, scope, tensor } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { type LatentGenerator, withStatistics } from './draw.ts';

/** A rectangle of the plane. */
export interface Box {
  /** Left and right. */
  readonly x: readonly [least: number, most: number];
  /** Lower and upper. */
  readonly y: readonly [least: number, most: number];
}

/** A function of the plane, by its values on a grid. */
export interface ScalarField {
  /** Where the grid lies: its first and last points are on the edges. */
  readonly box: Box;
  /** Points along x, >= 2. */
  readonly columns: number;
  /** Points along y, >= 2. */
  readonly rows: number;
  /** [rows * columns], rows from the lowest y. */
  readonly values: Float32Array;
}

/** Options of {@link evaluateField}. */
export interface FieldOptions {
  /** Points along each axis, >= 2. Default 64. */
  readonly resolution?: number;
  /** Points in one forward pass. Default 4096. */
  readonly batchSize?: number;
}

/**
 * Evaluates a critic (or any function of points) on a grid over a box, in evaluation mode: for pictures of its level sets.
 *
 * @param critic points [N,2] to logits [N,1]
 * @throws RangeError for a resolution, a batch size or a box out of range; ShapeError unless there is one value a point
 */
export async function evaluateField(
  critic: LatentGenerator,
  box: Box,
  options: FieldOptions = {},
): Promise<ScalarField> {
  const { resolution = 64, batchSize = 4096 } = checked('evaluateField', options, ['resolution', 'batchSize']);
  checkRange('evaluateField', 'batchSize', ranges.count, batchSize);
  checkRange('evaluateField', 'resolution', ranges.whole(2), resolution);
  checkBox('evaluateField', box);
  const n = resolution ** 2;
  const at = ([least, most]: readonly [number, number], i: number) => least + ((most - least) * i) / (resolution - 1);
  const points = Float64Array.from({ length: 2 * n }, (_, i) => {
    const point = i >> 1;
    return i % 2 === 0 ? at(box.x, point % resolution) : at(box.y, Math.floor(point / resolution));
  });
  const reads = Array.from({ length: Math.ceil(n / batchSize) }, (_, k) =>
    scope(() => {
      const part = tensor(points.subarray(2 * k * batchSize, 2 * (k + 1) * batchSize), {
        shape: [Math.min(batchSize, n - k * batchSize), 2],
      });
      const scores = withStatistics(critic, 'running', () => noGrad(() => critic.forward(part)));
      if (scores.size !== part.shape[0]) {
        throw new ShapeError(`evaluateField: the critic gave [${scores.shape}] for points [${part.shape}], not [N,1]`);
      }
      return scores.data();
    }),
  );
  const values = new Float32Array(n);
  for (const [k, scores] of (await Promise.all(reads)).entries()) values.set(scores, k * batchSize);
  return { box, columns: resolution, rows: resolution, values };
}

/** @throws RangeError unless both sides go from a number to a larger one */
export function checkBox(op: string, { x, y }: Box): void {
  for (const [least, most] of [x, y]) {
    if (Number.isFinite(most - least) && least < most) continue;
    throw new RangeError(`${op}: a box goes from a number to a larger one along x and y, not [${x}] and [${y}]`);
  }
}

/** A line through points [x, y]; closed where it ends where it began. */
export type Polyline = (readonly [x: number, y: number])[];

/**
 * The set where a field has one value, as lines: marching squares (Lorensen and Cline 1987, in the plane), linear between
 * the grid's points; a saddle is decided by the mean of its four corners. Values equal to the level count as above it.
 * Cells with a value that is not finite have no lines.
 */
export function levelSet({ box, columns, rows, values }: ScalarField, level: number): Polyline[] {
  if (values.length !== columns * rows || columns < 2 || rows < 2) {
    throw new RangeError(`levelSet: ${values.length} values are not ${rows} x ${columns} of a grid`);
  }
  const value = (i: number, j: number) => values[j * columns + i]!;
  // Edges are numbered by their lower left point: those along x even, those along y odd. Each belongs to two cells.
  const along = (i: number, j: number) => 2 * (j * columns + i);
  const up = (i: number, j: number) => 2 * (j * columns + i) + 1;
  const links = new Map<number, number[]>();
  const link = (a: number, b: number): void => {
    links.set(a, [...(links.get(a) ?? []), b]);
    links.set(b, [...(links.get(b) ?? []), a]);
  };
  for (let j = 0; j + 1 < rows; j++) {
    for (let i = 0; i + 1 < columns; i++) {
      // Counter-clockwise from the lower left; edge k goes from corner k to the next.
      const corners = [value(i, j), value(i + 1, j), value(i + 1, j + 1), value(i, j + 1)];
      if (!corners.every(Number.isFinite)) continue;
      const edges = [along(i, j), up(i + 1, j), along(i, j + 1), up(i, j)];
      const above = corners.map((v) => v >= level);
      const crossed = edges.filter((_, k) => above[k] !== above[(k + 1) % 4]);
      if (crossed.length === 2) link(crossed[0]!, crossed[1]!);
      if (crossed.length < 4) continue;
      // The corners that differ from the middle are cut off, each by a line of its own.
      const middle = corners.reduce((a, b) => a + b) / 4 >= level;
      for (let k = 0; k < 4; k++) if (above[k] !== middle) link(edges[k]!, edges[(k + 3) % 4]!);
    }
  }
  const crossing = (edge: number): readonly [number, number] => {
    const point = edge >> 1;
    const [i, j] = [point % columns, Math.floor(point / columns)];
    const isUp = edge % 2 === 1;
    const [a, b] = [value(i, j), isUp ? value(i, j + 1) : value(i + 1, j)];
    const t = (level - a) / (b - a);
    const scale = ([least, most]: readonly [number, number], at: number, n: number) =>
      least + ((most - least) * at) / (n - 1);
    return [scale(box.x, i + (isUp ? 0 : t), columns), scale(box.y, j + (isUp ? t : 0), rows)];
  };
  const lines: Polyline[] = [];
  const follow = (start: number): void => {
    const line = [start];
    for (let at = start; ; ) {
      const next = links.get(at)!.pop();
      if (next === undefined) break;
      const back = links.get(next)!;
      back.splice(back.indexOf(at), 1);
      line.push(next);
      at = next;
    }
    if (line.length > 1) lines.push(line.map(crossing));
  };
  // Open lines from their ends first; what is left are rings.
  for (const [edge, next] of links) if (next.length === 1) follow(edge);
  for (const edge of links.keys()) follow(edge);
  return lines;
}
