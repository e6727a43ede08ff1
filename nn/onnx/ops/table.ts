/** The mapping table: how each op of the engine is written in ONNX. */
import { elementwiseMappings } from './elementwise.ts';
import { linearMappings } from './linear.ts';
import type { Mapping } from './mapping.ts';
import { movementMappings } from './movement.ts';
import { normMappings } from './norm.ts';
import { reduceMappings } from './reduce.ts';
import { windowMappings } from './window.ts';

/** All mappings, by the name that the op has on the tape. */
export const MAPPINGS: Readonly<Record<string, Mapping>> = {
  ...elementwiseMappings,
  ...movementMappings,
  ...reduceMappings,
  ...linearMappings,
  ...normMappings,
  ...windowMappings,
};

/** Part of maxPool2d, which `poolGather` maps as a whole. */
export const MAX_POOL_INDEX = 'maxPoolIndex';
/** Ops that give other values in each run. */
export const RANDOM: ReadonlySet<string> = new Set(['uniform', 'normal', 'truncatedNormal', 'randint']);
