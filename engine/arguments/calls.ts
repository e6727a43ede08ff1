/** What functions of this repository check their arguments with. @module */
export {
  aFunction,
  aList,
  aString,
  checkArguments,
  guarded,
  type Kind,
  kindsOf,
  maybe,
  op,
  options,
  rest,
  something,
  within,
} from './arguments.ts';
export { aTensor, likeRange, tensorRange, tensors } from './kinds.ts';
