/** How tensors of a module lie in PyTorch's: the order of their axes, images that were flattened, tensors joined into one. */
import { type Shape, ShapeError, sizeOf, type Tensor } from '../../engine/index.ts';
import type { PyTorchRule } from '../module/pyTorchRule.ts';
import type { ElementArray } from './dtypes.ts';
import { permuted, reordered } from './layout.ts';

/** The shapes of images, in wgrad's layout, that a layer has its features from. */
export interface FlattenedImages {
  /** The shape of the image that was flattened to the layer's input. */
  readonly input?: Shape;
  /** The shape of the image that the layer's output becomes. */
  readonly output?: Shape;
}

/** A tensor here, as it lies in one of PyTorch's. */
export interface Part {
  /** The tensor's name in the module's state. */
  readonly ours: string;
  readonly tensor: Tensor;
  /** The shape that its axes are seen in; its own, unless several are flattened into one. */
  readonly seen: Shape;
  /** Axes of `seen` in PyTorch's order. */
  readonly axes: readonly number[];
  /** Axes of `seen` that run over flattened images, with their shapes. */
  readonly images: readonly { readonly axis: number; readonly shape: Shape }[];
  /** The part's shape in PyTorch. */
  readonly shape: Shape;
}

/** A tensor of PyTorch. */
export interface Twin {
  /** The parts of which it is made, along its first axis; most are one part. */
  readonly parts: readonly Part[];
  readonly shape: Shape;
  /** Another name that it goes by. */
  readonly newer: string | undefined;
}

/** A part's numbers from PyTorch's layout. */
export function fromTheirs({ seen, axes, images }: Part, data: ElementArray): ElementArray {
  const back = axes.map((_, i) => axes.indexOf(i));
  let values = permuted(
    data,
    axes.map((a) => seen[a]!),
    back,
  );
  for (const { axis, shape } of images) values = reordered(values, seen, axis, shape, 'last');
  return values;
}

/** A part's numbers in PyTorch's layout. */
export function toTheirs({ seen, axes, images }: Part, data: ElementArray): ElementArray {
  let values = data;
  for (const { axis, shape } of images) values = reordered(values, seen, axis, shape, 'first');
  return permuted(values, seen, axes);
}

/** What a rule says of a tensor, by itself or by the array that it is in. */
export const of = <T>(table: Readonly<Record<string, T>> | undefined, field: string): T | undefined =>
  table?.[field] ?? table?.[field.split('.')[0]!];

/** @throws ShapeError unless all parts agree but in their first axis */
export function joinedShape(theirs: string, parts: readonly Part[]): Shape {
  const [{ shape }, ...more] = parts as [Part, ...Part[]];
  if (more.length === 0) return shape;
  if (more.some((p) => p.shape.slice(1).join() !== shape.slice(1).join())) {
    const all = parts.map((p) => `${p.ours} [${p.shape}]`).join(', ');
    throw new ShapeError(
      `PyTorch's ${theirs} is made of ${all}, in its layout, which must agree but in their first axis`,
    );
  }
  return [parts.reduce((n, p) => n + p.shape[0]!, 0), ...shape.slice(1)];
}

/** A weight, and how it lies in PyTorch. */
export type Weight = Pick<Part, 'tensor' | 'axes' | 'images'>;

/** How a tensor that runs over some of a weight's axes lies in PyTorch, where the weight is `weight`. */
export function alongWeight(weight: Weight, over: readonly number[], keepDims: boolean): Omit<Part, 'ours' | 'tensor'> {
  const { shape } = weight.tensor;
  const seen = over.map((a) => shape[a]!);
  return {
    seen,
    axes: weight.axes.filter((a) => over.includes(a)).map((a) => over.indexOf(a)),
    images: weight.images
      .filter(({ axis }) => over.includes(axis))
      .map((image) => ({ ...image, axis: over.indexOf(image.axis) })),
    shape: keepDims
      ? weight.axes.map((a) => (over.includes(a) ? shape[a]! : 1))
      : over.length === 0
        ? []
        : [sizeOf(seen)],
  };
}

const SIDES = ['input', 'output'] as const;

/** @throws Error for a layer without features on a side that an image is given for */
export function needFeatures({ features }: PyTorchRule, layer: string, image: FlattenedImages | undefined): void {
  if (!image) return;
  if (!features) {
    throw new Error(
      `flattened: ${layer || 'the module'} has no features in a row; name the Linear or norm layer beside the Flatten`,
    );
  }
  const all = Object.values(features);
  const without = SIDES.filter((side) => image[side] && all.every((axes) => axes[side] === undefined));
  if (without.length > 0) {
    throw new Error(
      `flattened: ${layer || 'the module'} has no ${without.join(' or ')} features in a row; leave ${without.join()} out`,
    );
  }
}

/** The axes of a tensor that run over flattened images. @throws ShapeError for another size */
export function imagesOf(
  rule: PyTorchRule,
  field: string,
  t: Tensor,
  layer: string,
  image: FlattenedImages | undefined,
): Part['images'] {
  if (!image) return [];
  const axes = of(rule.features, field) ?? {};
  const found = new Map<number, Shape>();
  for (const side of SIDES) {
    const [axis, shape] = [axes[side], image[side]];
    if (axis === undefined || shape === undefined) continue;
    const size = sizeOf(shape);
    if (size !== t.shape[axis]) {
      throw new ShapeError(
        `flattened: ${layer || 'the module'} has ${t.shape[axis]} ${side} features, but an image [${shape}] has ${size} values; give [H,W,C]`,
      );
    }
    found.set(axis, shape);
  }
  return [...found].map(([axis, shape]) => ({ axis, shape }));
}
