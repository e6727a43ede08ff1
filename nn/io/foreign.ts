/** What files hold that is not read here: element types of other programs, and files of other formats under a wrong name. */
import { DTYPE_NAMES } from './dtypes.ts';

/** A tensor of an element type that is not read here. */
export interface UnreadTensor {
  /** The type, by its name in the file. */
  readonly dtype: string;
  /** The sizes of its axes. */
  readonly shape: readonly number[];
}

/** Bits of an element of the format's other types. */
const BITS: Readonly<Record<string, number>> = {
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  C64: 64,
};

/** Bits of an element of a type that is not read here; undefined for one that is not known, which a later format may have. */
export const foreignBits = (dtype: string): number | undefined =>
  Object.hasOwn(BITS, dtype) ? BITS[dtype] : undefined;

/** Whether it looks like the name of an element type. */
export const isTypeName = (value: unknown): value is string =>
  typeof value === 'string' && /^[A-Z][A-Z\d]*(_[A-Z\d]+)*$/.test(value);

/** Why a tensor is not read, and what to do. */
export const unreadMessage = (name: string, { dtype }: UnreadTensor): string =>
  `tensor "${name}" is of type ${dtype}, which is not read here; convert it to one of ${DTYPE_NAMES.join(', ')}`;

/** What else the file has from which a map of tensors was read. */
const unread = new WeakMap<object, ReadonlyMap<string, UnreadTensor>>();

/** Notes what a file has beside `tensors`, and warns of it. @param file what the warning calls it */
export function noteUnread(tensors: object, others: ReadonlyMap<string, UnreadTensor>, file: string): void {
  if (others.size === 0) return;
  unread.set(tensors, others);
  const shown = [...others].slice(0, 8).map(([name, t]) => `${JSON.stringify(name)} (${t.dtype})`);
  const more = others.size > shown.length ? ` and ${others.size - shown.length} more` : '';
  console.warn(
    `${file}: ${others.size} of ${others.size + (tensors as { size: number }).size} tensors are not read, as their types are not known here: ${shown.join(', ')}${more}; convert them to F32`,
  );
}

/** The names of the tensors that a file has beside a map of those that were read. */
export const unreadNames = (tensors: object): string[] => [...(unread.get(tensors)?.keys() ?? [])];

/** What is said of a name that a map of tensors does not have: that it is missing, or in the file, but of an unknown type. */
export function missingFrom(tensors: object, name: string): string {
  const other = unread.get(tensors)?.get(name);
  return other
    ? `${name} is of type ${other.dtype} in the file, which is not read here: convert it to F32`
    : `${name} is missing`;
}

/** Files of other formats by their first bytes. A pickle's first byte alone would be that of a short header's length. */
const FORMATS: readonly (readonly [start: readonly number[], what: string, isTorch?: boolean])[] = [
  [[0x50, 0x4b, 3, 4], 'a zip archive, as torch.save writes', true],
  [[0x50, 0x4b, 5, 6], 'an empty zip archive'],
  [[0x80, 2], 'a pickle, as torch.save wrote before 1.6', true],
  [[0x80, 3], 'a pickle', true],
  [[0x80, 4], 'a pickle', true],
  [[0x80, 5], 'a pickle', true],
  [[0x89, 0x48, 0x44, 0x46], 'HDF5, as Keras writes'],
  [[0x93, 0x4e, 0x55, 0x4d], 'an array of NumPy'],
  [[0x47, 0x47, 0x55, 0x46], 'GGUF'],
  [[0x1f, 0x8b], 'compressed by gzip; unpack it'],
];

/** What a file that is not safetensors is, and how to convert it, as words for an error; '' for what is not known. */
export function otherFormat(first: Uint8Array, name: string): string {
  const found = FORMATS.find(([start]) => start.every((byte, i) => first[i] === byte));
  const isNamed = /\.(pt|pth|ckpt|pkl|bin)$/i.test(name);
  if (!found && !isNamed) return '';
  const [, what, isTorch = false] = found ?? [[], 'of PyTorch, by its name', true];
  return `it is ${what}, not safetensors${isTorch ? `.\n${inPython(name)}` : ''}`;
}

/** Two lines of Python that turn a file of torch.save into safetensors. */
function inPython(name: string): string {
  const file = name.split(/[\\/]/).at(-1)!;
  const to = `${file.replace(/\.[^.]*$/, '')}.safetensors`;
  return `Convert it in Python (pip install torch safetensors):
  import torch, safetensors.torch
  safetensors.torch.save_file({k: v.clone().contiguous() for k, v in torch.load(${JSON.stringify(file)}, map_location="cpu").items()}, ${JSON.stringify(to)})
If the file holds more than a state dict, name the part that is one, such as torch.load(...)["state_dict"].items(); of a whole model, torch.load(..., weights_only=False).state_dict().items()`;
}
