/** Which layers of a network look as if their features were flattened images, whose order differs from PyTorch's. */
import type { AnyModule } from '../module/anyModule.ts';

/** The channels on one side of a layer, by its fields: a convolution's, or a Linear's. */
function sizes(
  m: AnyModule,
): { readonly kind: 'conv' | 'linear'; readonly from: number; readonly to: number } | undefined {
  const { inChannels, outChannels, inFeatures, outFeatures } = m as unknown as Record<string, unknown>;
  if (typeof inChannels === 'number' && typeof outChannels === 'number') {
    return { kind: 'conv', from: inChannels, to: outChannels };
  }
  if (typeof inFeatures !== 'number' || typeof outFeatures !== 'number') return undefined;
  return { kind: 'linear', from: inFeatures, to: outFeatures };
}

/** The image's shape: what a reshaping layer says, or a square if it can be one. */
function imageOf(places: number, channels: number, told: readonly number[] | undefined): string {
  if (told && told.length > 1 && told.at(-1) === channels && told.every((d) => d > 0)) return `[${told.join()}]`;
  const side = Math.round(Math.sqrt(places));
  return side * side === places ? `[${side},${side},${channels}]` : '[H,W,C]';
}

/** The sizes that a Reshape or Unflatten gives. */
function reshapes(m: AnyModule): readonly number[] | undefined {
  const { sizes: cut, shape } = m as unknown as Record<string, unknown>;
  const found = cut ?? shape;
  return Array.isArray(found) && found.length > 1 ? (found as number[]) : undefined;
}

/**
 * Warns, in one line, of each Linear that comes next to a convolution and has the features of several places: behind one, with a
 * multiple of its channels, or, with a reshaping layer between, in front of one.
 * @param known names of those whose images were given
 */
export function warnOfFlattened(module: AnyModule, known: readonly string[]): void {
  const found: string[] = [];
  let before: ({ readonly name: string } & NonNullable<ReturnType<typeof sizes>>) | undefined;
  let shape: readonly number[] | undefined;
  for (const [name, layer] of module.namedModules()) {
    shape = reshapes(layer) ?? shape;
    const own = sizes(layer);
    if (!own) continue;
    const told = shape;
    const note = (of: string, side: string, features: number, channels: number) => {
      const places = features / channels;
      if (!Number.isInteger(places) || places === 1 || known.includes(of)) return;
      found.push(`${JSON.stringify(of)}: { ${side}: ${imageOf(places, channels, told)} }`);
    };
    if (before?.kind === 'conv' && own.kind === 'linear') note(name, 'input', own.from, before.to);
    if (before?.kind === 'linear' && own.kind === 'conv' && told) note(before.name, 'output', before.to, own.from);
    before = { name, ...own };
    shape = undefined;
  }
  if (found.length === 0) return;
  console.warn(
    `fromPyTorch: features of a flattened image come in another order than in PyTorch, and a network that is not told gives nonsense. Beside convolutions there are: { flattened: { ${found.join(', ')} } }, with images as [H,W,C]. Give that, or { flattened: {} } if no image is flattened there`,
  );
}
