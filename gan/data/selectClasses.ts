import { sizeOf } from '../../engine/index.ts';
import { checkedList, shown } from '../../engine/internal.ts';
import type { SampleSet, Samples } from './sampleSet.ts';

/**
 * The samples of some classes, which are numbered anew in the order given: `selectClasses(mnist, ['8'])` are the eights.
 * @param classes names as in `set.classes`, in upper or lower case, each once
 * @throws RangeError for an unknown class (it lists those that there are), one named twice, none, a set without classes,
 * or classes that leave a split empty
 */
export function selectClasses(set: SampleSet, classes: readonly string[]): SampleSet {
  const known = set.classes;
  if (!known) throw new RangeError(`${set.name}: the set has no classes to choose from`);
  checkedList(set.name, 'classes', classes, `['${known[0]}']`);
  const chosen = classes.map((name) => {
    const label = known.findIndex((k) => k.toLowerCase() === String(name).toLowerCase());
    if (label >= 0) return label;
    throw new RangeError(`${set.name}: there is no class ${shown(name)}; there are ${listed(known)}`);
  });
  if (chosen.length === 0) throw new RangeError(`${set.name}: name one class or more of ${listed(known)}`);
  const twice = chosen.find((label, i) => chosen.indexOf(label) !== i);
  if (twice !== undefined) throw new RangeError(`${set.name}: the class ${shown(known[twice])} is named twice`);

  const size = sizeOf(set.shape);
  const names = chosen.map((label) => known[label]!);
  const part = (split: 'train' | 'test'): Samples => {
    const { data, labels } = set[split];
    const places: number[] = [];
    labels!.forEach((label, i) => {
      if (chosen.includes(label)) places.push(i);
    });
    if (places.length === 0) throw new RangeError(`${set.name}: the ${split} split has no sample of ${listed(names)}`);
    const picked =
      data instanceof Uint8Array ? new Uint8Array(places.length * size) : new Float32Array(places.length * size);
    const numbers = labelArray(places.length, chosen.length);
    places.forEach((place, i) => {
      picked.set(data.subarray(place * size, (place + 1) * size), i * size);
      numbers[i] = chosen.indexOf(labels![place]!);
    });
    return { count: places.length, data: picked, labels: numbers };
  };
  return {
    ...set,
    title: `${set.title}: ${names.join(', ')}`,
    train: part('train'),
    test: part('test'),
    classes: names,
  };
}

/** Zeros to hold `n` labels of so many classes. @throws RangeError above 65,536 classes */
export function labelArray(n: number, classes: number): Uint8Array | Uint16Array {
  if (classes > 65_536) throw new RangeError(`${classes} classes are more than labels of two bytes can tell apart`);
  return classes <= 256 ? new Uint8Array(n) : new Uint16Array(n);
}

const listed = (names: readonly string[]): string =>
  names.length > 20 ? `${names.slice(0, 20).join(', ')} and ${names.length - 20} more` : names.join(', ');
