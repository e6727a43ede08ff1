/** What functions of this repository check their arguments with. @module */
export {
  aFunction,
  aList,
  aString,
  checkArguments,
  guarded,
  maybe,
  op,
  options,
  rest,
  something,
  within,
} from './arguments.ts';
export { aTensor, tensors } from './kinds.ts';
