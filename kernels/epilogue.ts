/**
 * Elementwise functions that a kernel applies to each value before it stores it: bias and activation of a layer then cost
 * no pass over memory of their own.
 */
import { type ChainType, linkCalls, linkFunctions, scalarMembers, scalarParams } from './elementwise.ts';
import type { Epilogue } from './functions.ts';
import { MAX_WORDS, type Param, type Target } from './kernel.ts';

/** An epilogue with its key. */
export function epilogueOf(epilogue: Omit<Epilogue, 'key'>): Epilogue {
  const { links, operands, outputs } = epilogue;
  const functions = links.map((l) => `${l.e.name}:${l.operands}:${l.scalars.length}`);
  return { ...epilogue, key: `${functions.join(';')}|${operands}|${outputs}` };
}

/** An epilogue as WGSL, for kernels to put into their source. */
export interface EpilogueCode {
  /** Appended to a kernel's name. */
  readonly name: string;
  /** Members to end the uniform block with. */
  readonly members: string;
  /** Bindings of the operands, then of all outputs but the first. */
  readonly access: readonly ('read' | 'write')[];
  /** Types, those bindings from `first` on, and functions. `parameter`: a u32 expression of the uniform block. */
  head(first: number, parameter: string): string;
  /** Reads the operands that are rows or numbers, for columns from `n` on. Names end in `suffix`. */
  columns(n: string, suffix?: string): string;
  /** Statements that store what becomes of `value`; `at` is its place in the output in elements, both u32. */
  store(value: string, at: string, suffix?: string): string;
}

/** The parameters behind `members`. */
export const epilogueParams = (epilogue: Epilogue | undefined): Param[] =>
  epilogue ? scalarParams(epilogue.links, 1 + epilogue.operands.length) : [];

/**
 * Where the buffers of a plan of `inputs` inputs lie when it has an epilogue: the output's binding with what an epilogue binds after
 * it (in the order of `access`), and the slot that comes next: another output, or the first temp.
 */
export function epilogueSlots(inputs: number, epilogue: Epilogue | undefined) {
  const operands = epilogue?.operands.map((_, k) => inputs + k) ?? [];
  const first = inputs + operands.length;
  const also = epilogue?.outputs.slice(1).map((_, k) => first + 1 + k) ?? [];
  return { output: [first, ...operands, ...also], next: first + 1 + also.length };
}

/** Whether a kernel of `inputs` buffers, an output and `words` of parameters can take an epilogue. */
export const takesEpilogue = (target: Target, inputs: number, words: number, epilogue: Epilogue): boolean =>
  inputs + epilogue.operands.length + epilogue.outputs.length <= target.maxStorageBuffers &&
  words + epilogueParams(epilogue).length <= MAX_WORDS;

/** The code of an epilogue for kernels that store values of `type` into `output`. Without an epilogue it only stores. */
export function epilogueCode(epilogue: Epilogue | undefined, type: ChainType, output: string): EpilogueCode {
  const shift = { f32: 0, vec2f: 1, vec4f: 2 }[type];
  const place = (at: string) => (shift === 0 ? at : `(${at}) >> ${shift}u`);
  if (!epilogue) {
    return {
      name: '',
      members: '',
      access: [],
      head: () => '',
      columns: () => '',
      store: (value, at) => `${output}[${place(at)}] = ${value};`,
    };
  }
  const { links, operands, outputs } = epilogue;
  const inputs = 1 + operands.length;
  const value = (k: number, suffix: string) =>
    k === 0
      ? 'v_'
      : k > operands.length
        ? `r${k - operands.length - 1}_`
        : operands[k - 1] === 'whole'
          ? `o${k - 1}_`
          : `o${k - 1}_${suffix}`;
  const name = links.map((l) => l.e.name).join('+');
  return {
    name: `+${name}`,
    members: scalarMembers(links, inputs),
    access: [...operands.map(() => 'read' as const), ...outputs.slice(1).map(() => 'write' as const)],
    head: (first, parameter) =>
      [
        ...operands.map(
          (kind, k) =>
            `@group(0) @binding(${first + k}) var<storage, read> epilogue${k}: array<${kind === 'scalar' ? 'f32' : type}>;`,
        ),
        ...outputs
          .slice(1)
          .map(
            (_, k) =>
              `@group(0) @binding(${first + operands.length + k}) var<storage, read_write> also${k}: array<${type}>;`,
          ),
        linkFunctions(links, inputs, type, parameter),
      ].join('\n'),
    columns: (n, suffix = '') =>
      operands
        .map((kind, k) => {
          if (kind === 'whole') return '';
          return `let o${k}_${suffix} = T(epilogue${k}[${kind === 'row' ? place(n) : '0'}]);`;
        })
        .join(' '),
    store: (from, at, suffix = '') =>
      [
        `let v_ = ${from}; let at_ = ${place(at)};`,
        ...operands.map((kind, k) => (kind === 'whole' ? `let o${k}_ = epilogue${k}[at_];` : '')),
        ...linkCalls(links, inputs, (o) => value(o, suffix)).map((call, k) => `let r${k}_ = ${call};`),
        ...outputs.map((o, k) => `${k === 0 ? output : `also${k - 1}`}[at_] = ${value(o, suffix)};`),
      ].join(' '),
  };
}
