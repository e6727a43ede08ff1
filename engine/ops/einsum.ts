/** Einstein summation. */
import { aString, op, rest } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { ShapeError } from '../errors.ts';
import { scope } from '../tensor/scope.ts';
import { show, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { mul } from './elementwise.ts';
import { matmul } from './matmul.ts';
import { permute, type Range, reshape, slice } from './movement.ts';
import { sum } from './reduce.ts';

/** A tensor with a label on each axis. An axis of `...` has the label `.k`, counted from the right. */
interface Labelled {
  readonly x: Tensor;
  readonly labels: readonly string[];
}

const without = (a: readonly string[], b: readonly string[]) => a.filter((l) => !b.includes(l));
const both = (a: readonly string[], b: readonly string[]) => a.filter((l) => b.includes(l));
const sizesOf = ({ x, labels }: Labelled, of: readonly string[]) => of.map((l) => x.shape[labels.indexOf(l)]!);

function ordered({ x, labels }: Labelled, as: readonly string[]): Tensor {
  const axes = as.map((l) => labels.indexOf(l));
  return axes.every((a, i) => a === i) ? x : permute(x, axes);
}

/** Where a label stands twice, the elements whose places on both axes are the same, until no label does. */
function diagonals({ x, labels }: Labelled): Labelled {
  const second = labels.findIndex((l, axis) => labels.indexOf(l) < axis);
  if (second < 0) return { x, labels };
  const label = labels[second]!;
  const first = labels.indexOf(label);
  const rest = labels.map((_, axis) => axis).filter((axis) => axis !== first && axis !== second);
  const n = x.shape[first]!;
  const flat = reshape(permute(x, [...rest, first, second]), [...rest.map((axis) => x.shape[axis]!), n * n]);
  const whole = rest.map((): Range => []);
  return diagonals({ x: slice(flat, [...whole, [0, n * n, n + 1]]), labels: [...rest.map((a) => labels[a]!), label] });
}

/** Sums out what is in none of the other terms. */
function reduced(t: Labelled, keep: readonly string[]): Labelled {
  const gone = without(t.labels, keep);
  if (gone.length === 0) return t;
  return {
    x: sum(
      t.x,
      gone.map((l) => t.labels.indexOf(l)),
    ),
    labels: both(t.labels, keep),
  };
}

function pair(left: Labelled, right: Labelled, keep: readonly string[]): Labelled {
  const a = reduced(left, [...right.labels, ...keep]);
  const b = reduced(right, [...left.labels, ...keep]);
  const shared = both(a.labels, b.labels);
  const batch = both(shared, keep);
  const inner = without(shared, keep);
  const [onlyA, onlyB] = [without(a.labels, shared), without(b.labels, shared)];
  const labels = [...batch, ...onlyA, ...onlyB];
  const [sizes, m, k, n] = [sizesOf(a, batch), sizesOf(a, onlyA), sizesOf(a, inner), sizesOf(b, onlyB)];
  if (inner.length === 0) {
    const rows = reshape(ordered(a, [...batch, ...onlyA]), [...sizes, ...m, ...n.map(() => 1)]);
    return { x: mul(rows, reshape(ordered(b, [...batch, ...onlyB]), [...sizes, ...m.map(() => 1), ...n])), labels };
  }
  // A matrix whose inner axes already come first is used as it lies.
  const lies = (t: Labelled, as: readonly string[]) => as.every((l, i) => t.labels[i] === l);
  const transposeA = lies(a, [...batch, ...inner, ...onlyA]);
  const transposeB = !lies(b, [...batch, ...inner, ...onlyB]);
  const matrix = (t: Labelled, outer: readonly string[], rest: readonly number[], innerFirst: boolean) =>
    reshape(ordered(t, [...batch, ...(innerFirst ? [...inner, ...outer] : [...outer, ...inner])]), [
      ...sizes,
      ...(innerFirst ? [sizeOf(k), sizeOf(rest)] : [sizeOf(rest), sizeOf(k)]),
    ]);
  const x = matmul(matrix(a, onlyA, m, transposeA), matrix(b, onlyB, n, !transposeB), { transposeA, transposeB });
  return { x: reshape(x, [...sizes, ...m, ...n]), labels };
}

/** The labels of a term, those of `...` included. */
function parse(equation: string, term: string, x: Tensor): string[] {
  const bad = (why: string) => new ShapeError(`einsum: '${term}' of '${equation}' ${why}`);
  const parts = term.split('...');
  if (parts.length > 2 || !/^[a-zA-Z]*$/.test(parts.join(''))) throw bad('may hold letters, and ... once');
  const [before, after] = [[...parts[0]!], [...(parts[1] ?? '')]];
  const more = x.rank - before.length - after.length;
  if (more < 0 || (more > 0 && parts.length === 1)) {
    throw bad(`names ${before.length + after.length} axes, and its operand is ${show(x.shape)}`);
  }
  const labels = [...before, ...Array.from({ length: more }, (_, i) => `.${more - 1 - i}`), ...after];
  labels.forEach((l, i) => {
    const [d, before] = [x.shape[i], x.shape[labels.indexOf(l)]];
    if (d !== before) throw bad(`repeats ${l} on axes of ${before} and ${d}; a diagonal has equal sides`);
  });
  return labels;
}

/**
 * The labels of the result: given, or as in NumPy those that occur once in alphabetical order, after those of `...`.
 */
function resultLabels(equation: string, output: string | undefined, terms: readonly (readonly string[])[]): string[] {
  const all = terms.flat();
  const dots = [...new Set(all.filter((l) => l.startsWith('.')))].sort(
    (a, b) => Number(b.slice(1)) - Number(a.slice(1)),
  );
  if (output === undefined) {
    const once = all.filter((l) => !l.startsWith('.') && all.indexOf(l) === all.lastIndexOf(l));
    return [...dots, ...once.sort()];
  }
  const parts = output.split('...');
  const letters = [...parts.join('')];
  const unknown = letters.find((l) => !all.includes(l));
  if (parts.length > 2 || unknown || new Set(letters).size !== letters.length) {
    throw new ShapeError(
      `einsum: the result '${output}' of '${equation}' may hold each letter of the operands once${unknown ? `; ${unknown} is none` : ''}`,
    );
  }
  return [...parts[0]!, ...(parts.length === 2 ? dots : []), ...(parts[1] ?? '')];
}

/**
 * Sums products of operands over the labels that the result leaves out (Einstein's convention, as in NumPy and PyTorch):
 * `einsum('bij,bjk->bik', a, b)` is a batched matrix product. Without `->` the result has the labels that occur once, in
 * alphabetical order; `...` stands for any further axes, which broadcast, and axes of size 1 broadcast too. A label that
 * stands twice in one operand takes its diagonal: 'ii->i', and 'ii->' is the trace. Operands are taken from left to right, two at
 * a time, each pair as one matrix product.
 * @throws ShapeError if the equation does not fit the operands
 * @example
 * einsum('bhqd,bhkd->bhqk', queries, keys); // attention scores
 * @function
 */
export const einsum = op(
  'einsum',
  [aString('equation'), rest(aTensor('operands'))],
  (equation: string, ...operands: readonly Tensor[]): Tensor => {
    const [inputs, output, extra] = equation.replaceAll(' ', '').split('->');
    const terms = inputs!.split(',');
    if (operands.length === 0 || terms.length !== operands.length || extra !== undefined) {
      throw new ShapeError(`einsum: '${equation}' has ${terms.length} terms for ${operands.length} operands`);
    }
    const labels = terms.map((t, i) => parse(equation, t, operands[i]!));
    const result = resultLabels(equation, output, labels);
    const sizes = new Map<string, number>();
    labels.forEach((list, i) => {
      list.forEach((l, axis) => {
        const d = operands[i]!.shape[axis]!;
        const known = sizes.get(l) ?? 1;
        if (d !== 1 && known !== 1 && d !== known) {
          throw new ShapeError(`einsum: '${equation}': ${l} has size ${known} in one operand and ${d} in another`);
        }
        if (d !== 1 || !sizes.has(l)) sizes.set(l, d);
      });
    });
    return scope(() => {
      // An axis of size 1 that broadcasts says nothing, and goes.
      const given = operands.map((operand, i): Labelled => {
        const { x, labels: own } = diagonals({ x: operand, labels: labels[i]! });
        const kept = own.filter((l, axis) => x.shape[axis] === sizes.get(l));
        return kept.length === x.rank
          ? { x, labels: kept }
          : {
              x: reshape(
                x,
                kept.map((l) => sizes.get(l)!),
              ),
              labels: kept,
            };
      });
      let done = given[0]!;
      for (let i = 1; i < given.length; i++) {
        done = pair(done, given[i]!, [...result, ...given.slice(i + 1).flatMap((t) => t.labels)]);
      }
      const y = ordered(reduced(done, result), result);
      // A tensor of its own, also where nothing happened.
      return y === operands[0] ? reshape(y, y.shape) : y;
    });
  },
);
