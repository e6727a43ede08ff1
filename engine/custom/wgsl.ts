/** What the text of a shader says of its bindings, and the same shader with its indices checked. */

/** A storage buffer as a shader declares it. */
export interface StorageBinding {
  readonly name: string;
  readonly access: 'read' | 'write';
  /** Bytes of an element, if it is an array of elements of known size. */
  readonly stride: number | undefined;
}

/** The bindings of group 0. */
export interface Bindings {
  /** The least and the most words that fill the uniform block; 0 and 0 without one, undefined where its type is not understood. */
  readonly words: readonly [least: number, most: number] | undefined;
  /** The storage buffers by number of the binding. */
  readonly storage: ReadonlyMap<number, StorageBinding>;
}

interface Layout {
  readonly size: number;
  readonly align: number;
  /** Where the last member ends: `size` without the padding after it. */
  readonly end: number;
}

const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to;
const plain = (size: number, align = size): Layout => ({ size, align, end: size });

/** The text with comments blanked out, so that places stay what they are. */
export function withoutComments(source: string): string {
  return source.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '));
}

/** Splits at commas outside of brackets. */
function split(list: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const c of list) {
    if ('<({['.includes(c)) depth++;
    if ('>)}]'.includes(c)) depth--;
    if (c === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += c;
  }
  return parts.map((p) => p.trim()).filter(Boolean);
}

const SCALARS: Readonly<Record<string, number>> = { f32: 4, i32: 4, u32: 4, f16: 2 };
const SHORT: Readonly<Record<string, string>> = { f: 'f32', i: 'i32', u: 'u32', h: 'f16' };

/** Sizes of types in a shader by the rules of WGSL §14.4 (memory layout); undefined for what is not understood. */
function layouts(text: string): (type: string) => Layout | undefined {
  const body = (name: string) => new RegExp(`\\bstruct\\s+${name}\\s*\\{([^}]*)\\}`).exec(text)?.[1];
  const alias = (name: string) => new RegExp(`\\balias\\s+${name}\\s*=\\s*([^;]+);`).exec(text)?.[1];
  const number = (n: string): number | undefined => {
    const digits =
      /^(\d+)[iu]?$/.exec(n)?.[1] ?? new RegExp(`\\bconst\\s+${n}\\b[^=;]*=\\s*(\\d+)[iu]?\\s*;`).exec(text)?.[1];
    return digits === undefined ? undefined : Number(digits);
  };
  const vector = (n: number, scalar: string): Layout | undefined => {
    const size = SCALARS[scalar];
    return size === undefined ? undefined : plain(n * size, (n === 3 ? 4 : n) * size);
  };
  const repeated = (of: Layout | undefined, n: number | undefined): Layout | undefined =>
    of && n !== undefined ? plain(n * roundUp(of.size, of.align), of.align) : undefined;
  const struct = (members: string): Layout | undefined => {
    let [end, align] = [0, 1];
    for (const member of split(members)) {
      const [, attributes, type] = /^((?:@\w+\s*(?:\([^)]*\))?\s*)*)\w+\s*:\s*([\s\S]+)$/.exec(member) ?? [];
      const own = type === undefined ? undefined : layout(type);
      if (!own) return undefined;
      const given = (name: string) => Number(new RegExp(`@${name}\\s*\\(\\s*(\\d+)`).exec(attributes!)?.[1] ?? 0);
      const at = roundUp(end, Math.max(own.align, given('align')));
      end = at + Math.max(own.size, given('size'));
      align = Math.max(align, own.align, given('align'));
    }
    return { size: roundUp(end, align), align, end };
  };
  const layout = (written: string): Layout | undefined => {
    const type = written.replace(/\s+/g, '');
    if (SCALARS[type]) return plain(SCALARS[type]);
    const [, n, short, long] = /^vec([234])(?:([fiuh])|<(\w+)>)$/.exec(type) ?? [];
    if (n) return vector(Number(n), short ? SHORT[short]! : long!);
    const [, columns, rows, half, full] = /^mat([234])x([234])(?:([fh])|<(\w+)>)$/.exec(type) ?? [];
    if (columns) return repeated(vector(Number(rows), half ? SHORT[half]! : full!), Number(columns));
    const inner = /^(array|atomic)<(.+)>$/.exec(type);
    if (inner?.[1] === 'atomic') return layout(inner[2]!);
    if (inner) {
      const [of, count] = split(inner[2]!);
      return repeated(layout(of!), count === undefined ? undefined : number(count));
    }
    const members = /^\w+$/.test(type) ? body(type) : undefined;
    if (members !== undefined) return struct(members);
    const other = /^\w+$/.test(type) ? alias(type) : undefined;
    return other && other.trim() !== type ? layout(other) : undefined;
  };
  return layout;
}

