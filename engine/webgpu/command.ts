/** One dispatch. Its params lie in a uniform buffer, in the block that has its number. */
export interface Command {
  readonly name: string;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly grid: readonly [number, number, number];
}
