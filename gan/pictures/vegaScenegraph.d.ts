/** What of vega-scenegraph is used; it has no types of its own. */
declare module 'vega-scenegraph' {
  export class SVGStringRenderer {
    initialize(element: null, width: number, height: number, origin: readonly [number, number]): this;
    render(root: unknown): this;
    svg(): string;
  }
}