const VARIABLE = /((?:@\w+\s*\([^)]*\)\s*)+)var\s*<\s*(uniform|storage)\s*(?:,\s*(\w+)\s*)?>\s*(\w+)\s*:\s*([^;]+);/g;
const known = new Map<string, Bindings>();

/** The bindings that a shader declares. */
export function bindingsOf(source: string): Bindings {
  const before = known.get(source);
  if (before) return before;
  const text = withoutComments(source);
  const layout = layouts(text);
  let words: Bindings['words'] = [0, 0];
  const storage = new Map<number, StorageBinding>();
  for (const [, attributes, space, mode, name, type] of text.matchAll(VARIABLE)) {
    const binding = Number(/@binding\s*\(\s*(\d+)/.exec(attributes!)?.[1]);
    if (space === 'uniform') {
      const found = layout(type!);
      words = found && [Math.ceil(found.end / 4), Math.ceil(found.size / 4)];
    } else {
      const of = /^array\s*<([\s\S]+)>$/.exec(type!.trim())?.[1];
      const element = of && split(of).length === 1 ? layout(of) : undefined;
      const stride = element && roundUp(element.size, element.align);
      storage.set(binding, { name: name!, access: mode === 'read_write' ? 'write' : 'read', stride });
    }
  }
  const found = { words, storage };
  known.set(source, found);
  return found;
}

/** Words in which a checked shader notes, for each storage buffer, the first index outside: of a read, and of a write. */
export const NOTED = 4;

/** Where the bracket that opens at `at` closes. */
function closing(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    if (text[i] === '[') depth++;
    if (text[i] === ']' && --depth === 0) return i;
  }
  return text.length;
}

/**
 * The shader with each index into its storage buffers checked: one outside is noted in the buffer of words behind the others,
 * and replaced by 0. Not seen is what goes through a pointer to a whole buffer, and a buffer whose name is declared again.
 * @param elements of each buffer, in 32-bit words, in the order of the bindings
 * @param base where this shader's notes begin; NOTED words for each buffer
 */
export function withCheckedIndices(source: string, elements: readonly number[], base: number): string {
  const { storage } = bindingsOf(source);
  let text = withoutComments(source);
  const functions = text.replace(/\bstruct\s+\w+\s*\{[^}]*\}/g, '');
  const helpers: string[] = [
    `@group(0) @binding(${elements.length + 1}) var<storage, read_write> wgrad_noted: array<atomic<u32>>;`,
    `fn wgrad_note(slot: u32, i: u32) -> u32 {
  if (atomicMax(&wgrad_noted[slot], 1u) == 0u) { atomicStore(&wgrad_noted[slot + 1u], i); }
  return 0u;
}`,
  ];
  elements.forEach((n, k) => {
    const buffer = storage.get(k + 1);
    if (!buffer?.stride) return;
    const { name, stride } = buffer;
    const declared = new RegExp(`(?:\\b(?:let|var|const)\\s+${name}\\b|[(,]\\s*${name}\\s*:)`);
    if (declared.test(functions)) return;
    const count = Math.ceil((n * 4) / stride);
    for (const [way, slot] of [
      ['get', base + k * NOTED],
      ['set', base + k * NOTED + 2],
    ] as const) {
      helpers.push(
        `fn wgrad_${way}_${name}(i: u32) -> u32 { if (i < ${count}u) { return i; } return wgrad_note(${slot}u, i); }`,
      );
    }
    const use = new RegExp(`(?<![\\w.])${name}\\s*\\[`, 'g');
    for (let found = use.exec(text); found; found = use.exec(text)) {
      const open = found.index + found[0].length - 1;
      const close = closing(text, open);
      const writes = /^\s*(?:\.\w+\s*|\[[^\]]*\]\s*)*(?:[-+*/%&|^]|<<|>>)?=(?!=)/.test(text.slice(close + 1));
      const checked = `[wgrad_${writes ? 'set' : 'get'}_${name}(u32(${text.slice(open + 1, close)}))`;
      text = text.slice(0, open) + checked + text.slice(close);
      use.lastIndex = open + 1;
    }
  });
  // Directives such as `enable f16;` come first.
  const [, directives = ''] = /^((?:\s*(?:enable|requires|diagnostic)\b[^;]*;)*)/.exec(text) ?? [];
  return `${directives}\n${helpers.join('\n')}\n${text.slice(directives.length)}`;
}
