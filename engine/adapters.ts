/**
 * The names of the adapters that {@link init} opens, in the order in which it looks for one: a GPU; Mesa's software Vulkan of the
 * system; the software Vulkan that comes from npm (SwiftShader); and the float64 reference device in plain JavaScript, which is
 * taken only where it is named. They are what `WGRAD_ADAPTER` and the option `--adapter` of the commands may be.
 */
export const adapterNames = ['hardware', 'lavapipe', 'swiftshader', 'reference'] as const;

/**
 * A kind of adapter: one of {@link adapterNames}. A browser chooses its adapter itself, but for `'reference'`, and `'swiftshader'`
 * where it has a software adapter.
 */
export type AdapterName = (typeof adapterNames)[number];

/** Which WebGPU adapter to open: one kind, or any, the best first. */
export type AdapterChoice = Exclude<AdapterName, 'reference'> | undefined;
